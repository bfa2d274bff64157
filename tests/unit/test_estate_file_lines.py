"""The lines of tables, keys and elements, in TOML as people and programs write it."""

import tomllib
from collections.abc import Iterator

import pytest

from keyturn.wire.estate_file.positions import Path, lines_of

# Each key and element says, as its value, on which line it stands: the text is its own answer.
WRITTEN = {
    "comments and blank lines": """
# [[no]] table
a = 3 # b = 3

  c = 5
\td=6
""",
    "keys in quotes, with dots and escapes": """
"a.b" = 2
'c # d' = 3
"e\\u0066\\"" = 4
g . "h.i".j = 5
"" = 6
""",
    "strings that hold what looks like TOML": '''
a = ["# [[x]] = {", 2]
b = [\'\'\'
[[x]]
c = 1
\'\'\', 6]
c = ["""\\
  \\"""
d = 1 """, 9]
d = ["""""two quotes at both ends""""", 10]
e = [\'\'\'\'one\'\'\'\', 11]
f = ['C:\\', 12]
g = ["\\"", 13]
h = ["", 14]
''',
    "arrays over several lines": """
a = [ 2, 2,
  3, # ], 9
  [4, [ 4 ],
   5,],

  { b = 7, c.d = 7 },
  { b = [
    9,
  ] },
]
e = 12
""",
    "dates, numbers and words": """
a = [1979-05-27 07:32:00Z, 2]
b = [1979-05-27T07:32:00.5, 3]
c = [-1.5e+3, true, +inf, 0x4, 1_0.5, 4]
d = 5
""",
    "tables, and arrays of tables within each other": """
[a]
x = 3
[a.b.c]
x = 5
[[d]]
x = 7
[d.e]
x = 9
[[d.f]]
x = 11
[[d.f]]
x = 13
[d.f.g]
x = 15
[[ d ]]
x = 17
[[d."f"]]
x = 19
[a.b]
x = 21
""",
}


def numbers(value: object, path: Path = ()) -> Iterator[tuple[Path, int]]:
    match value:
        case bool() | float() | str():
            return
        case int():
            yield path, value
        case dict():
            for key, inner in value.items():
                yield from numbers(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from numbers(inner, (*path, index))


@pytest.mark.parametrize("way", WRITTEN)
def test_every_value_stands_on_the_line_it_says(way: str) -> None:
    text = WRITTEN[way]
    lines = lines_of(text)
    said = dict(numbers(tomllib.loads(text)))
    assert said
    assert {path: lines[path] for path in said} == said


@pytest.mark.parametrize("way", WRITTEN)
def test_line_ends_of_windows_count_once(way: str) -> None:
    assert lines_of(WRITTEN[way].replace("\n", "\r\n")) == lines_of(WRITTEN[way])


def test_a_table_stands_at_its_header() -> None:
    lines = lines_of("[a.b]\nx = 1\n\n[a]\n[[c]]\n\n[[c]]\n[d.e]\nf.g = 1\n")
    assert lines[("a", "b")] == 1
    assert lines[("a",)] == 4
    assert (lines[("c",)], lines[("c", 0)], lines[("c", 1)]) == (5, 5, 7)
    assert (lines[("d",)], lines[("d", "e")], lines[("d", "e", "f")]) == (8, 8, 9)


def test_nesting_beyond_any_estate_costs_no_stack() -> None:
    depth = 20_000
    lines = lines_of("a = " + "[" * depth + "\n" + "]" * depth + "\nb = {c = 1}\n")
    assert lines[("b", "c")] == 3
