"""Why a program did not do what it was offered for: one cause, what it means, and the way out.

The slugs travel in reports (`AdvertisementReport.cause`) and stand in the client's own log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from keyturn.distribution.accesses import Access
from keyturn.distribution.exit_codes import Verdict
from keyturn.model.logon import Answer


class Cause(StrEnum):
    WRONG_PASSWORD = "wrong-password"
    ACCOUNT_LOCKED = "account-locked"
    ACCOUNT_EXPIRED = "account-expired"
    PASSWORD_EXPIRED = "password-expired"
    ACCOUNT_DISABLED = "account-disabled"
    UNKNOWN_ACCOUNT = "unknown-account"
    LOGON_RESTRICTED = "logon-restricted"
    NO_SUCH_SHARE = "no-such-share"
    NO_SHARE_ACCESS = "no-share-access"
    NO_FILE_ACCESS = "no-file-access"
    NO_SUCH_FILE = "no-such-file"
    HOST_UNREACHABLE = "host-unreachable"
    NO_NETWORK_ACCOUNT = "no-network-account"
    NO_PROVEN_PASSWORD = "no-proven-password"
    NO_POINT = "no-distribution-point"
    NO_CONTENT = "no-content-at-any-point"
    SOURCE_CHANGED = "source-has-changed"
    CONTENT_DAMAGED = "content-damaged"
    CONTENT_UNSIGNED = "content-signature"
    DISK_FULL = "disk-full"
    NO_INSTALLATION_ACCOUNT = "no-software-installation-account"
    WEAK_INSTALLATION_ACCOUNT = "software-installation-account-too-weak"
    NO_SUCH_USER = "no-such-user"
    NOT_STARTED = "not-started"
    OVER_TIME = "over-time"
    CREDENTIALS_REFUSED = "credentials-refused"
    EXIT_CODE = "exit-code"
    STATUS_MIF = "status-mif"
    NOT_DETECTED = "not-detected"
    WRONG_IDENTITY = "wrong-identity"
    RUN_FIRST_FAILED = "run-first-failed"
    INTERRUPTED = "interrupted"
    RETRIES_USED_UP = "retries-used-up"


@dataclass(frozen=True, slots=True)
class Explanation:
    text: str
    remedy: str


EXPLANATIONS: Mapping[Cause, Explanation] = {
    Cause.WRONG_PASSWORD: Explanation(
        "access denied: the realm calls the password of the account wrong",
        "keyturn account show says which generation is current; the client does not present this one again",
    ),
    Cause.ACCOUNT_LOCKED: Explanation(
        "access denied: the account is locked", "find out who presents an old password, then unlock it in its realm"
    ),
    Cause.ACCOUNT_EXPIRED: Explanation("access denied: the account has expired", "set a later end for it in its realm"),
    Cause.PASSWORD_EXPIRED: Explanation("access denied: the account's password has expired", "keyturn account rotate"),
    Cause.ACCOUNT_DISABLED: Explanation(
        "access denied: the account is disabled", "enable it in its realm, or rotate to its successor"
    ),
    Cause.UNKNOWN_ACCOUNT: Explanation(
        "access denied: the realm knows no such account", "is the realm called in the estate as its domain is?"
    ),
    Cause.LOGON_RESTRICTED: Explanation(
        "access denied: the account may not log on there, then, or from this machine",
        "look at its logon hours, its machines, and the server's right to log on over the network",
    ),
    Cause.NO_SUCH_SHARE: Explanation("the server has no such share", "correct its name, or share it again"),
    Cause.NO_SHARE_ACCESS: Explanation(
        "access denied: the account may not use the share", "let the account read the share"
    ),
    Cause.NO_FILE_ACCESS: Explanation(
        "access denied: the account may not read the file", "let the account read the files below the share"
    ),
    Cause.NO_SUCH_FILE: Explanation("there is no such file on the share", "correct the path, or put the file there"),
    Cause.HOST_UNREACHABLE: Explanation(
        "the server does not answer", "is it on, is its name right, and is port 445 open from this client?"
    ),
    Cause.NO_NETWORK_ACCOUNT: Explanation(
        "access denied: the program, or its package's source, is on a share that is no distribution point, and this"
        " client has no account for that",
        "give the site a network access account (legacy clients: a Software Installation account), or put the files"
        " into the package, and that on a distribution point",
    ),
    Cause.NO_PROVEN_PASSWORD: Explanation(
        "this client may present no account there: it holds no proven password of one, or the site, which is asked"
        " before each run, does not say to use it",
        "keyturn agent status; keyturn account show says whether it is being changed or was refused somewhere, and"
        " keyturn envelope verify whether somebody else has changed it",
    ),
    Cause.NO_POINT: Explanation(
        "the package is on no distribution point of this site", "put the package on a distribution point"
    ),
    Cause.NO_CONTENT: Explanation(
        "no distribution point gave the package's files", "the lines before this one name each point and its answer"
    ),
    Cause.SOURCE_CHANGED: Explanation(
        "the files at the package's source are not those that the site read there",
        "keyturn package update reads them again; keyturn package distribute keeps them where nobody changes them",
    ),
    Cause.CONTENT_DAMAGED: Explanation(
        "the files of the package are not those that were signed", "look at that distribution point; bring it anew"
    ),
    Cause.CONTENT_UNSIGNED: Explanation(
        "the package's manifest does not bear the site's signature", "look at that distribution point; bring it anew"
    ),
    Cause.DISK_FULL: Explanation("the client's disk is full", "make room on it"),
    Cause.NO_INSTALLATION_ACCOUNT: Explanation(
        "the site has no Software Installation account", "make one: docs/how-to/software.md"
    ),
    Cause.WEAK_INSTALLATION_ACCOUNT: Explanation(
        "the Software Installation account could not be made an administrator of this client for the run",
        "the reason stands in the log; docs/explanation/who-executes-who-reaches.md",
    ),
    Cause.NO_SUCH_USER: Explanation("this machine knows no such user", "does the machine still belong to its domain?"),
    Cause.NOT_STARTED: Explanation("the program could not be started", "is its command line right for this machine?"),
    Cause.OVER_TIME: Explanation(
        "the program ran longer than it may", "look at what it waits for, or set a longer maximum run time"
    ),
    Cause.CREDENTIALS_REFUSED: Explanation(
        "the program says that a password was refused; it is not tried again by itself, for that would lock the"
        " account",
        "put the account right, then start it with keyturn agent software run",
    ),
    Cause.EXIT_CODE: Explanation(
        "the program ended with a code that is no success", "its last lines stand in the client's log"
    ),
    Cause.STATUS_MIF: Explanation("the program's own status MIF says that it failed", "its description says why"),
    Cause.NOT_DETECTED: Explanation(
        "the program says that it succeeded, but what it installs is not there", "look at its detection rules"
    ),
    Cause.WRONG_IDENTITY: Explanation(
        "the program succeeded, but for the wrong identity: what it installs landed in another home",
        "run it with the user's rights, or install for the whole machine",
    ),
    Cause.RUN_FIRST_FAILED: Explanation(
        "the program that is to run before it has failed", "put that one right, then start this one again"
    ),
    Cause.INTERRUPTED: Explanation(
        "it was started, and nobody knows how it ended", "look at the machine, then keyturn agent software run --again"
    ),
    Cause.RETRIES_USED_UP: Explanation(
        "the program asked to be tried again, each time", "its exit code says what it misses"
    ),
}

_ANSWERS: Mapping[Answer, Cause] = {
    Answer.WRONG_PASSWORD: Cause.WRONG_PASSWORD,
    Answer.LOCKED: Cause.ACCOUNT_LOCKED,
    Answer.DISABLED: Cause.ACCOUNT_DISABLED,
    Answer.ACCOUNT_EXPIRED: Cause.ACCOUNT_EXPIRED,
    Answer.PASSWORD_EXPIRED: Cause.PASSWORD_EXPIRED,
    Answer.MUST_CHANGE: Cause.PASSWORD_EXPIRED,
    Answer.UNKNOWN_ACCOUNT: Cause.UNKNOWN_ACCOUNT,
    Answer.NOT_AT_THIS_HOUR: Cause.LOGON_RESTRICTED,
    Answer.NOT_FROM_HERE: Cause.LOGON_RESTRICTED,
    Answer.NO_NETWORK_LOGON: Cause.LOGON_RESTRICTED,
    Answer.RESTRICTED: Cause.LOGON_RESTRICTED,
    Answer.REVOKED: Cause.LOGON_RESTRICTED,
    Answer.NO_SHARE: Cause.NO_SUCH_SHARE,
    Answer.NO_SHARE_ACCESS: Cause.NO_SHARE_ACCESS,
    Answer.NO_FILE: Cause.NO_SUCH_FILE,
    Answer.NO_FILE_ACCESS: Cause.NO_FILE_ACCESS,
}

_EXITS: Mapping[Verdict, Cause] = {
    Verdict.CREDENTIALS: Cause.CREDENTIALS_REFUSED,
    Verdict.FAILURE: Cause.EXIT_CODE,
    Verdict.RETRY: Cause.RETRIES_USED_UP,
}


def cause_of_access(accesses: Sequence[Access]) -> Cause | None:
    """Of a place that was reached for in vain; None where each place let somebody in and refused nothing after.

    Places are asked about in turn; what the last identity was told counts, for those before it are expected to fail
    (the computer account before the network access account).
    """
    for place in dict.fromkeys(_share(access) for access in accesses):
        last = [access for access in accesses if _share(access) == place][-1]
        if not last.let_in:
            return Cause.HOST_UNREACHABLE if last.answer is None else _ANSWERS[last.answer]
    return None


def cause_of_exit(verdict: Verdict, accesses: Sequence[Access]) -> Cause:
    """A program that was refused a share and then failed, failed because of that."""
    return cause_of_access(accesses) or _EXITS[verdict]


def concerns_credentials(cause: Cause) -> bool:
    """Such a failure is not tried again by a program of its own accord."""
    return cause in _CREDENTIALS


_CREDENTIALS = frozenset({
    Cause.WRONG_PASSWORD, Cause.ACCOUNT_LOCKED, Cause.ACCOUNT_EXPIRED, Cause.PASSWORD_EXPIRED, Cause.ACCOUNT_DISABLED,
    Cause.UNKNOWN_ACCOUNT, Cause.LOGON_RESTRICTED, Cause.CREDENTIALS_REFUSED,
})  # fmt: skip


def in_words(cause: Cause, accesses: Sequence[Access], detail: str = "") -> str:
    """One line: what, which account, which share."""
    refused = [access for access in accesses if not access.let_in]
    where = f" ({refused[-1]})" if refused and cause in (*_ANSWERS.values(), Cause.HOST_UNREACHABLE) else ""
    return f"{EXPLANATIONS[cause].text}{where}{': ' + detail if detail else ''}"


def _share(access: Access) -> str:
    """A file that was refused belongs to its share."""
    if access.unc.startswith("\\\\"):
        return "\\".join(access.unc.split("\\")[:4]).lower()
    return access.unc
