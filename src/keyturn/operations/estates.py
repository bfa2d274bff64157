"""The estate file taken in: kept, its realms prepared, its accounts looked up."""

from dataclasses import dataclass

from keyturn.lifecycle.guards import refuse_lost_site_servers
from keyturn.model.accounts import AccountToBe
from keyturn.model.errors import KeyturnError
from keyturn.model.estate import Estate
from keyturn.operations.entitlements import offer_to_enrolled
from keyturn.operations.parts import Parts


@dataclass(frozen=True, slots=True)
class Imported:
    """Accounts by what became of them: new in the estate, found in their realm, not there, realm out of reach."""

    added: tuple[str, ...]
    found: tuple[str, ...]
    missing: tuple[str, ...]
    unreachable: tuple[str, ...]


def import_estate(parts: Parts, text: str, estate: Estate, *, by: str) -> Imported:
    """Keep a new estate file. What Keyturn knows of its accounts stays; nothing changes in any realm."""
    known = parts.store.estate()
    refuse_lost_site_servers(known, estate)
    parts.check_realms(estate)
    before = {str(m.account).casefold() for m in known.accounts}
    with parts.store.whole():
        parts.store.replace(text, estate, by)
        parts.store.tell(by, "estate-imported", parts.settings.site, f"{len(estate.accounts)} accounts")
    parts.prepare_realms()
    found, missing, unreachable = _look_up(parts)
    added = tuple(str(m.account) for m in estate.accounts if str(m.account).casefold() not in before)
    offer_to_enrolled(parts)
    return Imported(added, tuple(found), tuple(missing), tuple(unreachable))


def _look_up(parts: Parts) -> tuple[list[str], list[str], list[str]]:
    found: list[str] = []
    missing: list[str] = []
    unreachable: list[str] = []
    for managed in parts.store.estate().accounts:
        if not isinstance(managed.account, AccountToBe):
            continue
        try:
            identity = parts.authorities(managed.account.realm).find(managed.account.name)
        except KeyturnError:
            unreachable.append(str(managed.account))
            continue
        if identity is None:
            missing.append(str(managed.account))
        else:
            parts.store.identify(identity)
            found.append(str(managed.account))
    return found, missing, unreachable
