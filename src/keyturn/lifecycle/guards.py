"""What is refused before anything is planned, each with the way out."""

from enum import StrEnum

from keyturn.lifecycle.catalogue.choice import Rule
from keyturn.lifecycle.catalogue.products import row
from keyturn.lifecycle.catalogue.rules import MaintainedBy
from keyturn.lifecycle.holders import holders_of
from keyturn.lifecycle.passwords import Limit, PasswordRules, rules_of
from keyturn.model.errors import NotFound, Refused
from keyturn.model.estate import AccountLife, Estate, ManagedAccount

CLIENT_CONNECTION = ("sms2003/client-connection-default", "sms2003/client-connection-additional")


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


def refuse_maintained(managed: ManagedAccount, change: Change) -> None:
    """Accounts that the site or the client maintains are left alone; the tool that maintains them is named.

    Source: seed, "Do not manually change accounts that are automatically maintained by SMS processes".
    """
    entry = row(managed.role)
    if change in _HARMLESS or entry.maintained_by is MaintainedBy.ADMINISTRATOR:
        return
    site = f"site {', '.join(managed.sites)}"
    keeper = site if entry.maintained_by is MaintainedBy.SITE else "each client"
    where = f" ({site})" if entry.maintained_by is MaintainedBy.SITE else ""
    raise Refused(
        f"{change} {managed.account} by hand is refused: it is maintained by {keeper}",
        hint=f"use {entry.tool}{where}",
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
    holders = [h.name for h in holders_of(estate, managed)]
    if managed.usable and holders:
        raise Refused(
            f"{change} {managed.account} would cut off {len(holders)} holders, {holders[0]} among them",
            hint=f"keyturn account rotate '{managed.account}' moves them to a second account and retires this one",
        )


def refuse_own_recovery(estate: Estate, managed: ManagedAccount) -> None:
    """The way back from a failed change must not use the password being changed (never N10)."""
    for realm in estate.realms:
        if realm.bind_account and _means(estate, realm.bind_account, managed):
            raise Refused(
                f"Keyturn reaches realm {realm.name} with {managed.account}: a change that fails half way "
                "could not be repaired with it",
                hint=f"name a second account as bind_account of {realm.name}, import the estate, then rotate this one",
            )
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
                f"the console method needs every service of site {site.code}, "
                f"and {', '.join(site.stopped_services)} is stopped",
                hint="start it and import the estate again, or use the site-reset method: --method site-reset",
            )


def password_rules(estate: Estate, managed: ManagedAccount) -> PasswordRules:
    """What the account's next password must look like. Raises Refused when realm and holders contradict."""
    policy = estate.realm(managed.account.realm).policy
    limits = [Limit(h.name, h.max_password_length) for h in holders_of(estate, managed) if h.max_password_length]
    entry = row(managed.role)
    if entry.max_password_length:
        limits.append(Limit(f"the product ({managed.role.partition('/')[0]})", entry.max_password_length))
    return rules_of(str(managed.account), policy, limits, entry.forbidden_characters)


def _means(estate: Estate, name: str, managed: ManagedAccount) -> bool:
    try:
        return estate.managed(name).account == managed.account
    except NotFound:
        return False
