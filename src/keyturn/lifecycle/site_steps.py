"""The steps of a site reset that change no account: resolved by what the site is asked to do, each safe to repeat."""

from collections.abc import Collection
from typing import TypeAlias

from keyturn.lifecycle.journal import Done, Outcome, Waiting
from keyturn.lifecycle.plan import RecreateAccessPoint, ReinstallComponents, StopComponents, WriteControlFile
from keyturn.lifecycle.ports import SiteWorks
from keyturn.lifecycle.questions import names, not_reached

SiteStep: TypeAlias = StopComponents | WriteControlFile | ReinstallComponents | RecreateAccessPoint


def carry_out(step: SiteStep, works: SiteWorks, released: Collection[str]) -> Outcome:
    """`released` are access points, among others, that an approver has given up for this plan."""
    match step:
        case StopComponents(site):
            if running := works.stop_components(site):
                return Waiting(f"still running: {names(running)}", running, retry_s=1)
        case WriteControlFile(site):
            works.write_control_file(site)
        case ReinstallComponents(site):
            works.reinstall_components(site)
        case RecreateAccessPoint(_, system) if system in released:
            works.leave_out(system)
        case RecreateAccessPoint(_, system):
            if why := works.recreate_access_point(system):
                return not_reached(system, why)
    return Done()
