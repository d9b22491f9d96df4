"""FDA's warning letters: the list by DataTables JSON, then each letter's page.

The list holds what FDA posted since 2021, newest first; no column says that a letter is about exosome
products, so every letter that the card does not leave out is read and judged by its text. A close-out letter is a
document of its own: the row that shows one makes a second notice, read from its page where the row links to one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.notes import host_of, note
from crawler.page import Page
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.pdf import pdf_of
from crawler.sources.reading import (
    ListSpider,
    american_date,
    clean,
    digest_of,
    entry_address,
    fragment_text,
    json_of,
    page_of,
    quoted_addresses,
    visible_lines,
)
from monitor.records import NoticeRecord, NoticeType, OrganisationRef, SourceCard

CELLS = 8
"""Posted, issued, company with link, office, subject, response letter, close-out letter, excerpt."""
LIST_FIRST = 10_000_000
"""Priority of the list's pages, above that of any letter (the day it was posted, counted from the year 1)."""
CLOSE_OUT = "CLOSE-OUT LETTER"
"""What stands above the heading of a close-out letter, with hyphen, space or neither."""
_DAY = re.compile(r"\d{1,2}/\d{1,2}/\d{4}|[A-Z][a-z]+\.? \d{1,2}, \d{4}")


class LeaveOut(BaseModel):
    """Letters that are no business of this monitor, by words in their office or subject."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)

    def holds(self, entry: Entry) -> bool:
        where = f"{entry.office}\n{entry.subject}".lower()
        return any(word.lower() in where for word in self.words)


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: str
    """The list as people see it: sent as Referer."""
    query: dict[str, str]
    """What the list's own page sends along, besides `draw`, `start` and `length`."""
    page_size: int = Field(default=100, ge=1, le=500)
    quiet_pages: int = Field(default=2, ge=1)
    """Pages of nothing new after which an incremental run stops: rows move while a list is paged through."""
    label: str = "WARNING LETTER"
    """What stands above the heading of such a letter; responses and close-outs are other documents."""
    notice_type: NoticeType = NoticeType.WARNING_LETTER
    leave_out: tuple[LeaveOut, ...] = ()

    def reason_left_out(self, entry: Entry) -> str:
        """Why an entry is not read; empty if it is."""
        return next((rule.reason for rule in self.leave_out if rule.holds(entry)), "")


@dataclass(frozen=True)
class Entry:
    """One row of the list."""

    url: str
    posted: date | None
    issued: date | None
    company: str
    office: str
    subject: str
    response: str
    closeout: str
    closeout_url: str = ""

    @property
    def key(self) -> str:
        return key_of(self.url)

    @property
    def is_closed(self) -> bool:
        """True if the cell shows a close-out: a link, a day, or the words. Any other mark in it is none."""
        return bool(self.closeout_url or _DAY.search(self.closeout) or "close" in self.closeout.lower())

    @property
    def digest(self) -> str:
        row = (self.company, self.office, self.subject, self.response, self.closeout)
        return digest_of(self.url, str(self.posted), str(self.issued), *row)


@dataclass(frozen=True)
class Letter:
    """One letter's page. `case` is the MARCS-CMS number, `area` FDA's product area."""

    company: str
    case: str
    issued: date | None
    office: str
    subject: str
    reference: str
    area: str
    recipient: tuple[str, ...]
    country: str
    text: str
    quoted_urls: tuple[str, ...]


def key_of(url: str) -> str:
    """A letter's identity: the path of its address."""
    return urlsplit(url).path.rstrip("/") or "/"


def read_list(payload: Any, base: str) -> tuple[int, list[Entry], list[str]]:
    """The list's total, the rows of this page, and what was wrong with rows that were not understood.

    Raises LayoutChangedError if the payload is no DataTables answer, or if not one row is understood.
    """
    body = payload[0] if isinstance(payload, list) and len(payload) == 1 else payload
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise LayoutChangedError(f"{base}: no DataTables answer: `data` is missing")
    total = str(body.get("recordsTotal", ""))
    if not re.fullmatch(r"\d{1,9}", total):
        raise LayoutChangedError(f"{base}: `recordsTotal` is {total!r}, not a number")
    entries, strange = [], []
    for row in body["data"]:
        try:
            entries.append(read_row(row, base))
        except LayoutChangedError as error:
            strange.append(str(error))
    if strange and not entries:
        raise LayoutChangedError(f"{base}: no row was understood: {strange[0]}")
    return int(total), entries, strange


