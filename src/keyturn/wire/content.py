"""A distribution point over HTTPS: where its files are, by their path below it.

GET and HEAD; one range of bytes, and If-Range, as RFC 9110 has them. The ETag of a file is its SHA-256. Requests are
signed by the client, or carry HTTP Basic of an account of the realm; `ANSWER_HEADER` says what the realm answered.
"""

import re
from urllib.parse import quote

MANIFEST = "manifest.json"
FILES = "files"


def file_path(point: str, path: str) -> str:
    """`path` is `<PACKAGE>.<VERSION>/manifest.json` or `<PACKAGE>.<VERSION>/files/<path>`, with slashes."""
    return f"{point.rstrip('/')}/{quote(path, safe='/')}"


ONE_RANGE = re.compile(r"bytes=\s*(?:(?P<first>\d{1,18})-(?P<last>\d{1,18})?|-(?P<suffix>\d{1,18}))\s*")


def is_one_range(header: str) -> bool:
    """Whether it asks for one range of bytes. Everything else may be answered with the whole (RFC 9110, 14.2): another
    unit, a range that ends before it begins, and several at once."""
    found = ONE_RANGE.fullmatch(header)
    return found is not None and (not found["last"] or int(found["first"]) <= int(found["last"]))


def first_of_range(header: str) -> int | None:
    """Of a Content-Range (RFC 9110, 14.4): where the bytes that come begin. None for what is of another form."""
    found = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)", header)
    return int(found[1]) if found else None
