"""A site of the configuration as a source card."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from monitor.config import Site
from monitor.records import Authority, Expectation, Pace, Range, SourceCard

UNKNOWN_COUNTRY = "zz"
"""ISO 3166-1 keeps it for users: a site whose country nobody gave."""


class Options(BaseModel):
    """The card's `options`, taken from the configuration's site."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: tuple[str, ...] = ()
    pages: int = Field(ge=1)
    depth: int = Field(ge=0)
    minutes: int = Field(ge=1)
    revisit_hours: float = Field(ge=0)
    conditional: bool = True
    script: bool = False


def card_of(site: Site) -> SourceCard:
    """The card of a configured site."""
    country = {"gb": "uk"}.get(site.country.lower(), site.country.lower()) or UNKNOWN_COUNTRY
    if not re.fullmatch("[a-z]{2}", country):
        raise ValueError(f"site {site.url}: `country` is {site.country!r}; give a two-letter code such as us, uk, kr")
    name = site.name or (urlsplit(site.url).hostname or "").removeprefix("www.")
    return SourceCard(
        id=site.source_id,
        title=name,
        authority=Authority(name=name, url=site.url),
        jurisdiction=country,
        language="",
        kind="page",
        means="The pages of a site that the operator chose to watch. Being watched says nothing about the seller.",
        start=site.url,
        spider="market.site",
        frequency="daily",
        pace=Pace(delay=site.delay),
        expect=Expectation(listed=Range(min=1)),
        options=Options(
            start=site.start,
            pages=site.pages,
            depth=site.depth,
            minutes=site.minutes,
            revisit_hours=site.revisit_hours,
            conditional=site.conditional,
            script=site.script,
        ).model_dump(mode="json"),
    )
