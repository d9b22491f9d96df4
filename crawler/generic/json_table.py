"""Tables as JSON. A card alone makes a source of one: `spider: generic.json_table`."""

from __future__ import annotations

import json
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field
from scrapy.http import Response

from crawler.generic.entries import Listing, is_list_address, notice_of_page, records_of_list
from crawler.generic.tables import TableOptions, TableSpider, entry_of, record_of
from crawler.source import LayoutChangedError, Records
from crawler.sources.reading import json_of
from monitor.records import SourceCard


class Paging(BaseModel):
    """How the table's next page is asked for: by a parameter of its address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameter: str = Field(min_length=1)
    counts: Literal["rows", "pages"] = "rows"
    """Whether the parameter counts the rows before the page, or pages."""
    size: int = Field(ge=1)
    """Rows of a full page: a shorter one is the last."""
    first: int = 0
    """The first page's value of the parameter."""
    last: int | None = None
    """Highest value that the server takes."""


CONTENT_TYPES = ("json",)
"""What the type of a list's answer holds, one of these."""


class Options(TableOptions):
    """The card's `options`. Names are dotted paths (`product.name`); a number picks one of a list (`names.0`)."""

    rows: str = ""
    """Path to the list of rows; left out: the answer itself is the list."""
    paging: Paging | None = None


def listing(response: Response, card: SourceCard) -> Listing:
    """The answer's rows. Raises BlockedError, and LayoutChangedError where the rows or a name are not there."""
    options = Options.model_validate(card.options)
    answer = json_of(response)
    rows = at(answer, options.rows)
    if not isinstance(rows, list):
        raise LayoutChangedError(f"{response.url}: no list of rows at {options.rows or 'the top'}")
    if not rows and not options.empty_ok and not _value_in(response.url, options.paging):
        raise LayoutChangedError(f"{response.url}: the table is empty, where it never is")
    _must_have(rows, options, response.url)
    entries, strange = [], []
    for row in rows:
        try:
            entries.append(entry_of(lambda name, row=row: said(at(row, name)), card, options, response.url))  # type: ignore[misc]
        except LayoutChangedError as error:
            strange.append(f"{error}: {json.dumps(row, ensure_ascii=False)[:120]}")
    if strange and not entries:
        raise LayoutChangedError(f"{response.url}: no row was understood: {strange[0]}")
    more = _next(response.url, len(rows), options.paging)
    return Listing(tuple(entries), tuple(strange), more)


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def said(value: Any) -> str:
    """A value as text: lists joined, objects as they stand, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(text for one in value if (text := said(one)))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _must_have(rows: list[Any], options: Options, url: str) -> None:
    """A name that no row has is a renamed field: without this it would just be empty from now on."""
    lacking = [name for name in options.fields.all if rows and not any(_has(row, name) for row in rows)]
    if lacking:
        raise LayoutChangedError(f"{url}: no row has {', '.join(lacking)}")


def _has(row: Any, path: str) -> bool:
    parent, _, name = path.rpartition(".")
    holder = at(row, parent)
    if isinstance(holder, dict):
        return name in holder
    return isinstance(holder, list) and name.isdigit()


def _value_in(url: str, paging: Paging | None) -> int:
    """How far into the table this address goes: 0 on its first page."""
    if paging is None:
        return 0
    given = dict(parse_qsl(urlsplit(url).query)).get(paging.parameter, "")
    return int(given) - paging.first if given.isdigit() else 0


def _next(url: str, count: int, paging: Paging | None) -> str:
    if paging is None or count < paging.size:
        return ""
    now = _value_in(url, paging) + paging.first
    value = now + (paging.size if paging.counts == "rows" else 1)
    if paging.last is not None and value > paging.last:
        return ""
    parts = urlsplit(url)
    query = [
        (name, given) for name, given in parse_qsl(parts.query, keep_blank_values=True) if name != paging.parameter
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, (paging.parameter, str(value))], quote_via=quote)))


def read(response: Response, card: SourceCard) -> Records:
    """The table gives the rows that the card keeps; any other address is taken for a row's page."""
    options = Options.model_validate(card.options)
    if is_list_address(response.url, card, options):
        yield from records_of_list(listing(response, card).entries, response, card, options, record_of)
    else:
        yield notice_of_page(card, options, response)


class Spider(TableSpider):
    """Reads the table, page by page while one brings anything new, and the page of each kept row."""

    options_model = Options

    def listing(self, response: Response) -> Listing:
        return listing(response, self.card)
