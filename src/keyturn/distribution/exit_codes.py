"""What a program's exit code says, as the advanced and the legacy client read it.

The codes are Windows' system error codes. The advanced client's table is that of SMS 2003, but for the codes that say
that a password was refused: trying again every ten minutes would present it until the account is locked.
"""

from collections.abc import Sequence
from enum import StrEnum

from keyturn.model.software import ClientKind


class Verdict(StrEnum):
    SUCCESS = "success"
    RESTART = "success-after-a-restart"
    RETRY = "retry"
    CREDENTIALS = "credentials-refused"
    """Failed, and not tried again before a person has looked."""
    FAILURE = "failure"


RESTART_CODES = frozenset({1604, 1641, 3010, 3011})

CREDENTIAL_CODES = frozenset({
    86,  # the network password is not correct
    1323,  # the current password is not correct
    1326, 1327, 1328, 1329, 1330, 1331,  # logon failed: password, restriction, hours, machine, expired, disabled
    1385,  # no right to log on in this way
    1793, 1907, 1909,  # the account has expired, must change its password, is locked
})  # fmt: skip
"""On the list of SMS 2003 to be tried again stand 86, 1323, 1326 and 1330."""

RETRY_CODES = frozenset({
    4, 5, 8, 13, 14, 39, 51, 53, 54, 55, 59, 64, 65, 67, 70, 71, 85, 87, 112, 128, 170, 267, 999, 1003, 1203, 1219,
    1220, 1222, 1231, 1232, 1238, 1265, 1311, 1618, 1622, 2250,
})  # fmt: skip

RETRY_S = 600.0
RETRIES = 10
"""After so many runs that asked for another one the program has failed."""
LONGEST_RETRY_S = 4 * 3600.0


def verdict(code: int, kind: ClientKind, success_codes: Sequence[int] = (0,)) -> Verdict:
    """To the legacy client every code but a success is a failure, unless a status MIF says otherwise (Q216744)."""
    if code in success_codes:
        return Verdict.SUCCESS
    if code in CREDENTIAL_CODES:
        return Verdict.CREDENTIALS
    if kind is ClientKind.LEGACY:
        return Verdict.FAILURE
    if code in RESTART_CODES:
        return Verdict.RESTART
    return Verdict.RETRY if code in RETRY_CODES else Verdict.FAILURE


def next_try_s(tries: int) -> float:
    """How long to wait after so many tries: ten minutes first, then twice as long each time, up to four hours."""
    return min(RETRY_S * 2.0 ** min(tries - 1, 10), LONGEST_RETRY_S)
