"""What every authority, consumer and runner promises, as suites that a plug-in's tests inherit.

A suite demands more only with a new minor version of Keyturn, never between two of its patches.
"""

import pytest

pytest.register_assert_rewrite("keyturn.contracts.authority", "keyturn.contracts.consumer", "keyturn.contracts.runner")
