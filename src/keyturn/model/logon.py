"""A logon as a realm sees it: the protocol it came by and the answer it got."""

from enum import StrEnum


class LogonProtocol(StrEnum):
    """The columns of a realm's truth table: the same old password counts under one and not under another."""

    NTLM = "ntlm"
    LDAP = "ldap"
    KERBEROS = "kerberos"


class Answer(StrEnum):
    """What a realm says to one logon."""

    ACCEPTED = "accepted"
    WRONG_PASSWORD = "wrong-password"
    LOCKED = "locked"
    DISABLED = "disabled"
    ACCOUNT_EXPIRED = "account-expired"
    PASSWORD_EXPIRED = "password-expired"
    MUST_CHANGE = "must-change-password"
    UNKNOWN_ACCOUNT = "unknown-account"
