"""What holds for every text of a site control file, whoever wrote it."""

from contextlib import suppress
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from keyturn.model.accounts import RealmName
from keyturn.model.errors import Refused
from keyturn.model.estate import Estate, Site, SiteCode
from keyturn.site.control.catalogue import LONGEST_VALUE, PROPERTIES, Kind, Owner, Property, problem
from keyturn.site.control.document import Item, SiteControl, in_order
from keyturn.site.control.from_estate import first_document
from keyturn.site.control.text.lines import ControlText, read_text
from keyturn.site.control.text.reading import compare
from keyturn.site.control.text.writing import new_text, updated

FIRST = first_document(Estate(sites=(Site(SiteCode("PHX"), RealmName("CORP"), "SRV-PHX"),)), SiteCode("PHX"))

_WORDS = st.sampled_from(
    ["BEGIN_COMPONENT", "END_COMPONENT", "BEGIN_X", "END_X", "PROPERTY", "<", ">", "<SMS_DESPOOLER>", "<Enabled>", "\t"]
)
_ENDS = st.sampled_from(["\r\n", "\n", "\r", " ", "\x85", "\u2028", "\x0c"])
_TEXTS = st.lists(_WORDS | _ENDS | st.text(max_size=8), max_size=40).map("".join)
_STRANGERS = st.lists(
    st.text(st.characters(codec="cp1252", exclude_characters="<>_\r\n"), max_size=20).map(
        lambda text: f"BEGIN_STRANGER\r\n  <{text}>\r\n\r\n\todd {text}\r\nEND_STRANGER\r\n"
    ),
    max_size=3,
).map("".join)


@given(st.binary(max_size=300) | _TEXTS.map(lambda text: text.encode("utf-16")) | _TEXTS.map(str.encode))
def test_bytes_that_are_read_come_out_as_they_went_in(content: bytes) -> None:
    try:
        text = read_text(content)
    except Refused:
        assert content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return
    assert text.to_bytes() == content


@given(_TEXTS)
def test_any_text_is_compared_or_refused(text: str) -> None:
    with suppress(Refused):
        compare(read_text(new_text(FIRST).to_bytes() + text.encode()), FIRST)


def _values(known: Property) -> st.SearchStrategy[str]:
    match known.kind:
        case Kind.NUMBER:
            return st.integers(0, 10**9 - 1).map(str)
        case Kind.SWITCH:
            return st.sampled_from(["yes", "no"])
        case Kind.ACCOUNT:
            return st.just("CORP\\sender")
        case Kind.TEXT | Kind.SECRET:
            return st.text(st.characters(codec="cp1252"), max_size=30).filter(lambda text: not problem(known, text))


_OWN = [
    (item, known)
    for item in FIRST.items
    for known in PROPERTIES[item.section]
    if known.owner is Owner.CONTROL_FILE and known.kind is not Kind.SECRET
]


@st.composite
def changes(draw: st.DrawFn) -> tuple[Item, str, str]:
    item, known = draw(st.sampled_from(_OWN))
    return item, known.name, draw(_values(known))


def _with(document: SiteControl, item: Item, name: str, value: str) -> SiteControl:
    items = document.by_key()
    items[item.key] = items[item.key].but(name, value)
    return replace(document, items=in_order(items.values()), serial=document.serial + 1)


def _between_strangers(strangers: tuple[str, str]) -> ControlText:
    ours = new_text(FIRST).to_bytes()
    middle = ours.index(b"BEGIN_SENDER")
    return read_text(strangers[0].encode("cp1252").join([ours[:middle], ours[middle:]]) + strangers[1].encode("cp1252"))


@example((FIRST.items[0], "comment", "Â\xa0"), ("", ""))  # in ANSI the bytes of one character of UTF-8
@given(changes(), st.tuples(_STRANGERS, _STRANGERS))
def test_one_changed_property_changes_its_line_and_the_serial_and_is_read_again(
    change: tuple[Item, str, str], strangers: tuple[str, str]
) -> None:
    text = _between_strangers(strangers)
    after = _with(FIRST, *change)
    changed = updated(text, FIRST, after)
    lost = [line for line in text.lines if line not in changed.lines]
    new = [line for line in changed.lines if line not in text.lines]
    assert len(lost) <= 2
    assert len(new) <= 2
    assert compare(read_text(changed.to_bytes()), after).operations == ()
    assert len(strangers[0]) == 0 or strangers[0] in "".join(changed.lines)


@given(st.tuples(_STRANGERS, _STRANGERS))
def test_an_unchanged_document_changes_nothing(strangers: tuple[str, str]) -> None:
    text = _between_strangers(strangers)
    assert updated(text, FIRST, FIRST) == text
    assert updated(text, None, FIRST) == text


@given(st.integers(LONGEST_VALUE + 1, LONGEST_VALUE + 5))
def test_a_value_that_is_too_long_is_refused(length: int) -> None:
    assert problem(Property("comment"), "x" * length)
