"""Options of the whole suite, and the rule that in CI nothing is skipped."""

import os
import signal
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from keyturn.contracts.promises import NOT_PROMISED

TESTS = Path(__file__).parent

settings.register_profile("usual", max_examples=60, deadline=None)
settings.register_profile("long", max_examples=1000, deadline=None)


_FIRST = ("live", "cli", "crash", "story", "contract", "server")
"""The folders whose modules start servers, processes and domains. What is short comes last, so that of several workers
none is left alone with a long module at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the full counts")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("long" if config.getoption("--long") else "usual")
    # pytest-xdist would begin with the modules of most tests, and end with those that start a domain for a few.
    config.option.loadscopereorder = False
    # A shell ignores it in what runs in its background, and every program that a test starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Full counts are another number of the same tests, so leaving them out is no skip."""
    if not config.getoption("--long"):
        items[:] = [item for item in items if "long" not in item.keywords]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)


DIRECTORY_TESTS = ("active_directory", "openldap")
_NO_DIRECTORY = (
    "the extra `directory`, or for what is sealed `kerberos`, is not installed: they need gcc, libldap-dev, "
    "libsasl2-dev, libkrb5-dev and python3-dev"
)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """What the tests of real directories import must be built here, and cannot be everywhere."""
    if any(name in module_path.name for name in DIRECTORY_TESTS) and find_spec("ldap") is None:
        return _LeftOut.from_parent(parent, path=module_path)
    if "sealed" in module_path.name and find_spec("gssapi") is None:
        return _LeftOut.from_parent(parent, path=module_path)
    return None


class _LeftOut(pytest.Module):
    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        pytest.skip(_NO_DIRECTORY, allow_module_level=True)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    undone = [report for report in reporter.stats.get("skipped", []) if NOT_PROMISED not in str(report.longrepr)]
    if os.environ.get("CI") and undone:
        reporter.write_line("error: in CI nothing may be skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
