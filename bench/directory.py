"""Rotations a second on one Samba domain controller, beside whoever sets passwords there and does nothing else.

    python -m bench.directory [--accounts N] [--rounds R] [--few N]

Keyturn: each account's rotation is proposed, approved and carried out by the embedded worker over the real store: the
candidate is sealed, with its envelope, before it is set; the version is read on the controller before and after; a
logon by Kerberos proves it; every step is in a durable journal. Once one account after the other, once as many at once
as the worker takes.

Raw: one LDAPS connection, bound once, one modify of `unicodePwd` for each account. Nothing is kept and nothing read.

Set and proven: the password is set and proven by one logon, as many accounts at once as the worker takes; nothing is
kept. Once so, and once with the readings that a rotation makes: what the controller is asked for, and no more. What
Keyturn is slower than that is the journal, the envelope and the store.

`samba-tool user setpassword`: a process for each of the first `--few` accounts, as root on the controller, straight
into its database; what it computes counts as ours.

Ansible has no module that sets a password here from Linux: `community.general.ldap_passwd` asks for the password modify
operation, which Active Directory does not have (see `bench.openldap`), `ldap_attrs` adds where it should replace,
which is refused, and `microsoft.ad.user` runs on Windows alone.

One process of the controller answers LDAP, as the lab has it, and sets passwords one after the other however many it
is given at once. Store and controller keep their files in memory (/dev/shm): what a disk costs is told by
`bench.rotations`. Of the rounds the fastest is told, since others use the machine too. Needs root and what
lab/README.md names.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ldap

from bench.domain import FIRST, dn_of, one_controller, unicode_password
from bench.ways import Way, another, by_keyturn, fastest, furnished, print_costs
from keyturn.adapters.authorities.active_directory.authority import open_authority
from keyturn.adapters.engine.embedded import AT_ONCE
from keyturn.lifecycle.execution import PROOF
from keyturn.lifecycle.ports import Authority
from keyturn.model.estate import RealmKind
from keyturn.model.logon import Answer
from tests.samba import OURS, REALM, Samba

READINGS = 6
"""Of the account's state in one rotation without holders: before it is sealed, before and after the set, before the
logon, and once for each of the two steps after it."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--accounts", type=int, default=48)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--few", type=int, default=5)
    given = options.parse_args()
    ours, others = ([f"{kind}-{number:04}" for number in range(given.accounts)] for kind in ("kt", "raw"))
    with one_controller([*ours, *others]) as samba, tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        authority = open_authority(samba.realm(), lambda: OURS)
        site = furnished(Path(folder), authority, REALM, RealmKind.ACTIVE_DIRECTORY, FIRST, ours)
        few = others[: given.few]
        ways = [
            Way("raw, bound once", lambda: raw(samba, others), len(others)),
            *by_keyturn(site, len(ours)),
            Way("set and proven", lambda: proven(authority, others), len(others)),
            Way(f"and read {READINGS} times", lambda: proven(authority, others, READINGS), len(others)),
            Way("samba-tool", lambda: samba_tool(samba, few), len(few)),
        ]
        costs = fastest(ways, given.rounds, lambda: processes(samba))
        site.close()
    print_costs(costs, given.rounds)


def raw(samba: Samba, names: Sequence[str]) -> None:
    administrator = samba.administer()
    for name in names:
        administrator.modify_s(dn_of(name), [(ldap.MOD_REPLACE, "unicodePwd", [unicode_password(another())])])
    administrator.unbind_s()


def proven(authority: Authority, names: Sequence[str], readings: int = 0) -> None:
    def rotate(name: str) -> Answer:
        account, secret = authority.find(name), another()
        assert account
        for _ in range(readings):
            authority.describe(account)
        authority.set_password(account, secret)
        return authority.try_logon(account, secret, protocol=PROOF)

    with ThreadPoolExecutor(AT_ONCE) as hands:
        assert set(hands.map(rotate, names)) == {Answer.ACCEPTED}


def samba_tool(samba: Samba, names: Sequence[str]) -> None:
    """All in one shell on the controller, so that the lab's own part is paid once."""
    lines = [f"samba-tool user setpassword {name} --newpassword={another().reveal()}" for name in names]
    samba.adlab("ex", "dc1", "sh", "-eu", given="\n".join(lines))


def processes(samba: Samba) -> Iterator[str]:
    """Of the controller's node, those that live."""
    node = f"{samba.environment['ADLAB_PREFIX']}-dc1"
    yield from subprocess.run(["ip", "netns", "pids", node], capture_output=True, text=True, check=True).stdout.split()


if __name__ == "__main__":
    main()
