"""The store: everything Keyturn remembers, in one SQL database, its passwords sealed by a key kept elsewhere."""
