"""The paper drawn: A4, the words on the first page, three codes with their text on each page after it."""

import io
import textwrap

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from keyturn.escrow.outside import Outside
from keyturn.escrow.paper import Code, Printing, codes, readable, words

_WIDTH, _HEIGHT = A4
_MARGIN = 15 * mm
_ROW = 86 * mm
_SIDE = 78 * mm
_ROWS = 3
_QUIET = 4
"""Modules of white around a code (ISO/IEC 18004)."""


def draw(envelope: bytes, printing: Printing) -> bytes:
    """The bytes of a PDF. Raises EnvelopeError for a damaged envelope."""
    outside = readable(envelope)
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=A4, invariant=1)
    canvas.setTitle(f"Sealed envelope {printing.serial}")
    _first_page(canvas, outside, printing)
    for number, code in enumerate(codes(outside)):
        if number % _ROWS == 0:
            canvas.showPage()
            _foot(canvas, outside, printing)
        _row(canvas, _HEIGHT - _MARGIN - (number % _ROWS) * _ROW, code)
    canvas.save()
    return paper.getvalue()


def _first_page(canvas: Canvas, outside: Outside, printing: Printing) -> None:
    canvas.setFont("Helvetica-Bold", 18)
    canvas.drawString(_MARGIN, _HEIGHT - 25 * mm, "Sealed envelope")
    text = canvas.beginText(_MARGIN, _HEIGHT - 38 * mm)
    text.setFont("Helvetica", 10.5, leading=15)
    for line in words(outside, printing):
        for part in textwrap.wrap(_printable(line), 96, subsequent_indent="    ") or [""]:
            text.textLine(part)
    canvas.drawText(text)
    _foot(canvas, outside, printing)


def _foot(canvas: Canvas, outside: Outside, printing: Printing) -> None:
    which = f"{outside.account}  generation {outside.generation}  serial {printing.serial}"
    canvas.setFont("Helvetica", 8)
    canvas.drawString(_MARGIN, 8 * mm, _printable(f"{which}  page {canvas.getPageNumber()}"))


def _row(canvas: Canvas, top: float, code: Code) -> None:
    canvas.setFont("Helvetica-Bold", 9)
    canvas.drawString(_MARGIN, top - 9, _printable(code.caption))
    _modules(canvas, _MARGIN, top - 14 - _SIDE, code.text)
    text = canvas.beginText(_MARGIN + _SIDE + 6 * mm, top - 24)
    text.setFont("Courier", 6.5, leading=8)
    for line in code.text.splitlines():
        text.textLine(line)
    canvas.drawText(text)


def _modules(canvas: Canvas, left: float, bottom: float, text: str) -> None:
    """Dark modules in runs, so that no hair lines show between them."""
    matrix = segno.make(text, error="m", micro=False, boost_error=False).matrix
    size = _SIDE / (len(matrix) + 2 * _QUIET)
    path = canvas.beginPath()
    for y, row in enumerate(reversed(matrix)):
        start = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                path.rect(left + (start + _QUIET) * size, bottom + (y + _QUIET) * size, (x - start) * size, size)
                start = None
    canvas.drawPath(path, stroke=0, fill=1)


def _printable(text: str) -> str:
    """In the alphabet of the fonts that every PDF reader has; other letters as their numbers, never dropped."""
    return text.encode("cp1252", "backslashreplace").decode("cp1252")
