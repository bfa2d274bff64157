"""Active Directory, each domain controller asked by itself over LDAPS or sealed LDAP. Read `authority` first."""
