"""A domain of one controller for the benches, with the rights that the how-to gives and accounts to rotate."""

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from keyturn.model.secret import Secret
from tests.how_to import commands
from tests.samba import ADLAB, BASE, OUR_UNIT, OURS, READERS, Samba

FIRST = Secret("Turn-the-key-0001")


@contextmanager
def one_controller(names: Sequence[str]) -> Iterator[Samba]:
    with tempfile.TemporaryDirectory(prefix="keyturn-bench-", dir="/dev/shm") as folder:
        net = f"10.77.{secrets.randbelow(30) + 220}"
        environment = os.environ | {
            "ADLAB_DIR": f"{folder}/lab",
            "ADLAB_PREFIX": f"b{secrets.token_hex(2)}",
            "ADLAB_NET": net,
        }
        samba = Samba(environment, (f"{net}.11",), Path(folder, "lab"))
        try:
            samba.adlab("up", "1")
            samba.adlab("ex", "dc1", "samba-tool", "group", "add", READERS)
            samba.adlab("ex", "dc1", "sh", "-eu", given="\n".join(commands("realm-active-directory", "sh")))
            samba.set_password(f"CN={OURS.name},CN=Users,{BASE}", OURS.secret)
            administrator = samba.administer()
            for name in names:
                administrator.add_s(dn_of(name), _account(name))
            administrator.unbind_s()
            yield samba
        finally:
            subprocess.run([ADLAB, "down"], env=environment, capture_output=True, check=False)


def dn_of(name: str) -> str:
    return f"CN={name},{OUR_UNIT}"


def unicode_password(secret: Secret) -> bytes:
    return f'"{secret.reveal()}"'.encode("utf-16-le")


def _account(name: str) -> list[tuple[str, list[bytes]]]:
    return [
        ("objectClass", [b"user"]),
        ("sAMAccountName", [name.encode()]),
        ("userAccountControl", [b"512"]),
        ("unicodePwd", [unicode_password(FIRST)]),
    ]
