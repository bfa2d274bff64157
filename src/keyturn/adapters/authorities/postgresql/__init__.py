"""PostgreSQL's roles as accounts."""
