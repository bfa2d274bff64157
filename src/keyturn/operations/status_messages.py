"""Status messages: told by components, read by people, forgotten in time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from keyturn.site.components import ComponentName
from keyturn.site.status_messages import WORDINGS, MessageId, Severity, StatusMessage, worded

if TYPE_CHECKING:
    from keyturn.operations.parts import Parts

DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: no more than so many, and none that is older."""

    count: int = 50_000
    age_s: float = 30 * DAY_S


@dataclass(frozen=True, slots=True)
class Asked:
    """Those after a number, or since a moment; of a component, in any letters; of a severity or worse."""

    after: int = 0
    since: float = 0
    component: str | None = None
    severity: Severity = Severity.INFORMATIONAL


class StatusMessages(Protocol):
    def keep_message(self, message: StatusMessage) -> None: ...

    def messages(self, asked: Asked, limit: int, *, newest: bool = False) -> tuple[StatusMessage, ...]:
        """At most `limit`, oldest first: the first of those asked for, or with `newest` the last of them."""

    def last_messages(self) -> dict[str, StatusMessage]:
        """The newest of each component, by its name."""

    def forget_messages(self, keep: int, before: float) -> int:
        """How many went: those from before that moment, and the oldest beyond `keep`."""


def report(parts: "Parts", component: ComponentName, message_id: MessageId, **inserts: object) -> None:
    """Keep what a component of this site has to say. No insert may be a secret."""
    parts.store.keep_message(
        StatusMessage(
            at=parts.now(),
            site=parts.settings.site,
            component=component,
            message_id=message_id,
            severity=WORDINGS[message_id].severity,
            text=worded(message_id, {name: str(value) for name, value in inserts.items()}),
        )
    )


def forget_old(parts: "Parts") -> int:
    kept = parts.settings.status_messages
    gone = parts.store.forget_messages(kept.count, parts.now() - kept.age_s)
    parts.store.forget_reports(parts.now() - kept.age_s)
    if gone:
        report(parts, ComponentName.STATUS_MANAGER, MessageId.FORGOTTEN, count=gone)
    return gone
