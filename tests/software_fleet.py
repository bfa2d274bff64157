"""A site and agents as processes of their own, with programs that leave a trace of every run.

A program appends `began RUN` and `ended RUN` to a file that bears the names of its agent and of its advertisement's
program. It finds both in its own view of the machine (proc(5), mountinfo), as it could find nothing else of its agent.
"""

import hashlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from keyturn.agent.home import Home
from keyturn.agent.software.place import Place
from keyturn.agent.software.records import Remembered, Run
from keyturn.agent.software.requests import Requests
from keyturn.cli.demo.stage import FULL_NAME, REALM, SITE, Stage, StageError, free_port, keyturn, until
from keyturn.distribution.reports import AdvertisementState

PACKAGES = 3
PATIENCE_S = 3.0
ENDS = {AdvertisementState.SUCCEEDED.value, AdvertisementState.FAILED.value, AdvertisementState.INTERRUPTED.value}

SCRIPT = """#!/bin/sh
mounted() { awk -v at="$1" '$5 == at { print $4 }' /proc/self/mountinfo; }
agent=$(mounted /run/keyturn/content | sed 's,.*/\\([^/]*\\)/software/cache/.*,\\1,')
run=$(mounted /run/keyturn/temp | sed 's,.*/software/runs/\\([^/]*\\)/tmp$,\\1,')
[ -n "$agent" ] && [ -n "$run" ] || exit 99
sha256sum --quiet -c sums || exit 98
echo "began $run" >> "$1/$agent.$2"
sleep "$3"
echo "ended $run" >> "$1/$agent.$2"
exit "$4"
"""

ESTATE = f"""
product = "sms2003"

[[realm]]
name = "{REALM}"

[realm.policy]
lockout_threshold = 5
lockout_window = "30 min"
lockout_duration = "30 min"
history = 0

[[site]]
code = "{SITE}"
realm = "{REALM}"
server = "SRV-{SITE}"

[[site_system]]
name = "SRV-{SITE}"
site = "{SITE}"
roles = ["distribution-point"]

[[account]]
name = "{FULL_NAME.rpartition(chr(92))[2]}"
realm = "{REALM}"
role = "client-connection-additional"
sites = ["{SITE}"]
"""


@dataclass(frozen=True, slots=True)
class Sort:
    """Of advertisement. It comes round at `rounds`, in seconds from when it is made; without them as soon as possible,
    once."""

    exit_code: int = 0
    rounds: tuple[float, ...] = ()
    rerun: str = "never"
    detection: str = ""

    def has_come_round(self, run: Run, at: float) -> bool:
        """For the last time, where this is the last run so far and the rounds are counted from `at`."""
        if not self.rounds or (self.rerun == "if-failed" and run.state != "failed"):
            return True
        return run.started_at >= at + self.rounds[-1]


