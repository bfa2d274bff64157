"""Where a sealed envelope comes from: the server, or the site's directory while no server answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from keyturn.cli.api import NoAnswer
from keyturn.cli.tools import Ask, Session, operator
from keyturn.escrow.envelope import refuse_other_keys, refuse_uncovered
from keyturn.operations import envelopes
from keyturn.operations.envelopes import Purpose
from keyturn.wire.envelopes import HandedOutShape


@dataclass(frozen=True, slots=True)
class Wanted:
    """None: the live generation."""

    account: str
    generation: int | None
    purpose: Purpose


def hand_out(session: Session, wanted: Wanted, ask: Ask, keys: Mapping[str, str] | None = None) -> HandedOutShape:
    """With `keys`, refused before anything is told when they cannot open it: a mistyped name marks no account."""
    try:
        return from_server(session, wanted, keys)
    except NoAnswer:
        if not session.at_hand:
            raise
    click.echo("no server answers: straight from the site's directory", err=True)
    return _from_directory(session, wanted, ask, keys)


def from_server(session: Session, wanted: Wanted, keys: Mapping[str, str] | None) -> HandedOutShape:
    api = session.api()
    if keys is not None:
        which = {"generation": wanted.generation} if wanted.generation is not None else {}
        outside = api.get("/envelopes/outside", account=wanted.account, **which)
        refuse_uncovered([tuple(names) for names in outside["opens_with"]], keys)
        refuse_other_keys({c["name"]: c["fingerprint"] for c in outside["custodians"]}, keys)
    return HandedOutShape(**api.post("/envelopes/take", asdict(wanted)))


def read_keys(given: tuple[str, ...]) -> dict[str, str]:
    """Identities by the custodian's name, in the order given. Each file has one line that is no comment."""
    return dict(_key(text) for text in given)


def _from_directory(session: Session, wanted: Wanted, ask: Ask, keys: Mapping[str, str] | None) -> HandedOutShape:
    with session.tools.site(session.directory(), ask) as parts:
        if keys is not None:
            outside = envelopes.outside(parts, wanted.account, wanted.generation)
            refuse_uncovered(outside.opens_with, keys)
            refuse_other_keys(outside.custodians, keys)
        worst_day = wanted.purpose is Purpose.OPEN
        handed = envelopes.hand_out(
            parts, wanted.account, wanted.generation, wanted.purpose, by=operator(), untold=worst_day
        )
    return HandedOutShape(
        handed.account, handed.generation, handed.envelope.decode(), handed.serial, handed.challenge, handed.told
    )


def _key(text: str) -> tuple[str, str]:
    name, equals, file = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=FILE", param_hint="--key")
    try:
        lines = Path(file).read_text().splitlines()
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror}", param_hint="--key") from None
    except UnicodeDecodeError:
        raise click.BadParameter(f"{file} is no age key: it is not text", param_hint="--key") from None
    return name, next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")
