"""Who may have which live credential: offered when a client enrols, an account is taken in, or the estate changes."""

from keyturn.lifecycle.holders import names_of_holders
from keyturn.lifecycle.plan import CreateAccount
from keyturn.lifecycle.sequences import pace
from keyturn.model.accounts import Credential
from keyturn.operations.parts import Parts


def offer_to_enrolled(parts: Parts, only: str | None = None) -> None:
    """Offer every live credential to those of its holders that have an agent, or to one of them. Offering again
    changes nothing. An account that an open plan is making is left to its plan."""
    estate = parts.store.estate()
    enrolled = {only} if only else {client.name for client in parts.store.enrolled()}
    in_making = _in_making(parts)
    for managed in estate.accounts:
        if not managed.usable or managed.generation is None or str(managed.account) in in_making:
            continue
        names = [name for name in names_of_holders(estate, managed) if name in enrolled]
        if names:
            parts.store.offer(Credential(managed.account, managed.generation), names, pace(estate, managed))


def _in_making(parts: Parts) -> set[str]:
    return {
        str(p.step.account)
        for record in parts.store.plans(only_open=True)
        for p in record.plan.steps
        if isinstance(p.step, CreateAccount)
    }
