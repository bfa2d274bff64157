"""Inboxes, and how access points on shares stand."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "inbox_files",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("inbox", sa.String(), nullable=False),
        sa.Column("box", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("arrived_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_inbox_files"),
        sa.UniqueConstraint("receipt", name="uq_inbox_files_receipt"),
        sqlite_autoincrement=True,
    )
    op.create_index("files_of_an_inbox", "inbox_files", ["inbox", "state", "number"])
    op.create_table(
        "access_points",
        sa.Column("system_key", sa.String(), nullable=False),
        sa.Column("tried_at", sa.Double(), nullable=False),
        sa.Column("reached_at", sa.Double()),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("lying", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("system_key", name="pk_access_points"),
    )
    op.create_table(
        "published_files",
        sa.Column("system_key", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("system_key", "path", name="pk_published_files"),
    )
    op.create_table(
        "granted_identities",
        sa.Column("system_key", sa.String(), nullable=False),
        sa.Column("sid", sa.String(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("system_key", "sid", name="pk_granted_identities"),
    )
    op.create_table(
        "seen_clients",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name_key", name="pk_seen_clients"),
    )
