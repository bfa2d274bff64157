"""The domain of a lab: controllers and a file server, each in a network of its own, by the script that is packed
beside this module."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from keyturn.cli.demo.acts import Say
from keyturn.cli.demo.stage import StageError
from keyturn.cli.lab.machine import PATH
from keyturn.cli.lab.place import ACCOUNT, BASE, BIND_ACCOUNT, UNIT, Lab, domain_in, prefix_of
from keyturn.model.secret import Secret

_SCRIPT = Path(__file__).parent / "adlab"
_NORMAL_THAT_NEVER_EXPIRES = 0x10200
_LDIF = """\
dn: {unit}
changetype: add
objectClass: organizationalUnit

dn: CN={bind},CN=Users,{base}
changetype: add
objectClass: user
sAMAccountName: {bind}
userAccountControl: {flags}
unicodePwd:: {bind_password}

dn: CN={account},{unit}
changetype: add
objectClass: user
sAMAccountName: {account}
userAccountControl: {flags}
unicodePwd:: {password}

dn: CN=sms-readers,CN=Users,{base}
changetype: modify
add: member
member: CN={account},{unit}
"""


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    address: str
    processes: int


@dataclass(frozen=True, slots=True)
class Replication:
    """What controller `to` says of its last fetching from `source`; `failures` in a row since it last succeeded."""

    source: str
    to: str
    failures: int
    last_success: str


def raise_domain(lab: Lab, say: Say) -> None:
    """With the client node that makes the script build a file server."""
    run = subprocess.Popen(
        _command("up", str(lab.controllers), "1"),
        env=_environment(lab.root, lab.net),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    line = ""
    for line in run.stderr:
        say(line.strip().removeprefix("adlab: "))
    if run.wait():
        raise StageError(f"the domain did not come up: {line.strip().removeprefix('adlab: ')}")


def furnish(lab: Lab, bind_password: Secret, password: Secret) -> None:
    """Keyturn's own account, a unit for the others, and in it the one that may read the share."""
    ldif = _LDIF.format(
        unit=UNIT,
        base=BASE,
        bind=BIND_ACCOUNT,
        account=ACCOUNT,
        flags=_NORMAL_THAT_NEVER_EXPIRES,
        bind_password=_unicode_password(bind_password),
        password=_unicode_password(password),
    )
    adlab(lab, "change", "dc1", given=ldif)


def grant(lab: Lab, commands: Sequence[str]) -> None:
    """What `keyturn realm check` says an administrator has to type."""
    adlab(lab, "ex", "dc1", "sh", "-eu", given="\n".join(commands))


def nodes(lab: Lab) -> list[Node]:
    found = {name: (address, count) for name, address, count in map(str.split, adlab(lab, "nodes").splitlines())}
    return [Node(name, *_counted(found.get(name, ("", "0")))) for name in lab.nodes]


def replication(lab: Lab) -> Iterator[Replication]:
    """Nothing of a controller that does not answer."""
    for number in range(1, lab.controllers + 1):
        to = f"dc{number}"
        try:
            shown = json.loads(adlab(lab, "ex", to, "samba-tool", "drs", "showrepl", "--json", "-P"))
        except StageError:
            continue
        for link in shown["repsFrom"]:
            if link["NC dn"] == BASE:
                source = link["DSA"].rpartition("\\")[2].lower()
                yield Replication(source, to, link["consecutive failures"], link["last success"])


def remove_domain(root: Path, net: str) -> None:
    """Also where nothing or only a part is left of it."""
    _run(root, net, ("down",))


def adlab(lab: Lab, *arguments: str, given: str = "") -> str:
    return _run(lab.root, lab.net, arguments, given)


def _run(root: Path, net: str, arguments: Sequence[str], given: str = "") -> str:
    done = subprocess.run(
        _command(*arguments), env=_environment(root, net), input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StageError(f"the lab's domain: {' '.join(arguments[:3])} failed", hint=done.stderr.strip()[-2000:])
    return done.stdout


def _command(*arguments: str) -> list[str]:
    return ["bash", str(_SCRIPT), *arguments]


def _environment(root: Path, net: str) -> dict[str, str]:
    ours = {"ADLAB_DIR": str(domain_in(root)), "ADLAB_PREFIX": prefix_of(root), "ADLAB_NET": net, "PATH": PATH}
    return os.environ | ours


def _counted(found: tuple[str, str]) -> tuple[str, int]:
    address, count = found
    return address, int(count)


def _unicode_password(secret: Secret) -> str:
    """Between quotation marks, as the directory wants it, and then as LDIF writes octets."""
    return base64.b64encode(f'"{secret.reveal()}"'.encode("utf-16-le")).decode()
