"""What a person at the machine may do about a logon that was not accepted."""

from collections.abc import Mapping

from keyturn.model.logon import Answer

WAYS_OUT: Mapping[Answer, str] = {
    Answer.WRONG_PASSWORD: "keyturn account show says which generation is current; a person must look",
    Answer.LOCKED: "wait, or unlock it in its realm; find out who presented wrong passwords first",
    Answer.DISABLED: "enable it in its realm, or rotate to its successor",
    Answer.ACCOUNT_EXPIRED: "set a later end for it in its realm",
    Answer.PASSWORD_EXPIRED: "keyturn account rotate; let passwords of service accounts not expire",
    Answer.MUST_CHANGE: "keyturn account rotate",
    Answer.UNKNOWN_ACCOUNT: "is the realm called in the estate as its domain is?",
    Answer.NOT_AT_THIS_HOUR: "allow the account all hours in its realm",
    Answer.NOT_FROM_HERE: "let the account log on from this machine",
    Answer.NO_NETWORK_LOGON: "grant it the right to access the file server from the network",
    Answer.RESTRICTED: "look for a policy that binds the account: protected users, silos, hours",
    Answer.REVOKED: "look in its realm whether it is locked, disabled or expired",
    Answer.NO_SHARE: "share the access point under this name again, or correct it in the estate",
    Answer.NO_SHARE_ACCESS: "let the account's group read the share",
    Answer.NO_FILE: "keyturn site publish --to FOLDER, where FOLDER is what the share exports",
    Answer.NO_FILE_ACCESS: "let the account's group read the files below the share",
}
