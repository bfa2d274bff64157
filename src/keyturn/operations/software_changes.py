"""Changes of what is authored, and what becomes of the yeses that people gave to it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from keyturn.distribution.approval import Consent, Standing, is_agreed
from keyturn.distribution.findings import Finding, refusals
from keyturn.model.errors import Refused
from keyturn.model.software import AdvertisementId
from keyturn.operations.parts import Parts
from keyturn.operations.software_owner import is_from_above
from keyturn.operations.software_ports import Advertised
from keyturn.operations.software_reading import authored, standing


@dataclass(frozen=True, slots=True)
class _Word:
    digest: str
    agreed: bool
    """By two persons, to something administrative."""


@contextmanager
def changing(parts: Parts, *, by: str) -> Iterator[None]:
    """One transaction. Nobody has agreed to an advertisement that comes out of it as another one.

    Who changes what two persons had agreed to has said yes to what comes of it: one more is needed. A change of what
    was not in force says nothing, for its maker may not know of the other changes. So nothing that has to be agreed to
    begins with fewer than two persons who knew it as it is, and a change that is taken back is one change more.
    """
    with parts.store.whole():
        before = _words(parts)
        yield
        for advertisement_id, word in _words(parts).items():
            earlier = before.get(advertisement_id)
            if earlier is None or earlier.digest == word.digest:
                continue
            parts.store.forget_consents(advertisement_id)
            if earlier.agreed:
                consent = Consent(advertisement_id, word.digest, by, approves=False, at=parts.now())
                parts.store.consent(consent)
            if parts.settings.two_person_approval and earlier.agreed:
                parts.store.tell(
                    by, "advertisement-changed", advertisement_id, "it waits for another person's approval"
                )


def refuse_unfit(thing: str, findings: Iterable[Finding]) -> None:
    """Raises Refused with everything that is wrong; the hint is the first one's."""
    wrong = refusals(findings)
    if wrong:
        said = "; ".join(finding.text for finding in wrong)
        raise Refused(f"{thing}: {said}", hint=next((finding.hint for finding in wrong if finding.hint), ""))


def live(parts: Parts) -> tuple[Advertised, ...]:
    """The advertisements that are, or may come to be, offered to clients."""
    read = authored(parts.store)
    ended = (Standing.CANCELLED, Standing.EXPIRED)
    return tuple(
        each
        for each in parts.store.advertised()
        if standing(parts, each, read.subject(each.advertisement)) not in ended
    )


def _words(parts: Parts) -> dict[AdvertisementId, _Word]:
    """Of every advertisement of this site that is not cancelled, the empty digest where a part of it is gone. One that
    has expired is among them: a clock that is put back brings it back."""
    read, found = authored(parts.store), {}
    for each in parts.store.advertised():
        advertisement_id = each.advertisement.advertisement_id
        if each.cancelled or is_from_above(parts, advertisement_id):
            continue
        subject = read.subject(each.advertisement)
        if subject is None:
            found[advertisement_id] = _Word("", agreed=False)
            continue
        consents = parts.store.consents(advertisement_id)
        agreed = subject.administrative and is_agreed(subject, consents, two_persons=True)
        found[advertisement_id] = _Word(subject.digest, agreed)
    return found
