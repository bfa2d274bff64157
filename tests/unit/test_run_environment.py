"""What a program finds in its environment, and who the machine says is logged on."""

from pathlib import Path

import pytest

from keyturn.adapters.runners.posix import environment, sessions
from keyturn.adapters.runners.posix.accounts import TOKEN_NAME, legal_name, stand_in_name
from keyturn.adapters.runners.posix.environment import fresh, variable_of
from keyturn.adapters.runners.posix.identities import Identity
from keyturn.adapters.runners.posix.raising import rule, start_script
from keyturn.adapters.runners.posix.sessions import Session, read_session, read_who

ALICE = Identity("alice", 1000, 1000, (1000,), Path("/home/alice"))


def test_a_share_is_in_the_list_and_has_a_variable_of_its_own() -> None:
    shares = [(r"\\files.corp\apps", "/s/files.corp/apps"), (r"\\B\c$", "/s/b/c$")]
    found = fresh(ALICE, shares, [])
    assert found["KEYTURN_SHARES"].splitlines() == [r"\\files.corp\apps=/s/files.corp/apps", r"\\B\c$=/s/b/c$"]
    assert found["KEYTURN_SHARE_FILES_CORP_APPS"] == "/s/files.corp/apps"
    assert found[variable_of(r"\\B\c$")] == "/s/b/c$"


def test_without_shares_there_is_no_variable_of_shares() -> None:
    assert not [name for name in fresh(ALICE, [], []) if name.startswith("KEYTURN")]


def test_what_the_order_adds_is_there() -> None:
    assert fresh(ALICE, [], [("SMS_RUN", "1")])["SMS_RUN"] == "1"


def test_a_folder_that_others_may_write_to_is_in_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, others, below = tmp_path / "mine", tmp_path / "others", tmp_path / "others" / "below"
    for folder in (mine, others, below):
        folder.mkdir()
    others.chmod(0o777)
    monkeypatch.setattr(environment, "_FOLDERS", tuple(map(str, ("/usr/bin", others, below, mine / "absent"))))
    assert environment.search_path() == "/usr/bin"


def test_a_folder_from_the_network_is_in_no_path() -> None:
    mounts = (
        "/dev/sda / ext4 rw 0 0\n"
        "server:/tools /usr/local/bin nfs4 rw 0 0\n"
        "//server/a\\040b /opt/a\\040b cifs rw 0 0\n"
        "helper /mnt/f fuse.sshfs rw 0 0\n"
        "tmpfs /run tmpfs rw 0 0\n"
    )
    places = tuple(environment._network_places(mounts))
    assert places == ("/usr/local/bin", "/opt/a b", "/mnt/f")
    assert not environment._is_safe(Path("/usr/bin"), ("/usr",))
    assert environment._is_safe(Path("/usr/bin"), places)


NAMES = {
    "SMSCliToknLocalAcct&": "smsclitoknlocalacct_",
    "SMSCliToknAcct&": "smsclitoknacct_",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_windows_become_legal_ones(name: str) -> None:
    assert legal_name(name) == NAMES[name]


def test_a_stand_in_bears_the_name_of_whom_it_stands_for() -> None:
    assert stand_in_name(r"CORP\SMS Installer").startswith("keyturn-sms_installer-")
    assert stand_in_name(r"CORP\SMS Installer") == stand_in_name(r"corp\sms installer")


@pytest.mark.parametrize("other", [r"NEMO\a b", r"CORP\a_b", "CORP\\" + "a" * 100])
def test_no_two_accounts_have_one_stand_in(other: str) -> None:
    assert stand_in_name(other) != stand_in_name(r"CORP\a b")
    assert len(stand_in_name(other)) <= 32


def test_a_rule_names_one_account_by_number_and_one_file_without_arguments() -> None:
    last = rule(1002).splitlines()[-1]
    assert last == '#1002 ALL = (root) NOPASSWD: /run/keyturn/start ""'


def test_a_start_script_quotes_what_it_is_given() -> None:
    text = start_script(("/a b", "it's", "$(reboot)"), {"NAME": "va'l ue"})
    assert text.splitlines()[-1].endswith("""'/a b' 'it'"'"'s' '$(reboot)'""")
    assert """'NAME=va'"'"'l ue'""" in text
    assert legal_name(TOKEN_NAME) not in text


SESSIONS = {
    "Name=alice\nClass=user\nSeat=seat0\nActive=yes\nState=active\n": Session("alice", at_console=True),
    "Name=bob\nClass=user\nSeat=\nActive=yes\nState=active\n": Session("bob", at_console=False),
    "Name=carol\nClass=user\nSeat=seat0\nActive=no\nState=online\n": Session("carol", at_console=False),
    "Name=gdm\nClass=greeter\nSeat=seat0\nActive=yes\nState=active\n": None,
    "Name=dave\nClass=user\nSeat=seat0\nActive=no\nState=closing\n": None,
    "": None,
}


@pytest.mark.parametrize("shown", SESSIONS)
def test_a_session_counts_while_somebody_is_logged_on_in_it(shown: str) -> None:
    assert read_session(shown) == SESSIONS[shown]


def test_a_list_of_logons_tells_the_console_from_terminals() -> None:
    listed = "bob      pts/0        2026-11-21 08:00 (10.0.0.5)\nalice    tty7         2026-11-21 08:01 (:0)\n"
    assert read_who(listed) == (Session("bob", at_console=False), Session("alice", at_console=True))


def test_whoever_is_at_the_console_comes_first_and_everybody_once(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "bob pts/0 x\nalice tty7 x\nbob pts/1 x\n"
    monkeypatch.setattr(sessions, "_printed", lambda *words: listed if words[0] == "who" else "")
    assert sessions.users() == ("alice", "bob")
