"""Membership of Administrators for one run, on disk before it is given. Never run: see the package.

Beside `lowered`, `put_right` takes away what a crash left.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOT_A_MEMBER, _A_MEMBER = 1377, 1378
"""ERROR_MEMBER_NOT_IN_ALIAS, ERROR_MEMBER_IN_ALIAS."""


@contextmanager
def raised(runs: Path, run_id: str, account: str) -> Iterator[None]:
    r"""`account`: `REALM\name`. One that is an administrator for good stays one."""
    import pywintypes  # type: ignore[import-untyped]
    import win32net  # type: ignore[import-untyped]

    record = runs / f"{run_id}.json"
    runs.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps({"account": account}), encoding="utf-8")
    try:
        win32net.NetLocalGroupAddMembers(None, _administrators(), 3, [{"domainandname": account}])
    except pywintypes.error as error:
        record.unlink()
        if error.winerror != _A_MEMBER:
            raise
        yield
        return
    try:
        yield
    finally:
        _lower(account)
        record.unlink()


def put_right(runs: Path) -> tuple[str, ...]:
    found = []
    for record in sorted(runs.glob("*.json")):
        try:
            account = json.loads(record.read_text(encoding="utf-8"))["account"]
        except (ValueError, KeyError):
            account = ""  # cut off before it was written: nobody was raised
        if account:
            _lower(account)
            found.append(f"run {record.stem} was cut off: {account} is no administrator any more")
        record.unlink()
    return tuple(found)


def _lower(account: str) -> None:
    import pywintypes
    import win32net

    try:
        win32net.NetLocalGroupDelMembers(None, _administrators(), [account])
    except pywintypes.error as error:
        if error.winerror != _NOT_A_MEMBER:
            raise


def _administrators() -> str:
    """In the language of this Windows."""
    import win32security  # type: ignore[import-untyped]

    sid = win32security.CreateWellKnownSid(win32security.WinBuiltinAdministratorsSid)
    name, _, _ = win32security.LookupAccountSid(None, sid)
    return str(name)
