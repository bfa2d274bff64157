"""SQL Server's logins as accounts."""
