"""The accounts that products run on and how each may change: a table per product, and the rule chosen from it."""
