"""Brochures and price lists: what a seller says in a PDF. Its text is read again by the monitor, from the capture."""

from __future__ import annotations

from scrapy.http import Response

from crawler.market.page import NotAPageError, Told, content_type

_LONGEST_TITLE = 200


def is_brochure(response: Response) -> bool:
    """True for an answer that is a PDF by its bytes, whatever it is called."""
    return b"%PDF-" in response.body[:1024] and "html" not in content_type(response)


def told_by_brochure(response: Response) -> Told:
    """What a PDF says, titled by its first line. Raises NotAPageError where it holds no text that can be read."""
    from crawler.sources.pdf import pdf_text  # brings what reads PDFs with it, which few sites have

    document = pdf_text(response.body)
    if not document.text:
        raise NotAPageError(f"{response.url}: {document.unread}")
    return Told(
        title=document.text.partition("\n")[0][:_LONGEST_TITLE],
        language="",
        canonical_url="",
        site_name="",
        unread=(document.unread,) if document.unread else (),
        links=(),
    )
