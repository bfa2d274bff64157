"""The client on a machine: how it asks, adopts, proves and remembers."""
