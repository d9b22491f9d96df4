"""PubMed by NCBI's E-utilities: `esearch` gives the numbers of the papers that match, `efetch` the papers as XML.

After the E-utilities' manual (ncbi.nlm.nih.gov/books/NBK25499). A first reading goes back some days by the date on
which a paper came into PubMed, later ones fewer; retracted papers are asked for apart, whatever their date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response

from crawler.notes import Kind, note
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.answers import AnswerSpider, refuse_error
from crawler.sources.literature import latest
from crawler.sources.pubmed_article import pmid_of, publication_of
from crawler.sources.reading import json_of
from crawler.sources.safe_xml import words_of, xml_of
from monitor.records import PublicationRecord, SourceCard

REFUSED = (400, 414)
LAST = 9_999
"""PubMed's search shows no number beyond this place."""
RETRACTIONS = '("retracted publication"[pt] OR "expression of concern"[pt])'
SEEN, SEEN_RETRACTED = "1", "retracted"
"""Digests of a number on the list: the list says no more of a paper than which of the two questions found it."""


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    term: str = Field(min_length=1)
    """The question in PubMed's own syntax."""
    first_days: int = Field(ge=1)
    """How far back a first or a full reading goes."""
    days: int = Field(ge=1)
    """How far back later readings go: as long as this source may be out of reach without anything being missed."""
    tool: str = "exowatch"
    email: str = ""
    """NCBI asks for the operator's address; the user agent has the configured contact in any case."""
    page_size: int = Field(default=1000, ge=1, le=LAST)
    batch: int = Field(default=100, ge=1, le=200)
    """Papers in one `efetch`: the address holds their numbers."""


def search_address(start: str, options: Options, term: str, window: dict[str, str], place: int) -> str:
    """One page of `esearch`."""
    asked = {"db": "pubmed", "retmode": "json", "term": term, **window}
    asked |= {"retmax": str(options.page_size), "retstart": str(place), **_who(options)}
    return f"{start}?{urlencode(asked)}"


def fetch_address(start: str, options: Options, numbers: list[str]) -> str:
    """One `efetch`."""
    asked = {"db": "pubmed", "retmode": "xml", "id": ",".join(numbers), **_who(options)}
    return f"{start.replace('esearch', 'efetch')}?{urlencode(asked)}"


def _who(options: Options) -> dict[str, str]:
    return {"tool": options.tool} | ({"email": options.email} if options.email else {})


def read_search(payload: Any, where: str) -> tuple[int, list[str]]:
    """How many papers match in all, and the numbers on this page.

    Raises LayoutChangedError if it is no answer of `esearch`, or if a word of the question was dropped: PubMed
    leaves out what it does not know, and the rest matches papers by the ten thousand.
    """
    if not isinstance(payload, dict):
        raise LayoutChangedError(f"no answer of esearch ({where})")
    if error := payload.get("error"):
        raise LayoutChangedError(f"PubMed refused: {error} ({where})")
    result = payload.get("esearchresult")
    if not isinstance(result, dict):
        raise LayoutChangedError(f"no answer of esearch: `esearchresult` is missing ({where})")
    if error := result.get("ERROR"):
        raise LayoutChangedError(f"PubMed refused: {error} ({where})")
    if dropped := _dropped(result):
        raise LayoutChangedError(
            f"PubMed does not know {dropped} and left it out of the question; check `options.term` ({where})"
        )
    count, numbers = str(result.get("count", "")), result.get("idlist")
    if not re.fullmatch(r"\d{1,9}", count) or not isinstance(numbers, list):
        raise LayoutChangedError(f"no answer of esearch: `count` or `idlist` is missing ({where})")
    if strange := [number for number in numbers if not re.fullmatch(r"\d{1,9}", str(number))]:
        raise LayoutChangedError(f"{strange[0]!r} is no PubMed number ({where})")
    return int(count), [str(number) for number in numbers]


def _dropped(result: dict[str, Any]) -> str:
    """What PubMed says that it did not find of the question's words; empty if it used them all."""
    lists = [(result.get("errorlist"), name) for name in ("phrasesnotfound", "fieldsnotfound")]
    lists.append((result.get("warninglist"), "quotedphrasesnotfound"))
    found: list[str] = []
    for holder, name in lists:
        words = holder.get(name) if isinstance(holder, dict) else None
        found += [str(word) for word in words] if isinstance(words, list) else []
    return ", ".join(found)


def read_papers(response: Response) -> list[Element]:
    """The articles of one `efetch`. Raises LayoutChangedError for anything else."""
    root = xml_of(response, "PubmedArticleSet", "eFetchResult")
    if root.tag == "eFetchResult":
        raise LayoutChangedError(f"PubMed refused: {words_of(root) or 'no reason given'} ({response.url})")
    return list(root)


