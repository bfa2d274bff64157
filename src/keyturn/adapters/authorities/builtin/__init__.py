"""The built-in realm: a persistent directory with replicas in one SQLite file, which answers real logons."""
