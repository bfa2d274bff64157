"""What a run came to, from how it ended: pure, but for what is detected."""

from dataclasses import dataclass

from keyturn.agent.software import telling
from keyturn.agent.software.ports import Ended, HowEnded
from keyturn.distribution.causes import Cause, cause_of_access, cause_of_exit, concerns_credentials, in_words
from keyturn.distribution.exit_codes import RETRIES, Verdict, verdict
from keyturn.distribution.reports import AdvertisementState
from keyturn.distribution.run_context import ExecuteAs, RaisedAccount
from keyturn.distribution.status_mif import JobStatus, first_status
from keyturn.model.software import ClientKind, Program


@dataclass(frozen=True, slots=True)
class Judged:
    """`again`: it may be tried again by itself, later."""

    state: AdvertisementState
    message_id: int
    cause: Cause | None = None
    reason: str = ""
    again: bool = False


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
    mif = first_status(ended.mifs)
    if mif is not None:
        return _by_mif(mif)
    assert ended.exit_code is not None
    says = verdict(ended.exit_code, kind, program.success_codes)
    if says in (Verdict.SUCCESS, Verdict.RESTART):
        reason = "it asks for a restart of the machine" if says is Verdict.RESTART else ""
        return Judged(AdvertisementState.SUCCEEDED, telling.SUCCEEDED, reason=reason)
    cause = cause_of_exit(says, ended.accesses)
    again = says is Verdict.RETRY and tries <= RETRIES and not concerns_credentials(cause)
    if again and cause is Cause.RETRIES_USED_UP:
        cause = Cause.EXIT_CODE
    return _failed(cause, ended, f"exit code {ended.exit_code}", again=again)


def _by_mif(mif: JobStatus) -> Judged:
    if mif.succeeded:
        return Judged(AdvertisementState.SUCCEEDED, telling.SUCCEEDED_BY_MIF, reason=mif.description)
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
