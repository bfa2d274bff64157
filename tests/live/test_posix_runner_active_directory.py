"""Programs on machines of a real domain: its accounts are raised themselves, and its names are no local account's."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import samba
from tests.posix_runs import TOKEN
from tests.samba import Samba

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def domain() -> Iterator[Samba]:
    with samba.running(file_server=True) as domain:
        yield domain


def test_accounts_of_the_domain_are_raised_and_a_name_of_the_domain_is_not_taken(domain: Samba) -> None:
    """In one test, for a domain takes its time: first without the names, then with them."""
    before = on(domain, "fs1", "installer", "token")
    assert before["token"][:2] == ["root", TOKEN]
    assert before["installer"][1].startswith("keyturn-kt-installer-")

    for name in ("kt-installer", TOKEN):
        domain.adlab("ex", "dc1", "samba-tool", "user", "create", name, "--random-password")

    member = on(domain, "fs1", "installer", "token", "unknown")
    assert member["installer"][:2] == ["root", "CORP\\kt-installer"]
    assert member["installer"][3] == "0\n"
    assert f"{TOKEN} is an account of the domain" in member["token"][3]
    assert member["unknown"][1].startswith("keyturn-kt-nobody-")


def on(domain: Samba, node: str, *names: str) -> dict[str, list[str]]:
    script = ROOT / "tests" / "domain_runs.py"
    told = domain.adlab("ex", node, "env", f"PYTHONPATH={ROOT}", sys.executable, str(script), *names)
    found: dict[str, list[str]] = json.loads(told.splitlines()[-1])
    return found
