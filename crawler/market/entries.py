"""Entries of catalogues as records."""

from __future__ import annotations

import json

from scrapy.http import Response

from crawler.market.catalogues import CatalogueOutcome, kind_of, read_catalogue, read_entry
from crawler.market.page import NotAPageError
from crawler.market.platforms import Shelf
from crawler.market.shelves import Held, held
from crawler.source import Records, capture_of
from monitor.records import PageRecord, PageState, SourceCard


def record_of(entry: Held, card: SourceCard, state: PageState = PageState.READ) -> PageRecord:
    """The record of an entry; its bytes are in the capture, at its part. Its canonical address is what visitors see."""
    return PageRecord(
        source=card.id,
        url=entry.url,
        state=state,
        capture=entry.capture,
        title=entry.title,
        canonical_url=entry.page,
        part=entry.part,
    )


def records_of(response: Response, card: SourceCard) -> Records:
    """A saved answer of a catalogue, or one entry, by its shape alone. Raises NotAPageError for anything else."""
    capture = capture_of(response)
    alone = read_entry(response)
    if alone is not None:
        yield record_of(held(alone, capture), card)
        return
    try:
        kind = kind_of(json.loads(response.body.decode("utf-8-sig"), strict=False))
    except (ValueError, RecursionError) as error:
        raise NotAPageError(f"{response.url}: said to be JSON, and is none ({error})") from error
    answer = read_catalogue(response, Shelf(kind, response.url)) if kind else None
    if answer is None or answer.outcome not in (CatalogueOutcome.CATALOG, CatalogueOutcome.EMPTY):
        raise NotAPageError(f"{response.url}: JSON of no catalogue that is known")
    for entry in answer.entries:
        yield record_of(held(entry, capture), card)
