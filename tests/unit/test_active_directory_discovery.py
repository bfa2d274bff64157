"""What is published of sites, and what a security descriptor grants, read from plain values."""

import struct
from uuid import UUID

import pytest

from keyturn.adapters.authorities.active_directory.dacl import CONTROL, READ, WRITE, allowed, below, entries
from keyturn.adapters.authorities.active_directory.published_sites import sites_of
from keyturn.adapters.authorities.active_directory.session import Entry
from keyturn.adapters.authorities.active_directory.strong import is_strong
from keyturn.operations.surveys import PublishedSite

US, OTHERS = "S-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-1105"
USER, GROUP = UUID("bf967aba-0de6-11d0-a285-00aa003049e2"), UUID("bf967a9c-0de6-11d0-a285-00aa003049e2")
LOCKOUT_TIME = UUID("28630ebf-41d5-11d1-a9c1-0000f80367c1")
ALLOWED, DENIED, OBJECT_ALLOWED, OBJECT_DENIED = 0, 1, 5, 6
INHERITS, INHERIT_ONLY = 0x2, 0x8


def published(kind: str, **values: str | list[str]) -> Entry:
    texts = {name.lower(): [values] if isinstance(values, str) else values for name, values in values.items()}
    return Entry(
        "CN=x", {"objectclass": [b"top", kind.encode()]} | {n: [t.encode() for t in v] for n, v in texts.items()}
    )


def test_a_published_site_is_put_together_from_its_objects() -> None:
    found = sites_of(
        [
            published("mSSMSSite", mSSMSSiteCode="phx", mSSMSRoamingBoundaries=["10.1.0.0", "AD-Site"]),
            published("mSSMSManagementPoint", mSSMSSiteCode="PHX", mSSMSMPName="SRV-PHX", dNSHostName="srv-phx.corp"),
            published("mSSMSManagementPoint", mSSMSSiteCode="PHX", dNSHostName="mp2.corp.example"),
            published("mSSMSServerLocatorPoint", mSSMSSiteCode="PHX", mSSMSMPName="SRV-PHX"),
            published(
                "mSSMSRoamingBoundaryRange",
                mSSMSSiteCode="PHX",
                mSSMSRangedIPLow=str(0x0A020001),
                mSSMSRangedIPHigh=str(0xC0A80001 - 2**32),
            ),
            published("mSSMSManagementPoint", mSSMSSiteCode="SEC", mSSMSMPName="SRV-SEC"),
            published("mSSMSManagementPoint", mSSMSMPName="of no site"),
            published("container", mSSMSSiteCode="XXX"),
        ]
    )
    assert found == (
        PublishedSite(
            "PHX", ("SRV-PHX", "mp2.corp.example"), ("SRV-PHX",), ("10.1.0.0", "10.2.0.1-192.168.0.1", "AD-Site")
        ),
        PublishedSite("SEC", ("SRV-SEC",)),
    )


@pytest.mark.parametrize(
    ("sid", "strong"),
    [
        ("S-1-5-21-1-2-3-512", True),
        ("S-1-5-21-1-2-3-519", True),
        ("S-1-5-32-544", True),
        ("S-1-5-32-548", True),
        ("S-1-5-32-545", False),
        ("S-1-5-21-1-2-3-513", False),
        ("S-1-5-21-1-2-3-1512", False),
        ("S-1-1-0", False),
    ],
)
def test_a_group_is_strong_by_its_identity_in_any_language(sid: str, strong: bool) -> None:
    assert is_strong(sid) is strong


def sid_bytes(sid: str) -> bytes:
    _, revision, authority, *parts = sid.split("-")
    head = bytes([int(revision), len(parts)]) + int(authority).to_bytes(6, "big")
    return head + b"".join(int(part).to_bytes(4, "little") for part in parts)


def ace(
    kind: int, mask: int, who: str = US, *, flags: int = 0, about: UUID | None = None, heirs: UUID | None = None
) -> bytes:
    body = struct.pack("<I", mask)
    if kind in (OBJECT_ALLOWED, OBJECT_DENIED):
        body += struct.pack("<I", (about is not None) | (heirs is not None) << 1)
        body += b"".join(each.bytes_le for each in (about, heirs) if each)
    body += sid_bytes(who)
    return struct.pack("<BBH", kind, flags, len(body) + 4) + body


def descriptor(*aces: bytes) -> bytes:
    lines = b"".join(aces)
    head = struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20)
    return head + struct.pack("<BBHHH", 4, 0, len(lines) + 8, len(aces), 0) + lines


@pytest.mark.parametrize(
    ("lines", "may"),
    [
        ([], False),
        ([ace(ALLOWED, WRITE)], True),
        ([ace(ALLOWED, READ)], False),
        ([ace(ALLOWED, WRITE, OTHERS)], False),
        ([ace(ALLOWED, 0x10000000)], True),
        ([ace(OBJECT_ALLOWED, WRITE, about=LOCKOUT_TIME)], True),
        ([ace(OBJECT_ALLOWED, WRITE, about=GROUP)], False),
        ([ace(OBJECT_ALLOWED, WRITE)], True),
        ([ace(OBJECT_ALLOWED, WRITE, about=LOCKOUT_TIME, heirs=GROUP)], False),
        ([ace(OBJECT_ALLOWED, WRITE, about=LOCKOUT_TIME, heirs=USER)], True),
        ([ace(ALLOWED, WRITE, flags=INHERITS | INHERIT_ONLY)], False),
        ([ace(DENIED, WRITE), ace(ALLOWED, WRITE)], False),
        ([ace(ALLOWED, WRITE), ace(DENIED, WRITE)], True),
        ([ace(DENIED, WRITE, OTHERS), ace(ALLOWED, WRITE)], True),
        ([ace(OBJECT_DENIED, WRITE, about=LOCKOUT_TIME), ace(ALLOWED, WRITE)], False),
    ],
)
def test_a_right_is_what_the_first_line_that_speaks_of_it_says(lines: list[bytes], may: bool) -> None:
    assert allowed(entries(descriptor(*lines)), {US}, WRITE, (LOCKOUT_TIME,), of_class=USER) is may


@pytest.mark.parametrize(
    ("line", "may"),
    [
        (ace(ALLOWED, CONTROL), False),
        (ace(ALLOWED, CONTROL, flags=INHERITS), True),
        (ace(ALLOWED, CONTROL, flags=INHERITS | INHERIT_ONLY), True),
        (ace(OBJECT_ALLOWED, CONTROL, flags=INHERITS | INHERIT_ONLY, heirs=USER), True),
        (ace(OBJECT_ALLOWED, CONTROL, flags=INHERITS | INHERIT_ONLY, heirs=GROUP), False),
    ],
)
def test_an_account_made_in_a_unit_has_what_its_unit_hands_down(line: bytes, may: bool) -> None:
    inherited = below(entries(descriptor(line)), USER)
    assert allowed(inherited, {US}, CONTROL, of_class=USER) is may


def test_a_descriptor_that_is_not_shown_grants_nothing() -> None:
    assert entries(b"") == ()
