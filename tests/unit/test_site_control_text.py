"""The text form of a site control file: what is known of it is read and written, all else stays byte for byte."""

from dataclasses import replace

import pytest

from keyturn.model.accounts import AccountToBe, RealmName, RoleName
from keyturn.model.errors import Refused
from keyturn.model.estate import Estate, ManagedAccount, Site, SiteCode, SiteSystem
from keyturn.site.control.catalogue import Section
from keyturn.site.control.deltas import RemoveItem, Set
from keyturn.site.control.document import Item, Sealed, SiteControl, in_order
from keyturn.site.control.from_estate import first_document
from keyturn.site.control.paths import read_path
from keyturn.site.control.text.lines import read_text
from keyturn.site.control.text.reading import compare
from keyturn.site.control.text.writing import new_text, updated

PHX, CORP = SiteCode("PHX"), RealmName("CORP")
ESTATE = Estate(
    sites=(Site(PHX, CORP, "SRV-PHX", name="Phoenix"),),
    systems=(SiteSystem("CAP1", PHX, ("client-access-point", "software-update-point"), r"\\cap1\CAP_PHX"),),
    accounts=(ManagedAccount(AccountToBe(CORP, "SMSClient_PHX"), RoleName("sms2003/x"), (PHX,), generation=3),),
)
FIRST = first_document(ESTATE, PHX)

FOREIGN = (
    "SITE CONTROL FILE [2646][1.10]\r\n"
    "BEGIN_FILE_DEFINITION\r\n\t<1>\r\n\t<Setup>\r\n\t<PHX>\r\n\t<PHX>\r\n\t<837492602>\r\n\t<57>\r\nEND_FILE_DEFINITION\r\n"
    "\r\n"
    "BEGIN_SITE_DEFINITION\r\n\t<2>\r\n\t<PHX>\r\n\t<Phoenix>\r\n\t<unknown here>\r\nEND_SITE_DEFINITION\r\n"
    "BEGIN_CLIENT_COMPONENT\r\n\t<SMS Client Base Components>\r\n\t<65537>\r\n\tSITE_KEY_FLAGS <1>\r\n"
    "\tBEGIN_PROPERTY_LIST\r\n\t\t<Copy Queue>\r\n\t\t<(REG_DWORD)Item Lifetime=11520>\r\n\tEND_PROPERTY_LIST\r\n"
    "END_CLIENT_COMPONENT\r\n"
    "BEGIN_COMPONENT\r\n    <SMS_DESPOOLER>\r\n    <6>\r\n    PROPERTY <Enabled><><><1>\r\n    Property <Odd>><4>\r\n"
    "END_COMPONENT\r\n"
    "BEGIN_COMPONENT\r\n\t<SMS_OF_ANOTHER_KIND>\r\n\t<6>\r\nEND_COMPONENT\r\n"
    "BEGIN_ADDRESS\r\n\t<NYC>\r\n\t<MS_LAN>\r\n\t<1>\r\n"
    "\tPROPERTY <LAN Login><CORP\\sender><00112233445566778899AABB><0>\r\nEND_ADDRESS"
)
"""Without an end of its last line."""


def document_of(text: str) -> SiteControl:
    """The document that has taken in whatever of the text is the control file's own."""
    reading = compare(read_text(text.encode("cp1252")), FIRST)
    items = FIRST.by_key()
    for operation in reading.operations:
        assert isinstance(operation, Set)
        key = Item(operation.path.section, operation.path.item).key
        items[key] = items.get(key, Item(operation.path.section, operation.path.item)).but(
            operation.path.property, operation.value
        )
    return SiteControl(PHX, 58, in_order(items.values()))


def but(document: SiteControl, place: str, value: str | Sealed) -> SiteControl:
    path = read_path(place)
    items = document.by_key()
    item = Item(path.section, path.item)
    items[item.key] = items.get(item.key, item).but(path.property, value)
    return replace(document, items=in_order(items.values()))


def changed_lines(before: bytes, after: bytes) -> list[str]:
    old, new = before.decode("cp1252").split("\r\n"), after.decode("cp1252").split("\r\n")
    assert len(old) == len(new)
    return [line.strip() for was, line in zip(old, new, strict=True) if was != line]


def test_a_document_written_from_nothing_says_what_the_document_says() -> None:
    reading = compare(new_text(FIRST), FIRST)
    assert (reading.base, reading.operations, reading.others) == (0, (), ())


def test_the_form_of_sms_is_written() -> None:
    text = new_text(FIRST).to_bytes().decode("ascii")
    assert '\tRESOURCE<Windows NT Server><["Display=\\\\CAP1\\"]MSWNET:["SMS_SITE=PHX"]\\\\CAP1\\>\r\n' in text
    assert "\tROLE<SMS Client Access Point>\r\n" in text
    assert "\tROLE<software-update-point>\r\n" in text
    assert "BEGIN_SITE_DEFINITION\r\n\t<2>\r\n\t<PHX>\r\n\t<Phoenix>\r\n" in text


def test_what_the_text_says_differently_becomes_operations() -> None:
    text = FOREIGN.replace("<Enabled><><><1>", "<Enabled><><><0>")
    reading = compare(read_text(text.encode("cp1252")), FIRST)
    assert reading.base == 57
    assert [
        str(operation.path) + f"={operation.value}" for operation in reading.operations if isinstance(operation, Set)
    ] == [
        "component.SMS_DESPOOLER.enabled=no",
        "address.NYC.type=smb",
        "address.NYC.order=1",
        "address.NYC.account=CORP\\sender",
    ]
    assert reading.others == ()


