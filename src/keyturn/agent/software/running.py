"""One program, from its files to what it left: under the identity, and with the network identities, of its run context.

That it starts is on the disk before it starts. Passwords are lent for this run alone.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from msgspec.structs import replace

from keyturn.agent.software import telling
from keyturn.agent.software.detection import Homes, home_or_none, missing
from keyturn.agent.software.judging import Judged, judge
from keyturn.agent.software.logs import ERROR, INFO, VERBOSE, WARNING
from keyturn.agent.software.ports import Ended, HowEnded, Runner, RunOrder
from keyturn.agent.software.preparing import NotPrepared, Prepared, prepare
from keyturn.agent.software.records import Run
from keyturn.agent.software.workshop import Workshop
from keyturn.distribution.accesses import Access
from keyturn.distribution.causes import EXPLANATIONS, in_words
from keyturn.distribution.due import Due
from keyturn.distribution.exit_codes import next_try_s
from keyturn.distribution.reports import AdvertisementState
from keyturn.distribution.run_context import LoggedOnUser, RunContext
from keyturn.model.errors import KeyturnError
from keyturn.model.software import UNKNOWN_RUN_S, Policy

DETECTION_S = 300.0
"""How long a detection's command may take."""
LAST_LINES = 20


def run_one(due: Due, context: RunContext, policy: Policy, shop: Workshop, stop: Callable[[], bool]) -> None:
    """Until it has ended and that is kept. OSError where it cannot be kept: then it has not been started."""
    run, title = _begun(due, shop), _title(due)
    prepared = prepare(due.offer, context, policy, shop, stop)
    if stop():
        return
    if isinstance(prepared, NotPrepared):
        _not_prepared(run, prepared, title, shop)
        return
    shop.history.keep(run, telling.STARTED)
    shop.write(f"{title} starts as {context.execute_as}", INFO)
    with shop.hold(due.offer.digest) if due.offer.digest else nullcontext():
        began = time.monotonic()
        ended = _supervised(run, due, context, prepared, shop, stop)
        _log_end(ended, title, time.monotonic() - began, shop)
        _conclude(run, due, context, policy, prepared, ended, shop)


def _begun(due: Due, shop: Workshop) -> Run:
    advertisement, program = due.offer.advertisement.advertisement_id, due.offer.program
    run = Run(
        run_id=secrets.token_hex(4),
        advertisement=advertisement,
        package=program.package,
        program=program.name,
        started_at=shop.now(),
        state=AdvertisementState.RUNNING,
        user=due.user,
        boot=shop.computer.boot(),
    )
    before = shop.history.run_of(run.key)
    return replace(run, tries=before.tries + 1) if before is not None and before.again_at is not None else run


def _not_prepared(run: Run, why: NotPrepared, title: str, shop: Workshop) -> None:
    """It is prepared anew by itself, for nothing has run: ever more seldom, as long as it is offered."""
    again_at = shop.now() + next_try_s(run.tries)
    state, cause = AdvertisementState.FAILED, why.cause.value
    failed = replace(run, state=state, finished_at=shop.now(), again_at=again_at, cause=cause, reason=why.reason)
    for access in why.accesses:
        shop.write(str(access), INFO if access.let_in else WARNING)
    shop.write(f"{title} could not be prepared: {why.reason}. Way out: {EXPLANATIONS[why.cause].remedy}", ERROR)
    shop.history.keep(failed, telling.NOT_PREPARED, why.accesses)


def _supervised(
    run: Run, due: Due, context: RunContext, prepared: Prepared, shop: Workshop, stop: Callable[[], bool]
) -> Ended:
    program = due.offer.program
    order = RunOrder(
        run_id=run.run_id,
        command_line=program.command_line,
        folder=str(prepared.folder),
        execute_as=context.execute_as,
        shares=prepared.shares,
        max_run_s=program.max_run_s or UNKNOWN_RUN_S,
        overrun=program.overrun,
    )

    def tell(output: bytes) -> None:
        shop.write(output.decode(errors="replace").rstrip("\n"), VERBOSE)

    def note(access: Access) -> None:
        shop.write(str(access), INFO if access.let_in else WARNING)

    try:
        return shop.runner.run(order, tell=tell, stop=stop, note=note)
    except KeyturnError as error:
        return Ended(HowEnded.NOT_STARTED, reason=error.message)


def _log_end(ended: Ended, title: str, seconds: float, shop: Workshop) -> None:
    code = f" with exit code {ended.exit_code}" if ended.exit_code is not None else ""
    login = f", login {ended.login}" if ended.login else ""
    who = f"; it ran as {ended.executed_as}{login}" if ended.executed_as else ""
    shop.write(f"{title}: {ended.how}{code} after {seconds:.1f} s{who}", INFO)


def _conclude(
    run: Run, due: Due, context: RunContext, policy: Policy, prepared: Prepared, ended: Ended, shop: Workshop
) -> None:
    program, title = due.offer.program, _title(due)
    judged = judge(ended, program, policy.kind, context.execute_as, run.tries)
    if judged.state is AdvertisementState.SUCCEEDED and program.detection:
        judged = _detected(judged, run, due, context, prepared, ended, shop)
    now = shop.now()
    concluded = replace(
        run,
        state=judged.state,
        finished_at=now,
        again_at=now + next_try_s(run.tries) if judged.again else None,
        exit_code=ended.exit_code,
        executed_as=ended.executed_as,
        login=ended.login,
        cause=judged.cause.value if judged.cause else "",
        reason=judged.reason,
        pending=judged.pending,
    )
    if judged.cause is not None:
        last = ended.output.decode(errors="replace").splitlines()[-LAST_LINES:]
        shop.write("\n".join([f"{title} {judged.state}: {judged.reason}", *last]), ERROR)
        shop.write(f"Way out: {EXPLANATIONS[judged.cause].remedy}", ERROR)
    else:
        shop.write(f"{title} {judged.state} {judged.reason}".rstrip(), INFO)
    shop.history.keep(concluded, judged.message_id, ended.accesses)


def _detected(
    judged: Judged, run: Run, due: Due, context: RunContext, prepared: Prepared, ended: Ended, shop: Workshop
) -> Judged:
    commands = 0

    def command(line: str) -> bool:
        nonlocal commands
        commands += 1
        order = RunOrder(
            f"{run.run_id}-{commands}", line, str(prepared.folder), context.execute_as, max_run_s=DETECTION_S
        )
        try:
            return shop.runner.run(order, tell=lambda _: None, stop=lambda: False).exit_code == 0
        except KeyturnError:
            return False

    found = missing(due.offer.program.detection, _homes(due, context, ended, shop.runner), command)
    if found is None:
        return judged
    reason = in_words(found.cause, (), found.reason)
    return Judged(AdvertisementState.FAILED, telling.FAILED, found.cause, reason)


def _homes(due: Due, context: RunContext, ended: Ended, runner: Runner) -> Homes:
    """It is installed for the user that it runs for, or as; with administrative rights, for whoever is at the
    console."""
    user = due.user or (context.execute_as.name if isinstance(context.execute_as, LoggedOnUser) else "")
    user = user or next(iter(runner.users()), "")
    wanted = home_or_none(lambda: runner.home_of(LoggedOnUser(user))) if user else None
    return Homes(wanted, Path(ended.home) if ended.home else None)


def _title(due: Due) -> str:
    user = f" for {due.user}" if due.user else ""
    return f"program {due.offer.program.ref} of advertisement {due.offer.advertisement.advertisement_id}{user}"
