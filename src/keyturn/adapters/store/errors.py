"""What can be wrong with the store itself.

StoreError
├── NotAStore      the database holds something else, or no store can be kept there
├── Moved          another database is the store now
├── NewerSchema    a later Keyturn wrote it
├── WrongSealKey   its passwords were sealed with another key
├── Tampered       a sealed record was altered, moved, or put back from elsewhere
├── Unreadable     a plan or an estate was kept in a shape this release does not know
└── Unavailable    the database cannot be read or written now; nothing of the transaction was kept, unless a
                   server was lost while it committed: then it was kept whole or not at all
"""

from keyturn.model import errors
from keyturn.model.errors import KeyturnError


class StoreError(KeyturnError):
    pass


class NotAStore(StoreError):
    pass


class Moved(StoreError):
    pass


class NewerSchema(StoreError):
    pass


class WrongSealKey(StoreError):
    pass


class Tampered(StoreError):
    pass


class Unreadable(StoreError):
    pass


class Unavailable(StoreError, errors.Unavailable):
    def __init__(
        self, message: str, hint: str = "see to the database and its disk; plans then go on by themselves"
    ) -> None:
        super().__init__(message, hint)