def test_what_is_the_estates_is_named_and_not_taken() -> None:
    foreign = FOREIGN.replace("<Phoenix>", "<Tucson>") + (
        "\r\nBEGIN_SYSTEM_RESOURCE_USE\r\n"
        '\tRESOURCE<Windows NT Server><["Display=\\\\OLD\\"]MSWNET:["SMS_SITE=PHX"]\\\\OLD\\>'
        "\r\n\tROLE<SMS Distribution Point>\r\nEND_SYSTEM_RESOURCE_USE\r\n"
    )
    reading = compare(read_text(foreign.encode("cp1252")), FIRST)
    assert reading.others == ("site.PHX.name", "system.OLD/distribution-point")


def test_an_address_that_the_text_no_longer_has_is_removed() -> None:
    document = but(FIRST, "address.LAX.order", "1")
    reading = compare(read_text(FOREIGN.encode("cp1252")), document)
    assert RemoveItem(Section.ADDRESS, "LAX") in reading.operations


def test_a_foreign_text_that_was_taken_in_keeps_every_line_of_its_own() -> None:
    document = document_of(FOREIGN)
    kept = updated(read_text(FOREIGN.encode("cp1252")), None, document).to_bytes().decode("cp1252")
    expected = FOREIGN.replace("<57>", "<58>")
    for line in expected.split("\r\n"):
        assert line in kept
    assert "00112233445566778899AABB" in kept
    before_new_blocks = kept[: kept.index("BEGIN_SENDER")]
    assert [line for line in before_new_blocks.split("\r\n") if line not in expected] == [
        "\tPROPERTY <Site Server><SRV-PHX><><0>",
        "\tPROPERTY <Site Domain><CORP><><0>",
        "\tPROPERTY <Logon Installation><><><0>",
        "\tPROPERTY <Account Setup File><><><0>",
    ]
    assert compare(read_text(kept.encode("cp1252")), document).operations == ()


@pytest.mark.parametrize(
    ("place", "value", "line"),
    [
        ("component.SMS_DESPOOLER.enabled", "no", "PROPERTY <Enabled><><><0>"),
        ("address.NYC.order", "7", "<7>"),
        ("address.NYC.account", "CORP\\other", "PROPERTY <LAN Login><CORP\\other><00112233445566778899AABB><0>"),
        ("address.NYC.password", Sealed(b"\x01\x02"), "PROPERTY <LAN Login><CORP\\sender><age:AQI=><0>"),
    ],
)
def test_a_changed_property_changes_its_line_and_the_serial(place: str, value: str | Sealed, line: str) -> None:
    document = document_of(FOREIGN)
    kept = updated(read_text(FOREIGN.encode("cp1252")), None, document)
    after = replace(but(document, place, value), serial=59)
    assert changed_lines(kept.to_bytes(), updated(kept, document, after).to_bytes()) == ["<59>", line]


def test_an_item_that_is_removed_takes_its_block_along_and_a_new_one_comes_last() -> None:
    document = document_of(FOREIGN)
    kept = updated(read_text(FOREIGN.encode("cp1252")), None, document)
    items = tuple(item for item in document.items if item.name != "NYC")
    after = but(replace(document, items=items), "address.LAX.order", "2")
    text = updated(kept, document, after).to_bytes().decode("cp1252")
    assert "<NYC>" not in text
    assert text.endswith("BEGIN_ADDRESS\r\n\t<LAX>\r\n\t<>\r\n\t<2>\r\nEND_ADDRESS\r\n")
    assert "SMS_OF_ANOTHER_KIND" in text


def test_a_property_that_had_no_line_gets_one_as_far_in_as_its_neighbours() -> None:
    foreign = FOREIGN.replace("    PROPERTY <Enabled><><><1>\r\n", "")
    text = updated(read_text(foreign.encode("cp1252")), None, FIRST).to_bytes().decode("cp1252")
    assert "    Property <Odd>><4>\r\n    PROPERTY <Enabled><><><1>\r\nEND_COMPONENT" in text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_code_page_and_line_ends_stay(encoding: str, end: str) -> None:
    content = FOREIGN.replace("Setup", "Größe").replace("\r\n", end).encode(encoding)
    text = read_text(content)
    assert text.to_bytes() == content
    commented = but(FIRST, "site.PHX.comment", "für alle")
    changed = updated(text, None, commented).to_bytes().decode(encoding)
    assert f"PROPERTY <Comments><für alle><><0>{end}" in changed
    assert end == "\r\n" or "\r" not in changed


def test_a_name_that_the_code_page_lacks_is_refused_and_a_new_text_is_in_utf_8() -> None:
    document = but(FIRST, "site.PHX.comment", "Łódź")
    with pytest.raises(Refused, match="cp1252, which has no 'Ł'"):
        updated(read_text(FOREIGN.encode("cp1252")), None, document).to_bytes()
    assert "Łódź" in new_text(document).to_bytes().decode("utf-8-sig")


BROKEN = {
    "END_X\r\n": "line 1: END_X ends no block",
    "BEGIN_X\r\nBEGIN_Y\r\nEND_X\r\n": "line 3: END_X ends no block",
    "\r\nBEGIN_X\r\n<1>\r\n": "line 2: BEGIN_X has no end",
    "nothing": "0 site definitions",
    FOREIGN.replace("<PHX>\r\n\t<Phoenix>", "<LAX>\r\n\t<Phoenix>"): "that of site LAX, and this is PHX",
    FOREIGN.replace("<57>", "<?>"): "no serial",
    FOREIGN + "\r\n" + FOREIGN[FOREIGN.index("BEGIN_ADDRESS") :]: "address.NYC is there twice",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_text_that_is_no_control_file_of_this_site_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=BROKEN[text]):
        compare(read_text(text.encode("cp1252")), but(FIRST, "address.NYC.order", "1"))


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(Refused, match="breaks off"):
        read_text(FOREIGN.encode("utf-16")[:-1])
