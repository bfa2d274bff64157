"""Who occupies a place of a credential is found without reading everybody who holds it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    occupied = sa.text("offered_at IS NOT NULL AND proven_at IS NULL OR refused_at IS NOT NULL")
    op.create_index(
        "places_of_a_credential",
        "holdings",
        ["account_id", "generation"],
        sqlite_where=occupied,
        postgresql_where=occupied,
    )
