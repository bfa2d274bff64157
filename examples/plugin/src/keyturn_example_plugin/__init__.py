"""A realm kept in a file of password hashes, and a consumer that is a line of a .pgpass."""
