"""The one place where a database's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from keyturn.adapters.store.errors import Unavailable


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, NoConnection) as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> Unavailable:
    if isinstance(error, NoConnection):
        return Unavailable("the store failed: all connections to the database are in use")
    said = error.orig if isinstance(error, DBAPIError) else error
    return Unavailable(f"the store failed: {_first_line(said)}")


def _first_line(error: BaseException | None) -> str:
    """PostgreSQL's further ones quote the rows."""
    return str(error).partition("\n")[0]
