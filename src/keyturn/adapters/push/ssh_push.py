"""A `Pusher` over OpenSSH: one connection, and with it one logon, for everything that is done on a machine."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from keyturn.adapters.push.asked_ssh import Talk, asked
from keyturn.adapters.push.payload import Payload, payload
from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.model.secret import Secret
from keyturn.operations.push_records import Done, Hindered, Ledger, NotLetIn, Pushed, Target
from keyturn.wire.pushed import HOME, PROGRAM
from keyturn.wire.ssh import DENIED, LOST, Ssh, way

WITHIN_S = 5 * 60.0
"""For everything, the copying of some ten megabytes included."""
_METHODS = ("password", "keyboard-interactive")
_LONGEST_LINE = 64 * 1024
_GREETING = 200
"""Lines that a machine may print before our program begins."""


@dataclass(frozen=True, slots=True)
class SshPush:
    """`server` is the URL that agents call the site by, `authority` its certificate authority, PEM. Only machines whose
    host keys stand in `known_hosts` are spoken to."""

    server: str
    authority: str
    known_hosts: str
    within_s: float = WITHIN_S

    def install(
        self, target: Target, user: str, password: Secret, ledger: Ledger, invitation: Callable[[], Secret]
    ) -> Pushed:
        def order(here: dict[str, Any], talk: Talk) -> Hindered | None:
            mine = payload()
            trouble = _unfit(target, here, mine)
            if trouble is None:
                _send(talk, self._order(target, mine), invitation())
                talk.stdin.write(mine.archive)
                talk.stdin.flush()
            return trouble

        return self._carried_out(target, user, password, ledger, order)

    def remove(self, target: Target, user: str, password: Secret, ledger: Ledger) -> Pushed:
        def order(here: dict[str, Any], talk: Talk) -> Hindered | None:
            trouble = _no_root(target, here)
            if trouble is None:
                _send(talk, {"do": "remove", "folder": PROGRAM, "home": HOME})
            return trouble

        return self._carried_out(target, user, password, ledger, order)

    def _order(self, target: Target, mine: Payload) -> dict[str, object]:
        return {
            "do": "install",
            "folder": PROGRAM,
            "home": HOME,
            "server": self.server,
            "name": target.name,
            "ca": self.authority,
            "size": len(mine.archive),
            "digest": mine.digest,
        }

    def _carried_out(self, target: Target, user: str, password: Secret, ledger: Ledger, order: "_Order") -> Pushed:
        settings = {"host": target.host, "user": user, "identity_file": "/dev/null", "known_hosts": self.known_hosts}
        settings |= {"sudo": "no" if user == "root" else "yes"} | ({"port": str(target.port)} if target.port else {})
        try:
            there = way(settings, f"client push to {target.name}")
        except Refused as error:
            return Hindered(error.message, True, error.hint)
        for method in _METHODS:
            pushed = self._by(replace(there, by_password=method), password, ledger, order)
            if pushed is not None:
                return pushed
        return Hindered(f"{target.host} takes no passwords", True, "sshd_config(5), PasswordAuthentication, there")

    def _by(self, there: Ssh, password: Secret, ledger: Ledger, order: "_Order") -> Pushed | None:
        """None where the machine did not even ask for the password in this way."""
        program = resources.files("keyturn.adapters.push").joinpath("there.py").read_bytes()
        start = f"import sys; exec(compile(sys.stdin.buffer.read({len(program)}), 'keyturn', 'exec'))"
        with asked(there, ["python3", "-I", "-c", start], password, ledger.begin, self.within_s) as talk:
            with suppress(OSError):  # it ended: its exit status says why
                talk.stdin.write(program)
                talk.stdin.flush()
            here = _line(talk, "here")
            if here is None:
                return _unanswered(there, talk, ledger)
            ledger.end(Answer.ACCEPTED)
            return _ordered(there, talk, here, order)


_Order = Callable[[dict[str, Any], Talk], Hindered | None]


def _ordered(there: Ssh, talk: Talk, here: dict[str, Any], order: _Order) -> Pushed:
    """The machine has let us in, and our program runs there."""
    try:
        trouble = order(here, talk)
    except OSError:
        trouble = None  # the connection is gone, as is told below
    if trouble is not None:
        return trouble
    said = _line(talk, "done", "failed")
    if said is None:
        talk.end()
        return Hindered(f"the connection to {there.host} ended before all was done", False)
    if "message" in said:
        return Hindered(f"{there.host}: {said['message']}", False)
    return Done(str(said.get("note", "")))


def _unanswered(there: Ssh, talk: Talk, ledger: Ledger) -> Pushed | None:
    status = talk.end()
    if talk.refusal is not None:
        raise talk.refusal
    if status < 0:  # killed by us, so what became of the attempt is unknown
        return Hindered(f"{there.host} did not answer in time", False)
    denied = status == LOST and DENIED in talk.said
    if not talk.password_went_out and denied:
        return None
    if talk.password_went_out and denied:
        ledger.end(Answer.WRONG_PASSWORD)
        return NotLetIn()
    if talk.password_went_out and status != LOST:
        ledger.end(Answer.ACCEPTED)
    trouble = there.trouble(status, talk.said)
    if trouble is None:
        return Hindered(f"python3 on {there.host} ended with {status}", True, "Python 3.11 or later must be there")
    return Hindered(trouble.message, trouble.permanent, trouble.hint)


def _unfit(target: Target, here: dict[str, Any], mine: Payload) -> Hindered | None:
    wanted, found = ".".join(map(str, mine.python)), ".".join(map(str, here.get("python", ())))
    if here.get("python") != list(mine.python) or here.get("soabi") != mine.soabi:
        return Hindered(
            f"{target.host} has Python {found} ({here.get('soabi')}), and the agent of this server needs {wanted}"
            f" ({mine.soabi})",
            True,
            "install Keyturn there by its own means, then keyturn agent enrol",
        )
    return _no_root(target, here)


def _no_root(target: Target, here: dict[str, Any]) -> Hindered | None:
    if here.get("uid") == 0:
        return None
    return Hindered(f"the account is not root on {target.host}", True, "let it run python3 by sudo without a password")


def _send(talk: Talk, order: dict[str, object], token: Secret | None = None) -> None:
    """The token is revealed into the call that sends it, and into no variable."""
    whole = order if token is None else {**order, "token": token}
    talk.stdin.write(json.dumps(whole, default=_reveal).encode() + b"\n")
    talk.stdin.flush()


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} does not travel")


def _line(talk: Talk, *kinds: str) -> dict[str, Any] | None:
    """The first line of one of these kinds. None where the other side ends without one."""
    for _ in range(_GREETING):
        line = talk.stdout.readline(_LONGEST_LINE)
        if not line:
            return None
        words = line.decode("utf-8", "replace").split(" ", 2)
        if len(words) == 3 and words[0] == "keyturn" and words[1] in kinds:
            with suppress(ValueError):
                found = json.loads(words[2])
                if isinstance(found, dict):
                    return found
    return None
