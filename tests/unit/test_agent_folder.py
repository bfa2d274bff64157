"""The agent's folder: whom it lets in, what it remembers, and its numbers."""

import contextlib
import json
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.agent import keys as key_file
from keyturn.agent.credentials import BLOCK, Credentials
from keyturn.agent.enrolment import leave
from keyturn.agent.home import KEYS, STATE, Home
from keyturn.agent.records import Copy, Damaged, Installation, Standing, State, decode, encode
from keyturn.agent.status import read_status
from keyturn.model.errors import NotFound, Refused
from keyturn.model.logon import Answer

ACCOUNT = "PHX\\SMSClient_PHX"


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "agent")
    home.make()
    return home


@pytest.fixture
def credentials(home):
    return opened(home)


def opened(home):
    credentials = Credentials(home, lambda: 1.0)
    credentials.refresh()
    return credentials


def test_folder_and_files_are_the_owners_alone(home, credentials):
    home.keep_keys(key_file.new_keys())
    credentials.adopt(ACCOUNT, 1, b"sealed")
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE((home.path / name).stat().st_mode) for name in (KEYS, STATE)} == {0o600}


def test_a_folder_that_others_can_look_into_is_refused_and_left_as_it_is(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(Refused, match="others can look into"):
        Home(tmp_path).make()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_keys_that_others_can_read_are_not_used(home):
    home.keep_keys(key_file.new_keys())
    (home.path / KEYS).chmod(0o640)
    with pytest.raises(Refused, match="others can read"):
        home.keys()


def test_keys_come_back_as_they_were_and_show_themselves_nowhere(home):
    keys = key_file.new_keys()
    home.keep_keys(keys)
    back = home.keys()
    assert (back.verify_key, back.recipient) == (keys.verify_key, keys.recipient)
    form = json.loads((home.path / KEYS).read_bytes())
    assert not any(part in repr(back) for part in form.values())


def test_a_link_in_place_of_a_new_file_is_not_followed(home, tmp_path):
    (home.path / f".{STATE}.new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        home.keep_state(State(reserved=1))
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_without_an_agent_says_so(tmp_path):
    home = Home(tmp_path / "nowhere")
    for read in (home.installation, home.keys):
        with pytest.raises(NotFound, match="no agent is enrolled"):
            read()
    with pytest.raises(NotFound), home.lock():
        pass


def test_two_processes_take_turns(home):
    other = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    attempt = [sys.executable, "-c", other, str(home.path / "lock")]
    with home.lock():
        assert subprocess.run(attempt, capture_output=True, check=False).returncode == 1
    assert subprocess.run(attempt, capture_output=True, check=False).returncode == 0


def test_leaving_leaves_nothing(home, credentials):
    home.keep_installation(Installation("https://phx", "PHX", "PC-1", "/cap", "", 60))
    home.keep_keys(key_file.new_keys())
    credentials.adopt(ACCOUNT, 1, b"sealed")
    home.show_status(b"{}")
    leave(home)
    assert [path.name for path in home.path.iterdir()] == ["lock"]


def test_numbers_rise_through_blocks_and_restarts(home):
    numbers = []
    for _ in range(3):
        credentials = opened(home)
        numbers += [credentials.number() for _ in range(BLOCK + 2)]
    assert numbers == sorted(set(numbers))


def test_a_block_of_numbers_costs_one_write(home, credentials):
    credentials.number()
    written = (home.path / STATE).stat().st_ino
    for _ in range(BLOCK - 1):
        credentials.number()
    assert (home.path / STATE).stat().st_ino == written
    credentials.number()
    assert (home.path / STATE).stat().st_ino != written


def test_two_processes_of_one_agent_never_share_a_number(home):
    one, other = opened(home), opened(home)
    numbers = [one.number(), one.number()]
    other.refresh()
    numbers.append(other.number())
    one.refresh()
    numbers.append(one.number())
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("before", "answer", "during", "after"),
    [
        (Standing.FRESH, Answer.ACCEPTED, Standing.PRESENTING, Standing.PROVEN),
        (Standing.FRESH, Answer.WRONG_PASSWORD, Standing.PRESENTING, Standing.REFUSED),
        (Standing.FRESH, Answer.LOCKED, Standing.PRESENTING, Standing.FRESH),
        (Standing.FRESH, Answer.DISABLED, Standing.PRESENTING, Standing.FRESH),
        (Standing.PRESENTING, Answer.ACCEPTED, Standing.REFUSED, Standing.PROVEN),
        (Standing.PRESENTING, Answer.LOCKED, Standing.REFUSED, Standing.PRESENTING),
        (Standing.PROVEN, Answer.ACCEPTED, Standing.PROVEN, Standing.PROVEN),
        (Standing.PROVEN, Answer.WRONG_PASSWORD, Standing.PROVEN, Standing.REFUSED),
        (Standing.PROVEN, Answer.MUST_CHANGE, Standing.PROVEN, Standing.PROVEN),
        (Standing.REFUSED, Answer.ACCEPTED, Standing.REFUSED, Standing.PROVEN),
    ],
)
def test_standings_on_the_disk_before_during_and_after_a_logon(home, credentials, before, answer, during, after):
    home.keep_state(State(reserved=1, copies=(Copy(ACCOUNT, 1, b"sealed", before),)))
    credentials.refresh()
    copy = credentials.begin(ACCOUNT)
    assert opened(home).copy(ACCOUNT).standing is during
    credentials.settle(copy, answer, tell=False)
    assert opened(home).copy(ACCOUNT).standing is after


def test_an_answer_is_told_once_and_again_when_it_changes(credentials):
    credentials.adopt(ACCOUNT, 1, b"sealed")
    for answer, untold in [(Answer.DISABLED, 1), (Answer.DISABLED, 0), (Answer.ACCEPTED, 1), (Answer.ACCEPTED, 0)]:
        credentials.settle(credentials.begin(ACCOUNT), answer, tell=False)
        assert len(credentials.untold()) == untold
        if untold:
            credentials.told(ACCOUNT)


def test_a_lock_is_not_told(credentials):
    credentials.adopt(ACCOUNT, 1, b"sealed")
    credentials.settle(credentials.begin(ACCOUNT), Answer.LOCKED, tell=True)
    assert credentials.untold() == ()


def test_an_answer_not_yet_told_is_not_forgotten_by_the_next_logon(credentials):
    credentials.adopt(ACCOUNT, 1, b"sealed")
    credentials.settle(credentials.begin(ACCOUNT), Answer.ACCEPTED, tell=False)
    credentials.settle(credentials.begin(ACCOUNT), Answer.ACCEPTED, tell=False)
    assert len(credentials.untold()) == 1


def test_a_newer_generation_takes_the_place_of_the_older_one(credentials):
    credentials.adopt(ACCOUNT, 1, b"sealed")
    credentials.adopt("PHX\\other", 1, b"sealed")
    credentials.adopt(ACCOUNT, 2, b"sealed again")
    assert [(copy.account, copy.generation) for copy in credentials.held()] == [("PHX\\other", 1), (ACCOUNT, 2)]


@given(st.binary(max_size=300) | st.text('{}[]":,0reserved\\copies', max_size=200).map(str.encode))
def test_garbage_in_a_file_is_damage_and_nothing_else(data):
    for shape in (State, Installation):
        with pytest.raises(Damaged):
            decode(shape, data, "state.json", "hint")
    with pytest.raises(Damaged):
        key_file.from_file(data)
    assert read_status(data) is None


@given(st.data())
def test_a_state_with_one_changed_byte_is_read_or_is_damage(data):
    whole = bytearray(encode(State(reserved=5, copies=(Copy(ACCOUNT, 1, b"sealed", Standing.PROVEN),))))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Damaged):
        assert isinstance(decode(State, bytes(whole), "state.json", "hint"), State)
