"""File shares a client reads from."""
