"""What is refused before anything is planned, each with the way out."""

from collections.abc import Collection, Sequence
from enum import StrEnum

from keyturn.lifecycle.catalogue.choice import Rule
from keyturn.lifecycle.catalogue.products import row
from keyturn.lifecycle.catalogue.rules import MaintainedBy, SiteReset
from keyturn.lifecycle.holders import limited_holders_of, names_of_holders
from keyturn.lifecycle.parity import disparity
from keyturn.lifecycle.passwords import Limit, PasswordRules, rules_of
from keyturn.lifecycle.ports import Rights
from keyturn.lifecycle.questions import not_running
from keyturn.lifecycle.sequences import spare
from keyturn.model.accounts import AnyAccount, reference, same_name
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import AccountLife, Estate, HolderKind, ManagedAccount, Site

DEFAULT_CLIENT_CONNECTION = "sms2003/client-connection-default"
CLIENT_CONNECTION = (DEFAULT_CLIENT_CONNECTION, "sms2003/client-connection-additional")


class Change(StrEnum):
    """What a person may ask for by hand."""

    ROTATE = "changing the password of"
    DISABLE = "disabling"
    ENABLE = "enabling"
    UNLOCK = "unlocking"
    DELETE = "deleting"
    RENAME = "renaming"
    RIGHTS = "changing the rights of"


_HARMLESS = (Change.UNLOCK, Change.ENABLE)
"""What gives holders back what they had is never refused."""


def refuse_maintained(estate: Estate, managed: ManagedAccount, change: Change) -> None:
    """Accounts that the site or the client maintains are left alone; the tool that maintains them is named.

    Source: seed, "Do not manually change accounts that are automatically maintained by SMS processes".
    """
    entry = row(managed.role)
    if change in _HARMLESS or entry.maintained_by is MaintainedBy.ADMINISTRATOR:
        return
    site = f"site {', '.join(managed.sites)}"
    keeper = site if entry.maintained_by is MaintainedBy.SITE else "each client"
    where = f" ({site}{_with_its_file(estate, managed)})" if entry.maintained_by is MaintainedBy.SITE else ""
    raise Refused(
        f"{change} {managed.account} by hand is refused: it is maintained by {keeper}",
        hint=f"use {entry.tool}{where}",
    )


def refuse_made_by_clients(managed: ManagedAccount) -> None:
    """Made here, it would have a password that no client knows, under the name that the clients' own is to have."""
    entry = row(managed.role)
    if entry.maintained_by is MaintainedBy.CLIENT:
        raise Refused(
            f"{managed.account} is not made by hand: clients make and maintain the account of this role themselves",
            hint=f"the installation of a client makes it; a lost one comes back by {entry.tool}",
        )


def refuse_reset_without_setup_file(estate: Estate, managed: ManagedAccount) -> None:
    """What a reset would regenerate is left alone while it is not known what else that reset would make.

    Whoever plans a change gives no file, so it is the estate that says what the file names.
    """
    if row(managed.role).site_reset is not SiteReset.REGENERATES:
        return
    for site in (estate.site(code) for code in managed.sites):
        refuse_other_setup(estate, site, site.setup_accounts or None)
        if any(_means(estate, name, managed) for name in site.setup_accounts):
            raise Refused(
                f"{managed.account} was given to the setup of site {site.code}, so no reset makes its password",
                hint="list it as client-connection-additional: then a rotation cycles it"
                if managed.role == DEFAULT_CLIENT_CONNECTION
                else f"change its password in its realm and in the setup file, then reset {site.code} with that file",
            )


