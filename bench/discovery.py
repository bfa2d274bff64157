"""Looking around in a domain of many accounts, beside a paged search that reads the same users and throws them away.

    python -m bench.discovery [--accounts N] [--rounds R]

Ours is what `keyturn estate discover --realm` asks a controller: all users with what tells services from people, the
strong groups, controllers, policies, published sites. Needs root and what lab/README.md names.
"""

import argparse
import time
from collections.abc import Callable

import ldap
from ldap.controls.libldap import SimplePagedResultsControl

from bench.domain import one_controller
from keyturn.adapters.authorities.active_directory.authority import ActiveDirectory
from keyturn.adapters.authorities.active_directory.domain import domain_of
from tests.samba import BASE, OUR_UNIT, OURS, Samba

_PAGE = 1000
_FILL = """
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
lp = LoadParm()
lp.load_default()
db = SamDB(session_info=system_session(), lp=lp)
db.transaction_start()
for number in range({first}, {end}):
    name = "svc-%05d" % number
    db.add({{"dn": "CN=%s,{unit}" % name, "objectClass": "user", "sAMAccountName": name,
            "servicePrincipalName": "HTTP/%s.corp.example" % name, "description": "service %d" % number}})
db.transaction_commit()
"""
"""For the Python of the controller, straight into its database."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--accounts", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with one_controller([]) as samba:
        fill(samba, given.accounts)
        ours = _fastest(given.rounds, lambda: looked_around(samba))
        raw = _fastest(given.rounds, lambda: read(samba))
    print(f"{given.accounts} accounts, the fastest of {given.rounds} rounds")
    print(f"looking around {ours:7.2f} s\npaged search   {raw:7.2f} s\nratio          {raw / ours:7.2f}")


def fill(samba: Samba, count: int) -> None:
    """A thousand in one transaction."""
    for first in range(0, count, 1000):
        program = _FILL.format(first=first, end=min(first + 1000, count), unit=OUR_UNIT)
        samba.adlab("ex", "dc1", "/usr/bin/python3", "-", given=program)


def looked_around(samba: Samba) -> int:
    found = ActiveDirectory(domain_of(samba.realm()), lambda: OURS).survey(time.time())
    return len(found.candidates)


def read(samba: Samba) -> int:
    administrator, count, cookie = samba.administer(), 0, b""
    while True:
        page = SimplePagedResultsControl(True, size=_PAGE, cookie=cookie)
        asked = administrator.search_ext(BASE, ldap.SCOPE_SUBTREE, "(sAMAccountType=805306368)", serverctrls=[page])
        _, users, _, controls = administrator.result3(asked)
        count += len(users)
        cookie = next((c.cookie for c in controls if c.controlType == page.controlType), b"")
        if not cookie:
            administrator.unbind_s()
            return count


def _fastest(rounds: int, work: Callable[[], int]) -> float:
    return min(_seconds(work) for _ in range(rounds))


def _seconds(work: Callable[[], int]) -> float:
    begun = time.perf_counter()
    assert work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
