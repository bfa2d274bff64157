"""Keyturn: turns every key in a fleet without locking anyone out."""

__version__ = "0.1.0"
