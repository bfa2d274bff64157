"""What test modules of contracts share. Failing assertions of the contracts are explained like those of modules."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.samba import Samba

pytest.register_assert_rewrite("tests.contract.store")


@pytest.fixture
def ours_unlocked(samba: "Samba") -> Iterator[None]:
    """Keyturn's own account in the module's domain, before and after."""
    samba.unlock_ours()
    yield
    samba.unlock_ours()
