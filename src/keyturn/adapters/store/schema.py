"""The tables as this release knows them. What made them so stands in `migrations/versions`.

Names that are compared have a second column, `..._key`, in canonical form. Moments are seconds since the epoch;
NULL: not yet. No row of `generations` is ever deleted.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISION = "0016"
"""The last migration of these tables. Revisions are numbered, so that a later one can be told from an earlier."""

METADATA = MetaData(
    naming_convention={  # a later migration can only alter what has a name
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Number = BigInteger().with_variant(Integer(), "sqlite")


def _account() -> ForeignKey:
    return ForeignKey("accounts.account_id")


def _plan() -> ForeignKey:
    return ForeignKey("plans.plan_id")


canary = Table(
    "canary",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

imports = Table(
    "imports",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("at", Double, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("estate", Text, nullable=False),
    sqlite_autoincrement=True,
)

accounts = Table(
    "accounts",
    METADATA,
    Column("account_id", String, primary_key=True),
    Column("realm", Text, nullable=False),
    Column("realm_key", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", String, nullable=False),
    Column("sid", String),
    Column("role", Text),  # NULL: named by a plan that is not approved
    Column("sites", Text, nullable=False),
    Column("life", String, nullable=False),
    Column("successor_id", String, _account()),
    Column("created_at", Double, nullable=False),
    Column("made_by", String),  # the plan that named it first; NULL: the estate file
    UniqueConstraint("realm_key", "name_key", name="one_account_a_name"),
    UniqueConstraint("realm_key", "sid", name="one_account_an_identity"),
)

plans = Table(
    "plans",
    METADATA,
    Column("plan_id", String, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("forecast", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", Double, nullable=False),
    Column("note", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("missing", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("leased_by", Text),
    Column("lease_until", Double),
)

claims = Table(
    "claims",
    METADATA,
    Column("account_id", String, _account(), primary_key=True),  # so one open plan an account, whoever writes
    Column("plan_id", String, _plan(), nullable=False),
)

given = Table(
    "given",
    METADATA,
    Column("plan_id", String, _plan(), primary_key=True),
    Column("account_id", String, _account(), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

marks = Table(
    "marks",
    METADATA,
    Column("plan_id", String, _plan(), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("intended_at", Double, nullable=False),
    Column("done_at", Double),
)

approvals = Table(
    "approvals",
    METADATA,
    Column("plan_id", String, _plan(), primary_key=True),
    Column("person_key", String, primary_key=True),
    Column("person", Text, nullable=False),
    Column("at", Double, nullable=False),
)

releases = Table(
    "releases",
    METADATA,
    Column("plan_id", String, _plan(), primary_key=True),
    Column("holder_key", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("released_by", Text, nullable=False),
    Column("at", Double, nullable=False),
)

decisions = Table(
    "decisions",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("plan_id", String, _plan(), nullable=False),
    Column("state", String, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("note", Text, nullable=False),
    sqlite_autoincrement=True,
)

generations = Table(
    "generations",
    METADATA,
    Column("account_id", String, _account(), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),
    Column("replica", Text, nullable=False),
    Column("version_before", BigInteger, nullable=False),
    Column("plan_id", String, _plan()),  # NULL: adopted
    Column("sealed_at", Double, nullable=False),
    Column("promoted_at", Double),
    Column("version", BigInteger),  # the realm's mark when it was proven live
    Column("trusted_at", Double),  # refusals before then were looked into: the mark had not moved
    Column("sealed", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)
for _state, _name in (("undecided", "one_undecided_candidate"), ("live", "one_live_generation")):
    _only = text(f"state = '{_state}'")
    Index(_name, generations.c.account_id, unique=True, sqlite_where=_only, postgresql_where=_only)

publications = Table(
    "publications",
    METADATA,
    Column("account_id", String, _account(), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("at_once", Integer, nullable=False),
)

holders = Table(
    "holders",
    METADATA,
    Column("holder_key", String, primary_key=True),
    Column("name", Text, nullable=False),
)

holdings = Table(
    "holdings",
    METADATA,
    Column("account_id", String, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("holder_key", String, ForeignKey("holders.holder_key"), primary_key=True),
    Column("published_at", Double, nullable=False),
    Column("offered_at", Double),
    Column("proven_at", Double),
    Column("proof", String),
    Column("refused_at", Double),
    Column("answer", String),
    Column("pardoned_at", Double),  # a refusal that a person has looked into
    Column("dropped_at", Double),
    ForeignKeyConstraint(
        ("account_id", "generation"), ("publications.account_id", "publications.generation"), name="published"
    ),
    Index("holdings_of_a_holder", "holder_key"),
)
_occupied = text("offered_at IS NOT NULL AND proven_at IS NULL OR refused_at IS NOT NULL")
# Few rows of a credential that a whole fleet holds: who is trying it, and who was refused it.
Index(
    "places_of_a_credential",
    holdings.c.account_id,
    holdings.c.generation,
    sqlite_where=_occupied,
    postgresql_where=_occupied,
)

client_keys = Table(
    "client_keys",
    METADATA,
    Column("verify_key", LargeBinary, primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("last_contact_at", Double),
)

clients = Table(
    "clients",
    METADATA,
    Column("name_key", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("verify_key", LargeBinary, ForeignKey("client_keys.verify_key"), nullable=False, unique=True),
    Column("recipient", Text, nullable=False),
    Column("enrolled_at", Double, nullable=False),
)

invitations = Table(
    "invitations",
    METADATA,
    Column("name_key", String, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("invited_by", Text, nullable=False),
    Column("used_at", Double),
)

people = Table(
    "people",
    METADATA,
    Column("name_key", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
)

tokens = Table(
    "tokens",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("name_key", String, ForeignKey("people.name_key"), nullable=False),
    Column("expires_at", Double, nullable=False),
)

events = Table(
    "events",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("at", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False, index=True),
    Column("detail", Text, nullable=False),
    Column("link", LargeBinary, nullable=False),  # over all of these and the link before it
    sqlite_autoincrement=True,
)

sightings = Table(
    "sightings",
    METADATA,
    Column("account_id", String, _account(), primary_key=True),
    Column("source_key", String, primary_key=True),
    Column("source", Text, nullable=False),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("how", Text, nullable=False),
    Column("places", Text, nullable=False, server_default=""),  # a line each
)

attempts = Table(
    "attempts",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("realm_key", String, nullable=False),
    Column("sid", String, nullable=False),
    Column("replica", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("last_bad_before", Double),
    Column("answer", String),
    Index("attempts_on_an_account", "realm_key", "sid", "at"),
    sqlite_autoincrement=True,
)
