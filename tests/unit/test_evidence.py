"""Records of logons read as evidence: Samba's audit, Windows events as XML and as CSV."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.model.errors import Refused
from keyturn.model.logon import Answer
from keyturn.wire.evidence.reading import read_evidence
from keyturn.wire.evidence.sightings import Sighting, add_up, plain_address, read_hosts


def samba(status: str = "NT_STATUS_OK", **fields: object) -> str:
    authentication = {
        "version": {"major": 1, "minor": 2},
        "eventId": 4624,
        "status": status,
        "localAddress": "ipv4:10.0.0.1:445",
        "remoteAddress": "ipv4:10.0.0.7:51234",
        "serviceDescription": "SMB2",
        "authDescription": None,
        "clientDomain": "CORP",
        "clientAccount": "svc-web",
        "workstation": "WEB07",
        "becameAccount": "svc-web" if status == "NT_STATUS_OK" else None,
        "becameDomain": "CORP" if status == "NT_STATUS_OK" else None,
        "mappedAccount": "svc-web",
        "passwordType": "NTLMv2",
    }
    record = {"timestamp": "2026-11-20T10:00:00.123456+0100", "type": "Authentication"}
    return "  " + json.dumps(record | {"Authentication": authentication | fields})


EVENT = """<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><EventID>{event}</EventID>
<TimeCreated SystemTime='2026-11-20T09:00:00.1234567Z'/><Computer>dc1.corp.example</Computer></System><EventData>{data}
</EventData></Event>"""


def windows(event: int, **data: str) -> str:
    fields = "".join(f"<Data Name='{name}'>{value}</Data>" for name, value in data.items())
    return EVENT.format(event=event, data=fields)


PC = "10.0.0.7"
WHO = {"TargetUserName": "svc-web", "TargetDomainName": "CORP"}
CSV = """Keywords,Date and Time,Source,Event ID,Task Category
Audit Success,11/20/2026 9:00:00 AM,Microsoft-Windows-Security-Auditing,4624,Logon,"A logon.

Subject:
	Account Name:		-
	Account Domain:		-

New Logon:
	Account Name:		svc-web
	Account Domain:		CORP

Network Information:
	Workstation Name:	WEB07
	Source Network Address:	10.0.0.7

Detailed Authentication Information:
	Authentication Package:	NTLM
"
Audit Failure,11/20/2026 9:00:05 AM,Microsoft-Windows-Security-Auditing,4776,Credential Validation,"A check.