def refuse_other_setup(estate: Estate, site: Site, given: Collection[str] | None) -> None:
    """A reset is given the accounts that setup was given. `given` are those its setup file names; None: no file.

    Source: seed, "Managing the Server Connection Account"; Q235169 for the file.
    """
    if given is None and site.setup_file:
        raise Refused(
            f"site {site.code} was set up with a setup file: a reset without that file makes default accounts with "
            "random passwords, and remote site systems lose the site server",
            hint=f"name the accounts of the file as setup_accounts of site {site.code}, import the estate, "
            "and give every reset the same file",
        )
    wanted, found = _identities(estate, site.setup_accounts), _identities(estate, given or ())
    if given is not None and wanted != found:
        raise Refused(
            f"this is not the setup file of site {site.code}: {_difference(wanted, found)}",
            hint="a reset needs the file that setup was given; without it remote site systems lose the site server",
        )


def refuse_lost_site_servers(before: Estate, after: Estate) -> None:
    """A site server that the new estate no longer has, or has on another machine."""
    for site in before.sites:
        kept = next((other for other in after.sites if same_name(other.code, site.code)), None)
        if kept is None or not same_name(kept.server, site.server):
            refuse_removal(before, site, logon_installation=(kept or site).logon_installation)


def refuse_removal(estate: Estate, site: Site, *, logon_installation: bool) -> None:
    """A site server installed anew makes its default Client Connection account another password, which clients learn
    at a logon or not at all. Source: seed, "Managing the Client Connection Account", last paragraph."""
    if clients := orphaned_by_removal(estate, site, logon_installation=logon_installation):
        raise Refused(
            f"removing site server {site.server} of site {site.code} would orphan {_some(clients)}: "
            "no logon installation method is enabled there",
            hint=f"enable one and say logon_installation = true for {site.code}; or, where these clients are gone "
            "or another site has them, import the estate without them first",
        )


def orphaned_by_removal(estate: Estate, site: Site, *, logon_installation: bool) -> list[str]:
    """The clients that would not learn the new password, by name."""
    if logon_installation:
        return []
    return [h.name for h in estate.all_clients() if h.kind is HolderKind.LEGACY_CLIENT and h.site == site.code]


def refuse_orphaning_reset(estate: Estate, site: Site, default: ManagedAccount) -> None:
    """A reset gives the default Client Connection account another password, which clients learn with another account,
    at a logon, or not at all. Source: seed, "Site reset" and "Managing the Client Connection Account"."""
    clients = names_of_holders(estate, default)
    if clients and not site.logon_installation and spare(estate, default) is None:
        raise Refused(
            f"resetting site {site.code} would orphan {_some(clients)}: there is "
            "neither a second Client Connection account nor a logon installation method",
            hint="list a client-connection-additional account of the site in the estate and make it (keyturn account "
            f"create); or enable a logon installation and say logon_installation = true for {site.code}",
        )


def _some(clients: Sequence[str]) -> str:
    return f"client {clients[0]}" if len(clients) == 1 else f"{len(clients)} clients, {clients[0]} among them"


def refuse_unequal(original: AnyAccount, second: AnyAccount, wanted: Rights, found: Rights) -> None:
    """A second account that was there already is used as it is: with less it fails holders, with more it is a risk."""
    if difference := disparity(wanted, found):
        raise Refused(
            f"{second} may not stand in for {original}: it {difference}",
            hint="make their rights equal in the realm, by hand; Keyturn changes none of an account it did not make",
        )


def refuse_ended(managed: ManagedAccount) -> None:
    if managed.life in (AccountLife.WITHDRAWN, AccountLife.DISABLED, AccountLife.DELETED):
        successor = f"; {managed.successor} has taken over" if managed.successor else ""
        raise Refused(
            f"{managed.account} is {managed.life}{successor}",
            hint=f"keyturn account rotate '{managed.successor}'" if managed.successor else "",
        )


def refuse_last_client_connection(estate: Estate, managed: ManagedAccount) -> None:
    """At least one valid Client Connection account stays available to the clients of every site.

    Source: seed, "Managing the Client Connection Account".
    """
    if managed.role not in CLIENT_CONNECTION:
        return
    for code in managed.sites:
        others = [
            m
            for m in estate.accounts
            if m.account != managed.account and m.role in CLIENT_CONNECTION and code in m.sites and m.usable
        ]
        if not others:
            raise Refused(
                f"{managed.account} is the last valid Client Connection account of site {code}: "
                "without it the site's clients are orphaned",
                hint=f"keyturn account rotate '{managed.account}' cycles it with an additional account first",
            )


