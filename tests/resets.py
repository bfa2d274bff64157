"""A site to be reset: 20 legacy clients, an access point, and every account that a reset is about."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from keyturn.lifecycle.plan import PlanKind
from keyturn.model.accounts import Account, Credential
from keyturn.model.secret import Secret
from keyturn.operations import plans, site_reset
from keyturn.operations.parts import Parts
from keyturn.operations.ports import PlanRecord
from keyturn.operations.site_reset import Asked
from tests.builtin import Clock
from tests.crash.cases import Case
from tests.crash.disk import Left, left_of, quick_folder
from tests.estates import HEAD, account
from tests.inner_site import InnerSite, site_in

CLIENTS = tuple(f"PC-{number:04d}" for number in range(1, 21))
POINT, SERVER = "CAP1", "SRV-PHX"
EVERYBODY = (*CLIENTS, POINT, SERVER)

SERVICE, DEFAULT, EXTRA = "SMSService", "SMSClient_PHX", "KtExtra"
CONNECTION, REMOTE = "SMSServer_PHX", "SMSSvc_PHX_0001"

_SITE = HEAD.replace("count = 3", "count = 20") + (
    f'\n[[site_system]]\nname = "{POINT}"\nsite = "PHX"\nroles = ["client-access-point"]\n'
)
_OWN = "".join(
    account(name, role)
    for name, role in (
        (SERVICE, "service"),
        (DEFAULT, "client-connection-default"),
        (CONNECTION, "server-connection"),
        (REMOTE, "remote-service"),
    )
)
WITHOUT_SECOND = _SITE + _OWN
WITH_SECOND = WITHOUT_SECOND + account(EXTRA, "client-connection-additional")
WITHOUT_LOGONS = "logon_installation = false"


def no_logons(estate: str) -> str:
    return estate.replace("logon_installation = true", WITHOUT_LOGONS)


def furnished(
    folder: Path, estate: str = WITH_SECOND, *, wrap: Callable[[Parts], Parts] = lambda parts: parts
) -> InnerSite:
    """Every account made, every machine enrolled and current."""
    left = _furnished(estate)
    for name, content in left.files.items():
        (folder / name).write_bytes(content)
    site = site_in(folder, estate, clock=Clock(left.now), wrap=wrap)
    site.held = {name: dict(kept) for name, kept in left.held.items()}
    return site


@cache
def _furnished(estate: str) -> Left:
    with quick_folder() as folder:
        site = site_in(folder, estate)
        site.enrol(*EVERYBODY)
        for managed in site.store.estate().accounts:
            site.create(str(managed.account))
        for _ in range(12):
            site.contact(*EVERYBODY)
        site.close()
        return left_of(site, Case(PlanKind.SITE_RESET, estate, DEFAULT, 1), "")


def begun(site: InnerSite, **asked: object) -> PlanRecord:
    """Proposed by one person and approved by another."""
    record = site_reset.propose_reset(site.parts, Asked("PHX", **asked), by="olga")  # type: ignore[arg-type]
    return plans.approve(site.parts, record.plan_id, by="paul")


def reset(site: InnerSite, **asked: object) -> PlanRecord:
    return site.run(begun(site, **asked).plan_id, machines=EVERYBODY)


def identity(site: InnerSite, name: str) -> Account:
    found = site.realm().find(name)
    assert found
    return found


def password(site: InnerSite, name: str) -> Secret:
    managed = site.store.named(f"CORP\\{name}")
    assert managed.generation
    return site.store.secret(Credential(managed.account, managed.generation))


def sets(site: InnerSite) -> dict[str, int]:
    """How often each account's password was set, its making included."""
    return {a.name: site.realm().describe(a).pinned.version for a in site.realm().administration.accounts()}
