"""How accounts change: the catalogue, plans, guards, and their execution; with the ports all this needs."""
