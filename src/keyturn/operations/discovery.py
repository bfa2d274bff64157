"""Looking around in a realm: which of its accounts are probably no person's, held against the estate.

Nothing is changed, and nothing is taken in: a person reads what is found and decides.
"""

from dataclasses import dataclass

from keyturn.model.accounts import RoleName, canonical
from keyturn.model.errors import Refused
from keyturn.model.estate import AccountLife, Realm
from keyturn.operations.discovery_signs import Certainty, Verdict, role_for, weigh
from keyturn.operations.parts import Parts
from keyturn.operations.surveys import Candidate, Survey


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """`known`: the estate has it."""

    candidate: Candidate
    known: bool
    verdict: Verdict
    role: RoleName


@dataclass(frozen=True, slots=True)
class Discovered:
    """`people`: how many accounts show no sign of being anything but a person's."""

    realm: Realm
    survey: Survey
    accounts: tuple[FoundAccount, ...]
    people: int


def discover(parts: Parts, name: str, *, by: str) -> Discovered:
    """NotFound for a realm that the estate does not have; Refused for one that cannot be looked around in."""
    estate = parts.store.estate()
    realm = estate.realm(name)
    discovery = parts.discovery(realm.name)
    if discovery is None:
        raise Refused(
            f"realm {realm.name} is of kind {realm.kind}, which does not list its accounts",
            hint="name its accounts in the estate yourself: keyturn estate export",
        )
    survey = discovery.survey(parts.now())
    listed = {
        canonical(m.account.name)
        for m in estate.accounts
        if m.account.realm == realm.name and m.life is not AccountLife.DELETED
    }
    judged = [
        FoundAccount(each, canonical(each.name) in listed, weigh(each), role_for(each, realm.kind))
        for each in survey.candidates
    ]
    found = sorted((f for f in judged if f.known or f.verdict.certainty is not Certainty.NONE), key=_name)
    parts.store.tell(by, "realm-surveyed", realm.name, f"{len(survey.candidates)} accounts, {len(found)} of services")
    return Discovered(realm, survey, tuple(found), len(judged) - len(found))


def _name(found: FoundAccount) -> str:
    return canonical(found.candidate.name)
