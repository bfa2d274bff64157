"""What a helper is told: who, where, and a password that shows nowhere but in the pipe."""

from pathlib import Path

import pytest

from keyturn.adapters.runners.posix.share_protocol import mounted_path, order_of, read_order, write_order
from keyturn.distribution.presenting import Presentable, SharePath
from keyturn.distribution.run_context import AsUser, Machine, RealmAccount
from keyturn.model.logon import LogonProtocol
from keyturn.model.secret import Secret

SECRET = Secret("Turn-the-key-0001")
PRESENTED = (Presentable(Machine()), Presentable(RealmAccount(r"CORP\naa"), SECRET), Presentable(AsUser("anna")))
ORDER = order_of((SharePath(r"\\files\apps", PRESENTED),), LogonProtocol.KERBEROS)


def test_an_order_arrives_as_it_was_given() -> None:
    read = read_order(write_order(ORDER))
    assert read == ORDER
    assert tuple(identity.presentable() for identity in read.shares[0].identities) == PRESENTED


def test_an_order_shows_no_password() -> None:
    assert SECRET.reveal().encode() in write_order(ORDER)
    assert SECRET.reveal() not in repr(ORDER)


@pytest.mark.parametrize("line", [b"", b"{", write_order(ORDER)[:-20], b'{"shares":[],"protocol":"ntlm","more":1}'])
def test_an_order_that_was_cut_off_or_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # msgspec's own words
        read_order(line)


def test_hosts_and_shares_are_found_in_any_case() -> None:
    assert mounted_path(Path("/run/s"), r"\\FILES\Apps\Office\Setup.exe") == Path("/run/s/files/apps/Office/Setup.exe")
    assert mounted_path(Path("/run/s"), r"\\files\apps") == Path("/run/s/files/apps")
