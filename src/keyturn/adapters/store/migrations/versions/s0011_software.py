"""Software: packages, programs, collections, advertisements, consents, and what clients told of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "software_numbers",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_software_numbers"),
    )
    op.create_table(
        "packages",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("package_id", name="pk_packages"),
    )
    _packages_own()
    op.create_table(
        "collections",
        sa.Column("collection_id", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name="pk_collections"),
        sa.UniqueConstraint("name_key", name="uq_collections_name_key"),
    )
    op.create_table(
        "advertisements",
        sa.Column("advertisement_id", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("advertised_by", sa.Text(), nullable=False),
        sa.Column("advertised_at", sa.Double(), nullable=False),
        sa.Column("cancelled_by", sa.Text(), nullable=False),
        sa.Column("cancelled_at", sa.Double()),
        sa.PrimaryKeyConstraint("advertisement_id", name="pk_advertisements"),
    )
    op.create_table(
        "consents",
        sa.Column("advertisement_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approves", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["advertisement_id"], ["advertisements.advertisement_id"], name="fk_consents_advertisement_id"
        ),
        sa.PrimaryKeyConstraint("advertisement_id", "digest", "person_key", name="pk_consents"),
    )
    op.create_table(
        "client_facts",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name_key", name="pk_client_facts"),
    )


def _packages_own() -> None:
    op.create_table(
        "package_contents",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["packages.package_id"], name="fk_package_contents_package_id"),
        sa.PrimaryKeyConstraint("package_id", "version", name="pk_package_contents"),
    )
    op.create_table(
        "package_points",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("system_key", sa.String(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["packages.package_id"], name="fk_package_points_package_id"),
        sa.PrimaryKeyConstraint("package_id", "system_key", name="pk_package_points"),
    )
    op.create_table(
        "programs",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["packages.package_id"], name="fk_programs_package_id"),
        sa.PrimaryKeyConstraint("package_id", "name_key", name="pk_programs"),
    )
