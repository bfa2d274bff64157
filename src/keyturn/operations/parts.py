"""What every use case is given: the site's store and realms, a clock, a source of chance, and its settings."""

from collections.abc import Callable
from dataclasses import dataclass

from keyturn.escrow.custody import Custody
from keyturn.lifecycle.planning import Patience
from keyturn.lifecycle.ports import Authorities, Authority
from keyturn.model.estate import Estate, Holder
from keyturn.model.secret import Secret
from keyturn.operations.access import AccessRealm
from keyturn.operations.ports import Store
from keyturn.operations.realms import RealmTools

LEASE_S = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How this site is run. With `two_person_approval`, nobody approves a plan of their own."""

    site: str
    two_person_approval: bool = False
    patience: Patience = Patience()
    contact_s: float = 3600
    """How often an agent comes, unless its operator said otherwise."""
    token_s: float = 12 * 3600
    invitation_s: float = 30 * 60
    lease_s: float = LEASE_S
    """How long after its last write a worker that died still holds its plan."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`authorities` go through the lockout budget. `reached_by` is a realm by another login than Keyturn's own: its
    name, the account's, the password. `check_realms` refuses an estate whose realms could not be reached as it says.
    `choose` picks one character unpredictably, `token` makes 256 bits of it. `machine` finds a holder by its name.
    `prepare_realms` follows a changed estate. `wake` tells the worker that something has happened to a plan."""

    settings: Settings
    store: Store
    authorities: Authorities
    reached_by: Callable[[str, str, Secret], Authority]
    access_realm: Callable[[str], AccessRealm]
    realm_tools: Callable[[str], RealmTools]
    machine: Callable[[str], Holder | None]
    check_realms: Callable[[Estate], None]
    prepare_realms: Callable[[], None]
    now: Callable[[], float]
    choose: Callable[[str], str]
    token: Callable[[], str]
    new_id: Callable[[], str]
    wake: Callable[[], None]
    custody: Callable[[], Custody | None] = lambda: None
    """Who the custodians are now; envelopes sealed for others are told. None: nobody has said."""
