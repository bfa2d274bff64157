"""Eight ways in which a real file server of a real domain keeps a program from its files, for both kinds of client: each
is named in the client's own log and at the site, with the account, the share, the status and the way out."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyturn.distribution.causes import EXPLANATIONS, Cause
from keyturn.model.software import ClientKind
from tests.domain_software import ADVANCED, CLOSED_FILE, FILE, LEGACY, LOGS, REACHES, Scene, domain_with_shares, scene
from tests.posix_runs import machine
from tests.samba import Samba


@pytest.fixture(scope="module", autouse=True)
def here() -> Iterator[None]:
    with machine():
        yield


@pytest.fixture(scope="module")
def domain(here: None) -> Iterator[Samba]:
    with domain_with_shares() as domain:
        yield domain


def test_first(domain: Samba, tmp_path: Path) -> None:
    import time
    t = time.monotonic()
    with scene(domain, tmp_path, "one", "con", "naa", "ins") as here:
        print("scene", time.monotonic() - t); t = time.monotonic()
        for kind in (ADVANCED, LEGACY):
            a = here.offer(kind, f"{kind}", rf"sh -c 'cp {here.share()}\{FILE} {tmp_path}/{kind}'".replace("cp \\", "cp \"\\").replace(".txt ", ".txt\" "), software_installation_account=kind is LEGACY)
            here.agents[kind].turn()
            print(kind, time.monotonic() - t); t = time.monotonic()
            print(here.standing(kind, a))
            print(*here.agents[kind].log(LOGS[kind]), sep="\n")
    from tests.domain_software import opened_on_the_share
    print(opened_on_the_share(domain))
    print((domain.directory / "fs1" / "var" / "log" / "samba" / "log.smbd").read_text(errors="replace")[-1500:])
