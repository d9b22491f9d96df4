"""Does a page offer what its heading names? A page that tells of a thing, such as a post in a blog, offers none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.knowledge.products import Terms, spellings
from monitor.products.prices import prices_in
from monitor.reading.flicker import is_dated
from monitor.reading.text import Block, Document

_DATED_POST = re.compile(r"/(?:19|20)\d\d/(?:0?[1-9]|1[0-2])/")
_SERVICES = ("clinic",)
"""Roles whose pages are about what is done there: they name a treatment without a price."""
_SIGNS = ("prices", "cart", "booking")
"""What a page shows that sells, or lets people book, what it speaks of."""
_PRICE_REACH = 400
"""Characters under a heading in which its price stands."""
_BYLINE = 120
"""Characters under a heading in which a post says who wrote it and when."""


@dataclass(frozen=True)
class _Addresses:
    """Parts of addresses that tell what a page is, folded."""

    articles: frozenset[str]
    about: frozenset[str]
    offers: frozenset[str]
    article_types: frozenset[str]


def is_article(document: Document, url: str, knowledge: Knowledge) -> bool:
    """A post, a report, an article: by its structured data, its address, or the author and date that it shows."""
    known, parts = _known(knowledge), _parts(url)
    if parts & known.articles or _DATED_POST.search(urlsplit(url).path):
        return True
    if parts & known.offers:
        return False  # page builders call every page an Article
    if known.article_types.intersection(document.marks.get("types", ())):
        return True
    if document.marks.get("product_names"):
        return False
    return bool(document.marks.get("byline") and document.marks.get("published")) or _dated_heading(document)


def heading_offers(document: Document, role: str, url: str, knowledge: Knowledge) -> bool:
    """Is what the main heading names on offer: for a price, in a cart, by appointment, or as a clinic's treatment?"""
    known, parts = _known(knowledge), _parts(url)
    if is_article(document, url, knowledge) or parts & known.about:
        return False
    shown = any(document.marks.get(sign) for sign in _SIGNS) or "Product" in document.marks.get("types", ())
    return bool(parts & known.offers) or role in _SERVICES or shown


def is_priced(document: Document) -> bool:
    """Does a price stand under the main heading?"""
    main = main_heading(document)
    if main is None or not document.marks.get("prices"):
        return False
    return next(prices_in(document.text, main.end, min(len(document.text), main.end + _PRICE_REACH)), None) is not None


def main_heading(document: Document) -> Block | None:
    return next((block for block in document.blocks if block.kind == "heading" and block.level == 1), None)


def _dated_heading(document: Document) -> bool:
    """A date right under the main heading, in a line of its own, where nothing has a price."""
    main = main_heading(document)
    if main is None or document.marks.get("prices"):
        return False
    after = next((block for block in document.blocks if block.start >= main.end and block.kind != "nav"), None)
    if after is None or after.end - after.start > _BYLINE:
        return False
    return is_dated(document.text[after.start : after.end])


def _parts(url: str) -> frozenset[str]:
    """Parts of an address below its host, folded, without an ending such as `.html`."""
    path = unquote(urlsplit(url).path)
    return frozenset(fold(part.partition(".")[0]).text.casefold() for part in path.split("/") if part)


def _known(knowledge: Knowledge) -> _Addresses:
    made = knowledge.compiled.get("product_pages")
    if not isinstance(made, _Addresses):
        pages = knowledge.products.pages
        made = _Addresses(
            _folded(pages.articles), _folded(pages.about), _folded(pages.offers), frozenset(pages.article_types)
        )
        knowledge.compiled["product_pages"] = made
    return made


def _folded(terms: Terms) -> frozenset[str]:
    return frozenset(fold(words).text.casefold() for _, words in spellings(terms))
