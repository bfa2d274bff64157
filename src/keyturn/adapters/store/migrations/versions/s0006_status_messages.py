"""Status messages, and how the components of a site stand."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "status_messages",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("component_key", sa.String(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_status_messages"),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_of_a_component", "status_messages", ["component_key", "number"])
    op.create_index("messages_in_time", "status_messages", ["at"])
    op.create_table(
        "component_orders",
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("ordered_by", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("component", name="pk_component_orders"),
    )
    op.create_table(
        "component_standings",
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_start_at", sa.Double()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("heard_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("component", "process", name="pk_component_standings"),
    )
