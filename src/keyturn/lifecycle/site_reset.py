"""A site reset: the site's components removed and installed anew, and new passwords for what the site made itself.

What takes long comes first, while everything runs; what is set is set while no component could present the old one.
Source: seed, "Changing SMS Account Passwords" and "Account-Specific Guidelines".
"""

from collections.abc import Collection
from dataclasses import dataclass

from keyturn.lifecycle.catalogue.products import row
from keyturn.lifecycle.catalogue.rules import SiteReset
from keyturn.lifecycle.forecasting import foresee_regenerated, harm, scene_of
from keyturn.lifecycle.guards import (
    DEFAULT_CLIENT_CONNECTION,
    password_rules,
    refuse_only_recovery,
    refuse_orphaning_reset,
    refuse_other_setup,
    refuse_unprovable,
)
from keyturn.lifecycle.holders import a_holder_of, names_of_holders
from keyturn.lifecycle.own_accounts import refuse_own_loss
from keyturn.lifecycle.plan import (
    AwaitConvergence,
    CreateAccount,
    Delete,
    ForgetIdentity,
    Plan,
    PlanKind,
    Planned,
    RecreateAccessPoint,
    ReinstallComponents,
    Seal,
    StopComponents,
    VerifyPassword,
    WriteControlFile,
)
from keyturn.lifecycle.sequences import CONVERGED, SEALED, Patience, carried_over, rollout, set_in_place
from keyturn.model.accounts import Account, AccountToBe, AnyAccount, Credential, same_name
from keyturn.model.errors import Refused
from keyturn.model.estate import ACCESS_POINT_ROLE, AccountLife, Estate, ManagedAccount, Site

SERVICE = "sms2003/service"
_SIDS = "whatever names its former identity grants it nothing until `keyturn site repair-acl` has run"


def plan_site_reset(
    estate: Estate,
    code: str,
    given: Collection[str] | None,
    *,
    patience: Patience,
    missing: Collection[AnyAccount] = (),
    recreate: bool = False,
) -> Plan:
    """`given` are the accounts that the setup file names; None: no file. `missing` are those of the site's that their
    realm does not have now. `recreate`: delete and make what would be given a new password in place.

    Raises Refused where the file is another one than at setup, a service account is gone or its password unknown, or
    somebody would be locked out or orphaned.
    """
    site = estate.site(code)
    given = None if given is None else [qualified(name, site) for name in given]
    refuse_other_setup(estate, site, given)
    own = [m for m in estate.accounts if site.code in m.sites and m.life in _STANDING]
    services = [m for m in own if m.role == SERVICE and m.usable]
    _refuse_unverifiable(services, missing)
    named = {m.account for m in own if given and _is_named(m, given)}
    _refuse_missing(named & set(missing))
    fresh = [m for m in own if _is_the_sites(m) and m.account not in named]
    fresh.sort(key=lambda m: m.role == DEFAULT_CLIENT_CONNECTION)  # last: clients may be away for days
    renewals = [_renewal(estate, site, m, missing, recreate, patience) for m in fresh]
    kept = tuple(m.account for m in own if m not in fresh)
    if not renewals and not kept:
        raise Refused(f"the estate names no account of site {site.code}", hint="list its accounts, import the estate")
    return Plan(
        PlanKind.SITE_RESET,
        renewals[0].account if renewals else kept[0],
        (
            *(Planned(VerifyPassword(Credential(m.account, m.generation or 0)), _VERIFIED) for m in services),
            *(planned for renewal in renewals for planned in renewal.before),
            Planned(StopComponents(site.code), "none of them may present a password that is being changed"),
            Planned(WriteControlFile(site.code), "what the reset changes stands in the master file first"),
            *(planned for renewal in renewals for planned in renewal.change),
            Planned(ReinstallComponents(site.code), "every password is known again, so they may run"),
            *(Planned(RecreateAccessPoint(site.code, name), _ANEW) for name in access_points(estate, site)),
            *(planned for renewal in renewals for planned in renewal.after),
        ),
        notes=_notes(estate, site, own, fresh, renewals),
        keeps=kept,
    )


_VERIFIED = "components that are installed with a wrong service password lock the account (Q257362)"
_ANEW = "clients read the site's accounts there"
_STANDING = (AccountLife.ACTIVE, AccountLife.PLANNED, AccountLife.DELETED)
"""An account that is deleted is made anew; what a plan has withdrawn or disabled stays so."""


def access_points(estate: Estate, site: Site) -> tuple[str, ...]:
    return tuple(s.name for s in estate.systems if same_name(s.site, site.code) and ACCESS_POINT_ROLE in s.roles)


@dataclass(frozen=True, slots=True)
class _Renewal:
    """How one account gets its new password: what comes while components still run, what while they are stopped, and
    what when they run again. `note`: what a person should know."""

    account: AnyAccount
    before: list[Planned]
    change: list[Planned]
    after: list[Planned]
    note: str = ""


