"""`keyturn lab`: a throw-away domain with a file share, agents and a site, to try Keyturn on something real."""
