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

from crawler.archive import body_sha256
from crawler.blocks import block_page, says_not_found
from crawler.market.addresses import asks_for_login, normalise
from crawler.market.elements import elements
from crawler.market.structured import Structured, structured
from crawler.market.telling import LOOK_AT
from crawler.source import BlockedError, LayoutChangedError, SoftNotFoundError, capture_of
from monitor.records import PageRecord, SourceCard

PAGES = ("text/html", "application/xhtml+xml")


class NotAPageError(LayoutChangedError):
    """The answer is no HTML."""


class BuiltByScriptError(LayoutChangedError):
    """The server sent a frame without content: scripts would build the page in a browser."""


class LoginWallError(LayoutChangedError):
    """Something that asks for a password stands in the place of the page."""


_ICON = 64
"""Pixels: a picture declared smaller than this, on either side, holds no text."""
BUILT = "built"
"""Key of a request's meta: this is what a browser showed once scripts had built the page."""
_NO_WORDS = 80
"""Characters of a page's body below which it says nothing of its own: a word that it is loading, say."""
_FRAME_AT_MOST = 2 * 1024**2
"""Bytes. Frames with their scripts inside have some hundred thousand."""
_ASKS_FOR_SCRIPT = re.compile(r"java\s*script", re.IGNORECASE)
_MOUNT = (
    "//body//*[(@id='root' or @id='app' or @id='__next' or @id='__nuxt' or @id='___gatsby' or @id='svelte'"
    " or @data-reactroot or @data-server-rendered or @ng-version or self::app-root or @id='SITE_CONTAINER')"
    " and not(normalize-space(string(.)))]"
)
"""Where the frameworks in use put what they build; empty as the server sends it."""
_LITTLE = 1500
"""Characters of text below which a page that asks for a password shows nothing else of its own."""


@dataclass(frozen=True)
class Link:
    """A link on a page: its absolute address, and the words it is under, as far as they are looked at."""

    url: str
    said: str


@dataclass(frozen=True)
class Told:
    """What a page says of itself and where it leads: what its bytes, type and address decide, and nothing else."""

    title: str
    language: str
    canonical_url: str
    site_name: str
    unread: tuple[str, ...]
    links: tuple[Link, ...]
    """Those that visitors see in their order, then those that its structured data names."""


def told_by(response: Response) -> Told:
    """What an answer says as a page.

    Raises BlockedError, NotAPageError, SoftNotFoundError, LoginWallError or BuiltByScriptError.
    """
    page = _page(response)
    title = _title(page)
    _refuse_what_is_none(page, title)
    said_of_itself = structured(page)
    named = (Link(address, name) for address, name in said_of_itself.addresses(page.url))
    return Told(
        title=title,
        language=_language(page),
        canonical_url=_canonical(page),
        site_name=_flat(said_of_itself.open_graph.get("og:site_name", "")) or said_of_itself.name_of_site(),
        unread=tuple(_unread(page, said_of_itself)),
        links=(*links_of(page), *named),
    )


def _page(response: Response) -> TextResponse:
    """The answer, if it may be a page by what stands around its words. Raises BlockedError or NotAPageError."""
    if what := block_page(response):
        raise BlockedError(f"{response.url}: {what} in place of the content")
    kind = content_type(response)
    if kind not in PAGES or not isinstance(response, TextResponse):
        raise NotAPageError(f"{response.url}: answered with {kind or 'no content type'}, not with a page")
    return response


def record_of(told: Told, response: Response, card: SourceCard) -> PageRecord:
    """The record of a page that says this."""
    return PageRecord(
        source=card.id,
        url=normalise(response.url),
        capture=capture_of(response),
        title=told.title,
        language=told.language,
        canonical_url=told.canonical_url,
        etag=header(response, "ETag"),
        last_modified=header(response, "Last-Modified"),
        body_sha256=body_sha256(response),
        site_name=told.site_name,
        unread=told.unread,
    )


def _refuse_what_is_none(response: TextResponse, title: str) -> None:
    said = [title, *(_flat(" ".join(heading.itertext())) for heading in elements(response)["h1"][:3])]
    if found := next(filter(says_not_found, said), ""):
        raise SoftNotFoundError(f"{response.url}: answered with 200, and says {found!r}")
    if _is_login_wall(response):
        raise LoginWallError(f"{response.url}: asks for a password in the place of the page")
    if _is_frame_alone(response):
        raise BuiltByScriptError(f"{response.url}: is built by script, and nothing of it was read")


