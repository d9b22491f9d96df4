"""What the readers of tables share: which of a row's values makes which field of an entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from crawler.generic.entries import Entry, EntryOptions, PageText, address_of, day_or_note, notice_of
from crawler.generic.feed import plain
from crawler.generic.spider import EntrySpider
from crawler.source import LayoutChangedError
from crawler.sources.reading import clean
from monitor.records import AnyRecord, AuthorisationRecord, SourceCard

Status = Literal["authorised", "conditional", "suspended", "withdrawn", "refused", "unknown"]
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
"""One name or several; the values of several are joined, empty ones left out."""
Lookup = Callable[[str], str]
"""A row's value by its name; empty where it holds none. Raises LayoutChangedError where the table has no such name."""


class Fields(BaseModel):
    """Names of a row's values, by the field that they make."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Names = Field(min_length=1)
    title: Names = Field(min_length=1)
    url: str = ""
    summary: Names = ()
    text: Names = ()
    issued: str = ""
    posted: str = ""
    updated: str = ""
    labels: Names = ()
    products: Names = ()
    organisation: str = ""
    references: Names = ()
    status: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """Every name that is asked of a row."""
        return tuple(
            dict.fromkeys(
                name
                for value in self.model_dump().values()
                for name in ((value,) if isinstance(value, str) else value)
                if name
            )
        )


class TableOptions(EntryOptions):
    """What a card can say to every reader of tables."""

    fields: Fields
    url_template: str = ""
    """Address of an entry's page where the table gives none; `{key}` stands for its id."""
    statuses: dict[str, Status] = Field(default_factory=dict)
    """For registers of what is authorised: the table's word for a status → ours."""


def entry_of(value: Lookup, card: SourceCard, options: TableOptions, base: str) -> Entry:
    """One row. Raises LayoutChangedError if it has no id or no title."""
    fields = options.fields
    key, title = _joined(value, fields.key, "/"), _joined(value, fields.title, " \N{EN DASH} ")
    if not key or not title:
        lacking = "id" if not key else "title"
        raise LayoutChangedError(f"a row without {lacking} ({', '.join(fields.key if not key else fields.title)})")
    dates = options.dates(card)
    issued, no_issued = day_or_note(dates, value(fields.issued) if fields.issued else "", "issued date")
    posted, no_posted = day_or_note(dates, value(fields.posted) if fields.posted else "", "posted date")
    updated, no_updated = day_or_note(dates, value(fields.updated) if fields.updated else "", "updated date")
    return Entry(
        key=key,
        title=title,
        url=_url(value, key, options, base),
        summary=_joined(value, fields.summary, "\n"),
        text=_joined(value, fields.text, "\n"),
        issued=issued,
        posted=posted,
        updated=updated,
        labels=_several(value, fields.labels),
        products=_several(value, fields.products),
        organisation=plain(value(fields.organisation)) if fields.organisation else "",
        references=_several(value, fields.references),
        status=plain(value(fields.status)) if fields.status else "",
        unread=(*no_issued, *no_posted, *no_updated),
    )


def _several(value: Lookup, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for name in names if (text := plain(value(name)))))


def _joined(value: Lookup, names: Iterable[str], between: str) -> str:
    return between.join(_several(value, names))


def _url(value: Lookup, key: str, options: TableOptions, base: str) -> str:
    given = clean(value(options.fields.url)) if options.fields.url else ""
    if not given and options.url_template:
        given = options.url_template.replace("{key}", quote(key, safe=""))
    return address_of(given, base) if given else ""


def record_of(
    card: SourceCard, options: TableOptions, entry: Entry, captures: tuple[str, ...], page: PageText | None
) -> AnyRecord:
    """A row as the card's kind has it: a notice, or a product of a register."""
    if card.kind != "authorisation":
        return notice_of(card, options, entry, captures, page)
    return AuthorisationRecord(
        source=card.id,
        key=entry.key,
        product=entry.title,
        url=entry.url or card.start,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        number=", ".join(entry.references),
        holder=entry.organisation,
        status=options.statuses.get(entry.status, "unknown"),
        status_text=entry.status,
        authorised=entry.issued,
        updated=entry.updated,
        indication=entry.summary,
        kinds=entry.labels,
        captures=captures,
    )


class TableSpider(EntrySpider):
    """Base of the spiders that read tables."""

    options: TableOptions

    def record_of(self, entry: Entry, captures: tuple[str, ...], page: PageText | None = None) -> AnyRecord:
        return record_of(self.card, self.options, entry, captures, page)
