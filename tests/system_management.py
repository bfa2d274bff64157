"""What SMS 2003 and its successors publish in a domain: their extension of its schema, as far as it is read, and
objects as their sites write them.

Names, syntaxes and superclasses are those that Microsoft documents ("Active Directory Schema Extensions LDIF File" of
Configuration Manager 2007); the object identifiers are of our own, below the private arc for examples (RFC 7612).
"""

from dataclasses import dataclass

from ldap import MOD_REPLACE
from ldap.ldapobject import SimpleLDAPObject

from tests.samba import BASE, Samba

OID = "1.3.6.1.4.1.32473.7"

TEXT, NUMBER, TRUTH = ("2.5.5.4", "20"), ("2.5.5.9", "10"), ("2.5.5.8", "1")
"""`attributeSyntax` and `oMSyntax` (MS-ADTS 3.1.1.2.2.2)."""


@dataclass(frozen=True)
class _Attribute:
    syntax: tuple[str, str]
    single: bool = True


_ATTRIBUTES = {
    "MS-SMS-Site-Code": _Attribute(TEXT),
    "mS-SMS-Assignment-Site-Code": _Attribute(TEXT),
    "MS-SMS-Site-Boundaries": _Attribute(TEXT, single=False),
    "MS-SMS-Roaming-Boundaries": _Attribute(TEXT, single=False),
    "MS-SMS-Default-MP": _Attribute(TRUTH),
    "MS-SMS-MP-Name": _Attribute(TEXT),
    "MS-SMS-Ranged-IP-Low": _Attribute(NUMBER),
    "MS-SMS-Ranged-IP-High": _Attribute(NUMBER),
}
_CLASSES = {
    "MS-SMS-Management-Point": (
        "serviceConnectionPoint",
        ("mSSMSSiteCode", "mSSMSDefaultMP", "mSSMSMPName", "dNSHostName"),
    ),
    "MS-SMS-Server-Locator-Point": ("serviceConnectionPoint", ("mSSMSSiteCode", "mSSMSMPName", "dNSHostName")),
    "MS-SMS-Site": (
        "top",
        ("mSSMSSiteCode", "mSSMSAssignmentSiteCode", "mSSMSSiteBoundaries", "mSSMSRoamingBoundaries"),
    ),
    "MS-SMS-Roaming-Boundary-Range": (
        "top",
        ("mSSMSSiteCode", "mSSMSAssignmentSiteCode", "mSSMSRangedIPLow", "mSSMSRangedIPHigh"),
    ),
}
"""With the class they come below and what they may contain."""
_WHO_READS = "D:(A;;GA;;;DA)(A;;GA;;;SY)(A;;RPLCLORC;;;AU)"
"""Everybody who has logged on, as in the documented extension."""


def extend_schema(samba: Samba) -> None:
    """On the first controller, which is the schema master. It is started anew, for its settings forbid this."""
    settings = samba.directory / "dc1" / "etc" / "samba" / "smb.conf"
    settings.write_text(settings.read_text().replace("[global]\n", "[global]\n\tdsdb:schema update allowed = yes\n"))
    samba.adlab("stop", "dc1")
    samba.adlab("start", "dc1")
    administrator, schema = samba.administer(), f"CN=Schema,CN=Configuration,{BASE}"
    for number, (name, attribute) in enumerate(_ATTRIBUTES.items()):
        syntax, om_syntax = attribute.syntax
        values = {
            "objectClass": "attributeSchema",
            "attributeID": f"{OID}.1.{number + 1}",
            "lDAPDisplayName": _display(name),
            "attributeSyntax": syntax,
            "oMSyntax": om_syntax,
            "isSingleValued": str(attribute.single).upper(),
        }
        _add(administrator, f"CN={name},{schema}", values)
    _take_up(administrator)
    for number, (name, (above, contains)) in enumerate(_CLASSES.items()):
        values = {
            "objectClass": "classSchema",
            "governsID": f"{OID}.2.{number + 1}",
            "lDAPDisplayName": _display(name),
            "subClassOf": above,
            "objectClassCategory": "1",
            "possSuperiors": "container",
            "mayContain": contains,
            "defaultSecurityDescriptor": _WHO_READS,
        }
        _add(administrator, f"CN={name},{schema}", values)
    _take_up(administrator)
    administrator.unbind_s()


def publish(samba: Samba) -> None:
    """A primary site with two management points and a locator point, and a secondary one that only has a range."""
    administrator, container = samba.administer(), f"CN=System Management,CN=System,{BASE}"
    _add(administrator, container, {"objectClass": "container"})

    def write(name: str, kind: str, **values: str | tuple[str, ...]) -> None:
        _add(administrator, f"CN={name},{container}", {"objectClass": kind, **values})

    write(
        "SMS-Site-PHX",
        "mSSMSSite",
        mSSMSSiteCode="PHX",
        mSSMSAssignmentSiteCode="PHX",
        mSSMSRoamingBoundaries=("10.1.0.0", "Default-First-Site-Name"),
    )
    for server, default in (("SRV-PHX", "TRUE"), ("MP2", "FALSE")):
        write(
            f"SMS-MP-PHX-{server}",
            "mSSMSManagementPoint",
            mSSMSSiteCode="PHX",
            mSSMSMPName=server,
            mSSMSDefaultMP=default,
            dNSHostName=f"{server.lower()}.corp.example",
        )
    write("SMS-SLP-PHX-SRV-PHX", "mSSMSServerLocatorPoint", mSSMSSiteCode="PHX", mSSMSMPName="SRV-PHX")
    write(
        "SMS-SEC-192.168.0.1-192.168.0.254",
        "mSSMSRoamingBoundaryRange",
        mSSMSSiteCode="SEC",
        mSSMSAssignmentSiteCode="PHX",
        mSSMSRangedIPLow=_signed("192.168.0.1"),
        mSSMSRangedIPHigh=_signed("192.168.0.254"),
    )
    administrator.unbind_s()


def _signed(address: str) -> str:
    """Numbers of a directory have 32 bits and a sign."""
    return str(int.from_bytes(bytes(map(int, address.split("."))), signed=True))


def _display(name: str) -> str:
    """As the directory itself makes it of a name: MS-SMS-Site-Code is mSSMSSiteCode."""
    words = "".join(name.split("-"))
    return words[0].lower() + words[1:]


def _add(administrator: SimpleLDAPObject, dn: str, values: dict[str, str | tuple[str, ...]]) -> None:
    given = {name: (value,) if isinstance(value, str) else value for name, value in values.items()}
    administrator.add_s(dn, [(name, [text.encode() for text in texts]) for name, texts in given.items()])


def _take_up(administrator: SimpleLDAPObject) -> None:
    administrator.modify_s("", [(MOD_REPLACE, "schemaUpdateNow", [b"1"])])
