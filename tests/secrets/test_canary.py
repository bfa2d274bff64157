"""The search itself: a search that finds nothing proves nothing unless it would have found something."""

import base64
import html
import json
import sqlite3
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.secrets.canary import Canaries, Leak

WRITERS: dict[str, Callable[[str], str | bytes]] = {
    "a line of a log": lambda text: f"2026-01-01 password={text!r} was refused",
    "JSON": lambda text: json.dumps({"password": text}),
    "JSON twice": lambda text: json.dumps(json.dumps({"password": text})),
    "a form": lambda text: urllib.parse.urlencode({"password": text}),
    "every byte percent-encoded": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "HTML": lambda text: f"<b>{html.escape(text)}</b>",
    "HTTP Basic": lambda text: base64.b64encode(f"CORP\\KtClient:{text}".encode()),
    "HTTP Basic of another account": lambda text: base64.b64encode(f"CORP\\KtClient1:{text}".encode()),
    "HTTP Basic of a third account": lambda text: base64.b64encode(f"CORP\\KtClient12:{text}".encode()),
    "Base64 for URLs": lambda text: base64.urlsafe_b64encode(f"?>{text}".encode()),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal in capitals": lambda text: text.encode().hex().upper(),
    "UTF-16 with a mark": lambda text: text.encode("utf-16"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be"),
    "PowerShell's encoded command": lambda text: base64.b64encode(f"net user x {text}".encode("utf-16-le")),
    "the beginning of a message cut short": lambda text: f"wrong password {text[:15]}",
    "the end of a wrapped line": lambda text: text[9:],
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_a_canary_is_found_however_it_was_written(canaries: Canaries, write: Callable[[str], str]) -> None:
    text = canaries.plant("password")
    assert canaries.leaks([], {"there": write(text)})
    assert not canaries.leaks([], {"there": write("another-PassW0rd-altogether")})


@pytest.mark.parametrize("awkward", ["Öl & <Wasser> 'mit' \"Salz\" 7", "back\\slash%and+plus/42"])
def test_awkward_characters_hide_no_secret(canaries: Canaries, awkward: str) -> None:
    canaries.learn("password", awkward)
    forms = [awkward, json.dumps(awkward), repr(awkward), html.escape(awkward), urllib.parse.quote_plus(awkward)]
    for form in [*forms, urllib.parse.quote(awkward, safe="")]:
        assert canaries.leaks([], {"there": form})


def test_files_are_searched_at_any_depth_databases_too(tmp_path: Path, canaries: Canaries) -> None:
    text = canaries.plant("password")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    database = sqlite3.connect(deep / "store.db")
    database.execute("CREATE TABLE kept (number, text)")
    database.execute("INSERT INTO kept VALUES (1, ?)", (text,))
    database.commit()
    database.close()
    assert [(leak.canary, leak.place) for leak in canaries.leaks([tmp_path], {})][:1] == [
        ("password", str(deep / "store.db"))
    ]


def test_the_name_of_a_file_is_searched_too(tmp_path: Path, canaries: Canaries) -> None:
    (tmp_path / f"backup-of-{canaries.plant('password')}").touch()
    assert canaries.leaks([tmp_path], {})


def test_a_secret_in_the_place_where_it_was_asked_for_is_no_leak(tmp_path: Path, canaries: Canaries) -> None:
    token, other = tmp_path / "token", tmp_path / "other"
    token.write_text(canaries.plant("token"))
    canaries.nothing_leaked([tmp_path], {}, asked_for={("token", token)})
    other.write_bytes(token.read_bytes())
    leaks = canaries.leaks([tmp_path], {}, asked_for={("token", token)})
    assert {leak.place for leak in leaks} == {str(other)}


def test_the_message_names_canary_form_and_place_and_never_the_canary(canaries: Canaries) -> None:
    text = canaries.plant("the wrong password")
    with pytest.raises(pytest.fail.Exception) as failed:
        canaries.nothing_leaked([], {"stderr of login": f"no such password: {text}"})
    assert "the wrong password, in clear, in stderr of login" in str(failed.value)
    assert text[:8] not in str(failed.value)
    assert text[:8] not in repr(vars(canaries))
    assert str(Leak("a", "b", "c")) == "a, b, in c"


def test_searching_for_nothing_is_a_mistake(canaries: Canaries) -> None:
    with pytest.raises(ValueError, match="nothing was planted"):
        canaries.nothing_leaked([], {"log": "quiet"})


def test_a_secret_too_short_to_search_for_is_refused(canaries: Canaries) -> None:
    with pytest.raises(ValueError, match="at least 10"):
        canaries.learn("pin", "1234")
