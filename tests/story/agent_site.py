"""A site in memory, for the agent to speak to: it checks signatures and numbers like the real one, and its realm
answers by the truth table. Time is a number that the test moves."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from urllib.parse import unquote

from keyturn.adapters.shares.https import HttpsShare
from keyturn.agent.client import Client, open_client
from keyturn.agent.contact import contact
from keyturn.agent.disk import Disk, PosixDisk
from keyturn.agent.enrolment import enrol
from keyturn.agent.home import Home
from keyturn.agent.ports import AgentParts
from keyturn.agent.report import Report
from keyturn.agent.status import Status
from keyturn.agent.turns import put_right, take_turn
from keyturn.agent.ungated import ungated_contact
from keyturn.lockout.policy import Standing, judge
from keyturn.model.logon import Answer, LogonProtocol
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.wire.agent import (
    ANSWER_HEADER,
    ASSURE,
    CHECK_IN,
    ENROL,
    Adopt,
    CheckIn,
    Direction,
    Directions,
    Drop,
    Enrol,
    Enrolled,
    Headers,
    NoAnswer,
    Proof,
    Reply,
    Use,
    Wait,
    in_clear,
    read,
    write,
)
from keyturn.wire.sealed import seal_for
from keyturn.wire.signing import BadSignature, Request, claimed_keyid, verify

FIRST, SECOND = "PHX\\SMSClient_PHX", "PHX\\SMSClient_PHX2"
SERVER = "https://192.0.2.1:8443"
"""An address for examples (RFC 5737): a name would be looked up for what the machine tells of itself."""


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class MemoryRealm:
    """One replica. `passwords` are newest first, so that an index is how far behind a password is."""

    clock: Clock
    policy: RealmPolicy = field(default_factory=lambda: RealmPolicy(history=0, grace_s=0))
    passwords: dict[str, list[str]] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    logons: list[tuple[str, str, Answer]] = field(default_factory=list)

    def set_password(self, account: str, password: str) -> None:
        self.passwords.setdefault(account, []).insert(0, password)
        self.standings.setdefault(account, Standing())

    def logon(self, who: str, account: str, password: str) -> Answer:
        known = self.passwords.get(account, [])
        behind = known.index(password) if password in known else None
        answer, self.standings[account] = judge(
            self.standings.get(account, Standing()), behind, LogonProtocol.NTLM, self.policy, self.clock.now
        )
        self.logons.append((who, account, answer))
        return answer

    def wrong(self, account: str) -> int:
        return sum(1 for _, name, answer in self.logons if name == account and answer is Answer.WRONG_PASSWORD)

    def locked(self, account: str) -> bool:
        return self.standings[account].locked(self.policy, self.clock.now)


@dataclass
class MemorySite:
    clock: Clock = field(default_factory=Clock)
    down: bool = False
    share_down: bool = False
    deaf_to_proofs: bool = False
    contact_s: float = 60

    def __post_init__(self) -> None:
        self.realm = MemoryRealm(self.clock)
        self.published: dict[str, tuple[int, str]] = {}
        self.succeeds: dict[str, tuple[str, ...]] = {}
        self.withdrawn: set[str] = set()
        self.waits: dict[str, float] = {}
        self.tokens: dict[str, str] = {}
        self.keys: dict[str, bytes] = {}
        self.recipients: dict[str, str] = {}
        self.counters: dict[str, int] = {}
        self.proofs: list[tuple[str, str, int, Answer]] = []
        self.refused: list[str] = []
        self.check_ins: list[CheckIn] = []
        self.paths: list[str] = []

    def publish(self, account: str, generation: int, password: str, *, succeeds: tuple[str, ...] = ()) -> None:
        self.published[account] = (generation, password)
        self.succeeds[account] = succeeds

    def withdraw(self, account: str) -> None:
        del self.published[account]
        self.withdrawn.add(account)

    def invite(self, name: str) -> Secret:
        token = f"token-{len(self.tokens)}-for-{name}"
        self.tokens[token] = name
        return Secret(token)

    def exchange(self, server: str, ca: str) -> "MemorySite":
        return self

    def __call__(self, request: Request, headers: Headers) -> Reply:
        if self.down:
            raise NoAnswer("the site did not answer")
        self.paths.append(request.path)
        reply = self._routed(request, in_clear(headers))
        return Reply(reply.status, {"date": formatdate(self.clock.now, usegmt=True), **reply.headers}, reply.body)

    def _routed(self, request: Request, headers: Mapping[str, str]) -> Reply:
        if request.path == ENROL:
            return self._enrolled(request, headers)
        try:
            client = claimed_keyid(headers)
            signed = verify(request, headers, self.keys.get(client, b""), now=self.clock.now)
            if signed.counter <= self.counters[client]:
                raise BadSignature("replayed")
        except BadSignature as error:
            self.refused.append(error.message)
            return Reply(401, {})
        self.counters[client] = signed.counter
        if request.path == CHECK_IN:
            return Reply(200, {}, write(self._directed(client, read(CheckIn, request.body))))
        if request.path == ASSURE:
            return Reply(200, {}, write(self._assured(read(CheckIn, request.body))))
        if request.path.startswith("/cap/"):
            return self._shared(client, request.path.rpartition("/")[2], headers["authorization"])
        if self.deaf_to_proofs:
            return Reply(503, {})
        account = unquote(request.path.rpartition("/")[2])
        proof = read(Proof, request.body)
        self.proofs.append((client, account, proof.generation, proof.answer))
        return Reply(200, {}, b"{}")

    def _enrolled(self, request: Request, headers: Mapping[str, str]) -> Reply:
        message = read(Enrol, request.body)
        try:
            verify(request, headers, message.verify_key, now=self.clock.now)
        except BadSignature:
            return Reply(401, {})
        if self.tokens.pop(message.token.reveal(), None) != message.name:
            return Reply(403, {}, b'{"error": "this token is unknown, used or too old"}')
        self.keys[message.name], self.recipients[message.name] = message.verify_key, message.recipient
        self.counters[message.name] = 0
        return Reply(200, {}, write(Enrolled("PHX", message.name, "/cap", self.contact_s, self.clock.now)))

    def _directed(self, client: str, asked: CheckIn) -> Directions:
        self.check_ins.append(asked)
        holds = {held.account: held.generation for held in asked.holds}
        directions: list[Direction] = [Drop(account) for account in self.withdrawn if account in holds]
        for account, (generation, password) in self.published.items():
            if account in self.waits:
                directions.append(Wait(account, self.waits[account], "all places are taken"))
            elif holds.get(account) == generation:
                directions.append(Use(account, generation))
            else:
                directions.append(self._sealed(client, account, generation, password))
        return Directions(tuple(directions), self.contact_s, self.clock.now)

    def _assured(self, asked: CheckIn) -> Directions:
        """It sees in its realm what it gave out."""
        words: list[Direction] = []
        for held in asked.holds:
            generation, password = self.published.get(held.account, (0, ""))
            if held.account in self.waits:
                words.append(Wait(held.account, self.waits[held.account], "all places are taken"))
            elif self.realm.passwords.get(held.account, [""])[0] != password:
                words.append(Wait(held.account, 60, "somebody else has changed its password in the realm"))
            elif generation == held.generation:
                words.append(Use(held.account, generation))
        return Directions(tuple(words), self.contact_s, self.clock.now)

    def _sealed(self, client: str, account: str, generation: int, password: str) -> Adopt:
        sealed = seal_for(self.recipients[client], account, generation, Secret(password))
        return Adopt(account, generation, sealed, succeeds=self.succeeds.get(account, ()))

    def _shared(self, client: str, name: str, authorization: str) -> Reply:
        if self.share_down:
            raise NoAnswer("the access point did not answer")
        account, password = _basic(authorization)
        answer = self.realm.logon(client, account, password)
        if answer is not Answer.ACCEPTED:
            return Reply(401, {ANSWER_HEADER: answer.value})
        if name == f"{client}.acc":
            news = [self._sealed(client, a, g, p) for a, (g, p) in self.published.items()]
            dropped = [Drop(account) for account in self.withdrawn]
            content = write(Directions((*news, *dropped), self.contact_s, self.clock.now))
            return Reply(200, {ANSWER_HEADER: answer.value}, content)
        return Reply(200, {ANSWER_HEADER: answer.value}, b'{"site": "PHX"}')


def _basic(header: str) -> tuple[str, str]:

    account, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return account, password


@dataclass
class Machine:
    """One agent in its folder. Every contact starts a new process in effect: nothing is kept but the folder."""

    site: MemorySite
    folder: Path
    name: str = "PC-0001"
    disk: Disk = field(default_factory=PosixDisk)
    clock: Clock | None = None
    """The machine's own, where it differs from the site's."""
    gated: bool = True

    @property
    def home(self) -> Home:
        return Home(self.folder, self.disk)

    @property
    def parts(self) -> AgentParts:
        return AgentParts(
            exchange=self.site.exchange,
            share=HttpsShare,
            authority=lambda server, fingerprint: "",
            now=self.clock or self.site.clock,
            random=lambda: 0.5,
        )

    def enrol(self) -> "Machine":
        enrol(self.home, self.parts, server=SERVER, name=self.name, token=self.site.invite(self.name), ca="")
        return self

    def client(self) -> Client:
        return open_client(self.home, self.parts)

    def contact(self) -> tuple[Report, Status]:
        act = contact if self.gated else ungated_contact
        return take_turn(self.home, self.client(), act, self.parts, gated=self.gated)

    def put_right(self) -> tuple[Report, Status]:
        return put_right(self.home, self.client(), self.parts)
