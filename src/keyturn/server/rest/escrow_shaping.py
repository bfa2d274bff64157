"""From what is known of envelopes to the shapes that travel."""

from keyturn.escrow.custody import Custody
from keyturn.escrow.outside import EnvelopeError, Outside, read_outside
from keyturn.operations.custody import Drill
from keyturn.operations.envelopes import EnvelopesOf
from keyturn.operations.ports import KeptEnvelope
from keyturn.wire.envelopes import (
    CustodianShape,
    DrillShape,
    EnvelopeShape,
    OutsideShape,
    PaperShape,
    SealedShape,
)


def envelope_shape(found: EnvelopesOf, custody: Custody | None) -> EnvelopeShape:
    history, live, opened = found.history, found.password, found.opened
    void = history.void(live)
    return EnvelopeShape(
        account=str(found.managed.account),
        life=found.managed.life,
        sealed=[_sealed_shape(kept, custody) for kept in found.kept],
        opened_at=history.openings[-1].at if history.openings else None,
        opened_by=history.openings[-1].by if history.openings else "",
        due="opened" if opened else "",
        out_of_sight=history.out_of_sight(live) if live is not None else 0,
        papers=[PaperShape(p.serial, p.generation, p.at, p.by, p.confirmed_at, void=p in void) for p in history.papers],
        drill=drill_shape(history.drills[-1]) if history.drills else None,
    )


def outside_shape(outside: Outside) -> OutsideShape:
    return OutsideShape(
        outside.account,
        outside.generation,
        outside.site,
        outside.needed,
        _custodians(outside),
        [list(names) for names in outside.opens_with],
        outside.digest,
    )


def drill_shape(drill: Drill) -> DrillShape:
    return DrillShape(drill.generation, drill.at, drill.by, drill.passed, drill.serial, drill.why)


def _sealed_shape(kept: KeptEnvelope, custody: Custody | None) -> SealedShape:
    state = "live" if kept.live else "undecided"
    try:
        outside = read_outside(kept.envelope)
    except EnvelopeError as error:
        return SealedShape(kept.generation, state, 0, [], renew=True, damage=[error.message])
    return SealedShape(
        kept.generation,
        state,
        outside.needed,
        _custodians(outside),
        renew=custody is not None and (outside.custodians, outside.needed) != (custody.fingerprints, custody.needed),
        damage=list(outside.faults),
    )


def _custodians(outside: Outside) -> list[CustodianShape]:
    return [CustodianShape(name, mark) for name, mark in outside.custodians.items()]
