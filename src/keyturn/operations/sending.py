"""The sender: carries what is queued to the neighbours, each link at its own pace."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache

from keyturn.model.estate import SiteCode
from keyturn.model.secret import Secret
from keyturn.operations.hierarchy_ports import HeldCredential, LinkRecord, Standing, Unreached
from keyturn.operations.inbox_ports import PointTrouble, ReachedPoint
from keyturn.operations.links import is_open
from keyturn.operations.neighbours import neighbours, reached_through
from keyturn.operations.parts import Parts
from keyturn.operations.receive_inbox import entered, put
from keyturn.operations.site_control import setting
from keyturn.operations.site_credentials import is_address_account, log_on
from keyturn.operations.status_messages import report
from keyturn.site.bundles import Header, Lane
from keyturn.site.cards import Card
from keyturn.site.components import ComponentName
from keyturn.site.control.catalogue import SENDER, Section
from keyturn.site.control.document import Path
from keyturn.site.status_messages import MessageId

_SENDER = ComponentName.SENDER

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 300.0
SHUT_OUT_S = 5.0
AT_ONCE = 8
"""Links on which is sent at the same time."""
PORTION = 64
"""Bundles looked up at a time."""


def next_retry_s(failures: int, chance: float, longest_s: float = LONGEST_RETRY_S) -> float:
    """Doubled with each failure, and spread over half to all of it: `chance` from 0 to 1."""
    longest = min(longest_s, FIRST_RETRY_S * 2.0 ** min(failures - 1, 20))
    return longest * (0.5 + chance / 2)


class _Stuck(Exception):
    """Nothing more goes this way now; why, in words for people."""


class _ShutOut(_Stuck):
    """For want of a logon. What accounts are about goes on, so this is looked at again soon."""


@dataclass
class Sender:
    """Keeps the sessions of its logons, which end with it. `chance` gives numbers from 0 to 1."""

    parts: Parts
    chance: Callable[[], float]
    _sessions: dict[SiteCode, Secret] = field(default_factory=dict)

    def turn(self) -> int:
        """Send what is queued on every link whose time has come. Returns how many bundles were passed on."""
        due = [card for card in neighbours(self.parts) if self._is_due(card)]
        if len(due) < 2:
            return sum(map(self.send, due))
        at_once = max(1, min(self._setting("at-once", AT_ONCE), len(due)))
        with ThreadPoolExecutor(at_once, thread_name_prefix="sender") as hands:
            return sum(hands.map(self.send, due))

    def send(self, to: Card) -> int:
        """All that is queued for this neighbour and whoever is reached through it, as far as it takes it."""
        beyond, count, record = reached_through(self.parts, to.code), 0, self.parts.store.link(to.code)
        try:
            with ExitStack() as visit:
                carry_file = self._way_of_files(to, visit)
                for header in self._queued(beyond):
                    bundle = self.parts.store.outgoing_bundle(header)
                    if header.lane is Lane.FILES:
                        carry_file(header, bundle)
                    else:
                        self._deliver(to, bundle)
                    self.parts.store.sent(header)
                    count += 1
        except _Stuck as stuck:
            self._note_failure(record, stuck, sent=count > 0)
        else:
            if count or record.failures:
                self._note_success(record)
        return count

    def _queued(self, destinations: Sequence[SiteCode]) -> Iterator[Header]:
        while headers := self.parts.store.outgoing(destinations, PORTION):
            yield from headers

    def _way_of_files(self, to: Card, visit: ExitStack) -> Callable[[Header, bytes], None]:
        """Over the share that the address names, or over HTTPS."""
        share = setting(self.parts, Path(Section.ADDRESS, to.code, "place"), "")

        def over_https(_: Header, bundle: bytes) -> None:
            self._enter(to)
            self._deliver(to, bundle)

        @lru_cache(maxsize=1)
        def inbox() -> ReachedPoint:
            return visit.enter_context(entered(self.parts, to, share, self._usable(to, self._accounts(to))))

        def over_the_share(header: Header, bundle: bytes) -> None:
            try:
                put(inbox(), header, bundle)
            except PointTrouble as trouble:
                raise _ShutOut(trouble.message) from None

        return over_the_share if share.startswith("\\\\") else over_https

    def _deliver(self, to: Card, bundle: bytes) -> None:
        for _ in range(2):
            try:
                receipt = self.parts.line.deliver(to, bundle, self._sessions.get(to.code))
            except Unreached as error:
                raise _Stuck(str(error) or "no answer") from None
            if receipt.taken:
                return
            if not receipt.log_on:
                raise _Stuck(receipt.reason)
            self._sessions.pop(to.code, None)
            self._enter(to)
        raise _ShutOut(f"site {to.code} asks for another logon")

    def _enter(self, to: Card) -> None:
        """Before anything long is sent. Without an account of theirs this site's key may be enough."""
        accounts = self._accounts(to)
        if accounts and to.code not in self._sessions:
            self._log_on(to, accounts)

    def _log_on(self, to: Card, accounts: Sequence[HeldCredential]) -> None:
        credential = self._usable(to, accounts)
        session = log_on(self.parts, to, credential)
        if session.token is None:
            what = f"{credential.account} generation {credential.generation}"
            raise _ShutOut(f"{what}: {session.answer or session.reason}")
        self._sessions[to.code] = session.token

    def _accounts(self, to: Card) -> Sequence[HeldCredential]:
        return [c for c in self.parts.store.held_credentials() if c.owner == to.code and is_address_account(c)]

    def _usable(self, to: Card, accounts: Sequence[HeldCredential]) -> HeldCredential:
        """The newest to come: while one account follows another, both are held."""
        usable = [credential for credential in accounts if credential.standing is Standing.PROVEN]
        if not usable:
            raise _ShutOut(f"no Site Address account of site {to.code} that works is held here")
        return usable[-1]

    def _note_failure(self, record: LinkRecord, stuck: _Stuck, *, sent: bool) -> None:
        trouble = str(stuck)
        failures = 1 if sent else record.failures + 1
        last = self._now() if sent else record.last_sent_at
        longest_s = max(FIRST_RETRY_S, self._setting("longest-retry-s", int(LONGEST_RETRY_S)))
        if isinstance(stuck, _ShutOut):
            longest_s = min(longest_s, SHUT_OUT_S)
        wait_s = next_retry_s(failures, self.chance(), longest_s)
        noted = replace(record, failures=failures, trouble=trouble, last_sent_at=last)
        with self.parts.store.whole():
            self.parts.store.note_link(replace(noted, next_try_at=self._now() + wait_s))
            if record.trouble != trouble:
                report(self.parts, _SENDER, MessageId.LINK_TROUBLE, site=record.site, trouble=trouble)

    def _note_success(self, record: LinkRecord) -> None:
        with self.parts.store.whole():
            self.parts.store.note_link(LinkRecord(record.site, last_sent_at=self._now()))
            if record.trouble:
                report(self.parts, _SENDER, MessageId.LINK_WELL, site=record.site)

    def _is_due(self, to: Card) -> bool:
        if not is_open(self.parts, to):
            return False
        return self.parts.store.link(to.code).next_try_at <= self._now()

    def _setting(self, name: str, default: int) -> int:
        return int(setting(self.parts, Path(Section.SENDER, SENDER, name), str(default)))

    def _now(self) -> float:
        return self.parts.now()
