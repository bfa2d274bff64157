"""What a lab is at this moment."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keyturn.cli.demo.stage import Stage
from keyturn.cli.lab.domain import Node, Replication, nodes, replication
from keyturn.cli.lab.place import Lab
from keyturn.cli.lab.processes import SITE, running
from keyturn.cli.lab.raising import CONTACT_S
from keyturn.wire.door import Door


@dataclass(frozen=True, slots=True)
class Agent:
    """The rest is what it shows of its last contact; None before that."""

    name: str
    runs: bool
    account: str | None
    generation: int | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    nodes: tuple[Node, ...]
    replication: tuple[Replication, ...]
    url: str | None
    site_runs: bool
    agents: tuple[Agent, ...]


def look(lab: Lab, door: Callable[[Path], Door]) -> Seen:
    processes = running(lab.root)
    stage = Stage(lab.root, lab.agents, CONTACT_S, door)
    return Seen(
        nodes=tuple(nodes(lab)),
        replication=tuple(replication(lab)),
        url=door(lab.site).url if lab.site.exists() else None,
        site_runs=SITE in processes,
        agents=tuple(_agent(stage, name, name in processes) for name in lab.names),
    )


def _agent(stage: Stage, name: str, runs: bool) -> Agent:
    shown = stage.status(name)
    return Agent(name, runs, shown.get("account"), shown.get("generation"), shown.get("answer"))
