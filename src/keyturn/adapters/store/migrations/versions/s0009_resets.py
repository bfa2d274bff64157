"""Access points that a site reset went on without."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "left_out_systems",
        sa.Column("system_key", sa.String(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name="fk_left_out_systems_plan_id"),
        sa.PrimaryKeyConstraint("system_key", name="pk_left_out_systems"),
    )
