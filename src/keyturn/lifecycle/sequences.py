"""Steps that plans have in common, in the one order that keeps the promises."""

from dataclasses import dataclass

from keyturn.lifecycle.holders import names_of_holders
from keyturn.lifecycle.plan import (
    AwaitCanary,
    AwaitConvergence,
    AwaitUptake,
    CopyRights,
    CreateAccount,
    Planned,
    Publish,
    Seal,
    SetPassword,
)
from keyturn.model.accounts import AccountToBe, AnyAccount, Credential, RoleName, canonical
from keyturn.model.errors import Refused
from keyturn.model.estate import Estate, ManagedAccount

DAY_S = 24 * 3600.0
ADDITIONAL = RoleName("sms2003/client-connection-additional")

SEALED = "no password is used before it is kept, and its envelope with it"
CONVERGED = "a replica that has not heard of a password counts it as a wrong one"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for holders before a person is asked, and for silence before an account is disabled."""

    uptake_s: float = 14 * DAY_S
    quiet_s: float = 2 * DAY_S


def carried_over(
    estate: Estate, managed: ManagedAccount, reason: str, patience: Patience
) -> tuple[list[Planned], Credential]:
    """Every holder of a default Client Connection account has proven another one: the spare one or a new one."""
    if existing := spare(estate, managed):
        credential = Credential(existing.account, existing.generation or 1)
        compared = "it was there already, so it is compared only"
        steps = [Planned(CopyRights(managed.account, existing.account), compared)]
    else:
        new = AccountToBe(managed.account.realm, next_name(estate, managed))
        credential = Credential(new, 1)
        steps = second_account(CreateAccount(new, ADDITIONAL, managed.sites, like=managed.account), reason)
    return steps + rollout(estate, managed, credential, patience, like=managed.account), credential


def second_account(create: CreateAccount, reason: str) -> list[Planned]:
    credential = Credential(create.account, 1)
    steps = [Planned(Seal(credential), SEALED), Planned(create, reason)]
    if create.like:
        steps.append(Planned(CopyRights(create.like, create.account), "the second account may do what the first may"))
    return [*steps, Planned(AwaitConvergence(credential), CONVERGED)]


def rollout(
    estate: Estate, managed: ManagedAccount, credential: Credential, patience: Patience, like: AnyAccount | None = None
) -> list[Planned]:
    names = names_of_holders(estate, managed)
    uptake = Planned(AwaitUptake(credential, names, patience.uptake_s), "retiring waits for every holder's own logon")
    if not names:
        return [uptake]
    at_once = pace(estate, managed)
    paced = f"at most {at_once} unproven at once: fewer bad attempts than half of what locks"
    return [
        Planned(Publish(credential, names, 1, like), "one holder first, whichever comes"),
        Planned(AwaitCanary(credential, patience.uptake_s), "if it is refused, nobody else tries"),
        Planned(Publish(credential, names, at_once, like), paced),
        uptake,
    ]


def set_in_place(
    managed: ManagedAccount, reason: str, behind: Credential | None = None
) -> tuple[list[Planned], Credential]:
    """The account keeps its identity; the credential that it has afterwards."""
    credential = Credential(managed.account, (managed.generation or 0) + 1)
    steps = [
        Planned(Seal(credential), SEALED),
        Planned(SetPassword(credential, behind), reason),
        Planned(AwaitConvergence(credential), CONVERGED),
    ]
    return steps, credential


def pace(estate: Estate, managed: ManagedAccount) -> int:
    """How many may hold an unproven password at once: all of them wrong stays below half the threshold."""
    threshold = estate.realm(managed.account.realm).policy.lockout_threshold
    if threshold == 0:
        return max(1, len(names_of_holders(estate, managed)))
    return max(1, (threshold - 1) // 2)


def spare(estate: Estate, managed: ManagedAccount) -> ManagedAccount | None:
    """An additional account whose password is known and that serves every site of this one."""
    for m in estate.accounts:
        if m.role == ADDITIONAL and m.usable and m.generation and set(managed.sites) <= set(m.sites):
            return m
    return None


def next_name(estate: Estate, managed: ManagedAccount) -> str:
    """The next free `<name>_2`, `_3`, …, within the 20 characters of a logon name."""
    taken = {canonical(m.account.name) for m in estate.accounts if m.account.realm == managed.account.realm}
    stem, _, number = managed.account.name.rpartition("_")
    numbered = bool(stem) and number.isdecimal() and len(number) < 4
    base, first = (stem, int(number) + 1) if numbered else (managed.account.name, 2)
    for candidate in range(first, 10_000):
        name = f"{base[: 20 - len(str(candidate)) - 1]}_{candidate}"
        if canonical(name) not in taken:
            return name
    raise Refused(f"no free name is left beside {managed.account}")
