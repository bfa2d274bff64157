"""What a program needs before it starts: its files, and somebody to present at each share that it reaches."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from keyturn.agent.software.lending import Lent
from keyturn.agent.software.logs import INFO, WARNING
from keyturn.agent.software.ports import ContentFailed, Fetch, Presentable, SharePath
from keyturn.agent.software.workshop import Workshop
from keyturn.distribution.accesses import Access
from keyturn.distribution.causes import Cause, cause_of_access, in_words
from keyturn.distribution.run_context import NetworkIdentity, RunContext
from keyturn.distribution.shares import is_point, reached_by, share_of
from keyturn.model.software import DistributionPoint, Offer, Policy


@dataclass(frozen=True, slots=True)
class Prepared:
    folder: Path
    shares: tuple[SharePath, ...]


@dataclass(frozen=True, slots=True)
class NotPrepared:
    cause: Cause
    reason: str
    accesses: tuple[Access, ...] = ()


def prepare(
    offer: Offer, context: RunContext, policy: Policy, shop: Workshop, stop: Callable[[], bool]
) -> Prepared | NotPrepared:
    shares = []
    for share in reached_by(offer.program):
        path = _share(share, context, policy, shop)
        if isinstance(path, NotPrepared):
            return path
        shares.append(path)
    folder = _content(offer, context, policy, shop, stop) if offer.digest else shop.empty()
    return folder if isinstance(folder, NotPrepared) else Prepared(folder, tuple(shares))


def _share(share: str, context: RunContext, policy: Policy, shop: Workshop) -> SharePath | NotPrepared:
    wanted = context.to_points if is_point(share, policy.points) else context.to_shares
    if not wanted:
        return NotPrepared(Cause.NO_NETWORK_ACCOUNT, in_words(Cause.NO_NETWORK_ACCOUNT, (), share))
    lent = _lend(wanted, shop)
    return SharePath(share, lent.identities) if lent.identities else _nobody_for(share, lent)


def _lend(wanted: tuple[NetworkIdentity, ...], shop: Workshop) -> Lent:
    lent = shop.lending.lend(wanted)
    for line in lent.held_back:
        shop.write(line, WARNING)
    return lent


def _nobody_for(place: str, lent: Lent) -> NotPrepared:
    cause = Cause.NO_PROVEN_PASSWORD
    return NotPrepared(cause, in_words(cause, (), "; ".join((place, *lent.held_back))))


def _content(
    offer: Offer, context: RunContext, policy: Policy, shop: Workshop, stop: Callable[[], bool]
) -> Path | NotPrepared:
    if offer.points:
        lent = _lend(context.to_points, shop)
        fetched = _fetched(shop.fetch, offer, lent.identities, shop, stop)
        nobody = isinstance(fetched, NotPrepared) and fetched.cause is Cause.NO_PROVEN_PASSWORD
        return _nobody_for(f"the files of {offer.package.package_id}", lent) if nobody else fetched
    if offer.source:
        return _from_source(offer, context, policy, shop, stop)
    return NotPrepared(Cause.NO_POINT, in_words(Cause.NO_POINT, (), offer.package.package_id))


def _from_source(
    offer: Offer, context: RunContext, policy: Policy, shop: Workshop, stop: Callable[[], bool]
) -> Path | NotPrepared:
    """As any share that the program reaches. For what is here from before nobody has to be presented."""
    share = _share(share_of(offer.source), context, policy, shop)
    identities = share.identities if isinstance(share, SharePath) else ()
    source = DistributionPoint(offer.package.package_id, offer.source)
    at_source = replace(offer, points=(source,))
    fetched = _fetched(shop.fetch_source, at_source, identities, shop, stop, damaged=Cause.SOURCE_CHANGED)
    failed = isinstance(fetched, NotPrepared)
    return share if failed and isinstance(share, NotPrepared) else fetched


def _fetched(
    fetch: Fetch,
    offer: Offer,
    identities: tuple[Presentable, ...],
    shop: Workshop,
    stop: Callable[[], bool],
    *,
    damaged: Cause = Cause.CONTENT_DAMAGED,
) -> Path | NotPrepared:
    """`damaged`: what it is called here that a file is another one than was signed."""

    def note(access: Access) -> None:
        shop.write_content(str(access), INFO if access.let_in else WARNING)

    try:
        return fetch(offer, identities, note, stop)
    except ContentFailed as error:
        cause = cause_of_access(error.accesses) or Cause(error.cause)
        cause = damaged if cause is Cause.CONTENT_DAMAGED else cause
        return NotPrepared(cause, in_words(cause, error.accesses, error.message), error.accesses)
