"""The fixtures of the store's contract. An adapter overrides `url`; everything else follows from it."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from keyturn.adapters.store.seal_key import SealKey
from keyturn.adapters.store.store import SqlStore, open_store
from keyturn.model.accounts import AnyAccount
from keyturn.model.secret import Secret
from tests.contract.store.world import CONN, SVC, THE_ESTATE, Clock

KEY = SealKey(bytes(range(32)))


def paper(account: AnyAccount, generation: int, secret: Secret) -> bytes:
    """Stands for an envelope: it tells what it was made for, and shows that it was made from the password."""
    return f"{account} {generation} {len(secret.reveal())}".encode()


class Setting:
    @pytest.fixture
    def url(self) -> str:
        """An empty database of the test's own."""
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def open_again(self, url: str, clock: Clock) -> Iterator[Callable[[], SqlStore]]:
        """Opens the same database once more, as after a restart or from another process."""
        opened: list[SqlStore] = []
        numbers = count()

        def open_one(key: SealKey = KEY) -> SqlStore:
            new_id = lambda: f"id-{next(numbers)}"  # noqa: E731
            opened.append(open_store(url, seal_key=key, envelope=paper, now=clock, new_id=new_id))
            return opened[-1]

        yield open_one
        for store in opened:
            store.close()

    @pytest.fixture
    def empty(self, open_again: Callable[[], SqlStore]) -> SqlStore:
        return open_again()

    @pytest.fixture
    def store(self, empty: SqlStore) -> SqlStore:
        """With an estate whose two accounts were found in their realm."""
        empty.replace("the file", THE_ESTATE, by="ann")
        empty.identify(SVC)
        empty.identify(CONN)
        return empty
