"""Active Directory, every domain controller asked by itself over LDAPS. Read `authority` first."""
