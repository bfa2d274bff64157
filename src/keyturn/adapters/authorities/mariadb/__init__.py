"""MariaDB's accounts."""
