"""What a site reset does to this site, by what the site control manager and the component manager do anyway."""

from dataclasses import dataclass

from keyturn.lifecycle.journal import Mark
from keyturn.lifecycle.plan import ReinstallComponents, StopComponents
from keyturn.lifecycle.ports import SiteWorks
from keyturn.model.accounts import same_name
from keyturn.model.errors import Refused
from keyturn.model.estate import SiteCode
from keyturn.operations.components import Verb, order, standing_now
from keyturn.operations.left_out import is_left_out
from keyturn.operations.parts import Parts
from keyturn.operations.ports import PlanRecord
from keyturn.operations.site_control import write_master
from keyturn.site.components import ComponentName, Wanted

BY = "site reset"

_UNTOUCHED = (ComponentName.SITE_COMPONENT_MANAGER, ComponentName.ACCOUNT_MANAGER)
"""The one starts the others, the other carries the reset out: without them nothing would start again."""


@dataclass(frozen=True, slots=True)
class OwnSite(SiteWorks):
    parts: Parts
    plan_id: str

    def stop_components(self, site: SiteCode) -> tuple[str, ...]:
        self._refuse_elsewhere(site)
        orders = self.parts.store.orders()
        running = self._others()
        for name in running:
            if name not in orders or orders[name].wanted is not Wanted.STOP:
                order(self.parts, [name], Verb.STOP, by=BY)
        standings = standing_now(self.parts)
        return tuple(name for name in running if standings[name].state.runs)

    def write_control_file(self, site: SiteCode) -> None:
        self._refuse_elsewhere(site)
        write_master(self.parts, by=BY)

    def reinstall_components(self, site: SiteCode) -> None:
        self._refuse_elsewhere(site)
        order(self.parts, self._others(), Verb.RESTART, by=BY)

    def recreate_access_point(self, system: str) -> str | None:
        return self.parts.recreate_access_point(system)

    def leave_out(self, system: str) -> None:
        if not is_left_out(system, self.parts.store.left_out()):
            with self.parts.store.whole():
                self.parts.store.leave_out(system, self.plan_id)
                self.parts.store.tell(BY, "access-point-left-out", system, self.plan_id)

    def _others(self) -> tuple[ComponentName, ...]:
        return tuple(name for name in ComponentName if name in standing_now(self.parts) and name not in _UNTOUCHED)

    def _refuse_elsewhere(self, site: SiteCode) -> None:
        refuse_elsewhere(self.parts, site)


def components_are_stopped(record: PlanRecord) -> bool:
    """By a reset that is somewhere between stopping them and starting them again."""
    marks = {type(p.step): record.marks.get(number) for number, p in enumerate(record.plan.steps)}
    back = marks.get(ReinstallComponents)
    return marks.get(StopComponents) is not None and (back is None or back.mark is not Mark.DONE)


def refuse_elsewhere(parts: Parts, site: str) -> None:
    """Components, control file and access points are reached by the site that has them."""
    if not same_name(site, parts.settings.site):
        raise Refused(
            f"site {site} is reset where it runs, and this is site {parts.settings.site}",
            hint=f"keyturn site reset {site} --over-ssh HOST",
        )
