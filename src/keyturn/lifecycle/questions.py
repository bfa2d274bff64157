"""What a plan that stops over its credentials asks a person, with the ways out."""

from collections.abc import Collection, Sequence

from keyturn.lifecycle.journal import Stopped
from keyturn.model.accounts import Account, AnyAccount, Credential
from keyturn.model.logon import Answer


def changed_by_somebody_else(account: Account) -> Stopped:
    """The realm has refused what was sealed for it."""
    return Stopped(
        f"somebody else has changed {account}: the realm no longer has the password that was sealed for it; "
        "every generation is kept",
        hint=f"{_adopting(account)}, once its live password is known",
    )


def set_again(account: Account, *, proven_under: int | None, now: int) -> Stopped:
    """The realm's mark has moved, and nobody has tried which password it has now."""
    return Stopped(
        f"the password of {account} was set again after it was proven: the realm's mark is {now} instead of "
        f"{proven_under}; somebody else has changed it, or a set of ours came late; every generation is kept",
        hint=f"keyturn plan resume tries the sealed one; else keyturn plan abandon, then {_adopting(account)}",
    )


def console_cut_off(account: AnyAccount, stopped: Sequence[str]) -> Stopped:
    """The console method works only while every service of the site runs."""
    return Stopped(
        f"{account} is changed by the console method, which needs every service of the site until it is through, "
        f"and {not_running(stopped)}",
        hint="the site-reset method brings the password in (keyturn site reset); or keyturn site components start; "
        "then keyturn plan resume",
    )


def refused(credential: Credential, holders: Collection[str]) -> Stopped:
    return Stopped(
        f"{names(sorted(holders))} tried {credential} and the realm refused it; nobody else is given it",
        hint="find out why on that machine; keyturn plan resume tries again, keyturn plan release gives it up",
    )


def not_taken_up(credential: Credential, missing: Sequence[str], *, of: int) -> Stopped:
    return Stopped(
        f"{len(missing)} of {of} holders have not proven {credential}: {names(missing)}",
        hint="keyturn plan resume waits on; keyturn plan release gives holders up, with the consequence",
    )


def not_verified(credential: Credential, answer: Answer) -> Stopped:
    """Source: Q257362."""
    return Stopped(
        f"the realm does not take the password that Keyturn knows of {credential.account} ({answer}); nothing was "
        "touched",
        hint="keyturn plan abandon, then the reset again with --service-password-stdin; keyturn plan resume tries the "
        "same password again",
    )


def not_reached(system: str, why: str) -> Stopped:
    return Stopped(
        f"access point {system} is not reached: {why}",
        hint=f"keyturn plan resume tries again; keyturn plan release … {system} goes on without it, until keyturn "
        f"site assign {system}; keyturn plan abandon gives the rest up",
    )


def not_running(services: Sequence[str]) -> str:
    return f"{', '.join(services)} {'does' if len(services) == 1 else 'do'} not run"


def names(all_names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(all_names[:most])
    return shown if len(all_names) <= most else f"{shown} and {len(all_names) - most} more"


def _adopting(account: Account) -> str:
    return f"keyturn account adopt '{account}' --password-stdin"
