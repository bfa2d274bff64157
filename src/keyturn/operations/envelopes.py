"""Envelopes: shown, handed out with a trace, and sealed anew. Nothing here can open one."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn.escrow.outside import Outside, read_outside
from keyturn.model.accounts import canonical
from keyturn.model.errors import KeyturnError, Refused
from keyturn.model.estate import AccountLife, ManagedAccount
from keyturn.operations.custody import CUSTODY, NOTHING_TOLD, About, Act, History, Told, histories
from keyturn.operations.parts import Parts
from keyturn.operations.ports import KeptEnvelope
from keyturn.operations.secondary import refuse_at_secondary


class Purpose(StrEnum):
    """What a sealed envelope is handed out for. Each is told before the bytes leave."""

    COPY = "copy"
    PRINT = "print"
    OPEN = "open"
    DRILL = "drill"


_TOLD = {
    Purpose.COPY: Told.COPIED,
    Purpose.PRINT: Told.PRINTED,
    Purpose.OPEN: Told.OPENED,
    Purpose.DRILL: Told.DRILL_BEGUN,
}


@dataclass(frozen=True, slots=True)
class EnvelopesOf:
    """One account with its envelopes, live and undecided, and what has become of them."""

    managed: ManagedAccount
    kept: tuple[KeptEnvelope, ...]
    history: History

    @property
    def opened(self) -> Act | None:
        """Set while the account is due for rotation because its live envelope was opened."""
        return self.history.opened(self.managed.generation) if self.managed.usable else None

    @property
    def password(self) -> int | None:
        """The generation by which the account can be used; None: no paper holds anything that is worth a safe."""
        return None if self.managed.life in (AccountLife.DISABLED, AccountLife.DELETED) else self.managed.generation


@dataclass(frozen=True, slots=True)
class HandedOut:
    """`serial` for a print, `challenge` for a drill. `told` False: the store could not be written."""

    account: str
    generation: int
    envelope: bytes
    serial: str = ""
    challenge: str = ""
    told: bool = True


def all_envelopes(parts: Parts) -> tuple[EnvelopesOf, ...]:
    """Of every account that has, or should have, an envelope."""
    told = histories(parts.store.told_of_envelopes())
    estate = parts.store.estate()
    made = [managed for managed in estate.accounts if managed.life is not AccountLife.PLANNED]
    return tuple(_envelopes_of(parts, managed, told) for managed in made)


def envelopes_of(parts: Parts, account: str) -> EnvelopesOf:
    refuse_at_secondary(parts, "envelopes", f"keyturn envelope show '{account}'", account=account)
    return _envelopes_of(parts, parts.store.estate().managed(account), histories(parts.store.told_of_envelopes()))


def due(parts: Parts) -> dict[str, Act]:
    """The accounts whose live envelope was opened, with the opening, by canonical name."""
    told = histories(parts.store.told_of_envelopes())
    found = {canonical(str(m.account)): m for m in parts.store.estate().accounts if m.usable and m.generation}
    opened = {key: told[key].opened(managed.generation) for key, managed in found.items() if key in told}
    return {key: act for key, act in opened.items() if act}


def outside(parts: Parts, account: str, generation: int | None) -> Outside:
    """What can be read without opening: for whom it is sealed. The live generation unless said."""
    return read_outside(parts.store.envelope(parts.store.estate().managed(account).account, generation)[1])


def hand_out(
    parts: Parts, account: str, generation: int | None, purpose: Purpose, *, by: str, untold: bool = False
) -> HandedOut:
    """The sealed bytes, after the log says for what and to whom: an opening that then fails stays told, and the other
    way round there could be one without a trace.

    `untold` hands them out although the store cannot be written: on the worst day that is the lesser evil.
    """
    managed = parts.store.estate().managed(account)
    if purpose is Purpose.DRILL and generation is not None and generation != managed.generation:
        raise Refused(f"generation {generation} of {managed.account} is not live, so no logon can prove it")
    sealed, envelope = parts.store.envelope(managed.account, generation)
    serial = _grouped(parts.new_id()) if purpose is Purpose.PRINT else ""
    challenge = parts.new_id() if purpose is Purpose.DRILL else ""
    about = About(str(managed.account), sealed, serial=serial, drill=challenge)
    told = True
    try:
        parts.store.tell(by, _TOLD[purpose], about.account, str(about))
    except KeyturnError:
        if not untold:
            raise
        told = False
    return HandedOut(about.account, sealed, envelope, serial, challenge, told)


def seal_anew(parts: Parts, account: str | None, *, by: str) -> tuple[KeptEnvelope, ...]:
    """Seal what is live, and what is undecided, for the custodians as they are now. None: every account.

    Copies that left before are not called back: who could open them still can.
    """
    tell_custody(parts, by=by)
    if account is None:
        managed = [m for m in parts.store.estate().accounts if m.life is not AccountLife.DELETED]
    else:
        managed = [parts.store.estate().managed(account)]
    wanted = [kept for each in managed for kept in parts.store.envelopes(each.account)]
    if account is not None and not wanted:
        raise Refused(
            f"{managed[0].account} has no password that Keyturn knows", hint="keyturn account adopt, or rotate"
        )
    for kept in wanted:
        parts.store.reseal(kept.account, kept.generation, by)
    return tuple(again for each in managed for again in parts.store.envelopes(each.account))


def tell_custody(parts: Parts, *, by: str) -> None:
    """Tell who the custodians are, with their fingerprints, whenever they are others than those told last."""
    custody = parts.custody()
    if custody is None:
        return
    before = [event.detail for event in parts.store.told_of_envelopes() if event.subject == CUSTODY]
    if not before:
        parts.store.tell(by, "custody-pinned", CUSTODY, str(custody))
    elif before[-1] != str(custody):
        parts.store.tell(by, "custody-changed", CUSTODY, str(custody))


def _envelopes_of(parts: Parts, managed: ManagedAccount, told: dict[str, History]) -> EnvelopesOf:
    history = told.get(canonical(str(managed.account)), NOTHING_TOLD)
    return EnvelopesOf(managed, parts.store.envelopes(managed.account), history)


def _grouped(name: str) -> str:
    return f"{name[:4]}-{name[4:]}"
