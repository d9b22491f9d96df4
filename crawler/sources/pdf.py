"""The text of PDF documents, by pypdfium2 (the engine of the Chromium browser)."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2
from scrapy.http import Response

from crawler.notes import host_of
from crawler.sources.documents import Document
from crawler.sources.reading import clean, quoted_addresses, refuse_block_page

MOST_PAGES = 400
"""Pages read of one document; letters have under thirty."""
_HEAD = 1024
"""Bytes within which `%PDF-` stands, if it is a PDF at all: what readers of the format allow."""


def pdf_of(response: Response) -> Document:
    """A response's text, one line a printed line; `unread` says what is not in it. Raises BlockedError."""
    refuse_block_page(response)
    if b"%PDF-" not in response.body[:_HEAD]:
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1").partition(";")[0].strip()
        return Document(unread=f"got {kind or 'something of no named kind'} where a PDF was expected", again=True)
    document = pdf_text(response.body)
    return replace(document, quoted_urls=quoted_addresses(document.text, host_of(response.url)))


def pdf_text(body: bytes) -> Document:
    """A document's text, page after page."""
    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        why = "is locked by a password" if locked else f"is no whole PDF ({clean(str(error))})"
        return Document(unread=f"the document {why}", again=not locked)
    try:
        count = len(document)
        text = "\n".join(_page(document, at) for at in range(min(count, MOST_PAGES)))
    except pypdfium2.PdfiumError as error:
        return Document(unread=f"a page of the document could not be read ({clean(str(error))})", again=True)
    finally:
        document.close()
    text = "\n".join(line for line in text.split("\n") if line)
    if not text:
        return Document(unread="the document holds pictures of pages and no text")
    return Document(text=text, unread=f"pages after the first {MOST_PAGES} of {count}" if count > MOST_PAGES else "")


def _page(document: pypdfium2.PdfDocument, at: int) -> str:
    page = document[at]
    try:
        textpage = page.get_textpage()
        try:
            # U+FFFE is what pdfium puts for a hyphen at a line's end: the word goes on in the next line
            text = textpage.get_text_bounded().replace("\ufffe\r\n", "").replace("\ufffe", "")
        finally:
            textpage.close()
    finally:
        page.close()
    return "\n".join(clean(line) for line in text.splitlines())
