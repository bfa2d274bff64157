"""Sites of a hierarchy, and the bundles they send each other."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "site_keys",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_site_keys"),
    )
    op.create_table(
        "known_sites",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("introduced_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_known_sites"),
    )
    op.create_table(
        "links",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=False),
        sa.Column("last_sent_at", sa.Double()),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_links"),
    )
    op.create_table(
        "told_sites",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", "account", name="pk_told_sites"),
    )
    op.create_table(
        "streams",
        *_stream(),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "destination", "lane", name="pk_streams"),
    )
    op.create_table("outbox", *_bundles("outbox"))
    op.create_table("arrivals", *_bundles("arrivals"), sa.Column("opened_at", sa.Double()))
    op.create_table(
        "held_credentials",
        sa.Column("account_key", sa.String(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("retry_at", sa.Double(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_key", name="pk_held_credentials"),
    )


def _stream() -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in ("source", "destination", "lane")]


def _bundles(table: str) -> list[sa.schema.SchemaItem]:
    return [
        *_stream(),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source", "destination", "lane", "sequence", name=f"pk_{table}"),
    ]
