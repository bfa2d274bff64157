"""The ports, spoken to real things: realms, consumers, shares, the store, the engine."""