def read(response: Response, card: SourceCard) -> Records:
    """The papers of one `efetch`; the numbers of an `esearch` are no records yet."""
    if response.body.lstrip()[:1] == b"{":
        read_search(json_of(response), response.url)
        return
    for article in read_papers(response):
        if article.tag == "PubmedArticle":
            yield publication_of(article, card, capture_of(response))


class Spider(AnswerSpider):
    """Asks both questions for their numbers, then for the papers that are new, or newly retracted."""

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.wanted: dict[str, str] = {}
        """Numbers to ask for, with the digest under which each is noted once it was read."""
        self.totals = [0, 0]
        self.open_questions = 2
        yield self._search(self.options.term, self._window(), SEEN, 0)
        yield self._search(f"({self.options.term}) AND {RETRACTIONS}", {}, SEEN_RETRACTED, 0)

    def _window(self) -> dict[str, str]:
        if self.request.since:
            return {"datetype": "edat", "mindate": f"{self.request.since:%Y/%m/%d}", "maxdate": "3000"}
        days = self.options.days if self.known and not self.request.full else self.options.first_days
        return {"datetype": "edat", "reldate": str(days)}

    def _search(self, term: str, window: dict[str, str], digest: str, place: int) -> Request:
        passed = {"term": term, "window": window, "digest": digest, "place": place}
        url = search_address(self.card.start, self.options, term, window, place)
        meta = {"handle_httpstatus_list": list(REFUSED)}
        return Request(url, self.parse_search, cb_kwargs=passed, priority=1, meta=meta)

    def parse_search(
        self, response: Response, term: str, window: dict[str, str], digest: str, place: int
    ) -> Iterator[Request]:
        refuse_error(response, REFUSED)
        total, numbers = read_search(json_of(response), response.url)
        self.totals[digest == SEEN_RETRACTED] = total
        for number in numbers:
            if digest == SEEN_RETRACTED or number not in self.wanted:
                self.wanted[number] = digest
        reached = place + len(numbers)
        if numbers and reached < min(total, LAST):
            yield self._search(term, window, digest, reached)
            return
        if reached < min(total, LAST):
            self.ended_early(response, reached, total)
        elif total > LAST:
            message = f"{total} papers match and PubMed shows {LAST}: the rest is unread; give a later `--since`"
            note(self.book, "limit_reached", message, response.url, capture_of(response))
        self.open_questions -= 1
        if not self.open_questions:
            yield from self._fetches()

    def _fetches(self) -> Iterator[Request]:
        """Note every number of both lists, and ask for the papers that are to be read."""
        unread: list[str] = []
        for number, digest in self.wanted.items():
            key = f"pmid:{number}"
            if self.settled(key, digest):
                self.book.list_entry(key, digest)
                self.book.known += 1
                continue
            self.owe(key, None)
            if self.limit_reached(len(unread)):
                self.book.leave_out("beyond the limit asked for")
            else:
                unread.append(number)
        self.book.listed = max(sum(self.totals), len(self.wanted))
        for first in range(0, len(unread), self.options.batch):
            numbers = unread[first : first + self.options.batch]
            url = fetch_address(self.card.start, self.options, numbers)
            meta = {"handle_httpstatus_list": list(REFUSED)}
            yield Request(url, self.parse_papers, cb_kwargs={"numbers": numbers}, meta=meta)

    def parse_papers(self, response: Response, numbers: list[str]) -> Iterator[PublicationRecord]:
        refuse_error(response, REFUSED)
        missing = dict.fromkeys(numbers)
        for article in read_papers(response):
            number = pmid_of(article)
            missing.pop(number, None)
            yield from self._paper(article, number, response)
        self._note_missing(list(missing), len(numbers), response)

    def _paper(self, article: Element, number: str, response: Response) -> Iterator[PublicationRecord]:
        if article.tag == "PubmedArticle":
            try:
                paper = publication_of(article, self.card, capture_of(response))
            except LayoutChangedError as error:
                self.not_understood(error, response)
                return
            self.book.newest = latest(self.book.newest, self.come(paper.posted))
            yield paper
        else:
            self.book.leave_out("a book or a chapter of one")
        self.was_read(f"pmid:{number}", self.wanted.get(number, SEEN))

    def _note_missing(self, missing: list[str], asked: int, response: Response) -> None:
        """Papers that do not come stay owed. Single ones may have been taken out of PubMed since the search."""
        if not missing:
            return
        self.book.leave_out("listed, and not delivered", len(missing))
        message = f"{len(missing)} of {asked} papers that were asked for did not come: {', '.join(missing[:5])}"
        kind: Kind = "parse_error" if len(missing) == asked else "http_error"
        note(self.book, kind, message, response.url, capture_of(response))
