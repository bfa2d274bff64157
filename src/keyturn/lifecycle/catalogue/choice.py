"""From a role and its circumstances to the one rule by which its account changes now."""

from dataclasses import dataclass

from keyturn.lifecycle.catalogue.products import row
from keyturn.lifecycle.catalogue.rules import (
    CatalogueRow,
    Change,
    HeldBy,
    MaintainedBy,
    Method,
    MethodPart,
    SecondAccountWhen,
    SiteReset,
)
from keyturn.model.accounts import RoleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the estate says of one account.

    `sites` is how many share it; for a role held by consumers, how many consumers. `secondary_site`: one of the
    sites is secondary. `services_running`: every service of every such site. `password_known`: Keyturn can open the
    live password. `setup_file`: setup of the site was given its accounts.
    """

    sites: int = 1
    secondary_site: bool = False
    services_running: bool = True
    password_known: bool = True
    setup_file: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """`via` is the method to follow, part by part; for NONE, the one that the maintaining tool follows."""

    change: Change
    via: Method
    second_account_first: bool
    reason: str

    @property
    def needs_running_services(self) -> bool:
        """While a service of the site is stopped, only a site reset brings a new password in."""
        return MethodPart.CONSOLE in self.via


def rule_for(role: RoleName, circumstances: Circumstances) -> Rule:
    """NotFound for a role of no catalogue."""
    found = row(role)
    via = _preferred_method(found, circumstances)
    if reset_effect(found, circumstances) is SiteReset.REQUIRES_SETUP_FILE:
        return Rule(Change.NONE, via, False, _setup_file_reason(found))
    if found.change is Change.NONE:
        return Rule(Change.NONE, via, False, _maintained_reason(found))
    causes = _second_account_causes(found, circumstances)
    if causes:
        reason = f"{' and '.join(causes)}: a second account comes first ({found.source})"
        return Rule(found.change_after_second, via, True, reason)
    if not circumstances.password_known and _may_cycle(found):
        return Rule(Change.CYCLE, via, True, _UNKNOWN_REASON)
    return Rule(found.change, via, False, _plain_reason(found))


def reset_effect(found: CatalogueRow, circumstances: Circumstances) -> SiteReset:
    """What a reset of this site does: an account that setup was given is not the site's own to regenerate."""
    if circumstances.setup_file and found.from_setup_file:
        return SiteReset.REQUIRES_SETUP_FILE
    return found.site_reset


def _preferred_method(found: CatalogueRow, circumstances: Circumstances) -> Method:
    """The console where it works, which spares the journey to the site server; else a site reset, if one will do."""
    wanted = MethodPart.CONSOLE if circumstances.services_running else MethodPart.SITE_RESET
    return next((method for method in found.methods if wanted in method), found.methods[0])


def _second_account_causes(found: CatalogueRow, circumstances: Circumstances) -> list[str]:
    causes = (_cause(when, found, circumstances) for when in found.second_account_when)
    return [cause for cause in causes if cause]


def _cause(when: SecondAccountWhen, found: CatalogueRow, circumstances: Circumstances) -> str:
    """Empty where the circumstance does not obtain."""
    match when:
        case SecondAccountWhen.ALWAYS:
            return "a holder that still has the old password would lock the account"
        case SecondAccountWhen.SHARED_BY_SITES:
            sharing = "consumers" if found.held_by is HeldBy.CONSUMERS else "sites"
            return f"shared by {circumstances.sites} {sharing}" if circumstances.sites > 1 else ""
        case SecondAccountWhen.SECONDARY_SITE:
            return "used by a secondary site" if circumstances.secondary_site else ""


def _may_cycle(found: CatalogueRow) -> bool:
    """Not what the site makes, for it makes a new password whoever knows the old one; nor what is one a machine."""
    return found.maintained_by is MaintainedBy.ADMINISTRATOR and found.held_by is not HeldBy.EACH_CLIENT


_UNKNOWN_REASON = (
    "its password is unknown, so who holds which one cannot be told: a second account comes first (Keyturn's own rule)"
)


def _setup_file_reason(found: CatalogueRow) -> str:
    return f"setup was given this account: only {found.tool} with the same setup file may change it ({found.source})"


def _maintained_reason(found: CatalogueRow) -> str:
    return f"maintained by the {found.maintained_by}: only {found.tool} gives it a new password ({found.source})"


def _plain_reason(found: CatalogueRow) -> str:
    if found.change is Change.SITE_REGENERATION:
        return f"maintained by the site: {found.tool} gives it a new password ({found.source})"
    return f"nothing calls for a second account: the account stays and its password changes ({found.source})"
