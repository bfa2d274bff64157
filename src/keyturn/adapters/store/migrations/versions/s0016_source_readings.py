"""Readings of package sources that are under way, and what was learnt of each file."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "source_readings",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("reading_id", sa.String(), nullable=False),
        sa.Column("read_by", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.Double(), nullable=False),
        sa.Column("told_at", sa.Double(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("of_files", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("of_size", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["packages.package_id"], name="fk_source_readings_package_id"),
        sa.PrimaryKeyConstraint("package_id", name="pk_source_readings"),
    )
    op.create_table(
        "source_files",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["packages.package_id"], name="fk_source_files_package_id"),
        sa.PrimaryKeyConstraint("package_id", "path", name="pk_source_files"),
    )
