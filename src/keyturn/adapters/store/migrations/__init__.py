"""How the schema moves from each release to the next, run by `adapters.store.migrate`."""
