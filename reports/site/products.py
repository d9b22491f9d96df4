"""`/products`: what the sellers offer, narrowed by what it is said to be, by its claims and by when it changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from fastapi import FastAPI, Response

from monitor import queries
from monitor.products.regions import WORLDWIDE, country_code
from reports.site.address import address_of
from reports.site.common import page as shown
from reports.site.common import refuse

ON_A_PAGE = 50
_LAST_PAGE = 10_000
_LONGEST = 300
"""Characters of a filter that are looked at."""
FIELDS = (("form", "Form"), ("source_material", "Made from"), ("route", "Used"), ("country", "Served to"))
CLAIMS = ("", "any", "flagged")


@dataclass(frozen=True)
class AskedProducts:
    """What the page was asked for; empty is any."""

    site: str = ""
    name: str = ""
    form: str = ""
    source_material: str = ""
    route: str = ""
    country: str = ""
    claims: str = ""
    """`any` for products with standing claims, `flagged` for those with flagged ones."""
    since: str = ""
    page: int = 1

    @property
    def href(self) -> str:
        return address_of("/products", self)

    def to_query(self, since: date | None) -> queries.ProductsAsked:
        return queries.ProductsAsked(
            site=self.site,
            name=self.name,
            form=self.form,
            source_material=self.source_material,
            route=self.route,
            country=self.country,
            claims=self.claims == "any",
            flagged=self.claims == "flagged",
            changed_since=datetime.combine(since, time(), UTC) if since else None,
        )


def add_products(app: FastAPI, engine: queries.Engine) -> None:
    @app.get("/products")
    def products(
        site: str = "",
        name: str = "",
        form: str = "",
        source_material: str = "",
        route: str = "",
        country: str = "",
        claims: str = "",
        since: str = "",
        page: int = 1,
    ) -> Response:
        if claims not in CLAIMS:
            return refuse("No such choice of claims", "Write claims=any or claims=flagged, or leave it out.")
        number = min(max(page, 1), _LAST_PAGE)
        wanted = AskedProducts(
            site[:_LONGEST], name[:_LONGEST], form, source_material, route, country, claims, since, number
        )
        try:
            first_day = date.fromisoformat(since) if since else None
        except ValueError:
            return refuse("No such day", "Write the day since when products changed as 2026-11-16.")
        values = queries.fact_values(engine)
        if told := _not_a_choice(wanted, values):
            return refuse(*told)
        query, offset = wanted.to_query(first_day), (wanted.page - 1) * ON_A_PAGE
        rows = queries.products(engine, query, limit=ON_A_PAGE, offset=offset)
        total = queries.count_products(engine, query)
        return shown(
            "products.html",
            "/products",
            rehearsal=any(row.rehearsal for row in rows),
            rows=rows,
            total=total,
            wanted=wanted,
            fields=FIELDS,
            values=values,
            start=replace(wanted, page=1).href,
            narrowed=replace(wanted, page=1).href != "/products",
            earlier=replace(wanted, page=wanted.page - 1).href if wanted.page > 1 else "",
            later=replace(wanted, page=wanted.page + 1).href if offset + ON_A_PAGE < total else "",
        )


def _not_a_choice(wanted: AskedProducts, values: Mapping[str, Collection[str]]) -> tuple[str, str] | None:
    """Title and advice for a value that no product can have; one that none has gives an empty list."""
    for kind, held in values.items():
        value = getattr(wanted, kind)
        if not value or value in held:
            continue
        if kind == "country":
            if country_code(value) != value:
                advice = f"Write country= with a code such as us, uk, kr or eu, or {WORLDWIDE}, or leave it out."
                return "No such country", advice
        elif value not in (known := queries.fact_vocabulary()[kind]):
            noun = kind.replace("_", " ")
            return f"No such {noun}", f"Write {kind}= with one of these, or leave it out: {', '.join(known)}."
    return None
