"""The policy that each client was told last, and what clients say of advertisements."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "policy_issues",
        sa.Column("client_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("client_key", name="pk_policy_issues"),
    )
    op.create_table(
        "advertisement_reports",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("client_key", sa.String(), nullable=False),
        sa.Column("enrolled_at", sa.Double(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("advertisement", sa.String(), nullable=False),
        sa.Column("arrived_at", sa.Double(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "client_key", "enrolled_at", "number", name="pk_advertisement_reports"),
    )
    op.create_index("reports_of_an_advertisement", "advertisement_reports", ["advertisement", "client_key"])
    op.create_index("reports_in_time", "advertisement_reports", ["arrived_at"])
    op.create_table(
        "advertisement_standings",
        sa.Column("advertisement", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("client_key", sa.String(), nullable=False),
        sa.Column("user_key", sa.String(), nullable=False),
        sa.Column("enrolled_at", sa.Double(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.Double(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("advertisement", "site", "client_key", "user_key", name="pk_advertisement_standings"),
    )
