"""What the agent keeps of a service or a task on another machine, sealed: nobody can read there what it has."""

from hashlib import sha256
from typing import Literal

import msgspec

from keyturn.agent.records import Copy
from keyturn.model.accounts import same_name
from keyturn.model.secret import Secret
from keyturn.wire.agent import read, write

MOST_TRIES = 2
"""Of one hand-out: one, and another one where the answer to the first did not arrive."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`runs_as` and `password` are what it last worked with. `tried` is the hand-out that was tried since, `tries`
    times."""

    runs_as: str = ""
    password: Secret = Secret("")
    tried: str = ""
    tries: int = 0
    version: Literal[1] = 1

    def holds(self, runs_as: str, secret: Secret) -> bool:
        return same_name(self.runs_as, runs_as) and self.password == secret

    def spent(self, name: str) -> bool:
        """Whether the hand-out is not to be tried again: each time may be a wrong logon of the account."""
        return self.tried == name and self.tries >= MOST_TRIES

    def trying(self, name: str) -> "Record":
        tries = self.tries + 1 if self.tried == name else 1
        return msgspec.structs.replace(self, tried=name, tries=tries)

    def refused(self) -> "Record":
        return msgspec.structs.replace(self, tries=MOST_TRIES)

    def not_tried(self) -> "Record":
        return msgspec.structs.replace(self, tried="", tries=0)


def works(runs_as: str, secret: Secret) -> Record:
    return Record(runs_as, secret)


def hand_out(copy: Copy) -> str:
    """Another one whenever the site hands the password out anew, since it is sealed anew."""
    return sha256(copy.sealed).hexdigest()


def to_text(record: Record) -> Secret:
    return Secret(write(record).decode())


def from_text(text: Secret) -> Record:
    """BadMessage for what is no record."""
    return read(Record, text.reveal().encode())
