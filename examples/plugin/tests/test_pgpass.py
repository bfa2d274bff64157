"""The line of a .pgpass keeps the contract of every consumer."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from keyturn.agent.consumers.plugins import Consumer
from keyturn.contracts.consumer import ConsumerContract
from keyturn_example_plugin.pgpass import open_consumer


class TestPgpass(ConsumerContract):
    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        home = tmp_path / "home"
        home.mkdir()
        return home

    @pytest.fixture
    def consumer(self, home: Path) -> Consumer:
        return open_consumer({"path": str(home / ".pgpass"), "host": "db1.example"})

    @pytest.fixture
    def spoiled(self, home: Path) -> Callable[[], AbstractContextManager[None]]:
        @contextmanager
        def unmounted() -> Iterator[None]:
            elsewhere = home.rename(home.with_name("unmounted"))
            yield
            elsewhere.rename(home)

        return unmounted