def read_row(row: Any, base: str) -> Entry:
    """One row. Dates are read as printed: the `datetime` attribute is midnight in one zone or another."""
    if not isinstance(row, list) or len(row) < CELLS or not all(isinstance(cell, str) for cell in row):
        raise LayoutChangedError(f"a row of the list is not {CELLS} cells of text: {str(row)[:120]}")
    link = BeautifulSoup(row[2], "lxml").find("a", href=True)
    if link is None:
        raise LayoutChangedError(f"a row of the list has no link: {row[2][:120]!r}")
    company = clean(link.get_text(" "))
    if not company:
        raise LayoutChangedError(f"a row of the list names no company: {row[2][:120]!r}")
    return Entry(
        url=entry_address(base, str(link["href"])),
        posted=american_date(fragment_text(row[0])),
        issued=american_date(fragment_text(row[1])),
        company=company,
        office=fragment_text(row[3]),
        subject=fragment_text(row[4]),
        response=fragment_text(row[5]),
        closeout=fragment_text(row[6]),
        closeout_url=_linked(row[6], base),
    )


def _linked(cell: str, base: str) -> str:
    """Where the cell's letter stands: on FDA's site, or in its files elsewhere."""
    link = BeautifulSoup(cell, "lxml").find("a", href=True) if "<a" in cell else None
    try:
        return urljoin(base, str(link["href"])) if link else ""
    except ValueError as error:
        raise LayoutChangedError(f"a row links to a close-out at no address: {cell[:120]!r}") from error


def read_letter(page: Page, label: str) -> Letter:
    """A letter's page. Raises LayoutChangedError if it is not one, or lacks its company or its text."""
    heading, shown = page.one("h1.content-title"), page.text("p.content-type-label")
    if _letters(shown) != _letters(label):
        raise LayoutChangedError(f"{page.url}: the page says that it is a {shown!r}, not a {label!r}")
    main = page.one("article [role=main]")
    body = _body(main, page.url)
    text = visible_lines(body)
    company = clean("".join(heading.find_all(string=True, recursive=False)))
    if not company or not text:
        raise LayoutChangedError(f"{page.url}: the letter's {'text' if company else 'company'} is missing")
    issued = heading.find("time")
    case = re.search(r"MARCS-CMS\s+(\d+)", heading.get_text(" "))
    facts = _facts(main)
    recipient, country = _recipient(facts.get("Recipient", []))
    links = "\n".join(str(anchor["href"]) for node in body for anchor in _anchors(node))
    return Letter(
        company=company,
        case=case[1] if case else "",
        issued=american_date(issued.get_text()) if issued else None,
        office=_first(facts, "Issuing Office") or _meta(page, "dcterms.creator"),
        subject=_meta(page, "description"),
        reference=_first(facts, "Reference #"),
        area="; ".join(line for dd in facts.get("Product", []) for line in visible_lines([dd]).split("\n") if line),
        recipient=recipient,
        country=country,
        text=text,
        quoted_urls=quoted_addresses(f"{text}\n{links}", host_of(page.url)),
    )


def _letters(label: str) -> str:
    """A label without its hyphens and spaces: "Close-Out Letter", "CLOSEOUT LETTER"."""
    return re.sub(r"[\W_]", "", label).upper()


def _body(main: Tag, url: str) -> list[Tag]:
    """What follows the last block of facts (delivery, recipient, issuing office) in the page's main part."""
    children = main.find_all(True, recursive=False)
    with_facts = [at for at, child in enumerate(children) if child.name == "dl" or child.find("dl")]
    if not with_facts:
        raise LayoutChangedError(f"{url}: recipient and issuing office are missing above the letter")
    return children[with_facts[-1] + 1 :]


def _anchors(node: Tag) -> list[Tag]:
    anchors = node.select('a[href^="http"]')
    return [node, *anchors] if node.name == "a" and str(node.get("href", "")).startswith("http") else anchors


def _facts(main: Tag) -> dict[str, list[Tag]]:
    """`dt` → its `dd`s. A `dd` inside a `dd` (FDA's contact line is one) belongs to the outer one."""
    facts: dict[str, list[Tag]] = {}
    for term in main.select("dl > dt"):
        name = clean(term.get_text(" ")).rstrip(":")
        for sibling in term.find_next_siblings(True):
            if sibling.name == "dt":
                break
            facts.setdefault(name, []).append(sibling)
    return facts


def _first(facts: dict[str, list[Tag]], name: str) -> str:
    return clean(facts[name][0].get_text(" ")) if name in facts else ""


def _recipient(parts: list[Tag]) -> tuple[tuple[str, ...], str]:
    """The recipient's lines as printed, without the labels that FDA hides from view, and the country."""
    lines: list[str] = []
    country = ""
    for part in parts:
        for label in part.select(".field--label"):
            label.extract()
        if named := part.select_one(".country"):
            country = clean(named.get_text(" "))
        lines += visible_lines([part]).split("\n")
    return tuple(line for line in lines if line), country


def _meta(page: Page, name: str) -> str:
    tag = page.maybe(f'meta[name="{name}"]')
    return clean(str(tag.get("content", ""))) if tag else ""


