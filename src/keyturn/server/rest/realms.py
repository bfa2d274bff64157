"""Realms: whether Keyturn can work there, and the built-in one's own tools, past Keyturn's plans."""

from dataclasses import dataclass, field

from fastapi import APIRouter

from keyturn.model.accounts import Account, same_name
from keyturn.model.errors import NotFound
from keyturn.model.policy import RealmPolicy
from keyturn.model.secret import Secret
from keyturn.operations.parts import Parts
from keyturn.operations.realm_checks import Examined, check_realm
from keyturn.server.rest.security import VIEWER, Approver, Operator, Site
from keyturn.server.rest.shaping import replica_shape
from keyturn.wire.rest import ExaminedShape, LogonShape, MissingRightShape, RealmAccountShape, RealmCheckShape

router = APIRouter(prefix="/realms/{realm}", tags=["realms"])


@dataclass(frozen=True, slots=True)
class NewPassword:
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    replica: str
    cut: bool


@router.get("/accounts", dependencies=[VIEWER])
def all_accounts(parts: Site, realm: str) -> list[RealmAccountShape]:
    """The accounts of the realm as the realm itself has them."""
    authority = parts.authorities(parts.store.estate().realm(realm).name)
    states = [authority.describe(account) for account in parts.realm_tools(realm).accounts()]
    return [
        RealmAccountShape(
            s.account.name, s.account.sid, s.enabled, s.locked, s.pinned.version, s.pinned.password_set_at
        )
        for s in states
    ]


@router.post("/accounts/{name}/password", status_code=204)
def set_password(parts: Site, person: Operator, realm: str, name: str, new: NewPassword) -> None:
    """A plain change, past every plan and every holder: what Keyturn exists to spare you."""
    parts.realm_tools(realm).set_password(_account(parts, realm, name), Secret(new.password))
    parts.store.tell(person.name, "password-set-in-realm", f"{realm}\\{name}", "past Keyturn")


@router.put("/policy", status_code=204)
def set_policy(parts: Site, person: Approver, realm: str, policy: RealmPolicy) -> None:
    """Another policy, in force at once."""
    parts.realm_tools(realm).set_policy(policy)
    parts.store.tell(person.name, "realm-policy-set", realm)


@router.post("/replication", status_code=204)
def link(parts: Site, person: Operator, realm: str, wanted: Link) -> None:
    """Cut a replica off from the others, or heal it, to see what a plan does then."""
    tools = parts.realm_tools(realm)
    (tools.cut if wanted.cut else tools.heal)(wanted.replica)
    parts.store.tell(person.name, "replica-cut" if wanted.cut else "replica-healed", f"{realm}/{wanted.replica}")


@router.get("/check", dependencies=[VIEWER])
def check(parts: Site, realm: str) -> RealmCheckShape:
    """What Keyturn reaches in the realm, as whom, and what stands in the way. Changes nothing."""
    found = check_realm(parts, realm)
    accounts = tuple(_examined(each) for each in found.accounts)
    missing = tuple(MissingRightShape(m.right, m.where, m.commands, m.vital, m.without, m.why) for m in found.missing)
    return RealmCheckShape(
        found.realm.name, found.realm.kind, found.works_as, found.rights, accounts, found.troubles, missing, found.fit
    )


def _examined(each: Examined) -> ExaminedShape:
    if each.state is None:
        return ExaminedShape(str(each.account), None, (), each.trouble)
    replicas = tuple(replica_shape(replica) for replica in each.state.replicas)
    return ExaminedShape(str(each.account), each.state.enabled, replicas, each.trouble)


@router.get("/logons", dependencies=[VIEWER])
def logons(parts: Site, realm: str, since: float = 0) -> list[LogonShape]:
    """Who logged on, from where, and what the realm said."""
    return [
        LogonShape(e.at, e.replica, e.account, e.source, e.protocol, e.answer)
        for e in parts.realm_tools(realm).logons(since)
    ]


def _account(parts: Parts, realm: str, name: str) -> Account:
    for account in parts.realm_tools(realm).accounts():
        if same_name(account.name, name):
            return account
    raise NotFound(f"{realm} has no account {name}", hint=f"keyturn realm show {realm}")
