"""FDA's recalls, market withdrawals and safety alerts: the table as one JSON file, then the page of each that matters.

The table holds the firms' own announcements of about three years, foods for the most part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from bs4 import Tag
from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response

from crawler.generic.terms import terms_of
from crawler.notes import host_of, note
from crawler.page import Page
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.documents import Document, DocumentSpider, Listed
from crawler.sources.reading import (
    american_date,
    clean,
    digest_of,
    entry_address,
    fragment_text,
    json_of,
    page_of,
    quoted_addresses,
    understood,
    visible_lines,
)
from monitor.records import NoticeRecord, NoticeType, OrganisationRef, SourceCard

FIELDS = (
    "path",
    "field_change_date_2",
    "field_brand_name",
    "field_product_description",
    "field_recall_reason_description",
    "field_recall_reason",
    "field_company_name",
    "field_regulated_product_field",
    "changed",
)
_REVISED = re.compile(r"^(?:updated?-(?:release-)?)+")
"""What FDA puts before the address of an announcement when it is revised: the same recall all the same."""


class Options(BaseModel):
    """The card's `options`: which rows are worth a look at their page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_types: tuple[str, ...] = Field(min_length=1)
    """Rows whose types hold one of these are read whatever they say; so are rows that name no type."""
    words: tuple[str, ...] = ()
    """Rows of any other type are read where one of these, or of the common English words, begins in them."""


@dataclass(frozen=True, kw_only=True)
class Recall(Listed):
    """One row of the table. `url` is its page."""

    company: str
    brand: str
    product: str
    reason: str
    types: tuple[str, ...]
    updated: date | None


@dataclass(frozen=True, kw_only=True)
class Announcement(Document):
    """One announcement's page."""

    title: str
    label: str
    announced: date | None
    posted: date | None
    company: str
    brands: str
    product: str
    types: str
    reason: str


def key_of(path: str) -> str:
    """A recall's identity: its path, without what is put before the last part when it is revised."""
    folder, _, slug = path.rstrip("/").rpartition("/")
    return f"{folder}/{_REVISED.sub('', slug) or slug}"


def read_table(payload: Any, base: str) -> tuple[int, list[Recall], list[str]]:
    """As `understood`, over the whole table."""
    return understood(payload, base, "table", "row", read_row)


def read_row(row: Any, base: str) -> Recall:
    """One row. Raises LayoutChangedError if a field is missing or is no text."""
    lacking = [name for name in FIELDS if not isinstance(row.get(name), str)] if isinstance(row, dict) else FIELDS
    if lacking:
        raise LayoutChangedError(f"a row of the table lacks {', '.join(lacking)}: {str(row)[:120]}")
    path, posted, brand, product, why, kind, company, types, changed = (fragment_text(row[name]) for name in FIELDS)
    if not path.startswith("/") or not (company or brand or product):
        raise LayoutChangedError(f"a row of the table has no address, or names nothing: {str(row)[:120]}")
    return Recall(
        key=key_of(path),
        url=entry_address(base, path),
        posted=american_date(posted),
        digest=digest_of(path, posted, brand, product, why, kind, company, types, changed),
        company=company,
        brand=brand,
        product=product,
        reason=why or kind,
        types=tuple(name for part in types.split(",") if (name := part.strip())),
        updated=_changed(changed),
    )


def _changed(text: str) -> date | None:
    """`Wed, 08/19/2026 - 16:21` as printed, in FDA's own zone."""
    match = re.search(r"\d{2}/\d{2}/\d{4}", text)
    return american_date(match[0]) if match else None


def read_announcement(page: Page) -> Announcement:
    """An announcement's page. Raises LayoutChangedError if heading, facts or text are missing."""
    main = page.one("main [role=main]")
    facts = _facts(page.part(main).one("dl.lcds-description-list--grid"))
    heading = page.part(main).one("h2#recall-announcement")
    body = [node for node in heading.next_siblings if not (isinstance(node, Tag) and node.get("id") == "recall-photos")]
    text = visible_lines(body)
    if not text:
        raise LayoutChangedError(f"{page.url}: nothing stands below the announcement's heading")
    links = [str(anchor["href"]) for node in body if isinstance(node, Tag) for anchor in node.select("a[href]")]
    addresses = "\n".join(f"https:{link}" if link.startswith("//") else link for link in links if "//" in link)
    return Announcement(
        title=page.text("h1.content-title"),
        label=page.text("p.content-type-label"),
        announced=_printed(facts, "Company Announcement Date"),
        posted=_printed(facts, "FDA Publish Date"),
        company=facts.get("Company Name", ""),
        brands=facts.get("Brand Name", ""),
        product=facts.get("Product Description", ""),
        types=facts.get("Product Type", ""),
        reason=facts.get("Reason for Announcement", ""),
        text=text,
        quoted_urls=quoted_addresses(f"{text}\n{addresses}", host_of(page.url)),
    )


