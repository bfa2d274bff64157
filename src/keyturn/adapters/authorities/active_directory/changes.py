"""What Keyturn changes in the directory. Every change says what it was about, never with what."""

import ldap
from ldap.dn import escape_dn_chars

from keyturn.adapters.authorities.active_directory.directory import account_named
from keyturn.adapters.authorities.active_directory.session import Entry, Session
from keyturn.adapters.authorities.active_directory.states import DISABLED, NAMING, STATE, locked
from keyturn.model.accounts import Account, AccountToBe
from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret

_NORMAL_ACCOUNT = 0x200


def add(session: Session, container: str, account: AccountToBe, secret: Secret) -> Entry:
    """With its password in one request, so that it is never there without one."""
    name = account.name.strip()
    if account_named(session, name, NAMING):
        raise AuthorityError(f"{account} exists already", permanent=True)
    dn = f"CN={escape_dn_chars(name)},{container}"
    session.add(
        f"making {account}",
        dn,
        [
            ("objectClass", b"user"),
            ("sAMAccountName", name.encode()),
            ("userAccountControl", str(_NORMAL_ACCOUNT).encode()),
            ("unicodePwd", secret),
        ],
    )
    made = session.read(dn, NAMING)
    if made is None:
        raise AuthorityError(f"{session.host} made {account} and does not show it", permanent=False)
    return made


def set_password(session: Session, entry: Entry, secret: Secret) -> None:
    """As an administrator resets it: neither history nor minimum age apply."""
    doing = f"setting the password of {entry.text('sAMAccountName')}"
    session.modify(doing, entry.dn, (ldap.MOD_REPLACE, "unicodePwd", secret))


def set_usable(session: Session, entry: Entry, usable: bool) -> None:
    """Nothing is written where somebody else has changed the flags since they were read."""
    before = entry.number("userAccountControl")
    after = before & ~DISABLED if usable else before | DISABLED
    if after != before:
        session.modify(
            f"{'enabling' if usable else 'disabling'} {entry.text('sAMAccountName')}",
            entry.dn,
            (ldap.MOD_DELETE, "userAccountControl", str(before).encode()),
            (ldap.MOD_ADD, "userAccountControl", str(after).encode()),
        )


def unlock(session: Session, account: Account) -> None:
    """On this controller, with the count it keeps for itself. Where the account has not arrived, there is no lock."""
    before = session.identity(account.sid, NAMING)
    if before is None:
        return
    session.modify(f"unlocking {account}", before.dn, (ldap.MOD_REPLACE, "lockoutTime", b"0"))
    after = session.identity(account.sid, STATE)
    if after is not None and (locked(after) or after.number("badPwdCount")):
        raise AuthorityError(f"{session.host} has unlocked {account} and keeps its count", permanent=False)


def delete(session: Session, account: Account) -> None:
    entry = session.identity(account.sid, NAMING)
    if entry is not None:
        session.delete(f"deleting {account}", entry.dn)
