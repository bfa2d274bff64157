"""The logon that seals a connection: SASL GSSAPI (RFC 4752) with one ticket, in which both sides are proven.

Why not GSS-SPNEGO, and why without Cyrus SASL: docs/decisions/0015.
"""

import gssapi
from gssapi.raw import inquire_sec_context_by_oid
from gssapi.raw.misc import GSSError
from ldap.ldapobject import SimpleLDAPObject

from keyturn.adapters.authorities.active_directory.sealed_way import LARGEST, Seal
from keyturn.adapters.authorities.directories.faults import asked
from keyturn.model.errors import AuthorityError

_SEALING = 4
"""Of the security layers a server may offer (RFC 4752, 3.3); 1 is none, 2 signs only."""
_FLAGS = gssapi.RequirementFlag
_DEMANDED = (_FLAGS.mutual_authentication, _FLAGS.integrity, _FLAGS.confidentiality, _FLAGS.out_of_sequence_detection)
_WEAKEST_BITS = 112
_STRENGTH = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.15")
"""GSS_C_SEC_CONTEXT_SASL_SSF: the bits of the session's key."""


def seal(doing: str, connection: SimpleLDAPObject, controller: str, cache: str) -> Seal:
    """`controller` as Kerberos writes it: `ldap/dc1.corp.example@CORP.EXAMPLE`. AuthorityError, and only the ticket has
    been shown, for a controller that cannot prove itself or does not seal."""
    try:
        return _sealed(doing, connection, controller, cache)
    except GSSError as error:
        fault = " ".join(str(error).split())
    raise AuthorityError(f"{doing}: {fault}", permanent=False)


def _sealed(doing: str, connection: SimpleLDAPObject, controller: str, cache: str) -> Seal:
    context = _begun(controller, cache)
    answer = b""
    while not context.complete:
        answer = _answered(doing, connection, context.step(answer or None) or b"")
    _refuse_weak(doing, context)
    offered = context.unwrap(answer).message
    if len(offered) != 4 or not offered[0] & _SEALING:
        raise _not_sealed(doing, "it offers no encryption")
    at_once = context.get_wrap_size_limit(int.from_bytes(offered[1:]), True)
    if at_once <= 0:
        raise _not_sealed(doing, "it takes nothing that is as long as a seal")
    chosen = bytes([_SEALING]) + LARGEST.to_bytes(3)
    if _bound(doing, connection, context.wrap(chosen, False).message):
        raise _not_sealed(doing, "it does not end its logon")
    return Seal(context, at_once)


def _begun(controller: str, cache: str) -> gssapi.SecurityContext:
    """The name as it is: no name service is asked which other one it may have."""
    kerberos = gssapi.MechType.kerberos
    ours = gssapi.Credentials(usage="initiate", store={"ccache": cache}, mechs=[kerberos])
    name = gssapi.Name(controller, gssapi.NameType.kerberos_principal)
    return gssapi.SecurityContext(name=name, creds=ours, mech=kerberos, flags=sum(_DEMANDED), usage="initiate")


def _answered(doing: str, connection: SimpleLDAPObject, token: bytes) -> bytes:
    answer = _bound(doing, connection, token)
    if not answer:
        raise _not_sealed(doing, "it ends its logon too early")
    return answer


def _bound(doing: str, connection: SimpleLDAPObject, token: bytes) -> bytes:
    """Empty once the controller is content."""
    said: object = asked(doing, lambda: connection.sasl_bind_s("", "GSSAPI", token))
    return said if isinstance(said, bytes) else b""


def _refuse_weak(doing: str, context: gssapi.SecurityContext) -> None:
    if any(flag not in context.actual_flags for flag in _DEMANDED):
        raise _not_sealed(doing, "it does not prove itself, or does not encrypt")
    bits = int.from_bytes(inquire_sec_context_by_oid(context, _STRENGTH)[0])
    if bits < _WEAKEST_BITS:
        raise _not_sealed(doing, f"its key has {bits} bits", "let the controllers have AES keys for Kerberos")


def _not_sealed(doing: str, why: str, hint: str = "") -> AuthorityError:
    return AuthorityError(f"{doing}: the connection would not be sealed: {why}", permanent=True, hint=hint)
