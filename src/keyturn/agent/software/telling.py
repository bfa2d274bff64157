"""Reports to the site: how each advertisement fares here, as SMS numbers it, and how they get there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from keyturn.agent.client import Client
from keyturn.agent.report import TROUBLE
from keyturn.agent.software.records import Key, Run
from keyturn.distribution.accesses import Access
from keyturn.distribution.reports import AccessLine, AdvertisementReport, AdvertisementState, signed_report
from keyturn.wire.policy import REPORT

RECEIVED, NOT_PREPARED, STARTED, FAILED, FAILED_BY_MIF, SUCCEEDED, SUCCEEDED_BY_MIF = (
    10002, 10003, 10005, 10006, 10007, 10008, 10009,
)  # fmt: skip
BOX = "statmsgs.box"
MAX_ACCESSES = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """Of an offer that does not run now."""

    key: Key
    state: AdvertisementState
    reason: str = ""
    cause: str = ""

    @property
    def message_id(self) -> int:
        numbers = {AdvertisementState.RECEIVED: RECEIVED, AdvertisementState.FAILED: NOT_PREPARED}
        return numbers.get(self.state, 0)


def of_standing(machine: str, number: int, at: float, standing: Standing) -> AdvertisementReport:
    advertisement, package, program, user = standing.key
    return AdvertisementReport(
        machine=machine,
        at=at,
        number=number,
        advertisement=advertisement,
        package=package,
        program=program,
        state=standing.state,
        message_id=standing.message_id,
        reason=line(standing.reason, 2000),
        cause=standing.cause,
        user=line(user),
    )


def of_run(
    machine: str, number: int, at: float, run: Run, message_id: int, accesses: Sequence[Access] = ()
) -> AdvertisementReport:
    return AdvertisementReport(
        machine=machine,
        at=at,
        number=number,
        advertisement=run.advertisement,
        package=run.package,
        program=run.program,
        state=run.state,
        message_id=message_id,
        reason=line(run.reason, 2000),
        cause=run.cause,
        exit_code=run.exit_code,
        executed_as=line(run.executed_as),
        login=line(run.login),
        user=line(run.user),
        run=run.run_id,
        accesses=tuple(map(_access, accesses[-MAX_ACCESSES:])),
    )


def line(text: str, most: int = 250) -> str:
    """One line, without what a report may not hold."""
    return "".join(character if character.isprintable() else " " for character in text)[:most]


class Outbox(Protocol):
    def outbox(self) -> tuple[AdvertisementReport, ...]: ...

    def taken(self, number: int) -> None: ...


def send(outbox: Outbox, client: Client) -> None:
    """To the management point, oldest first. Stays for later where the site does not answer; what the site will never
    take goes."""
    for report in outbox.outbox():
        try:
            reply = client.link.send("POST", REPORT, report)
        except TROUBLE:
            return
        if reply.status in (401, 404, 429) or reply.status >= 500:
            return
        outbox.taken(report.number)


def leave(outbox: Outbox, client: Client, account: str) -> None:
    """At the access point, by an account that was let in just now. A letter bears the same name until it is taken."""
    for report in outbox.outbox():
        name = f"{client.name}.{report.number}.svf"[-120:]
        try:
            if not client.leave(BOX, name, signed_report(report, client.link.vouch), account):
                return
        except TROUBLE:
            return
        outbox.taken(report.number)


def _access(access: Access) -> AccessLine:
    return AccessLine(
        unc=line(access.unc, 1024),
        identity=line(access.identity),
        order=min(access.order, 100),
        answer=access.answer.value if access.answer else "",
        status=access.status & 0xFFFFFFFF,
        seconds=round(access.seconds, 4),
    )