Authentication Package:	MICROSOFT_AUTHENTICATION_PACKAGE_V1_0
Logon Account:	svc-web
Source Workstation:	WEB08
Error Code:	0xC000006A"
"""


def read(text: str) -> tuple[Sighting, ...]:
    return read_evidence(text.encode(), "file").sightings


def only(text: str) -> Sighting:
    [found] = read(text)
    return found


# Samba.


def test_a_line_of_sambas_audit_tells_who_from_where_how_and_when() -> None:
    found = only(samba())
    assert (found.name, found.domain, found.machine, found.address) == ("svc-web", "CORP", "WEB07", "10.0.0.7")
    assert (found.how, found.answer) == ("NTLMv2", Answer.ACCEPTED)
    assert found.at == pytest.approx(1795165200.123456)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("NT_STATUS_WRONG_PASSWORD", Answer.WRONG_PASSWORD),
        ("NT_STATUS_ACCOUNT_LOCKED_OUT", Answer.LOCKED),
        ("NT_STATUS_NO_SUCH_USER", Answer.UNKNOWN_ACCOUNT),
        ("NT_STATUS_SOMETHING_NEW", None),
    ],
)
def test_its_status_is_the_answer(status: str, answer: Answer | None) -> None:
    assert only(samba(status)).answer is answer


def test_the_name_a_client_reported_may_have_its_realm_behind_it() -> None:
    found = only(samba("NT_STATUS_WRONG_PASSWORD", mappedAccount=None, clientAccount="svc-web@CORP.EXAMPLE"))
    assert found.name == "svc-web"


def test_its_kerberos_service_is_named_so() -> None:
    assert only(samba(serviceDescription="Kerberos KDC", passwordType="aes256-cts-hmac-sha1-96")).how == "Kerberos"


def test_a_line_cut_short_is_left_out_and_counted() -> None:
    found = read_evidence(f"{samba()}\n{samba()[:-40]}\nother text\n".encode(), "log.samba")
    assert (found.kind, len(found.sightings), found.skipped) == ("Samba audit, JSON", 1, 1)


# Windows, XML.


@pytest.mark.parametrize(
    ("event", "data", "source", "answer"),
    [
        (4624, {"WorkstationName": "WEB07", "IpAddress": "-"}, "WEB07", Answer.ACCEPTED),
        (4625, {"IpAddress": PC, "Status": "0xc000006d", "SubStatus": "0xc000006a"}, PC, Answer.WRONG_PASSWORD),
        (4625, {"IpAddress": "10.0.0.7", "Status": "0xc0000234", "SubStatus": "0x0"}, "10.0.0.7", Answer.LOCKED),
        (4768, {"IpAddress": "::ffff:10.0.0.7", "Status": "0x0"}, "10.0.0.7", Answer.ACCEPTED),
        (4771, {"IpAddress": "::ffff:10.0.0.7", "Status": "0x18"}, "10.0.0.7", Answer.WRONG_PASSWORD),
        (4771, {"IpAddress": "::ffff:10.0.0.7", "Status": "0x12"}, "10.0.0.7", None),
        (4776, {"Workstation": "\\\\WEB07", "Status": "0xc000006a"}, "WEB07", Answer.WRONG_PASSWORD),
        (4769, {"TargetUserName": "svc-web@CORP.EXAMPLE", "IpAddress": PC, "Status": "0x0"}, PC, Answer.ACCEPTED),
    ],
)  # fmt: skip
def test_each_event_tells_by_its_own_fields(
    event: int, data: dict[str, str], source: str, answer: Answer | None
) -> None:
    found = only(windows(event, **{**WHO, **data}))
    assert (found.name, found.answer) == ("svc-web", answer)
    assert add_up([found])[0].source == source


@pytest.mark.parametrize("name", ["WEB07$", "ANONYMOUS LOGON", "-", ""])
def test_machines_themselves_and_nobody_are_no_holders(name: str) -> None:
    assert read(windows(4624, TargetUserName=name, IpAddress="10.0.0.7")) == ()


def test_what_comes_from_the_machine_that_wrote_the_record_is_that_machine() -> None:
    found = only(windows(4624, **WHO, IpAddress="127.0.0.1", WorkstationName="-"))
    assert add_up([found])[0].source == "dc1"


def test_one_damaged_event_spoils_no_other() -> None:
    good = windows(4624, **WHO, IpAddress="10.0.0.7")
    found = read_evidence(f"<Events>{good}{good[:200]}</Event>{good}</Events>".encode("utf-16"), "events.xml")
    assert (found.kind, len(found.sightings), found.skipped) == ("Windows events, XML", 2, 1)


def test_a_document_with_declarations_is_not_expanded() -> None:
    bomb = windows(4624, **WHO, IpAddress="10.0.0.7").replace("<System>", "<!DOCTYPE x [<!ENTITY a 'b'>]><System>")
    assert read_evidence(f"<Events>{bomb}</Events>".encode(), "events.xml").sightings == ()


# Windows, CSV.


def test_a_table_of_the_viewer_is_read_by_the_labels_of_its_messages() -> None:
    first, second = read(CSV)
    assert (first.name, first.domain, first.machine, first.address) == ("svc-web", "CORP", "WEB07", "10.0.0.7")
    assert (first.answer, first.how, first.at) == (Answer.ACCEPTED, "NTLM", 1795165200.0)
    assert (second.machine, second.answer) == ("WEB08", Answer.WRONG_PASSWORD)


# Adding up.


def test_sources_are_added_up_by_account_whatever_they_are_called() -> None:
    seen = add_up(
        read("\n".join([samba(), samba(workstation="web07.corp.example"), samba("NT_STATUS_WRONG_PASSWORD")]))
    )
    [web] = seen
    assert (web.source, web.accepted, web.wrong, web.times) == ("WEB07", 2, 1, 3)


def test_an_address_that_is_known_by_name_is_that_machine() -> None:
    names = read_hosts("# ours\n10.0.0.7  web-seven.corp.example web7 # the seventh\n\nnonsense\n")
    assert add_up(read(samba(workstation="")), names)[0].source == "web-seven"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3"),
        ("fe80::1", "fe80::1"),
        ("::1", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_addresses_are_plain_and_none_is_this_machines_own(text: str, address: str) -> None:
    assert plain_address(text) == address


# Other files.


def test_a_file_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"notes\.txt is no evidence"):
        read_evidence(b"just notes", "notes.txt")


@given(st.one_of(st.binary(max_size=400), st.text(max_size=300).map(str.encode)), st.sampled_from(["", "x", "c", "s"]))
def test_no_file_makes_it_fail_otherwise(noise: bytes, kind: str) -> None:
    around = {
        "": b"%s",
        "x": b"<Events><Event xmlns=''>%s</Event></Events>",
        "c": b"Date and Time,Event ID,Message\n%s",
        "s": b'{"type": "Authentication"%s}',
    }[kind]
    with contextlib.suppress(Refused):
        read_evidence(around.replace(b"%s", noise), "file")
