"""One logon by Kerberos in the words of the machine's MIT libkrb5 (`krb5.h`): it writes each request and reads the
answer. Whoever calls carries them, so that it is known which controller is asked, how often, and for how long.

It is given no configuration: that of the machine may name other controllers, and a process has one for all its threads.
"""

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_int32, c_uint, c_void_p
from dataclasses import dataclass
from functools import cache

from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret

_LIBRARY = "libkrb5.so.3"
_NO_CONFIGURATION = b"/dev/null"
_GO_ON = 1  # KRB5_INIT_CREDS_STEP_FLAG_CONTINUE
_ERROR_BASE = -1765328384
"""Where the numbers of RFC 4120 begin among those of the library."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`number` as in RFC 4120, 7.5.9; any other where it is not a controller's but the library's own."""

    number: int
    words: str


def is_installed() -> bool:
    try:
        _library()
    except OSError:
        return False
    return True


def refusal(name: str, realm: str, secret: Secret, carry: Callable[[bytes], bytes]) -> Refusal | None:
    """None where a ticket was given; it is thrown away. `carry` takes a request to a controller and gives its answer;
    what it raises ends the logon."""
    with _context() as context, _logon(context, _principal(name, realm), secret) as logon:
        answer = b""
        while True:
            code, request = _step(context, logon, answer)
            if code:
                return Refusal(code - _ERROR_BASE, _words(context, code))
            if not request:
                return None
            answer = carry(request)


class _Bytes(ctypes.Structure):
    """`krb5_data`."""

    _fields_ = (("magic", c_int32), ("length", c_uint), ("data", c_void_p))


def _step(context: c_void_p, logon: c_void_p, answer: bytes) -> tuple[int, bytes]:
    """An error, or the next request; none is left where the logon is through."""
    kept = ctypes.create_string_buffer(answer, len(answer) or 1)
    given = _Bytes(0, len(answer), ctypes.cast(kept, c_void_p))
    request, realm, flags = _Bytes(), _Bytes(), c_uint()
    code: int = _library().krb5_init_creds_step(
        context, logon, byref(given), byref(request), byref(realm), byref(flags)
    )
    try:
        goes_on = not code and flags.value & _GO_ON
        return code, ctypes.string_at(request.data, request.length) if goes_on else b""
    finally:
        _library().krb5_free_data_contents(context, byref(request))
        _library().krb5_free_data_contents(context, byref(realm))


@contextmanager
def _context() -> Iterator[c_void_p]:
    """No two threads may use one at the same time."""
    profile, context = c_void_p(), c_void_p()
    _must(_library().profile_init_path(_NO_CONFIGURATION, byref(profile)))
    try:
        _must(_library().krb5_init_context_profile(profile, 0, byref(context)))
    finally:
        _library().profile_release(profile)
    try:
        yield context
    finally:
        _library().krb5_free_context(context)


@contextmanager
def _logon(context: c_void_p, principal: bytes, secret: Secret) -> Iterator[c_void_p]:
    whom, logon = c_void_p(), c_void_p()
    _must(_library().krb5_parse_name(context, principal, byref(whom)))
    try:
        _must(_library().krb5_init_creds_init(context, whom, None, None, 0, None, byref(logon)))
    finally:
        _library().krb5_free_principal(context, whom)
    try:
        _must(_library().krb5_init_creds_set_password(context, logon, secret.reveal().encode()))
        yield logon
    finally:
        _library().krb5_init_creds_free(context, logon)


def _principal(name: str, realm: str) -> bytes:
    escaped = re.sub(r"([\\/@])", r"\\\1", name)
    return f"{escaped}@{realm}".encode()


def _words(context: c_void_p, code: int) -> str:
    told = _library().krb5_get_error_message(context, code)
    try:
        return ctypes.string_at(told).decode(errors="replace")
    finally:
        _library().krb5_free_error_message(context, told)


def _must(code: int) -> None:
    """For what asks nobody, so that it fails only where the library itself is broken or given a bad name."""
    if code:
        raise AuthorityError(f"libkrb5 fails with {code}", permanent=True)


@cache
def _library() -> ctypes.CDLL:
    """Loaded once. OSError where it is not installed."""
    library = ctypes.CDLL(_LIBRARY)
    library.krb5_get_error_message.restype = c_void_p
    for name, arguments in {
        "profile_init_path": (c_char_p, c_void_p),
        "profile_release": (c_void_p,),
        "krb5_init_context_profile": (c_void_p, c_int32, c_void_p),
        "krb5_free_context": (c_void_p,),
        "krb5_parse_name": (c_void_p, c_char_p, c_void_p),
        "krb5_free_principal": (c_void_p, c_void_p),
        "krb5_init_creds_init": (c_void_p, c_void_p, c_void_p, c_void_p, c_int32, c_void_p, c_void_p),
        "krb5_init_creds_set_password": (c_void_p, c_void_p, c_char_p),
        "krb5_init_creds_step": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
        "krb5_init_creds_free": (c_void_p, c_void_p),
        "krb5_free_data_contents": (c_void_p, c_void_p),
        "krb5_get_error_message": (c_void_p, c_int32),
        "krb5_free_error_message": (c_void_p, c_void_p),
    }.items():
        getattr(library, name).argtypes = arguments
    return library
