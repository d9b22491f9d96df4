"""The text of a PDF as HTML of paragraphs, by pypdfium2 (the engine of the Chromium browser). No I/O."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pypdfium2

MOST_PAGES = 400
"""Pages read of one document; brochures and price lists have under fifty."""
_ENDS = re.compile(r"[.!?:;。！？：；]['\")\]”’]?$")
_BULLET = re.compile(r"\s*(?:[-*•‣▪●◦–✓✔✅・■◆]|\(?\d{1,2}[.)])\s+(?=\S)")
_SHORT = 0.6
"""A line shorter than this part of its page's longest one ends its paragraph."""


def pdf_html(body: bytes) -> str:
    """Paragraphs and list items of a document; empty if it is locked, broken, or holds pictures of pages alone."""
    import pypdfium2  # late: few pages are PDFs

    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError:
        return ""
    try:
        pages = [_lines(document, number) for number in range(min(len(document), MOST_PAGES))]
    except pypdfium2.PdfiumError:
        return ""
    finally:
        document.close()
    return "\n".join(part for lines in pages for part in _paragraphs(lines))


def _lines(document: pypdfium2.PdfDocument, number: int) -> list[str]:
    page = document[number]
    try:
        words = page.get_textpage()
        try:
            # U+FFFE is what pdfium puts for a hyphen at a line's end: the word goes on in the next line
            text = str(words.get_text_bounded()).replace("\ufffe\r\n", "").replace("\ufffe", "")
        finally:
            words.close()
    finally:
        page.close()
    return [" ".join(line.split()) for line in text.splitlines()]


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Printed lines put together again: a sentence runs over several of them."""
    longest = max(map(len, lines), default=0)
    waiting: list[str] = []
    for line in lines:
        bullet = _BULLET.match(line)
        if waiting and (bullet or not line):
            yield _element(waiting)
            waiting = []
        if not line:
            continue
        waiting.append(line)
        if _ENDS.search(line) or len(line) < longest * _SHORT:
            yield _element(waiting)
            waiting = []
    if waiting:
        yield _element(waiting)


def _element(lines: list[str]) -> str:
    text = " ".join(lines)
    bullet = _BULLET.match(text)
    if bullet:
        return f"<li>{html.escape(text[bullet.end() :])}</li>"
    return f"<p>{html.escape(text)}</p>"
