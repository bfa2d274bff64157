"""However a source is edited, and however coarse its clock: a file that has changed is not taken for unchanged."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyturn.model.errors import NotFound
from keyturn.operations import software_packages
from keyturn.operations.content import read_source
from keyturn.operations.content_ports import SETTLED_S, Found
from keyturn.operations.software_packages import NewPackage
from tests.inner_site import InnerSite
from tests.software import PACKAGE, software_site, source_of


@dataclass
class TickingSource:
    """A folder of a file system that keeps the moment of a change alone, in steps of `tick_s`."""

    tick_s: float
    now: float = 1000.0
    content: dict[str, bytes] = field(default_factory=dict)
    changed_at: dict[str, float] = field(default_factory=dict)

    def edit(self, verb: str, path: str, content: bytes) -> None:
        """`write_secretly`: another content, with size and time as they were."""
        if verb == "write":
            self.content[path] = content
            self.changed_at[path] = self.now // self.tick_s * self.tick_s
        elif verb == "remove":
            self.content.pop(path, None)
        elif path in self.content:
            self.content[path] = bytes(byte ^ 1 for byte in self.content[path])

    def files(self) -> Iterator[Found]:
        for path, content in sorted(self.content.items()):
            at = self.changed_at[path]
            yield Found(path, len(content), f"{len(content)}/{at}", settled=at + SETTLED_S < self.now)

    def read(self, path: str) -> Iterator[bytes]:
        if path not in self.content:
            raise NotFound(f"{path} has gone")
        yield self.content[path]

    def truth(self) -> dict[str, str]:
        return {path: sha256(content).hexdigest() for path, content in self.content.items()}


PAUSES = st.sampled_from([0.0, 0.5, 1.999, 2.001, 5.0])
PATHS = st.sampled_from(["a", "d/b"])
WRITES = st.tuples(st.just("write"), PATHS, st.sampled_from([b"1", b"2"]), PAUSES)
REMOVALS = st.tuples(st.just("remove"), PATHS, st.just(b""), PAUSES)
SECRETS = st.tuples(st.just("write_secretly"), PATHS, st.just(b""), PAUSES)
TICKS = st.sampled_from([0.001, 0.004, 1.0, 2.0])

Edit = tuple[str, str, bytes, float]
"""What is done, to which file, with what, and how many seconds pass until the next edit or the reading."""


def rounds(edits: st.SearchStrategy[Edit]) -> st.SearchStrategy[list[list[Edit]]]:
    """Each ends with a reading, as most mistakes show where something is changed between two of them."""
    return st.lists(st.lists(edits, min_size=1, max_size=2), min_size=4, max_size=8)


def play(folder: str, source: TickingSource, rounds: list[list[Edit]]) -> Iterator[InnerSite]:
    """The site, after each reading."""
    site = software_site(Path(folder), two_person_approval=False)
    software_packages.add(site.parts, NewPackage("Editor", source_of(site, "editor")), by="olga")
    assert site.parts.content is not None
    site.parts = replace(site.parts, content=replace(site.parts.content, folder=lambda _: source))
    try:
        for edits in rounds:
            for verb, path, content, then_s in edits:
                source.edit(verb, path, content)
                source.now += then_s
            read_source(site.parts, PACKAGE, by="olga")
            yield site
    finally:
        site.close()


def held(site: InnerSite) -> dict[str, str]:
    version = site.store.package(PACKAGE).source_version
    return {file.path: file.sha256 for file in site.store.manifest(PACKAGE, version).files}


@given(rounds=rounds(WRITES | REMOVALS), tick_s=TICKS)
@example(rounds=[[("write", "a", b"1", 1.999)], [("write", "a", b"2", 5.0)]], tick_s=2.0)
@settings(deadline=None, max_examples=60)
def test_every_edit_that_moves_the_time_of_a_file_is_found_by_the_next_reading(
    rounds: list[list[Edit]], tick_s: float
) -> None:
    source = TickingSource(tick_s)
    with TemporaryDirectory() as folder:
        for site in play(folder, source, rounds):
            assert held(site) == source.truth()


@given(rounds=rounds(WRITES | SECRETS), tick_s=TICKS)
@settings(deadline=None, max_examples=40)
def test_an_edit_that_keeps_size_and_time_is_found_when_every_file_is_read(
    rounds: list[list[Edit]], tick_s: float
) -> None:
    source = TickingSource(tick_s)
    with TemporaryDirectory() as folder:
        for site in play(folder, source, rounds):
            assert held(site).keys() == source.truth().keys()
            read_source(site.parts, PACKAGE, by="olga", every_file=True)
            assert held(site) == source.truth()
