"""Where on a machine an account is named, as the machine's own scan says."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("sightings", sa.Column("places", sa.Text(), nullable=False, server_default=""))
