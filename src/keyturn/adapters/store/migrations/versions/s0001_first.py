"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("realm", sa.Text(), nullable=False),
        sa.Column("realm_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("sid", sa.String()),
        sa.Column("role", sa.Text()),
        sa.Column("sites", sa.Text(), nullable=False),
        sa.Column("life", sa.String(), nullable=False),
        sa.Column("successor_id", sa.String()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("made_by", sa.String()),
        sa.ForeignKeyConstraint(["successor_id"], ["accounts.account_id"], name="fk_accounts_successor_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_accounts"),
        sa.UniqueConstraint("realm_key", "name_key", name="one_account_a_name"),
        sa.UniqueConstraint("realm_key", "sid", name="one_account_an_identity"),
    )
    op.create_table(
        "attempts",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("realm_key", sa.String(), nullable=False),
        sa.Column("sid", sa.String(), nullable=False),
        sa.Column("replica", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("last_bad_before", sa.Double()),
        sa.Column("answer", sa.String()),
        sa.PrimaryKeyConstraint("number", name="pk_attempts"),
        sqlite_autoincrement=True,
    )
    op.create_index("attempts_on_an_account", "attempts", ["realm_key", "sid", "at"])
    op.create_table(
        "canary",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_canary"),
    )
    op.create_table(
        "client_keys",
        sa.Column("verify_key", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("last_contact_at", sa.Double()),
        sa.PrimaryKeyConstraint("verify_key", name="pk_client_keys"),
    )
    op.create_table(
        "events",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_subject", "events", ["subject"])
    op.create_table(
        "holders",
        sa.Column("holder_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("holder_key", name="pk_holders"),
    )
    op.create_table(
        "imports",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("estate", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_imports"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "invitations",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Double()),
        sa.PrimaryKeyConstraint("name_key", name="pk_invitations"),
    )
    op.create_table(
        "people",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name_key", name="pk_people"),
    )
    op.create_table(
        "plans",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("forecast", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.Text()),
        sa.Column("lease_until", sa.Double()),
        sa.PrimaryKeyConstraint("plan_id", name="pk_plans"),
    )
    op.create_table(
        "approvals",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name="fk_approvals_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", "person_key", name="pk_approvals"),
    )
    op.create_table(
        "claims",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_claims_account_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name="fk_claims_plan_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_claims"),
    )
    op.create_table(
        "clients",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("verify_key", sa.LargeBinary(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["verify_key"], ["client_keys.verify_key"], name="fk_clients_verify_key"),
        sa.PrimaryKeyConstraint("name_key", name="pk_clients"),
        sa.UniqueConstraint("verify_key", name="uq_clients_verify_key"),
    )
    op.create_table(
        "decisions",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name="fk_decisions_plan_id"),
        sa.PrimaryKeyConstraint("number", name="pk_decisions"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "generations",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("replica", sa.Text(), nullable=False),
        sa.Column("version_before", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", sa.String()),
        sa.Column("sealed_at", sa.Double(), nullable=False),
        sa.Column("promoted_at", sa.Double()),
        sa.Column("version", sa.BigInteger()),
        sa.Column("trusted_at", sa.Double()),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_generations_account_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name="fk_generations_plan_id"),
        sa.PrimaryKeyConstraint("account_id", "generation", name="pk_generations"),
    )
    op.create_index(
        "one_live_generation",
        "generations",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_index(
        "one_undecided_candidate",
        "generations",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("state = 'undecided'"),
        postgresql_where=sa.text("state = 'undecided'"),
    )
    op.create_table(
        "given",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_given_account_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name="fk_given_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", name="pk_given"),
    )
    op.create_table(
        "marks",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("intended_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double()),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name="fk_marks_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", "step", name="pk_marks"),
    )
    op.create_table(
        "publications",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_publications_account_id"),
        sa.PrimaryKeyConstraint("account_id", "generation", name="pk_publications"),
    )
    op.create_table(
        "releases",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("holder_key", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.plan_id"], name="fk_releases_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", "holder_key", name="pk_releases"),
    )
    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["name_key"], ["people.name_key"], name="fk_tokens_name_key"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_tokens"),
    )
    op.create_table(
        "holdings",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder_key", sa.String(), nullable=False),
        sa.Column("published_at", sa.Double(), nullable=False),
        sa.Column("offered_at", sa.Double()),
        sa.Column("proven_at", sa.Double()),
        sa.Column("proof", sa.String()),
        sa.Column("refused_at", sa.Double()),
        sa.Column("answer", sa.String()),
        sa.Column("pardoned_at", sa.Double()),
        sa.Column("dropped_at", sa.Double()),
        sa.ForeignKeyConstraint(
            ["account_id", "generation"], ["publications.account_id", "publications.generation"], name="published"
        ),
        sa.ForeignKeyConstraint(["holder_key"], ["holders.holder_key"], name="fk_holdings_holder_key"),
        sa.PrimaryKeyConstraint("account_id", "generation", "holder_key", name="pk_holdings"),
    )
    op.create_index("holdings_of_a_holder", "holdings", ["holder_key"])
