"""What may be in a package, and the one form in which it is written down."""

import unicodedata

import pytest

from keyturn.distribution.content import (
    MAX_FILES,
    BadContent,
    canonical,
    folder_named,
    folder_of,
    manifest_of,
    read_manifest,
    relative_path,
)
from keyturn.distribution.signed_content import PURPOSE, read_signed, write_signed
from keyturn.model.software import File, PackageId
from keyturn.site.keys import new_keys

PACKAGE = PackageId("PHX00001")
SHA = "ab" * 32
KEYS = new_keys()

REFUSED = [
    ("", "an empty name"),
    ("/etc/passwd", "at the root"),
    ("../up", "leaves its folder"),
    ("a/../../up", "leaves its folder"),
    ("a/./b", "leaves its folder"),
    ("a//b", "an empty name"),
    ("a/", "an empty name"),
    ("C:evil", "a character that Windows"),
    ("a\\b", "a character that Windows"),
    ("a\nb", "a character that Windows"),
    ("a\x00b", "a character that Windows"),
    ("stream:hidden", "a character that Windows"),
    ("what?", "a character that Windows"),
    ("ends.", "a dot or a space"),
    ("folder /x", "a dot or a space"),
    ("CON", "a device"),
    ("sub/nul.txt", "a device"),
    ("Lpt1.log.old", "a device"),
    ("x" * 256, "more than 255 bytes"),
    ("é" * 128, "more than 255 bytes"),
    ("/".join(["d" * 200] * 6), "longer than 1024 bytes"),
    ("lone\udc80", "no name in UTF-8"),
]


@pytest.mark.parametrize(("path", "why"), REFUSED)
def test_a_path_that_some_machine_could_not_hold_is_refused_with_its_name(path: str, why: str) -> None:
    with pytest.raises(BadContent, match=why):
        relative_path(path)


@pytest.mark.parametrize("path", ["setup.sh", ".hidden/x", "a b/c-d.deb", "ünï/日本", "console.txt", "com", "x" * 255])
def test_an_ordinary_path_is_taken(path: str) -> None:
    assert relative_path(path) == path


def test_a_name_is_the_same_however_it_was_typed() -> None:
    assert relative_path(unicodedata.normalize("NFD", "Größe.txt")) == "Größe.txt"


CLASHES = [
    ("Setup.exe", "setup.EXE"),
    ("straße", "STRASSE"),
    ("Data", "data/file"),
    ("Data/a", "data/b"),
    ("x/Data/a", "x/data/b"),
    ("same", "same"),
]


@pytest.mark.parametrize(("one", "other"), CLASHES)
def test_two_paths_that_are_one_on_windows_are_refused_with_both_names(one: str, other: str) -> None:
    with pytest.raises(BadContent, match="one where case makes no difference") as refused:
        manifest_of(PACKAGE, 1, [_file(one), _file(other)])
    assert one.partition("/")[0] in refused.value.message
    assert other.partition("/")[0] in refused.value.message


def test_the_same_files_have_the_same_digest_in_any_order() -> None:
    files = [_file("b"), _file("a/x"), _file("a/y", executable=True)]
    assert manifest_of(PACKAGE, 1, files) == manifest_of(PACKAGE, 1, reversed(files))


@pytest.mark.parametrize(
    "changed",
    [
        manifest_of(PackageId("PHX00002"), 1, [File("a", 1, SHA)]),
        manifest_of(PACKAGE, 2, [File("a", 1, SHA)]),
        manifest_of(PACKAGE, 1, [File("b", 1, SHA)]),
        manifest_of(PACKAGE, 1, [File("a", 2, SHA)]),
        manifest_of(PACKAGE, 1, [File("a", 1, "cd" * 32)]),
        manifest_of(PACKAGE, 1, [File("a", 1, SHA, executable=True)]),
        manifest_of(PACKAGE, 1, []),
    ],
)
def test_whatever_is_another_content_has_another_digest(changed: object) -> None:
    assert changed.digest != manifest_of(PACKAGE, 1, [File("a", 1, SHA)]).digest  # type: ignore[attr-defined]


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = manifest_of(PACKAGE, 7, [_file("a/ü", executable=True), _file("b")])
    assert read_manifest(canonical(manifest)) == manifest


WRITTEN = canonical(manifest_of(PACKAGE, 1, [File("a", 1, SHA)])).decode()

DAMAGED = [
    "",
    "{}",
    "[]",
    "null",
    WRITTEN + " ",
    WRITTEN.replace('"form":1', '"form":2'),
    WRITTEN.replace('"form":1', '"form":true'),
    WRITTEN.replace('"version":1', '"version":1.0'),
    WRITTEN.replace('"version":1', '"version":0'),
    WRITTEN.replace('"version":1', '"version":1,"version":1'),
    WRITTEN.replace('"version":1', '"extra":1,"version":1'),
    WRITTEN.replace('"size":1', '"size":-1'),
    WRITTEN.replace('"size":1', '"size":true'),
    WRITTEN.replace('"path":"a"', '"path":"../a"'),
    WRITTEN.replace('"path":"a"', '"path":"\\u0061"'),
    WRITTEN.replace('"package":"PHX00001"', '"package":"../../x"'),
    WRITTEN.replace(SHA, SHA.upper()),
    "[" * 100_000,
]


@pytest.mark.parametrize("text", DAMAGED)
def test_what_is_not_in_the_canonical_form_is_no_manifest(text: str) -> None:
    with pytest.raises(BadContent):
        read_manifest(text.encode())


def test_more_files_than_a_client_has_to_bear_are_refused() -> None:
    with pytest.raises(BadContent, match="more than 100000 files"):
        manifest_of(PACKAGE, 1, (File(f"f{number}", 0, SHA) for number in range(MAX_FILES + 1)))


@pytest.mark.parametrize("name", ["PHX00001", "PHX00001.", "PHX00001.0", "PHX00001.01", "PHX00001.1.2", "..1", ".new"])
def test_a_folder_that_is_not_ours_is_none_of_a_package(name: str) -> None:
    assert folder_named(name) is None


def test_a_folder_says_which_version_of_which_package_is_in_it() -> None:
    assert folder_named(folder_of(PACKAGE, 12)) == (PACKAGE, 12)


def test_what_the_site_signed_is_read_with_its_key() -> None:
    manifest = manifest_of(PACKAGE, 1, [_file("a")])
    assert read_signed(_signed_by_the_site(), KEYS.verify_key) == manifest


def test_a_manifest_under_another_key_is_refused() -> None:
    with pytest.raises(BadContent, match="not signed by the site"):
        read_signed(_signed_by_the_site(), new_keys().verify_key)


def test_a_signature_over_something_else_is_worth_nothing_on_a_manifest() -> None:
    manifest = manifest_of(PACKAGE, 1, [_file("a")])
    signed = write_signed(manifest, KEYS.signing.sign(b"keyturn policy 1\n" + canonical(manifest)))
    with pytest.raises(BadContent, match="not signed by the site"):
        read_signed(signed, KEYS.verify_key)


def test_every_changed_byte_of_a_signed_manifest_is_found() -> None:
    signed = _signed_by_the_site()
    for at in range(0, len(signed), 7):
        changed = bytearray(signed)
        changed[at] ^= 1
        with pytest.raises(BadContent):
            read_signed(bytes(changed), KEYS.verify_key)


def _file(path: str, *, executable: bool = False) -> File:
    return File(path, 1, SHA, executable)


def _signed_by_the_site() -> bytes:
    manifest = manifest_of(PACKAGE, 1, [_file("a")])
    return write_signed(manifest, KEYS.signing.sign(PURPOSE + canonical(manifest)))
