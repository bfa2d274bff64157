"""Status messages: what a component has to say, by number, as SMS does it.

A number below 60000 is the one that SMS uses for the same event (SMS 2.0 Resource Guide, chapter 26, which also says
that a number has at most 16 bits). From 60000 on they are Keyturn's own, a hundred for each area.
"""

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

OWN_FROM = 60000


class Severity(StrEnum):
    INFORMATIONAL = "informational"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class MessageId(IntEnum):
    STARTED = 500
    RAISED = 669
    # 10002: what clients say of programs
    PROGRAM_RECEIVED = 10002
    PROGRAM_NOT_PREPARED = 10003
    PROGRAM_STARTED = 10005
    PROGRAM_FAILED = 10006
    PROGRAM_FAILED_BY_MIF = 10007
    PROGRAM_SUCCEEDED = 10008
    PROGRAM_SUCCEEDED_BY_MIF = 10009
    # 60000: components
    STOPPED = 60000
    PAUSED = 60001
    HANGS = 60002
    CAME_BACK = 60003
    ORDERED = 60004
    # 60100: the site control file
    CONTROL_CHANGED = 60100
    CONTROL_REFUSED = 60101
    CONTROL_TOLD = 60102
    # 60200: other sites
    LINK_TROUBLE = 60200
    LINK_WELL = 60201
    BUNDLE_REFUSED = 60202
    # 60500: access points and inboxes
    POINT_TROUBLE = 60500
    POINT_REACHED = 60501
    PUBLISHED = 60502
    TAKEN = 60503
    PUT_ASIDE = 60504
    PERMISSIONS_SET = 60505
    PERMISSIONS_REPAIRED = 60506
    # 60600: installing and removing clients
    CLIENT_INSTALLED = 60600
    CLIENT_REMOVED = 60601
    PUSH_LATER = 60602
    PUSH_FAILED = 60603
    ENROLLED_AT_LOGON = 60604
    # 60700: content of packages
    CONTENT_THERE = 60700
    CONTENT_FAILED = 60701
    CONTENT_REMOVED = 60702
    # 60800: accounts and plans
    PLAN_DONE = 60800
    PLAN_STOPPED = 60801
    # 60900: status messages themselves
    FORGOTTEN = 60900


