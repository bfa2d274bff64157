"""The estate file taken in: kept, its realms prepared, its accounts looked up."""

from dataclasses import dataclass

from keyturn.lifecycle.guards import refuse_lost_site_servers
from keyturn.model.accounts import AccountToBe, RealmName, same_name
from keyturn.model.errors import AuthorityError, KeyturnError
from keyturn.model.estate import Estate
from keyturn.operations.entitlements import offer_to_enrolled
from keyturn.operations.parts import Parts
from keyturn.operations.secondary import refuse_at_secondary
from keyturn.operations.site_control import follow_estate


@dataclass(frozen=True, slots=True)
class Imported:
    """Accounts by what became of them: new in the estate, found in their realm, not there, realm out of reach."""

    added: tuple[str, ...]
    found: tuple[str, ...]
    missing: tuple[str, ...]
    unreachable: tuple[str, ...]


def import_estate(parts: Parts, text: str, estate: Estate, *, by: str) -> Imported:
    """Keep a new estate file. What Keyturn knows of its accounts stays; nothing changes in any realm."""
    if estate.accounts:
        refuse_at_secondary(parts, "accounts", "keyturn estate import, with the accounts in its estate")
    known = parts.store.estate()
    refuse_lost_site_servers(known, estate)
    parts.check_realms(estate)
    before = {str(m.account).casefold() for m in known.accounts}
    with parts.store.whole():
        parts.store.replace(text, estate, by)
        parts.store.tell(by, "estate-imported", parts.settings.site, f"{len(estate.accounts)} accounts")
        if any(same_name(site.code, parts.settings.site) for site in estate.sites):
            follow_estate(parts, by=by)
    parts.prepare_realms()
    found, missing, unreachable = _look_up(parts)
    added = tuple(str(m.account) for m in estate.accounts if str(m.account).casefold() not in before)
    offer_to_enrolled(parts)
    return Imported(added, tuple(found), tuple(missing), tuple(unreachable))


def _look_up(parts: Parts) -> tuple[list[str], list[str], list[str]]:
    """A realm that does not answer is asked once, and not for each of its accounts."""
    found: list[str] = []
    missing: list[str] = []
    unreachable: list[str] = []
    silent = set[RealmName]()
    for managed in parts.store.estate().accounts:
        realm, name = managed.account.realm, str(managed.account)
        if not isinstance(managed.account, AccountToBe):
            continue
        if realm in silent:
            unreachable.append(name)
            continue
        try:
            identity = parts.authorities(realm).find(managed.account.name)
        except KeyturnError as error:
            if isinstance(error, AuthorityError) and not error.permanent:
                silent.add(realm)
            unreachable.append(name)
            continue
        if identity is None:
            missing.append(name)
        else:
            parts.store.identify(identity)
            found.append(name)
    return found, missing, unreachable
