"""Passwords in command lines, as they look."""

import pytest

from keyturn.distribution.line_secrets import holds_a_secret, masked

LINES = {
    "./install PASSWORD=Maple7Rain /quiet": "./install PASSWORD=… /quiet",
    "./install --password Maple7Rain --quiet": "./install --password … --quiet",
    'setup.exe /Pwd:"Maple 7 Rain" /q': "setup.exe /Pwd:… /q",
    "./install --api-key = 'Maple 7'": "./install --api-key = …",
    "./join --domain-token=Maple7Rain --secret Maple8Rain": "./join --domain-token=… --secret …",
    "./install --password Maple@7Rain": "./install --password …",
    "./install https://ann:Maple7Rain@files/editor": "./install https://ann:…@files/editor",
}
HARMLESS = ["./install", "./reset-password --now", "./install --passwords-file", "cat https://files:8443/editor"]


@pytest.mark.parametrize(("line", "kept"), LINES.items())
def test_what_is_called_a_password_is_found_and_everything_else_is_kept(line: str, kept: str) -> None:
    assert holds_a_secret(line)
    assert masked(line) == kept
    assert masked(kept) == kept


@pytest.mark.parametrize("line", HARMLESS)
def test_a_line_without_one_is_kept_whole(line: str) -> None:
    assert not holds_a_secret(line)
    assert masked(line) == line
