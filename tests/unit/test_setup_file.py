"""SMSAccountSetup.ini: read, checked and written."""

import codecs

import pytest

from keyturn.model.errors import Refused
from keyturn.model.secret import Secret
from keyturn.model.setup import SetupAccount, SetupAccounts
from keyturn.site.setup_file import Weight, inspect, read_setup_accounts, written

SAMPLE = (
    "[ServerAccount]\r\nName=KtServerConn01\r\nPassword=Maple7Rain-42x\r\n\r\n"
    "[ClientAccount]\r\nName=KtClientConn01\r\nPassword=Birch3Snow-91y\r\n"
)
ACCOUNTS = SetupAccounts(
    SetupAccount("KtServerConn01", Secret("Maple7Rain-42x")), SetupAccount("KtClientConn01", Secret("Birch3Snow-91y"))
)
MARKED = {
    "bytes alone": SAMPLE.encode(),
    "marked UTF-8": codecs.BOM_UTF8 + SAMPLE.encode(),
    "UTF-16": SAMPLE.encode("utf-16"),
    "big-endian UTF-16": codecs.BOM_UTF16_BE + SAMPLE.encode("utf-16-be"),
    "LF": SAMPLE.replace("\r\n", "\n").encode(),
    "other letters and spaces": SAMPLE.replace("[ServerAccount]", " [SERVERACCOUNT]")
    .replace("Name=", "name = ")
    .encode(),
    "a comment": b"; kept by olga\r\n" + SAMPLE.encode(),
}


@pytest.mark.parametrize("form", MARKED)
def test_the_accounts_are_read_in_every_form_of_text(form: str) -> None:
    read = inspect(MARKED[form])
    assert read.findings == ()
    assert read.accounts == ACCOUNTS


def test_a_password_keeps_signs_that_other_readers_give_a_meaning() -> None:
    read = inspect(SAMPLE.replace("Maple7Rain-42x", "a=%(b);#[c]").encode())
    assert read.accounts.server == SetupAccount("KtServerConn01", Secret("a=%(b);#[c]"))


def test_one_section_alone_leaves_the_other_account_to_setup() -> None:
    read = inspect(SAMPLE[SAMPLE.index("[Client") :].encode())
    assert (read.accounts.server, read.accounts.client, read.findings) == (None, ACCOUNTS.client, ())


FAULTY = {
    "nothing": ("", 0, "neither [ServerAccount] nor [ClientAccount]"),
    "an unknown section": (SAMPLE + "[Options]\r\nx=1\r\n", 8, "unknown section"),
    "a broken heading": (SAMPLE.replace("[ClientAccount]", "[ClientAccount"), 5, "unknown section"),
    "an unknown key": (SAMPLE.replace("Password=Birch", "Passwort=Birch"), 7, "neither Name= nor Password="),
    "no key": (SAMPLE + "Birch3Snow-91y\r\n", 8, "neither Name= nor Password="),
    "a key twice": (SAMPLE + "Name=Other\r\n", 8, "there already, in line 6"),
    "a section twice": (SAMPLE + "[clientaccount]\r\n", 8, "there already, in line 5"),
    "no section yet": ("Name=x\r\n" + SAMPLE, 1, "in no section"),
    "no name": (SAMPLE.replace("Name=KtClientConn01\r\n", ""), 5, "no Name="),
    "an empty password": (SAMPLE.replace("Birch3Snow-91y", "  "), 5, "no Password="),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_fault_is_named_with_its_line_and_without_what_stands_there(fault: str) -> None:
    text, line, said = FAULTY[fault]
    found = next(finding for finding in inspect(text.encode()).errors if said in finding.said)
    assert found.line == line
    with pytest.raises(Refused) as refused:
        read_setup_accounts(text.encode(), "setup.ini")
    assert f"setup.ini:{line}: " in refused.value.message
    assert not any(secret in refused.value.message for secret in ("Birch3Snow", "Maple7Rain"))


def test_a_password_of_more_than_14_characters_is_taken_with_a_warning_that_says_why() -> None:
    text = SAMPLE.replace("Birch3Snow-91y", "Birch3Snow-91yz")
    [finding] = inspect(text.encode()).findings
    assert (finding.line, finding.weight) == (7, Weight.WARNING)
    assert "Q318396" in finding.said
    accounts = read_setup_accounts(text.encode(), "setup.ini")
    assert accounts.client == SetupAccount("KtClientConn01", Secret("Birch3Snow-91yz"))


@pytest.mark.parametrize("content", [b"\xff\xfeN", SAMPLE.encode("utf-16-le"), b"[ServerAccount]\x81\r\n"])
def test_what_is_no_text_is_refused(content: bytes) -> None:
    assert "not text" in inspect(content).errors[0].said


def test_what_is_written_is_read_again() -> None:
    for accounts in (ACCOUNTS, SetupAccounts(client=ACCOUNTS.client)):
        assert inspect(written(accounts).reveal().encode()).accounts == accounts


@pytest.mark.parametrize("value", ["", " x", "x ", "a\r\nName=b", "a\0b"])
def test_what_cannot_stand_on_one_line_is_not_written_and_not_repeated(value: str) -> None:
    with pytest.raises(Refused) as refused:
        written(SetupAccounts(server=SetupAccount("Kt", Secret(value))))
    assert refused.value.message.startswith("the password of [ServerAccount]")
    with pytest.raises(Refused):
        written(SetupAccounts(server=SetupAccount(value, Secret("Maple7Rain"))))


def test_passwords_show_in_no_form_of_what_was_read() -> None:
    assert "Maple7Rain" not in repr(inspect(SAMPLE.encode()))