def refuse_held(estate: Estate, managed: ManagedAccount, change: Change) -> None:
    """An account somebody still logs on with is not taken away by hand."""
    holders = names_of_holders(estate, managed)
    if managed.usable and holders:
        raise Refused(
            f"{change} {managed.account} would cut off {len(holders)} holders, {holders[0]} among them",
            hint=f"keyturn account rotate '{managed.account}' moves them to a second account and retires this one",
        )


def refuse_only_recovery(estate: Estate, managed: ManagedAccount) -> None:
    """Clients that were locked out are repaired with an account that is not being changed (never N10)."""
    for site in estate.sites:
        if site.recovery_account and _means(estate, site.recovery_account, managed) and not site.logon_installation:
            raise Refused(
                f"clients of site {site.code} are recovered with {managed.account} and by nothing else",
                hint=f"enable a logon installation method for {site.code}, or name another recovery_account",
            )


def refuse_unprovable(estate: Estate, managed: ManagedAccount) -> None:
    """Where the first bad attempt locks, no logon can be risked, so no password of ours could be proven."""
    realm = estate.realm(managed.account.realm)
    if realm.policy.lockout_threshold == 1:
        raise Refused(
            f"{realm.name} locks {managed.account} at the first bad attempt, so a new password could not be proven",
            hint="give the account a policy with a threshold of at least 2",
        )


def refuse_stopped_services(estate: Estate, managed: ManagedAccount, rule: Rule) -> None:
    """The console method works only while every site service runs (seed, "Changing SMS Account Passwords")."""
    if not rule.needs_running_services:
        return
    for site in (estate.site(code) for code in managed.sites):
        if site.stopped_services:
            raise Refused(
                f"the console method needs every service of site {site.code}, and {not_running(site.stopped_services)}",
                hint="start it (keyturn site components start; where the estate says so, import it again), "
                "or use the site-reset method: --method site-reset",
            )


def password_rules(estate: Estate, managed: ManagedAccount) -> PasswordRules:
    """What the account's next password must look like. Raises Refused when realm and holders contradict."""
    policy = estate.realm(managed.account.realm).policy
    limits = [
        Limit(h.name, h.max_password_length) for h in limited_holders_of(estate, managed) if h.max_password_length
    ]
    entry = row(managed.role)
    if entry.max_password_length:
        limits.append(Limit(f"the product ({managed.role.partition('/')[0]})", entry.max_password_length))
    return rules_of(str(managed.account), policy, limits, entry.forbidden_characters)


def _with_its_file(estate: Estate, managed: ManagedAccount) -> str:
    return ", given its setup file" if any(estate.site(code).setup_file for code in managed.sites) else ""


def _identities(estate: Estate, names: Collection[str]) -> dict[str, str]:
    """The accounts as people write them, by what they are compared by; a name of no account stands for itself."""
    written = (_written(estate, name) for name in names)
    return {reference(name): name for name in written}


def _written(estate: Estate, name: str) -> str:
    try:
        return str(estate.managed(name).account)
    except NotFound:
        return name


def _difference(wanted: dict[str, str], found: dict[str, str]) -> str:
    missing = ", ".join(wanted[key] for key in sorted(wanted.keys() - found.keys()))
    foreign = ", ".join(found[key] for key in sorted(found.keys() - wanted.keys()))
    said = (f"it does not name {missing}" if missing else "", f"it names {foreign} besides" if foreign else "")
    return "; ".join(part for part in said if part)


def _means(estate: Estate, name: str, managed: ManagedAccount) -> bool:
    try:
        return estate.managed(name).account == managed.account
    except NotFound:
        return False
