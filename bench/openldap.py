"""Rotations a second on one OpenLDAP server, beside whoever sets passwords there and does nothing else.

    python -m bench.openldap [--accounts N] [--rounds R] [--few N] [--ansible DIR]

Keyturn: each account's rotation is proposed, approved and carried out by the embedded worker over the real store, as in
`bench.directory`; the proof is a bind.

Raw: one LDAPS connection, bound once, one password modify operation (RFC 3062) for each account.

`community.general.ldap_passwd`, with --ansible DIR, an environment in which `ansible` and `python-ldap` are installed:
a run of `ansible-playbook` for each of the first `--few` accounts, as a job that changes one password makes. The module
first binds as the account with the new password, to see whether there is anything to do: a bad attempt for each change.

The server has a consumer beside it, which follows, but is not asked. Files are in memory (/dev/shm). Of the rounds the
fastest is told.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.ansible import Play, played
from bench.ways import Way, another, by_keyturn, fastest, furnished, print_costs
from keyturn.adapters.authorities.openldap.authority import open_authority
from keyturn.adapters.authorities.reaching import Login
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import AccountToBe
from keyturn.model.estate import RealmKind
from keyturn.model.secret import Secret
from tests.openldap import ADDRESSES, REALM, Directory, running
from tests.openldap_configuration import ACCOUNTS, BIND_PASSWORD, ROOT, ROOT_PASSWORD

FIRST = Secret("Turn-the-key-0001")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--accounts", type=int, default=48)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--few", type=int, default=5)
    options.add_argument("--ansible", type=Path)
    given = options.parse_args()
    ours, others = ([f"{kind}-{number:04}" for number in range(given.accounts)] for kind in ("kt", "raw"))
    with running("0") as directory, tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        authority = authority_of(directory, [*ours, *others])
        site = furnished(Path(folder), authority, REALM, RealmKind.OPENLDAP, FIRST, ours)
        ways = [Way("raw, bound once", lambda: raw(directory, others), len(others)), *by_keyturn(site, len(ours))]
        if given.ansible is not None:
            few = others[: given.few]
            ways.append(Way("Ansible, ldap_passwd", lambda: played(given.ansible, play(directory), few), len(few)))
        costs = fastest(ways, given.rounds, lambda: processes(directory))
        site.close()
    print_costs(costs, given.rounds)


def authority_of(directory: Directory, names: Sequence[str]) -> Authority:
    """With the accounts in it."""
    realm = directory.realm(replicas=ADDRESSES[:1])
    authority = open_authority(realm, lambda: Login("keyturn", Secret(BIND_PASSWORD)))
    for name in names:
        authority.create(AccountToBe(REALM, name), FIRST)
    return authority


def raw(directory: Directory, names: Sequence[str]) -> None:
    with directory.administering() as root:
        for name in names:
            root.passwd_s(dn_of(name), None, another().reveal())


def play(directory: Directory) -> Play:
    return Play(
        module="community.general.ldap_passwd",
        settings={
            "server_uri": directory.provider.url,
            "ca_path": str(directory.ca_file),
            "bind_dn": ROOT,
            "bind_pw": ROOT_PASSWORD,
        },
        for_account=lambda name: {"dn": dn_of(name), "passwd": another().reveal()},
    )


def dn_of(name: str) -> str:
    return f"uid={name},{ACCOUNTS}"


def processes(directory: Directory) -> list[str]:
    assert directory.provider.process
    return [str(directory.provider.process.pid)]


if __name__ == "__main__":
    main()
