"""What the crawler itself reads on a seller's page: what it says it is, and where it leads.

Claims are read by the monitor, from the capture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin

from scrapy.http import Response, TextResponse

from crawler.blocks import block_page
from crawler.market.addresses import normalise
from crawler.source import BlockedError, LayoutChangedError, capture_of
from monitor.records import PageRecord, SourceCard

_PAGES = ("text/html", "application/xhtml+xml")
_NOT_FOUND = re.compile(
    r"(?:page|content|product)(?: you \w+(?: looking for)?)? (?:(?:was |is )?not|(?:could not|can(?:no|.)t) be) found"
    r"|page (?:does not|doesn.t) exist|404\W*(?:not found|error|page|seite|erreur|fehler)|(?:error|erreur|fehler)\W*404"
    r"|seite (?:wurde )?nicht gefunden|page (?:est )?(?:introuvable|non trouv[eé]e)|pagina non trovata"
    r"|p[aá]gina (?:no|n[aã]o) (?:se )?(?:encontrad|existe)|sayfa bulunamad"
    r"|ページが見つかりません|お探しのページ|페이지를 찾을 수 없|找不到(?:页面|頁面|网页)",
    re.IGNORECASE,
)
_BARE_NOT_FOUND = re.compile(r"404|not found|nicht gefunden|introuvable", re.IGNORECASE)
"""Enough where it is all that a title says beside the site's name."""
_BETWEEN_NAMES = re.compile(r"\s+[-–—:]\s+|\s*[|·»]\s*")


class NotAPageError(LayoutChangedError):
    """The answer is no HTML."""


class SoftNotFoundError(LayoutChangedError):
    """Answered with 200, and the page itself says that there is no such page."""


@dataclass(frozen=True)
class Link:
    """A link on a page: absolute address in its normal form, and the words it is under."""

    url: str
    said: str


def read_page(response: Response, card: SourceCard) -> PageRecord:
    """One answer as a page. Raises BlockedError, NotAPageError or SoftNotFoundError for what is none."""
    if what := block_page(response):
        raise BlockedError(f"{response.url}: {what} in place of the content")
    kind = content_type(response)
    if kind not in _PAGES or not isinstance(response, TextResponse):
        raise NotAPageError(f"{response.url}: answered with {kind or 'no content type'}, not with a page")
    title = _one(response, "//title[not(ancestor::*[local-name()='svg'])]//text()")
    said = [title, *(_flat(" ".join(h.xpath(".//text()").getall())) for h in response.xpath("//h1")[:3])]
    if found := next(filter(_says_not_found, said), ""):
        raise SoftNotFoundError(f"{response.url}: answered with 200, and says {found!r}")
    return PageRecord(
        source=card.id,
        url=normalise(response.url),
        capture=capture_of(response),
        title=title,
        language=_one(response, "/html/@lang"),
        canonical_url=_canonical(response),
        etag=header(response, "ETag"),
        last_modified=header(response, "Last-Modified"),
        site_name=_one(response, "//meta[@property='og:site_name']/@content"),
    )


def _says_not_found(text: str) -> bool:
    parts = _BETWEEN_NAMES.split(text)
    return bool(_NOT_FOUND.search(text)) or any(_BARE_NOT_FOUND.fullmatch(part.strip(" !.")) for part in parts)


def content_type(response: Response) -> str:
    return header(response, "Content-Type").partition(";")[0].strip().lower()


def header(response: Response, name: str) -> str:
    return (response.headers.get(name) or b"").decode("latin-1").strip()


def _one(response: TextResponse, path: str) -> str:
    return _flat(response.xpath(path).get() or "")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _canonical(response: TextResponse) -> str:
    href = response.xpath("//link[translate(@rel, 'CANOIL', 'canoil')='canonical']/@href").get()
    return _absolute(response.url, href) if href else ""


@lru_cache(maxsize=50_000)
def _absolute(base: str, href: str) -> str:
    """Empty for what is no address of the web."""
    try:
        return normalise(urljoin(base, href.strip()))
    except ValueError:
        return ""


_FROM_ROOT = ("/", "http://", "https://")


def _base(response: TextResponse) -> str:
    try:
        return urljoin(response.url, (response.xpath("//base/@href").get() or "").strip())
    except ValueError:
        return response.url


def links_of(response: TextResponse) -> Iterator[Link]:
    """The links of a page, in its order, each address once."""
    seen: set[str] = set()
    base = _base(response)
    root = urljoin(base, "/")
    # By lxml's own iteration: navigation alone has hundreds of links a page, and selectors cost ten times that.
    for anchor in response.selector.root.iter("a", "area"):
        href = anchor.get("href")
        # From the root most links are the same on every page, and are worked out once.
        url = _absolute(root if href.startswith(_FROM_ROOT) else base, href) if href is not None else ""
        if url and url not in seen:
            seen.add(url)
            images = [image.get("alt", "") for image in anchor.iter("img")]
            yield Link(url, _flat(" ".join([*anchor.itertext(), anchor.get("title", ""), *images])))
