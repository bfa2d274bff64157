"""What a run came to, from how it ended: pure, but for what is detected."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyturn.agent.software import telling
from keyturn.agent.software.ports import Ended, HowEnded
from keyturn.distribution.causes import Cause, cause_of_access, cause_of_exit, concerns_credentials, in_words
from keyturn.distribution.exit_codes import RETRIES, Verdict, verdict
from keyturn.distribution.reports import AdvertisementState
from keyturn.distribution.run_context import ExecuteAs, RaisedAccount
from keyturn.distribution.status_mif import JobStatus, first_status
from keyturn.model.software import Afterwards, ClientKind, Program


@dataclass(frozen=True, slots=True)
class Judged:
    """`again`: it may be tried again by itself, later. `pending`: what is to become of the machine now."""

    state: AdvertisementState
    message_id: int
    cause: Cause | None = None
    reason: str = ""
    again: bool = False
    pending: Afterwards = Afterwards.NOTHING


def judge(ended: Ended, program: Program, kind: ClientKind, execute_as: ExecuteAs, tries: int) -> Judged:
    """Of a run that had `tries` tries with this one. What was to be installed has not been looked for yet."""
    match ended.how:
        case HowEnded.EXITED:
            return _exited(ended, program, kind, tries)
        case HowEnded.NOT_STARTED:
            return _not_started(ended, execute_as)
        case HowEnded.STOPPED:
            reason = "the agent was stopped while it ran"
            return Judged(AdvertisementState.INTERRUPTED, 0, Cause.INTERRUPTED, reason)
        case HowEnded.ENDED:
            return _failed(Cause.OVER_TIME, ended, "it was ended with all that it had started")
        case HowEnded.STILL_RUNS:
            return _failed(Cause.OVER_TIME, ended, "it still runs, and is not watched any more")


def _exited(ended: Ended, program: Program, kind: ClientKind, tries: int) -> Judged:
    assert ended.exit_code is not None
    says = verdict(ended.exit_code, kind, program.success_codes)
    mif = first_status(ended.mifs)
    if mif is not None and not mif.succeeded:
        return _failed_by_mif(mif)
    if mif is not None or says in (Verdict.SUCCESS, Verdict.RESTART):
        return _succeeded(program, mif, asks=says is Verdict.RESTART)
    cause = cause_of_exit(says, ended.accesses)
    again = says is Verdict.RETRY and tries <= RETRIES and not concerns_credentials(cause)
    if again and cause is Cause.RETRIES_USED_UP:
        cause = Cause.EXIT_CODE
    return _failed(cause, ended, f"exit code {ended.exit_code}", again=again)


def _succeeded(program: Program, mif: JobStatus | None, *, asks: bool) -> Judged:
    """`asks`: by its exit code, for a restart of the machine."""
    pending = Afterwards.PROGRAM_RESTARTS if asks and program.afterwards in _NO_RESTART else program.afterwards
    words = (mif.description if mif else "", "it asks for a restart of the machine" if asks else _PENDING[pending])
    message_id = telling.SUCCEEDED_BY_MIF if mif else telling.SUCCEEDED
    reason = "; ".join(filter(None, words))
    return Judged(AdvertisementState.SUCCEEDED, message_id, reason=reason, pending=pending)


_NO_RESTART = (Afterwards.NOTHING, Afterwards.LOGS_OFF)
_PENDING: Mapping[Afterwards, str] = {
    Afterwards.NOTHING: "",
    Afterwards.PROGRAM_RESTARTS: "the machine is to restart for it",
    Afterwards.CLIENT_RESTARTS: "this client restarts the machine for it",
    Afterwards.LOGS_OFF: "its user is logged off after it",
}


def _failed_by_mif(mif: JobStatus) -> Judged:
    reason = in_words(Cause.STATUS_MIF, (), mif.description)
    return Judged(AdvertisementState.FAILED, telling.FAILED_BY_MIF, Cause.STATUS_MIF, reason)


def _not_started(ended: Ended, execute_as: ExecuteAs) -> Judged:
    """Where it was a share that did not let anybody in, the next try may fare better; a password that was called wrong
    is not lent again."""
    refused = cause_of_access(ended.accesses)
    mine = Cause.WEAK_INSTALLATION_ACCOUNT if isinstance(execute_as, RaisedAccount) else Cause.NOT_STARTED
    reason = in_words(refused or mine, ended.accesses, ended.reason)
    return Judged(AdvertisementState.FAILED, telling.NOT_PREPARED, refused or mine, reason, again=refused is not None)


def _failed(cause: Cause, ended: Ended, detail: str, *, again: bool = False) -> Judged:
    reason = in_words(cause, ended.accesses, detail)
    return Judged(AdvertisementState.FAILED, telling.FAILED, cause, reason, again)
