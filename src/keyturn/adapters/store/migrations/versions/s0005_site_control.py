"""The site control file with its history."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "control_deltas",
        sa.Column("number", number, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("delta", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("serial", sa.Integer()),
        sa.Column("document", sa.Text()),
        sa.PrimaryKeyConstraint("number", name="pk_control_deltas"),
        sa.UniqueConstraint("serial", name="uq_control_deltas_serial"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "control_copies",
        sa.Column("site_key", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_key", name="pk_control_copies"),
    )
    op.create_table(
        "control_texts",
        sa.Column("number", number, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_control_texts"),
        sqlite_autoincrement=True,
    )
