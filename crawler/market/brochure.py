"""Brochures and price lists: what a seller says in a PDF. Its text is read again by the monitor, from the capture."""

from __future__ import annotations

import hashlib

from scrapy.http import Response

from crawler.market.addresses import normalise
from crawler.market.page import NotAPageError, content_type, header
from crawler.source import capture_of
from monitor.records import PageRecord, SourceCard

_LONGEST_TITLE = 200


def is_brochure(response: Response) -> bool:
    """True for an answer that is a PDF by its bytes, whatever it is called."""
    return b"%PDF-" in response.body[:1024] and "html" not in content_type(response)


def read_brochure(response: Response, card: SourceCard) -> PageRecord:
    """A PDF as a page, titled by its first line. Raises NotAPageError where it holds no text that can be read."""
    from crawler.sources.pdf import pdf_text  # brings what reads PDFs with it, which few sites have

    document = pdf_text(response.body)
    if not document.text:
        raise NotAPageError(f"{response.url}: {document.unread}")
    return PageRecord(
        source=card.id,
        url=normalise(response.url),
        capture=capture_of(response),
        title=document.text.partition("\n")[0][:_LONGEST_TITLE],
        etag=header(response, "ETag"),
        last_modified=header(response, "Last-Modified"),
        body_sha256=hashlib.sha256(response.body).hexdigest(),
        unread=(document.unread,) if document.unread else (),
    )
