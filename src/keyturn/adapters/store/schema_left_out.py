"""The table of access points that are to be assigned again."""

from sqlalchemy import Column, Double, ForeignKey, String, Table, Text

from keyturn.adapters.store.schema import METADATA

left_out_systems = Table(
    "left_out_systems",
    METADATA,
    Column("system_key", String, primary_key=True),
    Column("system", Text, nullable=False),
    Column("plan_id", String, ForeignKey("plans.plan_id"), nullable=False),
    Column("at", Double, nullable=False),
)
