"""A logon as a realm sees it: the protocol it came by and the answer it got."""

from enum import StrEnum


class LogonProtocol(StrEnum):
    """The columns of a realm's truth table: the same old password counts under one and not under another."""

    NTLM = "ntlm"
    LDAP = "ldap"
    KERBEROS = "kerberos"


class Answer(StrEnum):
    """What one logon came to: what the realm says and, of a share, whether there was a way on to the file."""

    ACCEPTED = "accepted"
    WRONG_PASSWORD = "wrong-password"
    LOCKED = "locked"
    DISABLED = "disabled"
    ACCOUNT_EXPIRED = "account-expired"
    PASSWORD_EXPIRED = "password-expired"
    MUST_CHANGE = "must-change-password"
    UNKNOWN_ACCOUNT = "unknown-account"
    NOT_AT_THIS_HOUR = "not-at-this-hour"
    NOT_FROM_HERE = "not-from-here"
    """The account may log on from other machines only."""
    NO_NETWORK_LOGON = "no-network-logon"
    RESTRICTED = "restricted"
    """By a policy of the account that is not named."""
    REVOKED = "revoked"
    """Locked, disabled or expired: Kerberos does not tell which."""
    NO_SHARE = "no-such-share"
    NO_SHARE_ACCESS = "no-share-access"
    NO_FILE = "no-such-file"
    NO_FILE_ACCESS = "no-file-access"