@dataclass(frozen=True, slots=True)
class Wording:
    """`text` has its inserts in braces."""

    severity: Severity
    text: str

    @property
    def inserts(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\{(\w+)\}", self.text))


_INFORMATIONAL, _WARNING, _ERROR = Severity

WORDINGS: dict[MessageId, Wording] = {
    MessageId.STARTED: Wording(_INFORMATIONAL, "started in {process}"),
    MessageId.RAISED: Wording(_ERROR, "failed: {fault}; it starts again in {pause_s} s (failure {failures} in a row)"),
    MessageId.PROGRAM_RECEIVED: Wording(_INFORMATIONAL, "{program} was received (advertisement {advertisement})"),
    MessageId.PROGRAM_NOT_PREPARED: Wording(
        _ERROR, "{program} could not be prepared (advertisement {advertisement}): {reason}"
    ),
    MessageId.PROGRAM_STARTED: Wording(_INFORMATIONAL, "{program} was started (advertisement {advertisement})"),
    MessageId.PROGRAM_FAILED: Wording(_ERROR, "{program} failed (advertisement {advertisement}): {reason}"),
    MessageId.PROGRAM_FAILED_BY_MIF: Wording(
        _ERROR, "{program} failed by its own status MIF (advertisement {advertisement}): {reason}"
    ),
    MessageId.PROGRAM_SUCCEEDED: Wording(_INFORMATIONAL, "{program} succeeded (advertisement {advertisement})"),
    MessageId.PROGRAM_SUCCEEDED_BY_MIF: Wording(
        _INFORMATIONAL, "{program} succeeded by its own status MIF (advertisement {advertisement})"
    ),
    MessageId.STOPPED: Wording(_WARNING, "stopped, as {by} asked"),
    MessageId.PAUSED: Wording(_WARNING, "paused, as {by} asked"),
    MessageId.HANGS: Wording(_ERROR, "hangs: it {note}"),
    MessageId.CAME_BACK: Wording(_INFORMATIONAL, "runs again"),
    MessageId.ORDERED: Wording(_INFORMATIONAL, "{by} asked it to {order}"),
    MessageId.CONTROL_CHANGED: Wording(_INFORMATIONAL, "the site control file is at serial {serial}, changed by {by}"),
    MessageId.CONTROL_REFUSED: Wording(_WARNING, "a change of the site control file by {by} was refused: {said}"),
    MessageId.CONTROL_TOLD: Wording(_INFORMATIONAL, "site {site} says of the change sent to it: {said}"),
    MessageId.LINK_TROUBLE: Wording(_ERROR, "the way to site {site}: {trouble}"),
    MessageId.LINK_WELL: Wording(_INFORMATIONAL, "the way to site {site} is open again"),
    MessageId.BUNDLE_REFUSED: Wording(_WARNING, "{bundle} was refused: {reason}"),
    MessageId.POINT_TROUBLE: Wording(_ERROR, "access point {system}: {trouble}"),
    MessageId.POINT_REACHED: Wording(_INFORMATIONAL, "access point {system} is in order again"),
    MessageId.PUBLISHED: Wording(_INFORMATIONAL, "{count} files were published to access point {system}"),
    MessageId.TAKEN: Wording(_INFORMATIONAL, "{count} files of clients were taken from access point {system}"),
    MessageId.PUT_ASIDE: Wording(_WARNING, "{box}/{name} from {source} was put aside: {reason}"),
    MessageId.PERMISSIONS_SET: Wording(_INFORMATIONAL, "{by} set the permissions of access point {system}"),
    MessageId.PERMISSIONS_REPAIRED: Wording(
        _INFORMATIONAL, "{by} repaired {count} dead entries in the permissions of access point {system}"
    ),
    MessageId.CLIENT_INSTALLED: Wording(_INFORMATIONAL, "the client of {client} was installed and heard"),
    MessageId.CLIENT_REMOVED: Wording(_INFORMATIONAL, "the client of {client} was removed"),
    MessageId.PUSH_LATER: Wording(_WARNING, "try {tries} on {client} to {work} its client: {reason}; the next follows"),
    MessageId.PUSH_FAILED: Wording(_ERROR, "trying to {work} the client of {client} was given up: {reason}"),
    MessageId.ENROLLED_AT_LOGON: Wording(_INFORMATIONAL, "{client} enrolled itself with the logon key {key}"),
    MessageId.CONTENT_THERE: Wording(_INFORMATIONAL, "package {package} version {version} is at {system}"),
    MessageId.CONTENT_FAILED: Wording(_ERROR, "package {package} version {version} is not at {system}: {reason}"),
    MessageId.CONTENT_REMOVED: Wording(_INFORMATIONAL, "package {package} was removed from {system}"),
    MessageId.PLAN_DONE: Wording(_INFORMATIONAL, "plan {plan} for {about} is done"),
    MessageId.PLAN_STOPPED: Wording(_WARNING, "plan {plan} for {about} asks: {question}"),
    MessageId.FORGOTTEN: Wording(_INFORMATIONAL, "{count} old status messages were forgotten"),
}


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """`machine` is where it comes from; empty: the site server. `component` is a `ComponentName` or what a client calls
    its own. `number` is given by the store, rising; 0: not kept yet."""

    at: float
    site: str
    component: str
    message_id: int
    severity: Severity
    text: str
    machine: str = ""
    number: int = 0


def worded(message_id: MessageId, inserts: dict[str, str]) -> str:
    """Raises KeyError for an insert that is missing. Line breaks become spaces: a message is one line."""
    flat = {name: " ".join(value.split()) for name, value in inserts.items()}
    return WORDINGS[message_id].text.format_map(flat)
