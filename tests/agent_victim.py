"""An agent that runs what the policy in its folder asks for, and is killed when the run has come to a step."""

import os
import signal
import sys
import threading
from pathlib import Path

from keyturn.adapters.runners.posix.runner import PosixRunner
from tests.policies import NOW
from tests.story.software_site import SoftwareMachine, SoftwareSite


def main(folder: str, runs: str, step: str) -> None:
    def pause(reached: str) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    site = SoftwareSite(down=True)
    site.clock.now = NOW
    machine = SoftwareMachine(site, Path(folder), runner=PosixRunner(Path(runs), pause=pause))  # type: ignore[arg-type]
    machine.started().run_out(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
