"""How packages stand at distribution points."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "content_states",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("system_key", sa.String(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("there", sa.Integer(), nullable=False),
        sa.Column("there_since", sa.Double(), nullable=False),
        sa.Column("copied", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("access", sa.String(), nullable=False),
        sa.Column("swept", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("package_id", "system_key", name="pk_content_states"),
    )
