"""Europe PMC's index of papers and preprints, by its REST interface (europepmc.org/RestfulWebService).

The answer to the question is read newest entry first, until what follows was there before; retracted papers are
asked for apart and read whole, whatever their date.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response

from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.answers import AnswerSpider, digest_of_json, list_field, refuse_error, text_field, text_list
from crawler.sources.literature import (
    doi_of,
    first_day,
    is_retracted,
    need,
    paper_key,
    references_of,
    without_markup,
)
from crawler.sources.reading import clean, json_of
from monitor.records import PublicationRecord, SourceCard

REFUSED = (400, 404)
FIRST_MARK = "*"
PREPRINTS = "PPR"
"""The index's name for its collection of preprints."""
RETRACTIONS = 'PUB_TYPE:"retracted publication"'


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str = Field(min_length=1)
    """The question in Europe PMC's own syntax."""
    first_days: int = Field(ge=1)
    """How far back a first reading goes, before the newest entry's date of entering the index."""
    page_size: int = Field(default=100, ge=1, le=1000)


def address_of(start: str, query: str, size: int, mark: str) -> str:
    """One page's address. The answer's own `nextPageUrl` holds raw spaces, so it is never followed."""
    asked = {"query": query, "format": "json", "resultType": "core", "pageSize": str(size)}
    return f"{start}?{urlencode(asked | {'cursorMark': mark, 'sort': 'FIRST_IDATE_D desc'})}"


def read_answer(payload: Any, where: str) -> tuple[int, list[Any], str]:
    """How many papers match in all, those of this page, and the mark of the next; it is empty at the end.

    Raises LayoutChangedError if it is no answer of this interface.
    """
    count = payload.get("hitCount") if isinstance(payload, dict) else None
    results = payload.get("resultList") if isinstance(payload, dict) else None
    found = results.get("result") if isinstance(results, dict) else None
    if isinstance(count, bool) or not isinstance(count, int) or not isinstance(found, list):
        said = text_field(payload, "errMsg") or "`hitCount` or `resultList.result` is missing"
        raise LayoutChangedError(f"no answer of Europe PMC: {said} ({where})")
    return count, found, text_field(payload, "nextCursorMark")


def publication_of(paper: Any, card: SourceCard, capture: str) -> PublicationRecord:
    """One paper of a `lite` or a `core` answer. Raises LayoutChangedError if its id or its title is missing."""
    collection, number = text_field(paper, "source"), text_field(paper, "id")
    need(collection and number, "`source` or `id`", f"a paper of {card.id}")
    where = f"{collection}:{number}"
    doi, pmid = doi_of(text_field(paper, "doi")), text_field(paper, "pmid")
    types = _types(paper)
    return PublicationRecord(
        source=card.id,
        key=paper_key(doi, pmid, f"{collection.lower()}:{number}"),
        title=need(clean(without_markup(text_field(paper, "title"))), "its title", where),
        url=f"https://europepmc.org/article/{collection}/{number}",
        language=_language(paper) or card.language,
        journal=text_field(paper, "journalInfo", "journal", "title") or text_field(paper, "journalTitle"),
        authors=_authors(paper),
        published=_date(paper, "firstPublicationDate", where),
        posted=_date(paper, "firstIndexDate", where),
        updated=_date(paper, "dateOfRevision", where),
        types=types,
        retracted=is_retracted(types),
        preprint=collection == PREPRINTS or "preprint" in {name.lower() for name in types},
        references=references_of(doi, pmid, text_field(paper, "pmcid")),
        abstract=without_markup(_raw(paper, "abstractText")),
        captures=(capture,),
    )


def _raw(paper: Any, name: str) -> str:
    value = paper.get(name) if isinstance(paper, dict) else None
    return value if isinstance(value, str) else ""


def _date(paper: Any, name: str, where: str) -> date | None:
    try:
        return first_day(text_field(paper, name))
    except LayoutChangedError as error:
        raise LayoutChangedError(f"`{name}`: {error} ({where})") from error


def _types(paper: Any) -> tuple[str, ...]:
    """`core` gives a list, `lite` one text with semicolons; a paper shown twice over is one of each type."""
    names = [*text_list(paper, "pubTypeList", "pubType"), *text_field(paper, "pubType").split(";")]
    return tuple({clean(name).lower(): clean(name) for name in names if clean(name)}.values())


def _authors(paper: Any) -> tuple[str, ...]:
    named = [text_field(one, "fullName") or text_field(one, "collectiveName") for one in _author_list(paper)]
    if not any(named):
        named = [clean(name) for name in text_field(paper, "authorString").rstrip(".").split(",")]
    return tuple(dict.fromkeys(filter(None, named)))


def _author_list(paper: Any) -> list[Any]:
    return list_field(paper, "authorList", "author")


def _language(paper: Any) -> str:
    """`eng` is what nearly all say; any other is kept as written."""
    written = text_field(paper, "language")
    return "en" if written == "eng" else written


def digest_of_paper(paper: dict[str, Any]) -> str:
    """Over what the paper is; how often it is cited and who links to it changes every day."""
    kept = ("id", "source", "doi", "title", "abstractText", "pubType", "pubTypeList", "firstPublicationDate")
    return digest_of_json([paper.get(name) for name in kept])


def read(response: Response, card: SourceCard) -> Records:
    """The papers of one answer."""
    _count, papers, _mark = read_answer(json_of(response), response.url)
    for paper in papers:
        yield publication_of(paper, card, capture_of(response))


class Spider(AnswerSpider):
    """Walks through the answers of both questions, each until nothing new can follow."""

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.since = self.request.since
        self.totals: dict[bool, int] = {}
        query = self.options.query
        yield self._request(f"({query}) AND {RETRACTIONS}", FIRST_MARK, retractions=True, read=0)
        yield self._request(query, FIRST_MARK, retractions=False, read=0)

    def _request(self, query: str, mark: str, *, retractions: bool, read: int) -> Request:
        url = address_of(self.card.start, query, self.options.page_size, mark)
        passed = {"query": query, "mark": mark, "retractions": retractions, "read": read}
        # one question after the other: both may name the same paper
        priority = 1 if retractions else 0
        meta = {"handle_httpstatus_list": list(REFUSED)}
        return Request(url, self.parse, cb_kwargs=passed, priority=priority, meta=meta)

    def parse(
        self, response: Response, query: str = "", mark: str = "", retractions: bool = False, read: int = 0, **_: Any
    ) -> Iterator[Request | PublicationRecord]:
        refuse_error(response, REFUSED)
        total, papers, following = read_answer(json_of(response), response.url)
        self.totals[retractions] = total
        keys: list[str] = []
        for paper in papers:
            try:
                record = publication_of(paper, self.card, capture_of(response))
            except LayoutChangedError as error:
                self.not_understood(error, response)
                continue
            keys.append(record.key)
            bound = None if retractions else self._earliest(record)
            yield from self.keep(record, digest_of_paper(paper), record.posted, bound)
        self.book.listed = max(self.totals.get(False, 0), len(self.book.seen))
        read += len(papers)
        if self.limit_reached(self.taken) or (keys and not retractions and self.nothing_new(keys)):
            return
        if papers and following and following != mark and read < total:
            yield self._request(query, following, retractions=retractions, read=read)
        elif read < total:
            self.ended_early(response, read, total)

    def _earliest(self, newest: PublicationRecord) -> date | None:
        """How far back to read: as asked, or on a first reading some days before the first entry met."""
        if self.since is None and not self.known and not self.request.full and (day := self.come(newest.posted)):
            self.since = day - timedelta(days=self.options.first_days)
        return self.since
