"""The access control list of an open file or folder on an SMB share (MS-DTYP 2.4.5 and 2.4.6)."""

from smbprotocol.open import (
    InfoAdditionalInformation,
    Open,
    SMB2QueryInfoRequest,
    SMB2QueryInfoResponse,
    SMB2SetInfoRequest,
)
from smbprotocol.security_descriptor import (
    AccessAllowedAce,
    AccessDeniedAce,
    AceType,
    AclPacket,
    SDControl,
    SIDPacket,
    SMB2CreateSDBuffer,
)
from smbprotocol.structure import Structure

from keyturn.site.permissions import AccessList, Ace

_SECURITY = 3
"""SMB2_0_INFO_SECURITY (MS-SMB2 2.2.37)."""
_LONGEST = 64 * 1024
_LIST = InfoAdditionalInformation.DACL_SECURITY_INFORMATION


def ask_permissions(file: Open) -> AccessList:
    request = SMB2QueryInfoRequest()
    request["info_type"] = _SECURITY
    request["output_buffer_length"] = _LONGEST
    request["additional_information"] = _LIST
    request["file_id"] = file.file_id
    answer = SMB2QueryInfoResponse()
    answer.unpack(_sent(file, request))
    descriptor = SMB2CreateSDBuffer()
    descriptor.unpack(answer["buffer"].get_value())
    entries = descriptor.get_dacl()
    found = tuple(_read(entry) for entry in entries["aces"].get_value()) if entries else ()
    return AccessList(found, protected=descriptor["control"].has_flag(SDControl.DACL_PROTECTED))


def give_permissions(file: Open, given: AccessList) -> None:
    entries = AclPacket()
    entries["aces"] = [_written(ace) for ace in given.aces]
    descriptor = SMB2CreateSDBuffer()
    descriptor["control"].set_flag(SDControl.SELF_RELATIVE)
    if given.protected:
        descriptor["control"].set_flag(SDControl.DACL_PROTECTED)
    descriptor.set_dacl(entries)
    request = SMB2SetInfoRequest()
    request["info_type"] = _SECURITY
    request["additional_information"] = _LIST
    request["file_id"] = file.file_id
    request["buffer"] = descriptor.pack()
    _sent(file, request)


def _read(entry: Structure | bytes) -> Ace:
    if not isinstance(entry, AccessAllowedAce | AccessDeniedAce):
        raw = entry if isinstance(entry, bytes) else entry.pack()
        return Ace("", 0, raw=raw)
    allows = entry["ace_type"].get_value() == AceType.ACCESS_ALLOWED_ACE_TYPE
    return Ace(str(entry["sid"].get_value()), entry["mask"].get_value(), allows, entry["ace_flags"].get_value())


def _written(ace: Ace) -> Structure | bytes:
    if ace.raw:
        return ace.raw
    sid = SIDPacket()
    sid.from_string(ace.sid)
    entry = AccessAllowedAce() if ace.allows else AccessDeniedAce()
    entry["ace_flags"] = ace.flags
    entry["mask"] = int(ace.mask)
    entry["sid"] = sid
    return entry


def _sent(file: Open, request: Structure) -> bytes:
    tree = file.tree_connect
    answer = file.connection.receive(file.connection.send(request, tree.session.session_id, tree.tree_connect_id))
    content: bytes = answer["data"].get_value()
    return content