def notice_of(
    card: SourceCard, url: str, captures: tuple[str, ...], entry: Entry | None, letter: Letter | None, unread: str = ""
) -> NoticeRecord:
    """A letter as its list entry and its page tell it; the page is right where both speak."""
    company = letter.company if letter else entry.company if entry else ""
    office = (letter.office if letter else "") or (entry.office if entry else "") or card.authority.name
    subject = (letter.subject if letter else "") or (entry.subject if entry else "")
    address = "\n".join(letter.recipient) if letter else ""
    return NoticeRecord(
        source=card.id,
        key=key_of(url),
        notice_type=Options.model_validate(card.options).notice_type,
        title=f"{company}: {subject}" if subject else company,
        url=url,
        authority=office,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=(letter.issued if letter else None) or (entry.issued if entry else None),
        posted=entry.posted if entry else None,
        organisations=(
            OrganisationRef(name=company, role="addressee", country=letter.country if letter else "", address=address),
        ),
        references=_references(letter),
        status=_status(entry),
        classification=letter.area if letter else "",
        summary=subject,
        text=letter.text if letter else "",
        quoted_urls=letter.quoted_urls if letter else (),
        unread=(unread,) if unread else (),
        captures=captures,
    )


def _references(letter: Letter | None) -> tuple[str, ...]:
    if letter is None:
        return ()
    return tuple(number for number in (letter.case and f"MARCS-CMS {letter.case}", letter.reference) if number)


def _status(entry: Entry | None) -> str:
    """What the list says followed the letter: those letters are documents of their own."""
    if entry is None:
        return ""
    followed = (("response letter", entry.response), ("close-out letter", entry.closeout))
    return "; ".join(f"{name}: {shown}" for name, shown in followed if shown)


@dataclass(frozen=True)
class CloseOut:
    """What a close-out letter says, read from its page or its PDF."""

    issued: date | None
    text: str
    unread: str = ""


def read_close_out(response: Response) -> CloseOut:
    """A close-out letter. Raises LayoutChangedError if it is something else, BlockedError for a block page."""
    if b"%PDF-" in response.body[:1024]:
        document = pdf_of(response)
        return CloseOut(None, document.text, document.unread)
    letter = read_letter(page_of(response), CLOSE_OUT)
    return CloseOut(letter.issued, letter.text)


def close_out_of(
    card: SourceCard, captures: tuple[str, ...], entry: Entry, letter: CloseOut | None, unread: str = ""
) -> NoticeRecord:
    """The close-out that a row shows: FDA holds that the violations of its letter were addressed.

    Where no letter is linked or read, the row is all there is.
    """
    printed = _DAY.search(entry.closeout)
    row = (entry.company, entry.office, entry.subject, f"Close-out letter: {entry.closeout}")
    return NoticeRecord(
        source=card.id,
        key=f"{entry.key}#close-out",
        notice_type=NoticeType.CLOSE_OUT,
        title=f"{entry.company}: close-out letter",
        url=entry.closeout_url or entry.url,
        authority=entry.office or card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=(letter.issued if letter else None) or (american_date(printed[0]) if printed else None),
        organisations=(OrganisationRef(name=entry.company, role="addressee"),),
        references=(f"warning letter {entry.key.rpartition('/')[2]}",),
        summary=entry.subject,
        text=letter.text if letter and letter.text else "\n".join(line for line in row if line),
        unread=(f"close-out letter: {unread}",) if unread else (),
        captures=captures,
    )


def read(response: Response, card: SourceCard) -> Records:
    """A page of the list gives the entries that the card keeps, a letter's page the whole letter."""
    options = Options.model_validate(card.options)
    captures = (capture_of(response),)
    if response.body.lstrip()[:1] in (b"{", b"["):
        _total, entries, _strange = read_list(json_of(response), response.url)
        for entry in entries:
            if not options.reason_left_out(entry):
                yield notice_of(card, entry.url, captures, entry, None, "letter page: not asked for")
                if entry.is_closed:
                    unread = "not asked for" if entry.closeout_url else ""
                    yield close_out_of(card, captures, entry, None, unread)
        return
    letter = read_letter(page_of(response), options.label)
    yield notice_of(card, response.url, captures, None, letter)


