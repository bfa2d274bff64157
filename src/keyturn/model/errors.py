"""What stops the work. Expected outcomes (a wrong password, a holder still missing) are values, not errors.

KeyturnError
├── Refused            the request is understood and must not be carried out; the hint names the way out
├── NotFound           the thing named does not exist
├── AuthorityError     a realm could not do what was asked; `permanent` says whether asking again may help
├── Unavailable        what Keyturn keeps cannot be read or written now; nothing is lost, and asking again may help
├── BudgetExhausted    a logon attempt now could help to lock the account; `retry_s` says when it may be asked again
└── FencedOff          another worker has taken the plan over; whoever sees this stops at once
"""


class KeyturnError(Exception):
    """Names the thing; the hint, where there is one, is the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Refused(KeyturnError):
    pass


class NotFound(KeyturnError):
    pass


class AuthorityError(KeyturnError):
    def __init__(self, message: str, *, permanent: bool, hint: str = "") -> None:
        super().__init__(message, hint)
        self.permanent = permanent


class Unavailable(KeyturnError):
    pass


class BudgetExhausted(KeyturnError):
    def __init__(self, message: str, *, retry_s: float) -> None:
        super().__init__(message)
        self.retry_s = retry_s


class FencedOff(KeyturnError):
    pass
