"""XML as strangers send it: no entity is expanded, nothing outside is loaded, and what is no XML is named so."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from scrapy.http import Response

from crawler.source import LayoutChangedError
from crawler.sources.reading import clean, refuse_page


def xml_of(response: Response, *roots: str) -> Element:
    """The body's root element, one of `roots` if they are given. A DOCTYPE may name a DTD, and may declare no entity.

    Raises BlockedError for a block page and LayoutChangedError for anything else that is no such document.
    """
    refuse_page(response, "XML")
    try:
        root: Element = fromstring(response.body.strip(), forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise LayoutChangedError(f"the XML declares entities, which is not read ({error}) ({response.url})") from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise LayoutChangedError(f"the body is no well-formed XML ({error}) ({response.url})") from error
    if roots and root.tag not in roots:
        expected = " or ".join(f"<{name}>" for name in roots)
        raise LayoutChangedError(f"the document is <{root.tag}>, where {expected} was expected ({response.url})")
    return root


def words_of(element: Element | None) -> str:
    """All text in an element, markup within it left out, on one line; empty where there is no element."""
    return clean("".join(element.itertext())) if element is not None else ""


def field(element: Element, path: str) -> str:
    """The text of the first element at `path`, on one line; empty where there is none."""
    return words_of(element.find(path))
