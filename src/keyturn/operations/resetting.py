"""The plan of a site reset, from the estate and from what its realms have now."""

from collections.abc import Collection

from keyturn.lifecycle.catalogue.products import row
from keyturn.lifecycle.catalogue.rules import SiteReset
from keyturn.lifecycle.own_accounts import refuse_own_store
from keyturn.lifecycle.plan import Delete, Plan
from keyturn.lifecycle.site_reset import SERVICE, plan_site_reset, qualified
from keyturn.model.accounts import Account, same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import AccountLife, Estate, ManagedAccount, Site
from keyturn.operations.parts import Parts


def planned_reset(parts: Parts, estate: Estate, code: str, given: Collection[str] | None, *, recreate: bool) -> Plan:
    """Asks the realms whether the accounts it is about are there."""
    site = estate.site(code)
    missing = [m.account for m in _looked_up(estate, site, given or ()) if _is_gone(parts, m)]
    plan = plan_site_reset(estate, code, given, patience=parts.settings.patience, missing=missing, recreate=recreate)
    refuse_own_store(plan, parts.store.reached_as())
    return plan


def planned_again(parts: Parts, estate: Estate, plan: Plan) -> Plan:
    """As it would be planned now. Which file was given need not be kept: only that of the site's setup is taken."""
    site = estate.site(plan.site or "")
    given = site.setup_accounts if site.setup_file else None
    recreate = any(isinstance(planned.step, Delete) for planned in plan.steps)
    return planned_reset(parts, estate, site.code, given, recreate=recreate)


def _looked_up(estate: Estate, site: Site, given: Collection[str]) -> list[ManagedAccount]:
    named = [qualified(name, site) for name in given]
    return [
        m
        for m in estate.accounts
        if site.code in m.sites
        and m.life is AccountLife.ACTIVE
        and (
            m.role == SERVICE
            or row(m.role).site_reset is SiteReset.REGENERATES
            or any(same_name(name, str(m.account)) for name in named)
        )
    ]


def _is_gone(parts: Parts, managed: ManagedAccount) -> bool:
    """Refused where somebody else bears its name by now: what that one may do, nobody here has decided."""
    account = managed.account
    if not isinstance(account, Account):
        return False
    authority = parts.authorities(account.realm)
    try:
        authority.describe(account)
    except NotFound:
        if (other := authority.find(account.name)) is None:
            return True
        raise Refused(
            f"{account} was deleted in its realm, and another account bears its name now ({other.sid})",
            hint="delete that one in the realm, and a reset makes the account; or give it another name",
        ) from None
    return False
