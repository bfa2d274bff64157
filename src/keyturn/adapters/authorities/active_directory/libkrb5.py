"""One logon by Kerberos in the words of the machine's MIT libkrb5 (`krb5.h`): it writes each request and reads the
answer. Whoever calls carries them, so that it is known which controller is asked, how often, and for how long.

Tickets stay in the memory of this process, and the password goes nowhere else.

It is given no configuration: that of the machine may name other controllers, and a process has one for all its threads.
"""

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_int32, c_ubyte, c_uint, c_void_p
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from keyturn.model.errors import AuthorityError
from keyturn.model.secret import Secret

_LIBRARY = "libkrb5.so.3"
_NO_CONFIGURATION = b"/dev/null"
_GO_ON = 1  # KRB5_INIT_CREDS_STEP_FLAG_CONTINUE, KRB5_TKT_CREDS_STEP_FLAG_CONTINUE
_ERROR_BASE = -1765328384
"""Where the numbers of RFC 4120 begin among those of the library."""
_Step: TypeAlias = Callable[..., int]
"""A function of the library, which says 0 or what went wrong."""


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
        return _refusal(context, _library().krb5_init_creds_step, logon, carry)


@contextmanager
def service_ticket(
    name: str, realm: str, secret: Secret, service: tuple[str, str], carry: Callable[[bytes], bytes]
) -> Iterator[str | Refusal]:
    """The name of a cache that holds one ticket, for `service` (`("ldap", "dc1.corp.example")`), and nothing by which
    another could be had. The cache goes at the end."""
    library = _library()
    with _context() as context, _cache(context) as first, _cache(context) as second:
        with _logon(context, _principal(name, realm), secret) as logon:
            refused = _refusal(context, library.krb5_init_creds_step, logon, carry)
            if not refused:
                _keep(context, first, library.krb5_init_creds_get_creds, logon)
        if not refused:
            with _request(context, first, _principal(name, realm), _principal(*service, realm)) as request:
                refused = _refusal(context, library.krb5_tkt_creds_step, request, carry)
                if not refused:
                    _keep(context, second, library.krb5_tkt_creds_get_creds, request)
        yield refused or f"MEMORY:{library.krb5_cc_get_name(context, second).decode()}"


class _Bytes(ctypes.Structure):
    """`krb5_data`."""

    _fields_ = (("magic", c_int32), ("length", c_uint), ("data", c_void_p))


class _Ticket(ctypes.Structure):
    """`krb5_creds`. What follows its principals is the library's own."""

    _fields_ = (("magic", c_int32), ("client", c_void_p), ("server", c_void_p), ("rest", c_ubyte * 192))


def _refusal(context: c_void_p, step: _Step, asking: c_void_p, carry: Callable[[bytes], bytes]) -> Refusal | None:
    answer = b""
    while True:
        code, request = _next(context, step, asking, answer)
        if code:
            return Refusal(code - _ERROR_BASE, _words(context, code))
        if not request:
            return None
        answer = carry(request)


def _next(context: c_void_p, step: _Step, asking: c_void_p, answer: bytes) -> tuple[int, bytes]:
    """An error, or the next request; none is left where the logon is through."""
    kept = ctypes.create_string_buffer(answer, len(answer) or 1)
    given = _Bytes(0, len(answer), ctypes.cast(kept, c_void_p))
    request, realm, flags = _Bytes(), _Bytes(), c_uint()
    code = step(context, asking, byref(given), byref(request), byref(realm), byref(flags))
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
def _cache(context: c_void_p) -> Iterator[c_void_p]:
    cache = c_void_p()
    _must(_library().krb5_cc_new_unique(context, b"MEMORY", None, byref(cache)))
    try:
        yield cache
    finally:
        _library().krb5_cc_destroy(context, cache)


@contextmanager
def _logon(context: c_void_p, principal: bytes, secret: Secret) -> Iterator[c_void_p]:
    logon = c_void_p()
    with _parsed(context, principal) as whom:
        _must(_library().krb5_init_creds_init(context, whom, None, None, 0, None, byref(logon)))
    try:
        _must(_library().krb5_init_creds_set_password(context, logon, secret.reveal().encode()))
        yield logon
    finally:
        _library().krb5_init_creds_free(context, logon)


@contextmanager
def _request(context: c_void_p, cache: c_void_p, principal: bytes, service: bytes) -> Iterator[c_void_p]:
    request = c_void_p()
    with _parsed(context, principal) as client, _parsed(context, service) as server:
        wanted = _Ticket(client=client, server=server)
        _must(_library().krb5_tkt_creds_init(context, cache, byref(wanted), 0, byref(request)))
    try:
        yield request
    finally:
        _library().krb5_tkt_creds_free(context, request)


def _keep(context: c_void_p, cache: c_void_p, ticket_of: _Step, asked: c_void_p) -> None:
    """The ticket that a finished exchange has brought, as the only one in `cache`."""
    ticket = _Ticket()
    _must(ticket_of(context, asked, byref(ticket)))
    try:
        _must(_library().krb5_cc_initialize(context, cache, ticket.client))
        _must(_library().krb5_cc_store_cred(context, cache, byref(ticket)))
    finally:
        _library().krb5_free_cred_contents(context, byref(ticket))


@contextmanager
def _parsed(context: c_void_p, principal: bytes) -> Iterator[c_void_p]:
    parsed = c_void_p()
    _must(_library().krb5_parse_name(context, principal, byref(parsed)))
    try:
        yield parsed
    finally:
        _library().krb5_free_principal(context, parsed)


def _principal(*written: str) -> bytes:
    """Its components, then its realm."""
    *components, realm = written
    escaped = "/".join(re.sub(r"([\\/@])", r"\\\1", component) for component in components)
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
    library.krb5_cc_get_name.restype = c_char_p
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
        "krb5_init_creds_get_creds": (c_void_p, c_void_p, c_void_p),
        "krb5_tkt_creds_init": (c_void_p, c_void_p, c_void_p, c_int32, c_void_p),
        "krb5_tkt_creds_step": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
        "krb5_tkt_creds_get_creds": (c_void_p, c_void_p, c_void_p),
        "krb5_tkt_creds_free": (c_void_p, c_void_p),
        "krb5_cc_new_unique": (c_void_p, c_char_p, c_char_p, c_void_p),
        "krb5_cc_initialize": (c_void_p, c_void_p, c_void_p),
        "krb5_cc_store_cred": (c_void_p, c_void_p, c_void_p),
        "krb5_cc_get_name": (c_void_p, c_void_p),
        "krb5_cc_destroy": (c_void_p, c_void_p),
        "krb5_free_cred_contents": (c_void_p, c_void_p),
        "krb5_free_data_contents": (c_void_p, c_void_p),
        "krb5_get_error_message": (c_void_p, c_int32),
        "krb5_free_error_message": (c_void_p, c_void_p),
    }.items():
        getattr(library, name).argtypes = arguments
    return library