class Spider(ListSpider):
    """Pages through the list, newest first, and reads each letter that is new or whose entry changed."""

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.still_owed = self.owed()
        self.taken = 0
        self.quiet = 0
        yield self._list_request(0)

    def _list_request(self, start: int) -> Request:
        size = str(self.options.page_size)
        query = {**self.options.query, "draw": "1", "start": str(start), "length": size}
        headers = {
            "X-Requested-With": "XMLHttpRequest",
            "Accept": "application/json, text/javascript, */*; q=0.01",
            "Referer": self.options.page,
        }
        url = f"{self.card.start}?{urlencode(query)}"
        return Request(url, self.parse_list, headers=headers, cb_kwargs={"start": start}, priority=LIST_FIRST)

    def parse_list(self, response: Response, start: int) -> Iterator[Request | NoticeRecord]:
        total, entries, strange = read_list(json_of(response), response.url)
        for message in strange:
            self.book.leave_out("row not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))
        rows = len(entries) + len(strange)
        if not rows and start < total:
            raise LayoutChangedError(f"{response.url}: the list says that it holds {total} and shows none from {start}")
        for entry in entries:
            yield from self._wanted(entry, capture_of(response))
        self.book.listed = max(total, len(self.book.seen))
        if start + rows < total and not self._enough(entries):
            yield self._list_request(start + rows)

    def _wanted(self, entry: Entry, listed_in: str) -> Iterator[Request]:
        """Note the entry, and ask for its page if it is to be read."""
        self.still_owed.discard(entry.key)
        reason = self.options.reason_left_out(entry)
        digest = f"{entry.digest}-{reason}" if reason else entry.digest
        if self.settled(entry.key, digest):
            self.book.list_entry(entry.key, self.known[entry.key].digest, entry.posted)
            self.book.known += 1
        elif reason:
            self.book.list_entry(entry.key, digest, entry.posted)
            self.book.leave_out(reason)
        elif self.request.since and entry.posted and entry.posted < self.request.since:
            self.book.list_entry(entry.key, digest + self.OLDER, entry.posted)
            self.book.leave_out(f"posted before {self.request.since}")
        else:
            self.owe(entry.key, entry.posted)
            yield from self._letter_request(entry, listed_in)

    def _letter_request(self, entry: Entry, listed_in: str) -> Iterator[Request]:
        if self.limit_reached(self.taken):
            self.book.leave_out("beyond the limit asked for")
            return
        self.taken += 1
        passed = {"entry": entry, "listed_in": listed_in}
        newest_first = entry.posted.toordinal() if entry.posted else 0
        yield Request(entry.url, self.parse_letter, errback=self.letter_failed, cb_kwargs=passed, priority=newest_first)

    def _enough(self, entries: list[Entry]) -> bool:
        """True if what follows on the list can hold nothing to read."""
        nothing_new = all(self._nothing_new(entry.key) for entry in entries)
        self.quiet = self.quiet + 1 if nothing_new and not self.still_owed else 0
        return self.quiet >= self.options.quiet_pages or self.limit_reached(self.taken)

    def _nothing_new(self, key: str) -> bool:
        digest = self.book.seen[key]
        return digest.endswith(self.OLDER) or (not self.request.sweep and self.settled(key, digest))

    def parse_letter(self, response: Response, entry: Entry, listed_in: str) -> Iterator[Request | NoticeRecord]:
        capture = capture_of(response)
        try:
            letter = read_letter(page_of(response), self.options.label)
        except LayoutChangedError as error:
            note(self.book, "layout_changed", str(error), response.url, capture)
            reason = f"letter page: not understood ({error})"
            yield notice_of(self.card, entry.url, (listed_in, capture), entry, None, reason)
            return
        yield notice_of(self.card, entry.url, (capture, listed_in), entry, letter)
        if entry.closeout_url:  # the entry stays owed until its close-out is read too
            passed = {"entry": entry, "listed_in": listed_in}
            yield Request(entry.closeout_url, self.parse_close_out, errback=self.close_out_failed, cb_kwargs=passed)
            return
        self.was_read(entry.key, entry.digest)
        if entry.is_closed:
            yield close_out_of(self.card, (listed_in,), entry, None)

    def parse_close_out(self, response: Response, entry: Entry, listed_in: str) -> Iterator[NoticeRecord]:
        capture = capture_of(response)
        try:
            letter = read_close_out(response)
        except LayoutChangedError as error:
            yield close_out_of(self.card, (listed_in, capture), entry, None, f"not understood ({error})")
            return
        self.was_read(entry.key, entry.digest)
        yield close_out_of(self.card, (capture, listed_in), entry, letter, letter.unread)

    def close_out_failed(self, failure: Failure) -> Iterator[NoticeRecord]:
        request: Request = failure.request  # type: ignore[attr-defined]
        if reason := self.reason_of(failure):
            entry, listed_in = request.cb_kwargs["entry"], request.cb_kwargs["listed_in"]
            yield close_out_of(self.card, (listed_in,), entry, None, reason)

    def letter_failed(self, failure: Failure) -> Iterator[NoticeRecord]:
        request: Request = failure.request  # type: ignore[attr-defined]
        if reason := self.reason_of(failure):
            entry, listed_in = request.cb_kwargs["entry"], request.cb_kwargs["listed_in"]
            yield notice_of(self.card, entry.url, (listed_in,), entry, None, f"letter page: {reason}")