SORTS = (
    Sort(),
    Sort(exit_code=7),
    Sort(rounds=(0, 4, 8, 12, 16), rerun="always"),
    Sort(detection="/bin/true"),
    Sort(exit_code=9, rounds=(1, 6, 11), rerun="if-failed"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What the site knows of one run: its states in the order in which they were told."""

    run: str
    states: tuple[str, ...]


@dataclass
class Fleet(Stage):
    """Every second client is a legacy one. `sorts` of the advertisements, by their identifiers."""

    advertisements: int = 5
    sorts: dict[str, Sort] = field(default_factory=dict)
    made_at: float = 0.0

    @property
    def traces(self) -> Path:
        return self.root / "traces"

    def found(self) -> None:
        self.root.chmod(0o755)
        self.traces.mkdir(mode=0o755)
        sources = [self._source(number) for number in range(PACKAGES)]
        options = ["--site", SITE, "--realm", REALM, "--port", str(free_port()), "--contact", str(self.interval_s)]
        keyturn("init", str(self.directory), *options, "--no-default-account")
        settings = self.directory / "keyturn.toml"
        settings.write_text(f'package_sources = ["{self.root / "sources"}"]\n{settings.read_text()}')
        self.start_server()
        estate = self.root / "estate.toml"
        estate.write_text(ESTATE + "".join(map(self._client, self.names)))
        self.keyturn("estate", "import", str(estate))
        self.keyturn("account", "create", FULL_NAME, "--yes")
        for source in sources:
            self.keyturn("package", "add", source.name, "--source", str(source))
        for number in range(PACKAGES):
            self.keyturn("package", "distribute", _package(number))
        self.api.post("/collections", {"name": "All", "listed": self.names})
        until("the packages are at their point", self._all_there, 60)

    def advertise(self) -> None:
        self.made_at = now = time.time()
        for number in range(self.advertisements):
            sort, package, name = SORTS[number % len(SORTS)], _package(number % PACKAGES), f"Job-{number:02d}"
            line = f"./job.sh {self.traces} {name} 0.{5 + number % 5} {sort.exit_code}"
            detection = [{"kind": "command", "subject": sort.detection}] if sort.detection else []
            program = {"package": package, "name": name, "command_line": line, "detection": detection}
            self.api.post("/programs", {"program": program})
            wanted = {
                "advertisement_id": "",
                "program": {"package": package, "name": name},
                "collection": "All",
                "available_at": now,
                "assignments": [{"first_at": now + after} for after in sort.rounds] or ["as-soon-as-possible"],
                "rerun": sort.rerun,
            }
            seen = self.api.post("/advertisements/preview", wanted)["digest"]
            made = self.api.post("/advertisements", {"advertisement": wanted, "seen": seen})
            self.sorts[made["advertisement"]["advertisement_id"]] = sort

    def storm(self, kills: int, server_kills: int, chance: random.Random) -> None:
        """`kill -9`, every second time of an agent that is in the middle of a program, as long as there are such."""
        servers = set(chance.sample(range(kills), server_kills))
        for number in range(kills):
            time.sleep(chance.uniform(0.05, 0.4))  # chance decides when it strikes, not what is waited for
            busy = self._in_the_middle() if number % 2 else []
            self._kill_and_start(chance.choice(busy or self.names))
            if number in servers:
                self.kill_server()
                self.start_server()

    def calm(self, within_s: float) -> None:
        """Everything has come round and to its end, and the site has heard of it.

        What could not be prepared, for the server was dead, is asked for: by itself it would be tried again after ten
        minutes. A client that was killed in the middle of its first two logons takes that password for a wrong one;
        what a logon script runs brings it back.
        """
        asked: set[str] = set()
        until("everything has ended, and the site knows", lambda: self._is_calm(asked), within_s)

    def stop_all(self) -> None:
        for agent in self.agents.values():
            agent.send_signal(signal.SIGTERM)
        for name in list(self.agents):
            self.stop_agent(name)

    def remembered(self, name: str) -> Remembered:
        return Place(Home(self.root / name)).remembered() or Remembered(number=0)

    def told(self, name: str, advertisement: str) -> list[Told]:
        """Of each run that the site heard to have started, oldest first."""
        found: dict[str, list[str]] = {}
        for report in self.api.get(f"/advertisements/{advertisement}/status/{name}"):
            if report["run"]:
                found.setdefault(report["run"], []).append(report["state"])
        return [Told(run, tuple(states)) for run, states in found.items() if "running" in states]

    def record(self, name: str, run: str) -> list[Run]:
        """What the agent itself remembers of that run."""
        return [kept for kept in self.remembered(name).runs if kept.run_id == run]

    def trace(self, name: str, program: str) -> "Trace":
        return _trace(self.traces / f"{name}.{program}")

    def left_over(self) -> list[str]:
        """Processes, mounts and rules of this fleet that nobody is to find once its agents are stopped."""
        mine, own = str(self.root), self.server.pid if self.server else 0
        rules = [str(rule) for rule in Path("/etc/sudoers.d").glob("keyturn*")]
        runs = [str(run) for run in self.root.glob("*/software/runs/*")]
        return [*rules, *runs, *(f"{pid}: {why}" for pid, why in _processes(mine) if os.getsid(pid) != os.getsid(own))]

    def _is_calm(self, asked: set[str]) -> bool:
        for name in self.names:
            if any(copy["standing"] == "refused" for copy in self.status(name).get("credentials", [])):
                keyturn("agent", "logon", "--dir", str(self.root / name))
        remembered = {name: self.remembered(name) for name in self.names}
        for name, kept in remembered.items():
            for run in kept.runs:
                if run.again_at is not None and run.run_id not in asked:
                    asked.add(run.run_id)
                    Requests(Place(Home(self.root / name)).path).put(run.advertisement, time.time())
        return all(map(self._has_ended, remembered.values())) and all(
            self._stands(advertisement, remembered) for advertisement in self.sorts
        )

    def _has_ended(self, kept: Remembered) -> bool:
        about = {run.advertisement for run in kept.runs if run.state.value in ENDS and run.again_at is None}
        last = (self.sorts[run.advertisement].has_come_round(run, self.made_at) for run in kept.runs)
        return about == set(self.sorts) and not kept.outbox and all(last)

    def _stands(self, advertisement: str, remembered: dict[str, Remembered]) -> bool:
        """As the agent has it."""
        told = self.api.get(f"/advertisements/{advertisement}/status")["clients"]
        runs = {
            name: run for name, kept in remembered.items() for run in kept.runs if run.advertisement == advertisement
        }
        return {one["client"]: (one["run"], one["state"]) for one in told} == {
            name: (run.run_id, run.state.value) for name, run in runs.items()
        }

    def _in_the_middle(self) -> list[str]:
        """The agents whose programs have begun and not ended; nobody where none begins for a while."""
        with suppress(StageError):
            until("a program runs", lambda: any(map(self._is_busy, self.names)), PATIENCE_S)
        return [name for name in self.names if self._is_busy(name)]

    def _is_busy(self, name: str) -> bool:
        running = [run for run in self.remembered(name).runs if run.state is AdvertisementState.RUNNING]
        traces = ((self.trace(name, run.program), run.run_id) for run in running)
        return any(run in trace.began and run not in trace.ended for trace, run in traces)

    def _kill_and_start(self, name: str) -> None:
        agent = self.agents[name]
        os.killpg(agent.pid, signal.SIGKILL)
        agent.wait()
        self.run_agents([name])

    def _client(self, name: str) -> str:
        kind = "legacy" if int(name[-4:]) % 2 == 0 else "advanced"
        return f'\n[[client]]\nname = "{name}"\nsite = "{SITE}"\nkind = "{kind}"\n'

    def _source(self, number: int) -> Path:
        """The same script in each, and content of its own that the script checks."""
        source = self.root / "sources" / f"Jobs{number}"
        source.mkdir(parents=True)
        (source / "job.sh").write_text(SCRIPT)
        (source / "job.sh").chmod(0o755)
        data = random.Random(number).randbytes(300_000)
        (source / "data.bin").write_bytes(data)
        (source / "sums").write_text(f"{hashlib.sha256(data).hexdigest()}  data.bin\n")
        return source

    def _all_there(self) -> bool:
        found = [self.api.get(f"/packages/{_package(number)}")["there"] for number in range(PACKAGES)]
        return all(any(record["there"] for record in records) for records in found)


@dataclass(frozen=True, slots=True)
class Trace:
    """What the runs of one program at one agent left: how often each of them began, and ended."""

    began: Counter[str]
    ended: Counter[str]


def _trace(file: Path) -> Trace:
    lines = file.read_text().splitlines() if file.exists() else []
    words = [line.split() for line in lines]
    began, ended = (Counter(run for what, run in words if what == wanted) for wanted in ("began", "ended"))
    return Trace(began, ended)


def _package(number: int) -> str:
    return f"{SITE}{number + 1:05X}"


def _processes(mine: str) -> Iterator[tuple[int, str]]:
    """That name a folder of the fleet in their words, or have one mounted in their view of the machine."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            mounts = (process / "mountinfo").read_text()
        except OSError:
            continue
        if int(process.name) != os.getpid() and (mine in words or mine in mounts):
            yield int(process.name), words or "a mount"


def report_of(fleet: Fleet) -> dict[str, int]:
    """How many runs came to what, for whoever runs it by hand."""
    counted = Counter(
        told.states[-1] for name in fleet.names for about in fleet.sorts for told in fleet.told(name, about)
    )
    return dict(counted)
