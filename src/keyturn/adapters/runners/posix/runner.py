"""Programs on this machine, under the identity they are to have, with everything they start. Read this first.

A run has three processes that are ours: the stage, which holds the run's own view of the machine and ends with the
agent; the helper that makes its shares folders, and knows the passwords; the first of the program's own processes,
which sees nobody but the program. The program finds its content read-only, its shares, and a temporary folder.
"""

import os
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from keyturn.adapters.runners.posix import accounts, environment, records, sessions
from keyturn.adapters.runners.posix.command_line import NoProgram, program_of, words_of
from keyturn.adapters.runners.posix.identities import Identity, home_of, identity_of, name_of
from keyturn.adapters.runners.posix.share_mounting import Mounted, NotMounted
from keyturn.adapters.runners.posix.share_protocol import mounted_path
from keyturn.adapters.runners.posix.stage_protocol import CONTENT, SHARES, StageOrder
from keyturn.adapters.runners.posix.watching import GRACE_S, Stage
from keyturn.distribution.presenting import Note
from keyturn.distribution.run_context import ExecuteAs
from keyturn.distribution.running import Ended, HowEnded, RunOrder
from keyturn.model.errors import KeyturnError
from keyturn.model.logon import LogonProtocol

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CUT_OFF = "the process that holds the run was ended from outside"


class PosixRunner:
    """`runs` is a folder that is this runner's alone. `protocol` is by which accounts are presented at shares.

    `pause` is told each step of a run as it is reached: a test stops there.
    """

    def __init__(
        self,
        runs: Path,
        *,
        protocol: LogonProtocol = LogonProtocol.NTLM,
        grace_s: float = GRACE_S,
        pause: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._runs = runs
        self._protocol = protocol
        self._grace_s = grace_s
        self._pause = pause
        self._unwatched: list[Stage] = []

    def users(self) -> tuple[str, ...]:
        return sessions.users()

    def home_of(self, execute_as: ExecuteAs) -> Path:
        return home_of(execute_as)

    def run(
        self,
        order: RunOrder,
        *,
        tell: Callable[[bytes], None],
        stop: Callable[[], bool],
        note: Note = lambda _: None,
    ) -> Ended:
        if os.geteuid() != 0:
            return _not_started("only an agent that is root runs programs for others")
        if not _RUN_ID.fullmatch(order.run_id):
            return _not_started(f"{order.run_id!r} cannot be the name of a run")
        try:
            identity = identity_of(order.execute_as)
            words = _words(order)
        except NoProgram as none:
            return _not_started(str(none))
        except KeyturnError as refused:
            return _not_started(f"{refused.message}; {refused.hint}".rstrip("; "))
        self._pause("known")
        return self._kept_on_disk(order, identity, words, tell, stop, note)

    def put_right(self) -> tuple[str, ...]:
        self._unwatched = [stage for stage in self._unwatched if stage.runs]
        return tuple(found for run in records.left_in(self._runs) if (found := run.put_right()))

    def _kept_on_disk(
        self,
        order: RunOrder,
        identity: Identity,
        words: tuple[str, ...],
        tell: Callable[[bytes], None],
        stop: Callable[[], bool],
        note: Note,
    ) -> Ended:
        run = records.Run(self._runs / order.run_id)
        try:
            _give_home(identity)
            run.open(identity.uid, identity.gid)
        except OSError as error:
            return _not_started(f"{error.filename}: {error.strerror}")
        self._pause("recorded")
        stage = Stage(tell, self._pause)
        ended = self._performed(stage, run, order, identity, words, stop, note)
        if ended.how is HowEnded.STILL_RUNS:
            return ended
        ended = replace(ended, mifs=run.mifs())
        run.close()
        self._pause("closed")
        return ended

    def _performed(
        self,
        stage: Stage,
        run: records.Run,
        order: RunOrder,
        identity: Identity,
        words: tuple[str, ...],
        stop: Callable[[], bool],
        note: Note,
    ) -> Ended:
        mounted: Mounted | None = None
        how = HowEnded.NOT_STARTED
        with stage, ExitStack() as shares:
            run.has_stage(stage.pid)
            self._pause("staged")
            if stage.build(self._stage_order(stage, run, order, identity, words)):
                try:
                    mounted = shares.enter_context(self._mounted(stage, order, note)) if order.shares else None
                except NotMounted as none:
                    return _not_started(f"the shares of the run: {none}")
                self._pause("mounted")
                how = stage.watch(order.max_run_s, order.overrun, self._grace_s, stop)
                if how is HowEnded.STILL_RUNS:
                    run.is_unwatched()
                    self._unwatched.append(stage)
                    stage.leave()
        ended = _ended(how, stage, identity)
        return replace(ended, accesses=mounted.accesses) if mounted else ended

    def _mounted(self, stage: Stage, order: RunOrder, note: Note) -> Mounted:
        into = ("nsenter", f"--mount=/proc/{stage.pid}/ns/mnt", "--")
        return Mounted(Path(SHARES), order.shares, protocol=self._protocol, through=into, note=note)

    def _stage_order(
        self, stage: Stage, run: records.Run, order: RunOrder, identity: Identity, words: tuple[str, ...]
    ) -> StageOrder:
        return StageOrder(
            words=words,
            folder=order.folder,
            temp=str(run.temp),
            environment=environment.fresh(identity, _paths(order), order.environment),
            uid=identity.uid,
            gid=identity.gid,
            groups=identity.groups,
            raised=identity.raised,
            login=identity.login,
            output=stage.output,
            unread=stage.unread,
            grace_s=self._grace_s,
        )


def _words(order: RunOrder) -> tuple[str, ...]:
    """A program on a share is there once the share is."""
    return program_of(
        words_of(order.command_line, _paths(order)), Path(order.folder), CONTENT, environment.search_path()
    )


def _paths(order: RunOrder) -> list[tuple[str, str]]:
    return [(share.share, str(mounted_path(Path(SHARES), share.share))) for share in order.shares]


def _give_home(identity: Identity) -> None:
    """A realm's account that was never here before has none, and a program installs into its profile. It is there once
    it is the account's, whenever an agent is killed."""
    if not identity.raised:
        return
    with accounts.alone():
        if not identity.home.exists():
            fresh = identity.home.with_name(f".{identity.home.name}.keyturn")
            with suppress(FileNotFoundError):
                fresh.rmdir()
            fresh.mkdir(mode=0o700, parents=True)
            os.chown(fresh, identity.uid, identity.gid)
            fresh.rename(identity.home)


def _ended(how: HowEnded, stage: Stage, identity: Identity) -> Ended:
    started = stage.started
    if started is None or stage.not_started:
        never = HowEnded.STOPPED if how is HowEnded.STOPPED else HowEnded.NOT_STARTED
        return Ended(never, reason=stage.not_started or _CUT_OFF, output=stage.kept)
    cut_off = how is HowEnded.EXITED and not stage.over
    return Ended(
        HowEnded.STOPPED if cut_off else how,
        exit_code=stage.exit_code,
        executed_as=name_of(started.uid),
        login=name_of(started.login) if started.login is not None else "",
        home=str(identity.home),
        reason=_CUT_OFF if cut_off else "",
        output=stage.kept,
    )


def _not_started(reason: str) -> Ended:
    return Ended(HowEnded.NOT_STARTED, reason=reason)
