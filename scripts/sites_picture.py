"""Draws docs/explanation/sites.svg: five sites, and who a bundle and a password pass. `--check` only compares.

The ways are those that the tree of sites gives.
"""

import sys
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from pathlib import Path

from keyturn.model.estate import SiteCode, SiteKind
from keyturn.site.hierarchy import Place, Tree

PICTURE = Path(__file__).parent.parent / "docs" / "explanation" / "sites.svg"

PLACES = (
    Place(SiteCode("CEN"), SiteKind.CENTRAL, None),
    Place(SiteCode("EUR"), SiteKind.PRIMARY, SiteCode("CEN")),
    Place(SiteCode("USA"), SiteKind.PRIMARY, SiteCode("CEN")),
    Place(SiteCode("LON"), SiteKind.SECONDARY, SiteCode("EUR")),
    Place(SiteCode("PHX"), SiteKind.SECONDARY, SiteCode("USA")),
)
WHERE = {"CEN": (400, 60), "EUR": (200, 190), "USA": (600, 190), "LON": (200, 320), "PHX": (600, 320)}
"""The middle of each box."""

WIDTH, HEIGHT, BOX, TALL = 800, 440, 150, 56
INK, SOFT, LINE, FILL, WARM, COLD = "#1a1a1a", "#444444", "#8a8a8a", "#e3eefa", "#b4541a", "#1a5fb4"


def main() -> None:
    drawn = draw()
    if "--check" in sys.argv:
        sys.exit(0 if PICTURE.read_text() == drawn else f"{PICTURE.name} is out of date: run {Path(__file__).name}")
    PICTURE.write_text(drawn)


def draw() -> str:
    tree = Tree(PLACES)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="13" role="img">',
        "<title>Five sites: a bundle from London to Phoenix, and a password from the central site to London</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *(_edge(place) for place in PLACES if place.parent),
        *_way(tree, "LON", "PHX", COLD, 10),
        *_way(tree, "CEN", "LON", WARM, -10),
        *(_site(place) for place in PLACES),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def _edge(place: Place) -> str:
    (x1, y1), (x2, y2) = WHERE[place.code], WHERE[place.parent or ""]
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{LINE}" stroke-width="1.5"/>'


def _way(tree: Tree, start: str, end: str, colour: str, beside: int) -> Iterator[str]:
    """Hop by hop, a little beside the links."""
    hops = [start]
    while hops[-1] != end:
        hops.append(tree.next_hop(hops[-1], end))
    points = " ".join(f"{WHERE[code][0] + beside},{WHERE[code][1]}" for code in hops)
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="3" stroke-dasharray="8 5"/>'
    for one, other in pairwise(hops):
        x = (WHERE[one][0] + WHERE[other][0]) / 2 + beside
        y = (WHERE[one][1] + WHERE[other][1]) / 2
        yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="{colour}"/>'


def _site(place: Place) -> str:
    x, y = WHERE[place.code]
    box = f'<rect x="{x - BOX // 2}" y="{y - TALL // 2}" width="{BOX}" height="{TALL}" rx="6"'
    return "\n".join(
        (
            f'{box} fill="{FILL}" stroke="{INK}"/>',
            f'<text x="{x}" y="{y - 4}" text-anchor="middle" font-weight="bold" fill="{INK}">{place.code}</text>',
            f'<text x="{x}" y="{y + 15}" text-anchor="middle" fill="{SOFT}">{place.kind} site</text>',
        )
    )


def _legend() -> Iterator[str]:
    words = (
        (COLD, "a bundle from LON to PHX: three sites pass it on, and none of them can open it"),
        (WARM, "a password from CEN to LON: sealed to LON, proven by a logon, answered by a bundle"),
    )
    for number, (colour, text) in enumerate(words):
        y = 388 + 26 * number
        yield f'<line x1="60" y1="{y}" x2="100" y2="{y}" stroke="{colour}" stroke-width="3" stroke-dasharray="8 5"/>'
        yield f'<text x="112" y="{y + 4}" fill="{INK}">{escape(text)}</text>'


if __name__ == "__main__":
    main()
