"""A process that is there to be killed: `python -m tests.crash.victim`.

It warms itself up once; then for each line on its standard input, a folder and a plan, it forks a child that opens the
site there and carries the plan out. The child says `ready` when it begins, and `ended` if it lives so long. The next
line is the order to kill it; the answer is `killed`, or `late` if it had ended by then.
"""

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from keyturn.lifecycle.plan import PlanKind
from tests.builtin import Clock
from tests.crash.cases import CASES
from tests.crash.disk import ROUND_S, about_to_begin
from tests.estates import MACHINES
from tests.inner_site import InnerSite, site_in

ROUNDS = 50
WHOLE_PLAN_S = ROUNDS * ROUND_S
"""On the site's clock: whoever finds the site after a kill comes later than the killed process can have come. Less
than a plan's patience."""


def main() -> None:
    warm_up()
    for line in sys.stdin:
        folder, plan_id, now = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            live_and_end(Path(folder), plan_id, float(now))
        sys.stdin.readline()
        os.kill(child, signal.SIGKILL)  # a child that has ended is still ours until it is waited for
        _, status = os.waitpid(child, 0)
        say("killed" if os.WIFSIGNALED(status) else "late")


def warm_up() -> None:
    """Whatever is imported or cached at first use is so before the fork, and a kill hits the work itself."""
    with about_to_begin(CASES[PlanKind.CREATE]).opened() as site:
        site.run(site.store.plans()[-1].plan_id, machines=MACHINES, step_s=ROUND_S)


def live_and_end(folder: Path, plan_id: str, now: float) -> NoReturn:
    """Whatever goes wrong, the child never returns into its parent's loop."""
    try:
        live(folder, plan_id, now)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def live(folder: Path, plan_id: str, now: float) -> None:
    site = site_in(folder, "", clock=Clock(now))
    remember(site)
    say("ready")
    site.run(plan_id, machines=MACHINES, rounds=ROUNDS, step_s=ROUND_S)
    say("ended")


def remember(site: InnerSite) -> None:
    """The machines keep what they have proven."""
    site.held = {name: {} for name in MACHINES}
    for holding in site.store.estate().holdings:
        site.held[holding.holder][str(holding.account)] = holding.generation


def say(word: str) -> None:
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


if __name__ == "__main__":
    main()
