"""The inboxes that the site reads itself: discovery records and status messages of clients. The others wait for
whoever reads them."""

from collections.abc import Callable

from keyturn.distribution.reports import AdvertisementReport, read_report
from keyturn.model.accounts import same_name
from keyturn.operations.advertisement_status import take_report
from keyturn.operations.inbox_ports import FileState, InboxFile, SeenClient
from keyturn.operations.parts import Parts
from keyturn.operations.software_ports import ToldFacts
from keyturn.operations.status_messages import report
from keyturn.site.access_points import Inbox
from keyturn.site.client_files import Letter, read_discovery, read_status
from keyturn.site.components import ComponentName
from keyturn.site.status_messages import MessageId, StatusMessage

AT_ONCE = 200


def read_inboxes(parts: Parts) -> None:
    """Every file once: what it says is kept in one transaction with the file's end."""
    for inbox, read in _READERS.items():
        while files := parts.store.waiting(inbox, AT_ONCE):
            for file in files:
                with parts.store.whole():
                    _settle(parts, file, read(parts, file))


def _settle(parts: Parts, file: InboxFile, reason: str) -> None:
    if not reason:
        parts.store.settle_file(file.number, FileState.DONE)
        return
    parts.store.settle_file(file.number, FileState.BAD, reason)
    whence = {"box": file.box, "name": file.name, "source": file.source}
    kept = f"{reason}; keyturn site inbox-file {file.number} shows it"
    report(parts, ComponentName.INBOX_MANAGER, MessageId.PUT_ASIDE, **whence, reason=kept)


def _discovery(parts: Parts, file: InboxFile) -> str:
    record = read_discovery(file.content)
    if record is None:
        return "it is no discovery record"
    if _is_anothers(file, record):
        return f"it speaks for {record.machine}"
    seen = SeenClient(record.machine, record.kind, record.accounts, file.source, file.signed, file.arrived_at)
    parts.store.see_client(seen)
    if parts.machine(record.machine) is not None:  # of strangers nothing is kept that could grow without end
        parts.store.keep_facts(ToldFacts(record.machine, record.facts, file.signed, file.arrived_at))
    return ""


def _status(parts: Parts, file: InboxFile) -> str:
    if (told := read_report(file.content)) is not None:
        return _report(parts, file, told)
    said = read_status(file.content)
    if said is None:
        return "it is no status message"
    if _is_anothers(file, said):
        return f"it speaks for {said.machine}"
    message = StatusMessage(
        at=file.arrived_at,
        site=parts.settings.site,
        component=said.component,
        message_id=said.message_id,
        severity=said.severity,
        text=said.text,
        machine=said.machine,
    )
    parts.store.keep_message(message)
    return ""


def _report(parts: Parts, file: InboxFile, said: AdvertisementReport) -> str:
    return f"it speaks for {said.machine}" if _is_anothers(file, said) else take_report(parts, file, said)


def _is_anothers(file: InboxFile, letter: Letter | AdvertisementReport) -> bool:
    """A machine that signed for a file may speak for itself alone."""
    return file.signed and not same_name(file.source, letter.machine)


_READERS: dict[Inbox, Callable[[Parts, InboxFile], str]] = {
    Inbox.DISCOVERY: _discovery,
    Inbox.STATUS_MESSAGES: _status,
}
"""Each says why a file cannot be read, or nothing."""