def _renewal(
    estate: Estate,
    site: Site,
    managed: ManagedAccount,
    missing: Collection[AnyAccount],
    recreate: bool,
    patience: Patience,
) -> _Renewal:
    refuse_own_loss(estate, managed, "a reset that changes")
    refuse_only_recovery(estate, managed)
    refuse_unprovable(estate, managed)
    password_rules(estate, managed)
    if managed.account in missing or managed.life is not AccountLife.ACTIVE:
        change, credential = _made_anew(managed, [], None)
        return _Renewal(credential.account, [], change, rollout(estate, managed, credential, patience), _lost(managed))
    before, behind = _carried_over(estate, site, managed, patience)
    _refuse_harm(estate, site, managed)
    if recreate:
        removal = [Planned(Delete(managed.account), "asked for: --recreate-accounts")]
        change, credential = _made_anew(managed, removal, behind.account if behind else None)
        note = f"{managed.account} is deleted and made anew with another identity, as asked for: {_SIDS}"
    else:
        change, credential = set_in_place(managed, _reason(managed), behind)
        note = ""
    return _Renewal(credential.account, before, change, rollout(estate, managed, credential, patience), note)


def _carried_over(
    estate: Estate, site: Site, managed: ManagedAccount, patience: Patience
) -> tuple[list[Planned], Credential | None]:
    """Legacy clients hold another account before their default one changes."""
    if managed.role != DEFAULT_CLIENT_CONNECTION or a_holder_of(estate, managed) is None:
        return [], None
    refuse_orphaning_reset(estate, site, managed)
    return carried_over(estate, managed, "every client holds another account before the reset", patience)


def _made_anew(
    managed: ManagedAccount, removal: list[Planned], like: AnyAccount | None
) -> tuple[list[Planned], Credential]:
    """Under its name, with another identity and the next generation."""
    anew = AccountToBe(managed.account.realm, managed.account.name)
    credential = Credential(anew, (managed.generation or 0) + 1)
    create = CreateAccount(anew, managed.role, managed.sites, like=like, generation=credential.generation)
    if isinstance(managed.account, Account):
        removal = [*removal, Planned(ForgetIdentity(managed.account), "its realm has it no longer")]
    return [
        *removal,
        Planned(Seal(credential), SEALED),
        Planned(create, "the site makes it where it is not there"),
        Planned(AwaitConvergence(credential), CONVERGED),
    ], credential


def _is_the_sites(managed: ManagedAccount) -> bool:
    """Made by this site's setup and by no other's: one that several share would be cut off from the others."""
    return row(managed.role).site_reset is SiteReset.REGENERATES and len(managed.sites) == 1


def _is_named(managed: ManagedAccount, given: Collection[str]) -> bool:
    return any(same_name(name, str(managed.account)) for name in given)


def qualified(name: str, site: Site) -> str:
    r"""A setup file names accounts of the site's own realm, unless it says `REALM\name`."""
    written = name.replace("/", "\\")
    return written if "\\" in written else f"{site.realm}\\{written}"


def _refuse_unverifiable(services: list[ManagedAccount], missing: Collection[AnyAccount]) -> None:
    """Source: Q257362. A service account is the administrator's, so a reset never makes one."""
    for managed in services:
        if managed.account in missing:
            raise Refused(
                f"service account {managed.account} is not in its realm, and a reset makes none",
                hint="make it in its realm with the rights it needs, name it in the estate, and take it in: "
                "keyturn account adopt",
            )
        if managed.generation is None:
            raise Refused(
                f"the password of service account {managed.account} is not known, so it cannot be verified first",
                hint="give it: --service-password-stdin",
            )


def _refuse_missing(named: Collection[AnyAccount]) -> None:
    for account in named:
        raise Refused(
            f"{account} stands in the setup file and not in its realm",
            hint="make it in its realm first: a reset uses the accounts of its setup file and makes none of them",
        )


def _refuse_harm(estate: Estate, site: Site, managed: ManagedAccount) -> None:
    scene = scene_of(estate, managed)
    if harmful := harm(scene, foresee_regenerated(scene)):
        raise Refused(
            f"a reset of site {site.code} {harmful}: it gives {managed.account} another password",
            hint="enrol those holders, so that they ask before they log on; or enable a logon installation",
        )


def _reason(managed: ManagedAccount) -> str:
    return f"the site makes this password itself, at every reset ({row(managed.role).source})"


def _lost(managed: ManagedAccount) -> str:
    if isinstance(managed.account, AccountToBe):
        return f"{managed.account} is not in its realm: it is made"
    return f"{managed.account} was deleted in its realm; it is made anew with another identity: {_SIDS}"


def _notes(
    estate: Estate, site: Site, own: list[ManagedAccount], fresh: list[ManagedAccount], renewals: list[_Renewal]
) -> tuple[str, ...]:
    shared = [m for m in own if row(m.role).site_reset is SiteReset.REGENERATES and len(m.sites) > 1]
    notes = [renewal.note for renewal in renewals if renewal.note]
    notes += [
        f"{m.account} is shared by sites {', '.join(m.sites)}, so this reset leaves it: keyturn account rotate"
        for m in shared
    ]
    for m in fresh:
        if m.role == DEFAULT_CLIENT_CONNECTION and (clients := len(names_of_holders(estate, m))):
            take = "1 legacy client takes" if clients == 1 else f"{clients} legacy clients take"
            notes.append(f"the password of {m.account} changes: {take} the new one from the site")
    if site.setup_accounts:
        notes.append(f"the setup file names {', '.join(site.setup_accounts)}, which no reset regenerates")
    return tuple(notes)
