"""What every runner of programs promises, as a suite to inherit. A subclass gives

- `runner`    the runner, with a second or less of grace between asking processes to end and ending them
- `commands`  command lines of its system that do what `Commands` says
- `left`      what is still privileged, running, mounted or on disk of any run, in words

and, where its system has them, `user`: somebody that programs may run as. Runs have names of their own.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyturn.agent.software.ports import Runner
from keyturn.contracts.promises import not_promised
from keyturn.distribution.run_context import ExecuteAs, LocalSystem, LoggedOnUser, RaisedAccount, TokenAccount
from keyturn.distribution.running import Ended, HowEnded, RunOrder
from keyturn.model.errors import NotFound
from keyturn.model.software import Overrun

LONG_S = 600.0
"""More than any of these programs takes, however slow the machine."""
INSTALLER = "CONTRACT\\installer"


@dataclass(frozen=True, slots=True)
class Commands:
    """Command lines. `long` takes longer than LONG_S; `deaf` too, and does not end when it is asked to."""

    says: Callable[[str], str]
    ends_with: Callable[[int], str]
    long: str
    deaf: str
    leaves_long_behind: str
    """Ends with 3 at once; what it started takes longer than LONG_S, in a session of its own."""
    leaves_short_behind: str
    """Ends with 3 at once; what it started says `late` after a moment and ends."""
    shows_environment: str
    """A line NAME=VALUE for each."""
    reads: Callable[[str], str]
    """Prints a file of the folder it runs in."""
    writes_temporary: str
    """A file in the temporary folder; prints its path."""
    writes_status_file: Callable[[str], str]
    """A file in the temporary folder whose name ends with `.mif`."""
    is_administrator: str
    """Ends with 0 for an administrator, with 1 for anybody else."""


class RunnerContract:
    @pytest.fixture
    def runner(self) -> Runner:
        raise NotImplementedError

    @pytest.fixture
    def commands(self) -> Commands:
        raise NotImplementedError

    @pytest.fixture
    def left(self) -> Callable[[], list[str]]:
        raise NotImplementedError

    @pytest.fixture
    def user(self) -> str:
        not_promised("this system has nobody to run a program as")

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A package's content."""
        content = tmp_path / "content"
        content.mkdir(mode=0o755)
        (content / "greeting.txt").write_text("as packed\n", encoding="utf-8")
        return content

    # what it says

    def test_a_program_ends_with_its_own_code(self, runner: Runner, commands: Commands, folder: Path) -> None:
        for code in (0, 1, 42):
            ended = run(runner, commands.ends_with(code), folder)
            assert (ended.how, ended.exit_code) == (HowEnded.EXITED, code)

    def test_what_it_writes_is_told_and_the_end_of_it_kept(
        self, runner: Runner, commands: Commands, folder: Path
    ) -> None:
        told: list[bytes] = []
        ended = run(runner, commands.says("turned"), folder, tell=told.append)
        assert b"turned" in b"".join(told)
        assert b"turned" in ended.output

    def test_it_is_told_what_is_written_before_the_program_ends(
        self, runner: Runner, commands: Commands, folder: Path
    ) -> None:
        told = threading.Event()
        ended = run(
            runner, commands.leaves_long_behind, folder, tell=lambda _: told.set(), stop=told.is_set, max_run_s=LONG_S
        )
        assert told.is_set()
        assert ended.how is HowEnded.STOPPED

    def test_a_program_that_is_nowhere_is_not_started_and_named(self, runner: Runner, folder: Path) -> None:
        ended = run(runner, "no-such-program --at-all", folder)
        assert ended.how is HowEnded.NOT_STARTED
        assert "no-such-program" in ended.reason

    def test_a_command_line_that_cannot_be_read_is_not_started(self, runner: Runner, folder: Path) -> None:
        for command_line in ("", '"never closed'):
            ended = run(runner, command_line, folder)
            assert ended.how is HowEnded.NOT_STARTED
            assert ended.reason

    # with everything it started

    def test_a_run_lasts_as_long_as_what_a_wrapper_started_and_has_the_code_of_the_wrapper(
        self, runner: Runner, commands: Commands, folder: Path
    ) -> None:
        ended = run(runner, commands.leaves_short_behind, folder)
        assert (ended.how, ended.exit_code) == (HowEnded.EXITED, 3)
        assert b"late" in ended.output

    @pytest.mark.parametrize("which", ["long", "deaf", "leaves_long_behind"])
    def test_at_its_limit_the_whole_tree_is_ended(
        self, runner: Runner, commands: Commands, folder: Path, left: Callable[[], list[str]], which: str
    ) -> None:
        ended = run(runner, getattr(commands, which), folder, max_run_s=0.5)
        assert ended.how is HowEnded.ENDED
        assert left() == []

    def test_when_the_client_stops_the_whole_tree_is_ended(
        self, runner: Runner, commands: Commands, folder: Path, left: Callable[[], list[str]]
    ) -> None:
        ended = run(runner, commands.leaves_long_behind, folder, max_run_s=LONG_S, stop=lambda: True)
        assert ended.how is HowEnded.STOPPED
        assert left() == []

    def test_a_program_that_is_not_watched_any_more_goes_on(
        self, runner: Runner, commands: Commands, folder: Path
    ) -> None:
        ended = run(runner, commands.leaves_short_behind, folder, max_run_s=0.0, overrun=Overrun.STOP_WATCHING)
        assert ended.how is HowEnded.STILL_RUNS

    def test_a_hung_program_keeps_nobody_else_from_running(
        self, runner: Runner, commands: Commands, folder: Path
    ) -> None:
        others_done = threading.Event()
        hung: list[Ended] = []
        thread = threading.Thread(
            target=lambda: hung.append(
                run(runner, commands.deaf, folder, max_run_s=LONG_S, stop=others_done.is_set),
            )
        )
        thread.start()
        try:
            assert [run(runner, commands.ends_with(code), folder).exit_code for code in (0, 5)] == [0, 5]
        finally:
            others_done.set()
            thread.join()
        assert hung[0].how is HowEnded.STOPPED

    # who it is

    def test_local_system_is_an_administrator_and_at_home(
        self, runner: Runner, commands: Commands, folder: Path
    ) -> None:
        ended = run(runner, commands.is_administrator, folder)
        assert ended.exit_code == 0
        assert ended.executed_as
        assert Path(ended.home) == runner.home_of(LocalSystem())

    @pytest.mark.parametrize("who", [TokenAccount(), RaisedAccount(INSTALLER)], ids=["token account", "installer"])
    def test_a_raised_account_is_an_administrator_in_a_home_of_its_own_and_lowered_afterwards(
        self, runner: Runner, commands: Commands, folder: Path, left: Callable[[], list[str]], who: ExecuteAs
    ) -> None:
        ended = run(runner, commands.is_administrator, folder, who)
        assert ended.exit_code == 0
        assert ended.login
        assert ended.home != run(runner, commands.ends_with(0), folder).home
        assert Path(ended.home) == runner.home_of(who)
        assert left() == []

    def test_a_user_is_that_user_and_no_administrator(
        self, runner: Runner, commands: Commands, folder: Path, user: str
    ) -> None:
        ended = run(runner, commands.is_administrator, folder, LoggedOnUser(user))
        assert ended.exit_code == 1
        assert (ended.executed_as, ended.login) == (user, user)
        assert Path(ended.home) == runner.home_of(LoggedOnUser(user))

    def test_a_user_whom_nobody_knows_is_not_found_and_not_run(
        self, runner: Runner, commands: Commands, folder: Path
    ) -> None:
        nobody = LoggedOnUser("nobody-of-this-name")
        assert run(runner, commands.ends_with(0), folder, nobody).how is HowEnded.NOT_STARTED
        with pytest.raises(NotFound):
            runner.home_of(nobody)

    # what it finds

    def test_it_runs_in_its_folder_whoever_it_is(
        self, runner: Runner, commands: Commands, folder: Path, user: str
    ) -> None:
        for who in (LocalSystem(), TokenAccount(), LoggedOnUser(user)):
            assert b"as packed" in run(runner, commands.reads("greeting.txt"), folder, who).output

    def test_its_environment_is_new_and_has_what_the_order_adds(
        self, runner: Runner, commands: Commands, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KEYTURN_OF_THE_AGENT", "not for programs")
        for who in (LocalSystem(), TokenAccount()):
            ended = run(runner, commands.shows_environment, folder, who, environment=(("ADDED", "a b='c'"),))
            assert b"ADDED=a b='c'" in ended.output
            assert b"KEYTURN_OF_THE_AGENT" not in ended.output

    def test_its_temporary_folder_is_gone_afterwards(
        self, runner: Runner, commands: Commands, folder: Path, left: Callable[[], list[str]], user: str
    ) -> None:
        for who in (LocalSystem(), TokenAccount(), LoggedOnUser(user)):
            ended = run(runner, commands.writes_temporary, folder, who)
            assert ended.exit_code == 0
            assert not Path(ended.output.decode().strip()).exists()
            assert left() == []

    def test_the_status_files_it_leaves_there_are_handed_over(
        self, runner: Runner, commands: Commands, folder: Path
    ) -> None:
        ended = run(runner, commands.writes_status_file("Status is Success"), folder, TokenAccount())
        assert [mif.strip() for mif in ended.mifs] == [b"Status is Success"]

    # putting right

    def test_after_runs_that_ended_there_is_nothing_to_put_right(
        self, runner: Runner, commands: Commands, folder: Path, left: Callable[[], list[str]]
    ) -> None:
        run(runner, commands.ends_with(0), folder, TokenAccount())
        for _ in range(2):
            assert runner.put_right() == ()
        assert left() == []


def run(
    runner: Runner,
    command_line: str,
    folder: Path,
    who: ExecuteAs = LocalSystem(),  # noqa: B008  # frozen
    *,
    max_run_s: float = LONG_S,
    overrun: Overrun = Overrun.END,
    environment: tuple[tuple[str, str], ...] = (),
    tell: Callable[[bytes], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Ended:
    order = RunOrder(
        f"run-{secrets.token_hex(4)}",
        command_line,
        str(folder),
        who,
        max_run_s=max_run_s,
        overrun=overrun,
        environment=environment,
    )
    return runner.run(order, tell=tell, stop=stop)
