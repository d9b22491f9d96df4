"""What the readers of regulators' lists share: visible text, dates, quoted addresses, entries that failed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, TypeVar
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawler.blocks import block_page, is_html, soft_not_found
from crawler.notes import RefusedRequest, host_of
from crawler.page import Page, compact_date, iso_date, long_date, us_date
from crawler.source import (
    BlockedError,
    HttpStatusError,
    LayoutChangedError,
    SoftNotFoundError,
    SourceSpider,
    WrongContentTypeError,
)

_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_BLOCKS = re.compile(
    r"address|article|aside|blockquote|br|d[dlt]|div|fieldset|figcaption|footer|h[1-6]|header|hr|li|main|nav|[ou]l|p|pre"
    r"|section|table|tbody|t[dhr]|tfoot|thead"
)
_OF_OTHER_KINDS = re.compile(r"(?:image|audio|video|font)/|application/(?:pdf|zip)\b")
"""Types that no list, table or feed is ever sent as."""
T = TypeVar("T")
_UNSEEN = frozenset({"script", "style", "noscript", "template", "svg"})


def clean(text: str) -> str:
    """One line: white space of every kind collapsed, invisible characters gone."""
    return " ".join(_INVISIBLE.sub("", text).split())


def visible_lines(nodes: Iterable[PageElement]) -> str:
    """The text a reader sees, one line a block, nothing added and no word changed."""
    lines = (clean(line) for line in "".join(_pieces(nodes)).split("\n"))
    return "\n".join(line for line in lines if line)


def _pieces(nodes: Iterable[PageElement]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Tag):
            if node.name in _UNSEEN:
                continue
            edge = "\n" if _BLOCKS.fullmatch(node.name) else ""
            yield edge
            yield from _pieces(node.children)
            yield edge
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            yield re.sub(r"\s+", " ", node)


def fragment_text(html: str) -> str:
    """The visible text of a piece of HTML, on one line."""
    return clean(BeautifulSoup(html, "lxml").get_text(" ")) if "<" in html or "&" in html else clean(html)


def american_date(text: str) -> date | None:
    """`03/17/2026` or `March 17, 2026` as printed; None where nothing is printed. Raises LayoutChangedError."""
    printed = clean(text)
    if not printed:
        return None
    return us_date(printed) if "/" in printed else long_date(printed)


def plain_date(text: str) -> date | None:
    """`20260317` or `2026-03-17`; None where nothing is given. Raises LayoutChangedError."""
    printed = clean(text)
    if not printed:
        return None
    return iso_date(printed) if "-" in printed else compact_date(printed)


# A bare name is taken for a host only under these: "section 505.a" or "Inc.The" must not become an address.
_NAMED = "com|net|org|co|io|us|biz|info|shop|store|health|clinic|care|life|online|example"
_END = '\\s<>()\\[\\]{}"\u201c\u201d\u2018\u2019\u00ab\u00bb'
"""What an address in running text ends at: white space, brackets, and quotation marks of every kind."""
_ADDRESS = re.compile(
    rf"(?<![\w@./-])(?:https?://[^{_END}]+"
    rf"|www\.[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[^{_END}]*)?"
    rf"|(?:[a-z0-9][a-z0-9-]*\.)+(?:{_NAMED})\b(?![\w@-])(?:/[^{_END}]*)?)",
    re.IGNORECASE,
)


def quoted_addresses(text: str, own_site: str) -> tuple[str, ...]:
    """Web addresses that a text quotes, in their order, once each; a bare host gets `https://` in front.

    The publisher's own site and other government sites are left out: they are law and advice, not sellers.
    """
    found: dict[str, None] = {}
    for match in _ADDRESS.finditer(_INVISIBLE.sub("", text)):
        written = match[0].rstrip(".,;:!?'*…")
        address = written if "://" in written else f"https://{written}"
        try:
            host = host_of(address)
        except ValueError:  # a bracket or a port that is none: printed like an address, and no address
            continue
        if "." in host and not _official(host, own_site):
            found.setdefault(address)
    return tuple(found)


def _official(host: str, own_site: str) -> bool:
    own = own_site.removeprefix("www.")
    return host == own or host.endswith((f".{own}", ".gov"))


def digest_of(*parts: str) -> str:
    """A short stable digest of a list entry: what says that it changed."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def json_of(response: Response) -> Any:
    """The body as JSON. Raises BlockedError for a block page and LayoutChangedError for anything else."""
    refuse_page(response, "JSON")
    try:
        return json.loads(response.body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        if response.status >= 400:
            raise HttpStatusError(f"{response.url}: answered with status {response.status}") from error
        raise LayoutChangedError(f"{response.url}: the body is no JSON ({error})") from error


def page_of(response: Response) -> Page:
    """The page, parsed. Raises BlockedError for a block page and LayoutChangedError for what is no text."""
    return Page.of(refuse_other_than_page(response))


def refuse_other_than_page(response: Response) -> TextResponse:
    """The answer, if it is a page at all. Raises BlockedError, SoftNotFoundError and WrongContentTypeError."""
    refuse_block_page(response)
    kind = type_of(response)
    # Scrapy goes by the address as well: a picture at an address that ends in .html is text to it
    if _OF_OTHER_KINDS.match(kind) or not isinstance(response, TextResponse):
        raise WrongContentTypeError(f"{response.url}: got {kind or 'nothing named'} where a page was expected")
    return response


def type_of(response: Response) -> str:
    """The content type as sent, without its parameters."""
    return (response.headers.get("Content-Type") or b"").decode("latin-1").partition(";")[0].strip().lower()


def refuse_block_page(response: Response) -> None:
    """Raise BlockedError for an apology page, a captcha or a bait, and SoftNotFoundError for a page that says that it
    is not there."""
    if what := block_page(response):
        raise BlockedError(f"{response.url}: {what} in place of the content")
    if said := soft_not_found(response):
        raise SoftNotFoundError(f"{response.url}: answered with 200, and says {said!r}")


def refuse_page(response: Response, expected: str) -> None:
    """The same, and WrongContentTypeError for any page in the place of `expected` (`JSON`, `a feed`)."""
    refuse_block_page(response)
    kind, html = type_of(response), is_html(response)
    if html or _OF_OTHER_KINDS.match(kind):
        if response.status >= 400:
            raise HttpStatusError(f"{response.url}: answered with status {response.status}")
        sent = f"a page sent as {kind or 'nothing named'}" if html and "html" not in kind else kind
        raise WrongContentTypeError(f"{response.url}: got {sent} where {expected} was expected")


def entry_address(base: str, href: str) -> str:
    """A list entry's absolute address. Raises LayoutChangedError where it leads off the source's own host."""
    try:
        address = urljoin(base, href.strip())
        host = host_of(address)
    except ValueError as error:
        raise LayoutChangedError(f"the list links to {href!r}, which is no address") from error
    if not href.strip() or host != host_of(base):
        raise LayoutChangedError(f"the list links to {href!r}, which is not on {host_of(base)}")
    return address


class ListSpider(SourceSpider):
    """Base of spiders that read a list and then a page for each entry."""

    OLDER = "-older"
    """Ends the digest of an entry that was left out for its date: an earlier `since` brings it back."""

    def owed(self) -> set[str]:
        """Entries that earlier runs saw on the list and could not read."""
        return {key for key, item in self.known.items() if not item.digest}

    def settled(self, key: str, digest: str) -> bool:
        """True if nothing about this entry needs reading: known as it stands, or left out before for its date."""
        if self.request.full:
            return False
        known = self.known.get(key)
        if known is None:
            return False
        return known.digest == digest or (self.request.since is None and known.digest == digest + self.OLDER)

    def limit_reached(self, taken: int) -> bool:
        return self.request.limit is not None and taken >= self.request.limit

    def owe(self, key: str, posted: date | None) -> None:
        """Note an entry that is still to be read: if the run ends before, the next one must not take it for known."""
        self.book.list_entry(key, "", posted)

    def was_read(self, key: str, digest: str) -> None:
        self.book.seen[key] = digest

    def reason_of(self, failure: Failure) -> str:
        """Why an entry's page could not be had, in a few words; empty if the host is left alone or the run ends.

        The engine wrote the problem down already.
        """
        error = failure.value
        if isinstance(error, HttpError):
            return f"the server answered {error.response.status}"
        if isinstance(error, RefusedRequest):
            return "" if error.kind == "blocked" else error.message
        if isinstance(error, IgnoreRequest):
            return ""
        return str(error) or type(error).__name__


def understood(
    payload: Any, base: str, what: str, row: str, read: Callable[[Any, str], T]
) -> tuple[int, list[T], list[str]]:
    """How many rows a JSON list has, those that were understood, and what was wrong with the others.

    Raises LayoutChangedError if it is no list, or if not one row is understood.
    """
    if not isinstance(payload, list):
        raise LayoutChangedError(f"{base}: the {what} is no JSON array")
    rows, strange = [], []
    for one in payload:
        try:
            rows.append(read(one, base))
        except LayoutChangedError as error:
            strange.append(str(error))
    if strange and not rows:
        raise LayoutChangedError(f"{base}: no {row} was understood: {strange[0]}")
    return len(payload), rows, strange
