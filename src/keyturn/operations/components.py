"""The components of this site: how they stand, what people want of them, and what that means for plans."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from keyturn.model.accounts import AnyAccount, same_name
from keyturn.model.errors import Refused
from keyturn.model.estate import Estate
from keyturn.operations.status_messages import report
from keyturn.site.components import ComponentName, Order, Standing, State, Verdict, Wanted, together, verdict
from keyturn.site.status_messages import MessageId, StatusMessage

if TYPE_CHECKING:
    from keyturn.operations.parts import Parts


class Components(Protocol):
    """What people want of components, and how they stand in every process that runs some."""

    def orders(self) -> Mapping[ComponentName, Order]:
        """A component that nobody said anything about is missing: it is to run."""

    def order(self, name: ComponentName, wanted: Wanted, by: str, *, anew: bool) -> None:
        """`anew`: begun afresh, even where it runs."""

    def standings(self) -> tuple[Standing, ...]: ...

    def stand(self, process: str, standings: Sequence[Standing], *, forget_before: float) -> None:
        """In the place of all that this process said before. What others said last before that moment is forgotten."""


class Verb(StrEnum):
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    PAUSE = "pause"


_WANTED = {Verb.START: Wanted.RUN, Verb.STOP: Wanted.STOP, Verb.RESTART: Wanted.RUN, Verb.PAUSE: Wanted.PAUSE}

_STARTER = ComponentName.SITE_COMPONENT_MANAGER


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    standing: Standing
    wanted: Wanted
    last: StatusMessage | None


@dataclass(frozen=True, slots=True)
class SiteStatus:
    site: str
    verdict: Verdict
    components: tuple[ComponentStatus, ...]


def status(parts: "Parts") -> SiteStatus:
    """Every component that some process runs, and the account manager in any case."""
    orders, last, found = parts.store.orders(), parts.store.last_messages(), standing_now(parts)
    shown = tuple(
        ComponentStatus(found[name], orders.get(name, Order()).wanted, last.get(name))
        for name in ComponentName
        if name in found
    )
    return SiteStatus(parts.settings.site, verdict(tuple(one.standing.state for one in shown)), shown)


def order(parts: "Parts", named: Collection[ComponentName] | None, verb: Verb, *, by: str) -> tuple[ComponentName, ...]:
    """Who was ordered: those named, or for None all that can be. Whoever runs them obeys within a second or two.
    Refused for the one that starts all others, and for one that nobody runs."""
    known = standing_now(parts)
    if named is None:
        named = [name for name in ComponentName if name in known and name != _STARTER]
    if _STARTER in named:
        raise Refused(
            f"{_STARTER} starts the other components, so it runs as long as its process",
            hint="keyturn site components stop --all stops all others",
        )
    if strangers := [name for name in named if name not in known]:
        raise Refused(f"site {parts.settings.site} runs no {strangers[0]}", hint="keyturn site status")
    names = tuple(dict.fromkeys(named))
    with parts.store.whole():
        for name in names:
            parts.store.order(name, _WANTED[verb], by, anew=_anew(known[name], verb))
            report(parts, name, MessageId.ORDERED, by=by, order=verb)
            parts.store.tell(by, f"component-{verb}", name)
    parts.wake()
    return names


def _anew(standing: Standing, verb: Verb) -> bool:
    """Starting one that waits for its next try does not wait for it."""
    return verb is Verb.RESTART or (verb is Verb.START and standing.state is State.FAILING)


def standing_now(parts: "Parts") -> dict[ComponentName, Standing]:
    nobody = Standing(ComponentName.ACCOUNT_MANAGER, State.STOPPED, 0, note="no process runs it: keyturn work")
    return {ComponentName.ACCOUNT_MANAGER: nobody} | _reported(parts)


def _reported(parts: "Parts") -> dict[ComponentName, Standing]:
    """Those that some process runs, or ran not long ago."""
    found = dict[ComponentName, tuple[Standing, ...]]()
    for one in parts.store.standings():
        found[one.component] = (*found.get(one.component, ()), one)
    return {name: together(those, parts.now()) for name, those in found.items()}


def with_live_services(parts: "Parts", estate: Estate) -> Estate:
    """The estate with this site's components that do not run now among the stopped services of its site."""
    stopped = stopped_services(parts)
    if not stopped:
        return estate
    sites = tuple(
        replace(site, stopped_services=(*site.stopped_services, *stopped))
        if same_name(site.code, parts.settings.site)
        else site
        for site in estate.sites
    )
    return replace(estate, sites=sites)


def stopped_services(parts: "Parts") -> tuple[str, ...]:
    return tuple(name for name, standing in _reported(parts).items() if not standing.state.runs)


def services_cut_off(parts: "Parts", account: AnyAccount) -> tuple[str, ...]:
    """Those of this site that a plan for the account misses, where it is an account of this site. The account manager
    is at work while it asks."""
    stopped = tuple(name for name in stopped_services(parts) if name != ComponentName.ACCOUNT_MANAGER)
    if stopped and any(same_name(code, parts.settings.site) for code in parts.store.account(account).sites):
        return stopped
    return ()


def held(parts: "Parts") -> str:
    """Why plans do not go on, or empty: people stopped or paused the account manager."""
    order = parts.store.orders().get(ComponentName.ACCOUNT_MANAGER, Order())
    return "" if order.wanted is Wanted.RUN else _resting(f"{order.by} asked it to {order.wanted}")


def idle(parts: "Parts") -> str:
    """Why no plan goes on now, or empty: the account manager does not run, for whatever reason."""
    found = _reported(parts).get(ComponentName.ACCOUNT_MANAGER)
    return held(parts) or ("" if found is None or found.state.runs else _resting(f"{found.state}: {found.note}"))


def _resting(why: str) -> str:
    return f"the account manager of the site does no step ({why}): keyturn site components start account-manager"