def _facts(pairs: Tag) -> dict[str, str]:
    """`dt` → its `dd` on one line, without the labels that FDA puts inside it a second time."""
    facts = {}
    for term in pairs.find_all("dt"):
        value = term.find_next_sibling("dd")
        if not isinstance(value, Tag):
            raise LayoutChangedError(f"{clean(term.get_text(' '))!r} stands without a value above the announcement")
        for label in value.select(".field--label"):
            label.extract()
        facts[clean(term.get_text(" ")).rstrip(":")] = clean(visible_lines([value]).replace("\n", "; "))
    return facts


def _printed(facts: dict[str, str], name: str) -> date | None:
    return american_date(facts.get(name, ""))


def notice_of(
    card: SourceCard, url: str, captures: tuple[str, ...], entry: Recall | None, page: Announcement | None, unread: str
) -> NoticeRecord:
    """A recall as row and page tell it; the page is right where both speak."""
    company = (page.company if page else "") or (entry.company if entry else "")
    product = (page.product if page else "") or (entry.product if entry else "")
    brands = (page.brands if page else "") or (entry.brand if entry else "")
    title = page.title if page else ": ".join(part for part in (company, product or brands) if part)
    types = page.types if page else "; ".join(entry.types) if entry else ""
    return NoticeRecord(
        source=card.id,
        key=entry.key if entry else key_of(urlsplit(url).path),
        notice_type=NoticeType.RECALL if not page or "ANNOUNCEMENT" in page.label.upper() else NoticeType.ALERT,
        title=title,
        url=url,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=page.announced if page else None,
        posted=(page.posted if page else None) or (entry.posted if entry else None),
        updated=entry.updated if entry else None,
        organisations=(OrganisationRef(name=company, role="recalling_firm"),) if company else (),
        products=tuple(dict.fromkeys(part for part in (product, brands) if part)),
        classification=types,
        summary=(page.reason if page else "") or (entry.reason if entry else ""),
        text=page.text if page else "",
        quoted_urls=page.quoted_urls if page else (),
        unread=(unread,) if unread else (),
        captures=captures,
    )


class Selection:
    """Which rows' pages are read, by the card's options."""

    def __init__(self, options: Options) -> None:
        self.types = tuple(name.lower() for name in options.product_types)
        self.terms = terms_of(("en",), options.words)

    def reason_left_out(self, entry: Recall) -> str:
        types = ", ".join(entry.types).lower()
        if not types or any(name in types for name in self.types):
            return ""
        if self.terms.is_near(entry.brand, entry.product, entry.reason, entry.company):
            return ""
        return "other product type, and no term of the lists"


def read(response: Response, card: SourceCard) -> Records:
    """The table gives the rows that the card keeps, an announcement's page the announcement."""
    captures = (capture_of(response),)
    if response.body.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] not in (b"[", b"{"):
        yield notice_of(card, response.url, captures, None, read_announcement(page_of(response)), "")
        return
    selection = Selection(Options.model_validate(card.options))
    _total, recalls, _strange = read_table(json_of(response), response.url)
    for entry in recalls:
        if not selection.reason_left_out(entry):
            yield notice_of(card, entry.url, captures, entry, None, "page: not asked for")


class Spider(DocumentSpider[Recall, Announcement]):
    """Reads the table once, then the page of each kept row that is new or changed."""

    def begin(self) -> Iterator[Request]:
        self.selection = Selection(Options.model_validate(self.card.options))
        self.selected_by = self.selection.terms.fingerprint
        yield Request(self.card.start, self.parse)

    def parse(self, response: Response, **_: Any) -> Iterator[Request | NoticeRecord]:
        total, recalls, strange = read_table(json_of(response), response.url)
        for message in strange:
            self.book.leave_out("row not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))
        # the table is in no order, and keeps an announcement beside its revision
        newest: dict[str, Recall] = {}
        for recall in sorted(recalls, key=lambda each: each.updated or each.posted or date.min):
            if recall.key in newest:
                self.book.leave_out("older version of a recall")
            newest[recall.key] = recall
        for recall in reversed(newest.values()):
            yield from self.consider(recall, capture_of(response))
        self.book.listed = total

    def reason_left_out(self, entry: Recall) -> str:
        return self.selection.reason_left_out(entry)

    def read_document(self, response: Response, entry: Recall) -> Announcement:  # noqa: ARG002
        return read_announcement(page_of(response))

    def notice(
        self, entry: Recall, captures: tuple[str, ...], document: Announcement | None, unread: str
    ) -> NoticeRecord:
        return notice_of(self.card, entry.url, captures, entry, document, unread)
