"""The Federal Register, by its API: rules, proposed rules and notices that match one of the card's searches.

The API and the plain text of documents answer anyone; the site's own pages turn machines away and are never asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from bs4 import BeautifulSoup
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scrapy import Request
from scrapy.http import Response

from crawler.notes import host_of, note
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.documents import LIST_FIRST, Document, DocumentSpider, Listed
from crawler.sources.reading import clean, digest_of, json_of, plain_date, quoted_addresses, refuse_block_page
from monitor.records import NoticeRecord, NoticeType, SourceCard

FIELDS = (
    *("document_number", "title", "type", "action", "abstract", "dates", "agencies", "publication_date"),
    *("effective_on", "comments_close_on", "docket_ids", "cfr_references", "topics", "citation"),
    *("html_url", "raw_text_url"),
)
UNIQUE_SINCE = 2016
"""Before this year numbers were used again: the day of publication belongs to the key."""


class Search(BaseModel):
    """One search: its conditions as the API names them, without `conditions[…]` around."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    term: str = ""
    agencies: tuple[str, ...] = ()
    cfr: tuple[int, int] | None = None
    """Title and part of the Code of Federal Regulations that a document touches."""

    @model_validator(mode="after")
    def _asks_something(self) -> Search:
        if not self.term and self.cfr is None:
            raise ValueError("a search needs a term or a part of the CFR; an agency alone brings all that it publishes")
        return self

    def conditions(self) -> list[tuple[str, str]]:
        found = [("conditions[term]", self.term)] if self.term else []
        found += [("conditions[agencies][]", agency) for agency in self.agencies]
        if self.cfr:
            found += [("conditions[cfr][title]", str(self.cfr[0])), ("conditions[cfr][part]", str(self.cfr[1]))]
        return found


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    searches: tuple[Search, ...] = Field(min_length=1)
    types: tuple[str, ...] = ("RULE", "PRORULE", "NOTICE")
    page_size: int = Field(default=100, ge=2, le=1000)


class SearchRefusedError(LayoutChangedError):
    """The API did not accept a search: the card's options are wrong, or the interface changed."""


@dataclass(frozen=True, kw_only=True)
class Published(Listed):
    """One document of a search's answer. `url` is its plain text, `page` what people read."""

    page: str
    number: str
    title: str
    type: str
    action: str
    abstract: str
    dates: str
    agencies: tuple[str, ...]
    effective: date | None
    comments_close: date | None
    dockets: tuple[str, ...]
    cfr: tuple[str, ...]
    citation: str


def address_of(start: str, options: Options, search: Search) -> str:
    """A search's first page, newest first, of all years: what the whole list holds says whether it was read."""
    query = search.conditions() + [("conditions[type][]", each) for each in options.types]
    query += [("order", "newest"), ("per_page", str(options.page_size))]
    return f"{start}?{urlencode(query + [('fields[]', name) for name in FIELDS])}"


def read_answer(response: Response) -> tuple[int, list[Published], list[str], str]:
    """How many documents match, those of this page, what was wrong with others, and the next page's address.

    Nothing found has no `results` at all, or is a 404 that says so. Raises SearchRefusedError for a refused search.
    """
    body = json_of(response)
    if not isinstance(body, dict):
        raise LayoutChangedError(f"{response.url}: no answer of the Federal Register's API")
    if response.status == 404 and body.get("message") == "Record Not Found":
        return 0, [], [], ""
    if response.status != 200 or "errors" in body:
        said = body.get("errors") or body.get("message") or body
        raise SearchRefusedError(
            f"the Federal Register answered {response.status}: {str(said)[:300]}; check `options` in the source's card"
        )
    count, results = body.get("count"), body.get("results", [])
    if not isinstance(count, int) or not isinstance(results, list) or (count and not results):
        raise LayoutChangedError(f"{response.url}: `count` is {count!r} and `results` has not what it counts")
    documents, strange = [], []
    for result in results:
        try:
            documents.append(document_of(result))
        except LayoutChangedError as error:
            strange.append(str(error))
    if strange and not documents:
        raise LayoutChangedError(f"{response.url}: no document was understood: {strange[0]}")
    following = str(body.get("next_page_url") or "")
    if following and host_of(following) != host_of(response.url):
        raise LayoutChangedError(f"{response.url}: the next page is said to be at {following}")
    return count, documents, strange, following


def document_of(result: Any) -> Published:
    """One document. Raises LayoutChangedError without number, title, day or address, or for a field of another kind."""
    if not isinstance(result, dict):
        raise LayoutChangedError(f"a document is no object: {str(result)[:120]}")
    text = {name: _text(result, name) for name in FIELDS if name not in _LISTS}
    number, title, posted = text["document_number"], text["title"], plain_date(text["publication_date"])
    if not number or not title or posted is None or not text["html_url"]:
        raise LayoutChangedError(f"a document has no number, title, day or address: {str(result)[:160]}")
    return Published(
        key=number if posted.year >= UNIQUE_SINCE else f"{number} {posted}",
        url=text["raw_text_url"],
        posted=posted,
        digest=digest_of(*(f"{name}={result.get(name)}" for name in FIELDS if not name.endswith("_url"))),
        page=text["html_url"],
        number=number,
        title=title,
        type=text["type"],
        action=text["action"],
        abstract=text["abstract"],
        dates=text["dates"],
        # some agencies have a raw name only; "DEPARTMENT OF …" stands beside the office that belongs to it
        agencies=tuple(_text(agency, "name") or _text(agency, "raw_name") for agency in _objects(result, "agencies")),
        effective=plain_date(text["effective_on"]),
        comments_close=plain_date(text["comments_close_on"]),
        dockets=_texts(result, "docket_ids"),
        cfr=tuple(f"{one.get('title')} CFR {one.get('part')}" for one in _objects(result, "cfr_references")),
        citation=text["citation"],
    )


