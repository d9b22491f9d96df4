"""The search page: what was asked, what was found, and the links that narrow or widen it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from monitor import queries, search
from reports import words
from reports.site.address import address_of

ON_A_PAGE = 20
LAST_PAGE = search.BOUND // ON_A_PAGE
PATHS = {kind: f"/{kind}s" for kind in words.KINDS}

Options = tuple[tuple[str, str], ...]
CHOICES: tuple[tuple[str, str, Options], ...] = (
    ("kind", "Kind", tuple(words.KINDS.items())),
    ("jurisdiction", "Jurisdiction", tuple(words.JURISDICTIONS.items())),
    ("severity", "Severity", (("High", "High"), ("Medium", "Medium"), ("Low", "Low"))),
    ("category", "Category of claim", tuple(sorted(words.CATEGORIES.items(), key=lambda pair: pair[1]))),
)


@dataclass(frozen=True)
class Asked:
    """What a search asks for; empty is any."""

    q: str = ""
    jurisdiction: str = ""
    kind: str = ""
    category: str = ""
    severity: str = ""
    page: int = 1

    @property
    def href(self) -> str:
        return address_of("/search", self)

    @property
    def query(self) -> str:
        """What narrows a download of what was found, as the query of an address."""
        return self.href.partition("?")[2] if self.page == 1 else replace(self, page=1).query


@dataclass(frozen=True)
class Facet:
    """A value by which results can be narrowed; `href` leads to the search with it, or without it if it is chosen."""

    text: str
    count: int
    href: str
    chosen: bool


def look(engine: queries.Engine, asked: Asked) -> dict[str, Any]:
    """What the search page shows."""
    offset = (asked.page - 1) * ON_A_PAGE
    page = search.search(
        engine,
        asked.q,
        jurisdiction=asked.jurisdiction,
        kind=asked.kind,
        category=asked.category,
        severity=asked.severity,
        limit=ON_A_PAGE,
        offset=offset,
    )
    claims = queries.claims(engine, [hit.object_id for hit in page.hits if hit.kind == "claim"])
    more = offset + ON_A_PAGE < page.total
    return {
        "firms": _firms(engine, asked, page),
        "page": page,
        "claims": claims,
        "reach": queries.reach(engine, claims),
        "facets": _facets(page, asked),
        "paths": PATHS,
        "first": offset + 1,
        "start": replace(asked, page=1).href,
        "earlier": replace(asked, page=asked.page - 1).href if asked.page > 1 else "",
        "later": replace(asked, page=asked.page + 1).href if more else "",
    }


def not_a_choice(asked: Asked, total: int) -> tuple[str, str] | None:
    """Title and advice for a choice that there is not. What finds something is one, whether it has a name or not."""
    for name, label, options in CHOICES if not total else ():
        value = getattr(asked, name)
        if value and value not in dict(options):
            written = ", ".join(code for code, _ in options)
            return f"No such {label.lower()}", f"Write {name}= with one of these, or leave it out: {written}."
    return None


def rehearsed(engine: queries.Engine, page: search.SearchPage) -> bool:
    """True if a notice or product on the page was read from a rehearsal server; claims tell it themselves."""
    ids = {kind: [hit.object_id for hit in page.hits if hit.kind == kind] for kind in ("notice", "product")}
    return queries.read_in_rehearsal(engine, notices=ids["notice"], products=ids["product"])


def _firms(engine: queries.Engine, asked: Asked, page: search.SearchPage) -> tuple[queries.Named, ...]:
    """Firms of this name go before the first results, but for those that are results."""
    if asked.page > 1 or asked.kind not in ("", "organisation"):
        return ()
    shown = {hit.object_id for hit in page.hits if hit.kind == "organisation"}
    return tuple(firm for firm in queries.firms(engine, asked.q) if firm.id not in shown)


def _facets(page: search.SearchPage, asked: Asked) -> list[tuple[str, str, list[Facet]]]:
    named: dict[str, Callable[[str], str]] = {
        "kind": words.kind,
        "jurisdiction": words.jurisdiction,
        "severity": str,
        "category": words.category,
    }
    found = []
    for name, label, _ in CHOICES:
        chosen = getattr(asked, name)
        facets = [
            Facet(
                text=named[name](value),
                count=count,
                href=replace(asked, **{name: "" if value == chosen else value}, page=1).href,
                chosen=value == chosen,
            )
            for value, count in page.facets.get(name, ())[:12]
        ]
        if facets:
            found.append((name, label, facets))
    return found
