"""Alembic's entry: it is handed the connection to work on, so that the caller decides about the transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