def _unread(response: TextResponse, said: Structured) -> Iterator[str]:
    """Words of `PageRecord.unread`: what is written in pictures is not read, and is said to be unread."""
    if images := len(set(images_of(response))):
        yield f"the text in {_counted(images, 'image')}"
    if said.broken:
        yield f"{_counted(said.broken, 'broken script')} of structured data"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def unread_of(record: PageRecord) -> Iterator[tuple[str, int]]:
    """What of a page was not read, and how much of it: the words of `unread` without their number."""
    for words in record.unread:
        number = re.search(r"\d+ ", words)
        kind = re.sub(r"\b(image|script)\b", r"\1s", words.replace(number.group(), "", 1)) if number else words
        yield kind, int(number.group()) if number else 1


def images_of(response: TextResponse) -> Iterator[str]:
    """Addresses of the pictures on a page that may hold text: icons, drawings and counters are left out."""
    for image in elements(response)["img"]:
        address = image.get("src") or image.get("data-src") or (image.get("srcset") or "").partition(" ")[0]
        small = any(_pixels(image.get(side)) < _ICON for side in ("width", "height"))
        if address and not small and not address.startswith("data:") and ".svg" not in address.lower():
            yield address


def _pixels(said: str | None) -> int:
    match = re.match(r"\s*(\d{1,6})(?:px)?\s*\Z", said or "")
    return int(match.group(1)) if match else _ICON


def _is_login_wall(response: TextResponse) -> bool:
    asked = response.request.meta.get("redirect_urls", [response.url])[0] if response.request else response.url
    if asks_for_login(response.url) and not asks_for_login(asked):
        return True
    if not any(field.get("type") == "password" for field in elements(response)["input"]):
        return False
    return len(_shown(response, besides="ancestor::nav")) < _LITTLE


def _shown(response: TextResponse, besides: str = "false()") -> str:
    """The words of a page's body without scripts and what stands in for them."""
    hidden = "ancestor::script or ancestor::style or ancestor::noscript or ancestor::template"
    return _flat(" ".join(response.xpath(f"//body//text()[not({hidden} or {besides})]").getall()))


def _is_frame_alone(response: TextResponse) -> bool:
    """True for a page that has scripts and a place for what they build, and next to no words of its own."""
    if len(response.body) > _FRAME_AT_MOST or not elements(response)["script"]:
        return False
    is_built = response.request is not None and BUILT in response.request.meta
    if len(_shown(response)) >= (1 if is_built else _NO_WORDS):
        return False
    asks = _ASKS_FOR_SCRIPT.search(" ".join(response.xpath("//noscript//text()").getall()))
    return bool(asks) or bool(response.xpath(_MOUNT))


def content_type(response: Response) -> str:
    return header(response, "Content-Type").partition(";")[0].strip().lower()


def header(response: Response, name: str) -> str:
    return (response.headers.get(name) or b"").decode("latin-1").strip()


def _title(response: TextResponse) -> str:
    """The page's own: pictures within it have titles too."""
    own = (title for title in elements(response)["title"] if next(title.iterancestors("svg"), None) is None)
    return _flat(next((text for title in own for text in title.itertext()), ""))


def _language(response: TextResponse) -> str:
    root = response.selector.root
    return _flat(root.get("lang") or "") if root.tag == "html" else ""


def _flat(text: str) -> str:
    return " ".join(text.split())


def _canonical(response: TextResponse) -> str:
    named = (link.get("href") for link in elements(response)["link"] if (link.get("rel") or "").lower() == "canonical")
    href = next((one for one in named if one is not None), "")
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
    named: Iterator[str | None] = (base.get("href") for base in elements(response)["base"])
    try:
        return urljoin(response.url, next((one for one in named if one is not None), "").strip())
    except ValueError:
        return response.url


def links_of(response: TextResponse) -> Iterator[Link]:
    """The links of a page, in its order, each address once."""
    seen: set[str] = set()
    base = _base(response)
    root = urljoin(base, "/")
    # By lxml's own elements: navigation alone has hundreds of links a page, and selectors cost ten times that.
    for anchor in elements(response)["a"]:
        href = anchor.get("href")
        # From the root most links are the same on every page, and are worked out once.
        url = _absolute(root if href.startswith(_FROM_ROOT) else base, href) if href is not None else ""
        if url and url not in seen:
            seen.add(url)
            images = [image.get("alt", "") for image in anchor.iter("img")]
            yield Link(url, _flat(" ".join([*anchor.itertext(), anchor.get("title", ""), *images]))[:LOOK_AT])
