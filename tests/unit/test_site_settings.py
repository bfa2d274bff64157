"""The settings file of a site: what clients are told by it."""

import pytest

from keyturn.adapters.site_files.settings import read_settings
from keyturn.model.errors import Refused
from keyturn.model.software import LogSettings
from tests.inner_site import CUSTODY

WITHOUT = 'site = "PHX"\nport = 8443\n'
REST = f'[custody]\ncustodians = {{ alice = "{CUSTODY.custodians[0].recipient}" }}\n'


def test_a_site_that_says_nothing_of_policies_and_logs_has_the_usual() -> None:
    operating = read_settings(WITHOUT + REST).operating
    assert (operating.policy_s, operating.client_logs) == (7 * 24 * 3600, LogSettings())


def test_how_long_a_policy_holds_and_what_clients_log_is_read() -> None:
    logs = "[client_logs]\nlevel = 0\nmax_bytes = 1000000\nhistory = 5\n"
    operating = read_settings(f"{WITHOUT}policy_s = 86400\n{logs}{REST}").operating
    assert (operating.policy_s, operating.client_logs) == (86400, LogSettings(0, 1_000_000, 5))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("policy_s = 0", "policy_s is not from 600"),
        ('policy_s = "7d"', "policy_s has the wrong type"),
        ("client_logs = { level = 4 }", "client_logs.level is not from 0 to 3"),
        ("client_logs = { max_bytes = 1 }", "client_logs.max_bytes is not from"),
        ("client_logs = { level = true }", "client_logs.level has the wrong type"),
        ("client_logs = { depth = 1 }", "unknown key client_logs.depth"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_its_name(wrong: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_settings(f"{WITHOUT}{wrong}\n{REST}")
