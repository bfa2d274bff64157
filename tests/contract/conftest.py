"""Failing assertions of the shared contracts are explained like those of test modules."""

import pytest

pytest.register_assert_rewrite("tests.contract.store")
