"""A site's own directory: its settings, keys and certificates."""
