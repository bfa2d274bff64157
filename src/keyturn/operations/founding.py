"""A new site: its first estate, its default Client Connection account, its first person."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keyturn.lifecycle.journal import Done
from keyturn.model.accounts import AccountToBe, RealmName, RoleName
from keyturn.model.errors import Refused
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, Realm, Site, SiteCode
from keyturn.model.secret import Secret
from keyturn.operations import people
from keyturn.operations.envelopes import tell_custody
from keyturn.operations.estates import import_estate
from keyturn.operations.parts import Parts
from keyturn.operations.plans import advance_plan, propose_creation
from keyturn.operations.ports import Person, PersonRole

ADMINISTRATOR = "admin"
_SETUP = "setup"
"""Who does all this, in the audit log."""
_TOKEN_S = 10 * 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Founding:
    """What a new site is told. `custodians` are pairs of a name and an age recipient; none: a key is made."""

    root: Path
    site: str
    realm: str
    host: str
    port: int
    names: Sequence[str]
    custodians: Sequence[tuple[str, str]]
    needed: int
    uptake_s: float
    quiet_s: float
    contact_s: float
    two_person_approval: bool
    seal_passphrase: bool = False
    """Whether the seal key is made from a passphrase instead of standing in a file."""
    default_account: bool = True
    """Whether setup makes the default Client Connection account; else the administrator's own are the only ones."""


def first_estate(founding: Founding) -> Estate:
    """One realm, one site, and the account that setup makes (seed, Table 12.2: `SMSClient_sitecode`, random)."""
    realm = RealmName(founding.realm)
    code = SiteCode(founding.site)
    default = ManagedAccount(
        AccountToBe(realm, f"SMSClient_{code}"),
        RoleName("sms2003/client-connection-default"),
        (code,),
        AccountLife.PLANNED,
    )
    return Estate(
        realms=(Realm(realm),),
        sites=(Site(code, realm, server=f"SRV-{code}", logon_installation=True),),
        accounts=(default,) if founding.default_account else (),
    )


def furnish(parts: Parts, text: str, estate: Estate) -> Secret:
    """Take the first estate in, make its accounts, and return the administrator's token."""
    tell_custody(parts, by=_SETUP)
    import_estate(parts, text, estate, by=_SETUP)
    for managed in estate.accounts:
        record = propose_creation(parts, str(managed.account), by=_SETUP)
        with parts.store.whole():
            parts.store.approve(record.plan_id, _SETUP, needed=1)
            parts.store.tell(_SETUP, "plan-approved", record.plan_id, str(managed.account))
        outcome = advance_plan(parts, record.plan_id, _SETUP)
        if not isinstance(outcome, Done):
            raise Refused(f"{managed.account} could not be made: {outcome}")
    with parts.store.whole():
        parts.store.people.add(Person(ADMINISTRATOR, frozenset(PersonRole)), password_hash="")
        parts.store.tell(_SETUP, "person-added", ADMINISTRATOR, ", ".join(sorted(PersonRole)))
    return people.issue(parts, ADMINISTRATOR, _TOKEN_S, by=_SETUP)