_LISTS = frozenset({"agencies", "docket_ids", "cfr_references", "topics"})


def _text(result: dict[str, Any], name: str) -> str:
    value = result.get(name)
    if not isinstance(value, str | None):
        raise LayoutChangedError(f"`{name}` of a document is no text: {str(value)[:80]}")
    return clean(value or "")


def _objects(result: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = result.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise LayoutChangedError(f"`{name}` of a document is no list of objects: {str(value)[:80]}")
    return value


def _texts(result: dict[str, Any], name: str) -> tuple[str, ...]:
    value = result.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise LayoutChangedError(f"`{name}` of a document is no list of texts: {str(value)[:80]}")
    return tuple(clean(one) for one in value)


def type_of(document: Published) -> NoticeType:
    """A rule, a consultation (a proposed rule, or a notice that asks for comments), guidance, or plain news."""
    if document.type == "Rule":
        return NoticeType.RULE
    if document.type == "Proposed Rule":
        return NoticeType.CONSULTATION
    if "guidance" in f"{document.action} {document.title}".lower():
        return NoticeType.GUIDANCE
    return NoticeType.CONSULTATION if document.comments_close else NoticeType.NEWS


def status_of(document: Published) -> str:
    """What comes up: `comments close 2026-12-30; effective 2027-01-15`, either or none."""
    coming = (("comments close", document.comments_close), ("effective", document.effective))
    return "; ".join(f"{name} {day}" for name, day in coming if day)


def notice_of(
    card: SourceCard, captures: tuple[str, ...], found: Published, document: Document | None, unread: str
) -> NoticeRecord:
    """A document as the API and its plain text tell it."""
    told = (
        ("Type", found.type),
        ("Action", found.action),
        ("Dates", found.dates),
        ("Comments close", str(found.comments_close or "")),
        ("Effective", str(found.effective or "")),
        ("Touches", ", ".join(found.cfr)),
        ("Abstract", found.abstract),
    )
    head = "\n".join(f"{name}: {value}" for name, value in told if value)
    return NoticeRecord(
        source=card.id,
        key=found.key,
        notice_type=type_of(found),
        title=found.title,
        url=found.page,
        authority="; ".join(found.agencies) or card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        posted=found.posted,
        comments_close=found.comments_close,
        effective=found.effective,
        references=(f"FR Doc. {found.number}", *((found.citation,) if found.citation else ()), *found.dockets),
        status=status_of(found),
        classification="; ".join(part for part in (found.type, *found.cfr) if part),
        summary=found.abstract or found.action,
        text=f"{head}\n\n{document.text}" if document and document.text else head,
        quoted_urls=document.quoted_urls if document else (),
        unread=(unread,) if unread else (),
        captures=captures,
    )


def read_plain_text(response: Response) -> Document:
    """A document's plain text, as FDA and others sent it to print. Raises LayoutChangedError where there is none."""
    refuse_block_page(response)
    body = BeautifulSoup(response.body.decode("utf-8", errors="replace"), "lxml").get_text()
    lines = [clean(line) for line in body.splitlines()]
    text = "\n".join(line for line in lines if line)
    if "federal register" not in text[:2000].lower():
        raise LayoutChangedError(f"{response.url}: holds no text of the Federal Register")
    return Document(text=text, quoted_urls=quoted_addresses(text, host_of(response.url)))


def read(response: Response, card: SourceCard) -> Records:
    """Every document of one answer."""
    for found in read_answer(response)[1]:
        yield notice_of(card, (capture_of(response),), found, None, "plain text: not asked for")


class Spider(DocumentSpider[Published, Document]):
    """Runs each search, newest first, and reads the plain text of each document that is new or changed."""

    part = "plain text"

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.counts: dict[int, int] = {}
        self.still_owed = self.owed()
        for number, search in enumerate(self.options.searches):
            url = address_of(self.card.start, self.options, search)
            yield self._list_request(url, number)

    def _list_request(self, url: str, search: int) -> Request:
        meta = {"handle_httpstatus_list": [400, 404]}
        return Request(url, self.parse_list, cb_kwargs={"search": search}, meta=meta, priority=LIST_FIRST)

    def parse_list(self, response: Response, search: int) -> Iterator[Request | NoticeRecord]:
        count, documents, strange, following = read_answer(response)
        for message in strange:
            self.book.leave_out("document not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))
        for document in documents:
            self.still_owed.discard(document.key)
            if document.key not in self.book.seen:  # one document may answer to several searches
                yield from self.consider(document, capture_of(response))
        self.counts[search] = count
        self.book.listed = max(*self.counts.values(), len(self.book.seen))
        done = self.nothing_new(documents) and not self.still_owed
        if following and not done and not self.limit_reached(self.taken):
            yield self._list_request(following, search)

    def read_document(self, response: Response, entry: Published) -> Document:  # noqa: ARG002
        return read_plain_text(response)

    def notice(
        self, entry: Published, captures: tuple[str, ...], document: Document | None, unread: str
    ) -> NoticeRecord:
        return notice_of(self.card, captures, entry, document, unread)
