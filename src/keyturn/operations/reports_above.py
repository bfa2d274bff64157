"""How clients stand with advertisements of a site above: told to that site, many at a time, each report once."""

from collections.abc import Iterator, Sequence

from keyturn.distribution.handed_down import Reports, ToldReport
from keyturn.model.accounts import same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import SiteCode
from keyturn.model.software import AdvertisementId, owner_of
from keyturn.operations.bundles import post
from keyturn.operations.neighbours import here, tree
from keyturn.operations.parts import Parts
from keyturn.operations.policy_records import KeptReport
from keyturn.site import messages
from keyturn.site.bundles import Kind

AT_ONCE = 500
LONGEST = 4 * 1024 * 1024
"""Bytes of one bundle, about."""


def tell_owners(parts: Parts) -> int:
    """Everything that waits, a transaction for each portion. How many reports."""
    told = 0
    while count := _tell_portion(parts):
        told += count
    return told


def take(parts: Parts, source: SiteCode, payload: bytes) -> None:
    """What clients of a site below said. Refused for what is not about this site's own advertisements; one that is
    known no more changes nothing."""
    if source not in {place.code for place in tree(parts).branch(here(parts).code)[1:]}:
        raise Refused(f"site {source} is not below this one, and tells of its clients")
    told = messages.read(Reports, payload).reports
    for each in told:
        if not same_name(owner_of(each.report.advertisement), parts.settings.site):
            raise Refused(f"site {source} tells this one of {each.report.advertisement}")
    for each in told:
        try:
            parts.store.advertisement(AdvertisementId(each.report.advertisement))
        except NotFound:
            continue
        parts.store.keep_report(KeptReport(each.report, each.enrolled_at, parts.now(), source))


def _tell_portion(parts: Parts) -> int:
    if not parts.store.queued_reports(1):
        return 0
    with parts.store.whole():
        above = {place.code for place in tree(parts).line(here(parts).code)[1:]}
        queued = parts.store.queued_reports(AT_ONCE)
        for owner in dict.fromkeys(owner for _, owner, _ in queued):
            theirs = [told for _, whose, told in queued if whose == owner]
            if owner in above:  # else this site has left it, and nobody waits for the word
                for portion in _portions(theirs):
                    post(parts, owner, Kind.REPORTS, portion)
        parts.store.unqueue_reports([number for number, _, _ in queued])
    return len(queued)


def _portions(told: Sequence[ToldReport]) -> Iterator[bytes]:
    whole = messages.write(Reports(tuple(told)))
    if len(whole) <= LONGEST or len(told) == 1:
        yield whole
        return
    half = len(told) // 2
    yield from _portions(told[:half])
    yield from _portions(told[half:])
