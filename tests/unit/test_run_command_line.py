"""A program's command line as words of this machine."""

from pathlib import Path

import pytest

from keyturn.adapters.runners.posix.command_line import NoProgram, program_of, words_of

SHARES = [(r"\\files\apps", "/s/files/apps"), (r"\\files\apps2", "/s/files/apps2")]

WORDS = {
    "dpkg -i x.deb": ("dpkg", "-i", "x.deb"),
    "sh -c \"echo 'a b'; exit 3\"": ("sh", "-c", "echo 'a b'; exit 3"),
    r"cp \\files\apps\a\b.txt /opt": ("cp", "/s/files/apps/a/b.txt", "/opt"),
    r"cp \\files\apps\a \\FILES\Apps\b": ("cp", "/s/files/apps/a", "/s/files/apps/b"),
    r"cp '\\files\apps\a b\c d' /opt": ("cp", "/s/files/apps/a b/c d", "/opt"),
    r'cp "\\files\apps\a b" /opt': ("cp", "/s/files/apps/a b", "/opt"),
    r"setup --from=\\files\apps\x --quiet": ("setup", "--from=/s/files/apps/x", "--quiet"),
    r"ls \\files\apps": ("ls", "/s/files/apps"),
    r"ls \\files\apps2\x": ("ls", "/s/files/apps2/x"),
    r'sh -c "cat \"\\files\apps\a b\" | wc"': ("sh", "-c", 'cat "/s/files/apps/a b" | wc'),
    r"sed s/\\n/x/ \'": ("sed", r"s/\n/x/", "'"),
}


@pytest.mark.parametrize("command_line", WORDS)
def test_words_are_posix_and_shares_are_paths(command_line: str) -> None:
    assert words_of(command_line, SHARES) == WORDS[command_line]


@pytest.mark.parametrize("command_line", ["", "   ", "'never closed", 'also "not'])
def test_a_command_line_that_has_no_words_is_no_program(command_line: str) -> None:
    with pytest.raises(NoProgram):
        words_of(command_line, SHARES)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "setup").write_bytes(b"\x7fELF")
    (folder / "bin" / "setup").chmod(0o755)
    (folder / "setup.sh").write_bytes(b"#! /bin/sh -e\r\n")
    (folder / "read.me").write_text("text")
    (folder / "out").symlink_to("/bin")
    (tmp_path / "beside").write_bytes(b"#!/bin/sh\n")
    return folder


STARTS = {
    ("bin/setup", "x"): ("/shown/bin/setup", "x"),
    ("setup.sh",): ("/bin/sh", "-e", "/shown/setup.sh"),
    ("sh", "-c", "x"): ("/bin/sh", "-c", "x"),
    ("/elsewhere/on/a/share",): ("/elsewhere/on/a/share",),
}


@pytest.mark.parametrize("words", STARTS)
def test_a_program_is_looked_for_in_the_package_and_then_in_the_path(package: Path, words: tuple[str, ...]) -> None:
    assert program_of(words, package, "/shown", "/nowhere:/bin") == STARTS[words]


@pytest.mark.parametrize("name", ["none", "read.me", "../beside", "out/sh", "bin"])
def test_what_is_no_program_of_the_package_is_named(package: Path, name: str) -> None:
    with pytest.raises(NoProgram, match=name.split("/")[-1]):
        program_of((name,), package, "/shown", "/nowhere:/bin")
