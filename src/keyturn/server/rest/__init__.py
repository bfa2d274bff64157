"""The API for people: one module a noun."""
