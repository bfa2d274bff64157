"""A site on disk that is examined from outside: who has set which password, what machines truly keep, what has left.

The examiner knows every password, since it stands between Keyturn and the realm, and spends no logon to find out.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from keyturn.adapters.authorities.builtin.realm import BuiltinRealm
from keyturn.escrow.envelope import open_envelope
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations import clients
from keyturn.operations.access import log_on
from keyturn.operations.clients import Handed
from keyturn.operations.gate import Drop, Use
from keyturn.operations.parts import Parts
from tests.builtin import Clock
from tests.crash.disk import files_in
from tests.crash.stops import Watched
from tests.inner_site import CUSTODIAN, InnerSite, check_in, site_in

STORE = "store.db"
ALICE = {"alice": str(CUSTODIAN)}


class Killed(BaseException):
    """No error that anybody would handle: the process is gone."""


@dataclass(frozen=True)
class Presented:
    """What a machine tries at the realm: `handed` to it just now, or its own."""

    account: Account
    secret: Secret
    handed: bool
    answer: Answer


@dataclass
class Realm:
    """The real one, asked by Keyturn. Whoever sets a password is written down, by the account's name."""

    inner: BuiltinRealm
    live: dict[str, Secret]
    ours: list[Secret]
    theirs: Counter[str]
    disabling: Callable[[Account], None]

    def create(self, account: AccountToBe, secret: Secret, like: Account | None = None) -> Account:
        made = self.inner.create(account, secret, like)
        self._note(account.name, secret)
        return made

    def set_password(self, account: Account, secret: Secret) -> None:
        self.inner.set_password(account, secret)
        self._note(account.name, secret)

    def disable(self, account: Account) -> None:
        self.disabling(account)
        self.inner.disable(account)

    def _note(self, name: str, secret: Secret) -> None:
        self.live[name] = secret
        self.ours.append(secret)

    def __getattr__(self, verb: str) -> Any:
        return getattr(self.inner, verb)


@dataclass
class Examined:
    """One folder, opened again after every kill. `kept` is each machine's own memory: generation and password."""

    folder: Path
    clock: Clock
    live: dict[str, Secret] = field(default_factory=dict)
    ours: list[Secret] = field(default_factory=list)
    theirs: Counter[str] = field(default_factory=Counter)
    kept: dict[str, dict[str, tuple[int, Secret]]] = field(default_factory=dict)
    left: dict[str, list[bytes]] = field(default_factory=dict)
    """Envelopes that custodians have taken away, by account."""
    calls_left: int | None = None
    """The process is killed when so many more moments before or after a call of a port have passed."""

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.site: InnerSite = site_in(self.folder, "", clock=self.clock, wrap=self._watched)

    def close(self) -> None:
        self.site.close()

    def backup(self) -> bytes:
        """As one is made while nobody writes: everything is in the file."""
        self.close()
        content = (self.folder / STORE).read_bytes()
        assert not [name for name in files_in(self.folder) if name == f"{STORE}-wal"]
        self.open()
        return content

    def restore(self, content: bytes) -> None:
        self.close()
        (self.folder / STORE).write_bytes(content)
        self.open()

    def contact(self, name: str) -> list[Presented]:
        """One contact of a machine."""
        site, kept = self.site, self.kept[name]
        presented = []
        for direction in check_in(site.parts, name, {key: number for key, (number, _) in kept.items()}):
            match direction:
                case Handed(credential, secret):
                    handed = True
                case Use(credential):
                    handed, secret = False, kept[str(credential.account)][1]
                case Drop(gone):
                    kept.pop(str(gone), None)
                    continue
                case _:
                    continue
            key = str(credential.account)
            realm, machine = site.parts.access_realm(credential.account.realm), site.parts.machine(name)
            answer = log_on(site.store, realm, key, secret, machine=machine, source=name, now=site.clock.now)
            if answer is Answer.ACCEPTED:
                kept[key] = (credential.generation, secret)
            clients.report(site.parts, name, key, credential.generation, answer)
            assert isinstance(credential.account, Account)
            presented.append(Presented(credential.account, secret, handed, answer))
        return presented

    def set_by_somebody_else(self, account: Account) -> Secret:
        self.theirs[account.name] += 1
        secret = Secret(f"Their-own-word-{self.theirs[account.name]:04d}")
        self.site.realm().set_password(account, secret)
        self.live[account.name] = secret
        return secret

    def is_current(self, account: Account) -> bool:
        """Whether an envelope of the site holds the live password: the one of what Keyturn takes for live, or of its
        candidate. By name: an account that was made just now is not known by its identity yet."""
        known_as = self.site.store.named(str(account)).account
        return self.live[account.name] in [opened(kept.envelope) for kept in self.site.store.envelopes(known_as)]

    def _watched(self, parts: Parts) -> Parts:
        ledger, inner = Watched(parts.store, self._look), parts.store
        around = self

        class Store:
            def lease(self, plan_id: str, worker: str, lease_s: float) -> Any:
                lease = inner.lease(plan_id, worker, lease_s)
                return None if lease is None else Watched(lease, around._look)

            def __getattr__(self, verb: str) -> Any:
                return getattr(ledger, verb)

        def authority(name: str) -> Any:
            realm = Realm(self.site.realm(name), self.live, self.ours, self.theirs, self._disabling)
            return Budgeted(Watched(realm, self._look), ledger, self.clock)  # type: ignore[arg-type]

        return replace(parts, store=Store(), authorities=authority)  # type: ignore[arg-type]

    def _look(self) -> None:
        if self.calls_left is None:
            return
        self.calls_left -= 1
        if self.calls_left < 0:
            self.calls_left = None
            raise Killed

    def _disabling(self, account: Account) -> None:
        """An account is taken away only while the password of the one that took over can be opened."""
        managed = self.site.store.estate().managed(str(account))
        assert isinstance(managed.successor, Account), f"{account} is taken away and nothing took over"
        assert self.is_current(managed.successor), f"{account} is taken away, and {managed.successor} is another's"


@lru_cache(4096)
def opened(envelope: bytes) -> Secret:
    return open_envelope(envelope, ALICE).content.password
