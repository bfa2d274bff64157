"""Software between sites: what was handed down, what came from above, and what is still to be told there."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "handed_down",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_handed_down"),
    )
    op.create_table(
        "from_above",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("awaited", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_from_above"),
    )
    op.create_table(
        "reports_for_above",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_reports_for_above"),
    )
