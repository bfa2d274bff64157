"""A worker at a real realm that is there to be killed: `python -m tests.story.realm_victim`.

The first line on its standard input is the realm and Keyturn's login there. It warms itself up; then for each line, a
folder, a plan and a moment, it forks a child that opens the site there and carries the plan out. The child says `stop`
before and after every call that it makes of the realm or of its lease, and `ended` if it lives so long. The next line
is the order to kill it; the answer is `killed`, or `late` if it had ended by then.
"""

import json
import os
import signal
import sys
import traceback
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from keyturn.adapters.authorities.reaching import Login
from keyturn.adapters.authorities.realms import maker_of
from keyturn.lifecycle.budgeted import Budgeted
from keyturn.lifecycle.ports import Authority
from keyturn.model.accounts import RealmName
from keyturn.model.estate import Realm
from keyturn.model.secret import Secret
from keyturn.operations.parts import Parts
from tests.crash.stops import Watched
from tests.story.real_realm import SERVICE, carried, opened

STEP_S = 30.0
WHOLE_PLAN_S = 600.0
"""On the site's clock: whoever finds the site after a kill comes later than the killed worker can have come."""


def spoken(realm: Realm, login: Login) -> str:
    said = {**asdict(replace(realm, policy=type(realm.policy)())), "policy": None}
    return json.dumps({"realm": said, "login": [login.name, login.secret.reveal()]})


def main() -> None:
    authority, realm = understood(sys.stdin.readline())
    authority.find(SERVICE)  # whatever is imported or cached at first use is so before the fork
    for line in sys.stdin:
        folder, plan_id, now = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            live_and_end(Path(folder), realm, authority, plan_id, float(now))
        sys.stdin.readline()
        os.kill(child, signal.SIGKILL)  # a child that has ended is still ours until it is waited for
        _, status = os.waitpid(child, 0)
        say("killed" if os.WIFSIGNALED(status) else "late")


def understood(line: str) -> tuple[Authority, Realm]:
    said = json.loads(line)
    found = said["realm"]
    connection = tuple((key, value) for key, value in found["connection"])
    realm = Realm(RealmName(found["name"]), found["kind"], tuple(found["replicas"]), connection=connection)
    login = Login(said["login"][0], Secret(said["login"][1]))
    return maker_of(realm.kind)(realm, lambda: login), realm


def live_and_end(folder: Path, realm: Realm, authority: Authority, plan_id: str, now: float) -> NoReturn:
    """Whatever goes wrong, the child never returns into its parent's loop."""
    try:
        site = opened(folder, realm, authority, "", now=now)
        site.parts = heard(site.parts, authority)
        carried(site, plan_id, step_s=STEP_S)
        say("ended")
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def heard(parts: Parts, authority: Authority) -> Parts:
    """A stop is said around every call of the realm and of the lease."""
    store = parts.store

    def stop() -> None:
        say("stop")

    class Store:
        def lease(self, plan_id: str, worker: str, lease_s: float) -> Any:
            lease = store.lease(plan_id, worker, lease_s)
            return None if lease is None else Watched(lease, stop)

        def __getattr__(self, verb: str) -> Any:
            return getattr(store, verb)

    watched = Budgeted(Watched(authority, stop), store, parts.now)  # type: ignore[arg-type]
    return replace(parts, store=Store(), authorities=lambda _: watched)  # type: ignore[arg-type]


def say(word: str) -> None:
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


if __name__ == "__main__":
    main()
