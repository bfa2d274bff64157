"""Client push: its requests, and what machines said to its accounts. Keys for installing at logon."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "push_requests",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer()),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("installed_at", sa.Double()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name_key", name="pk_push_requests"),
    )
    op.create_table(
        "push_logons",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("machine_key", sa.String(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_push_logons_account_id"),
        sa.PrimaryKeyConstraint("account_id", "generation", "machine_key", name="pk_push_logons"),
    )
    op.create_table(
        "logon_keys",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double()),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name_key", name="pk_logon_keys"),
        sa.UniqueConstraint("key_hash", name="uq_logon_keys_key_hash"),
    )
