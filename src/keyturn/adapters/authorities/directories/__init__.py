"""What the adapters of LDAP directories have in common."""
