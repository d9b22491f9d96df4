"""Two weeks of reading with everything a digest can meet. Firms and regulators are invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine

from monitor import search
from monitor.tables.db import transaction
from monitor.tables.models import Cause, Claim, EventKind, Notice, Organisation, Page, Product, Run, Source
from tests.reports.factory import EARLIER, HOSTILE, MONDAY, Factory

TEXT_1 = "Glow serum\nOur exosome serum treats arthritis in four weeks.\nIt may help hair grow.\nShips to the US."
TEXT_2 = (
    "Glow serum\nOur exosome serum treats arthritis in two weeks.\nNo side effects at all.\nInjected into the scalp.\n"
    "Ships to the US."
)


@dataclass
class FirstWeek:
    """What the first week's reading left: the baselines."""

    letters: Source
    market: Source
    blind: Source
    fresh: Source
    glow: Organisation
    hostile: Organisation
    old: Notice
    page: Page
    serum: Product
    arthritis: Claim
    hair: Claim


def _first_week(make: Factory, mode: str) -> FirstWeek:
    letters = make.source("us_letters", "Warning letters")
    market = make.source("site_glow_example", "Glow Labs’ site", kind="page")
    blind = make.source(
        "uk_alerts", "Medicine alerts", jurisdiction="uk", state="blind", state_since=MONDAY + timedelta(days=1),
        state_reason="answered with a page that apologises (HTTP 200)",
    )  # fmt: skip
    fresh = make.source("ca_recalls", "Recalls", jurisdiction="ca")
    first_letters, first_market = make.run(letters, EARLIER, mode=mode), make.run(market, EARLIER, mode=mode)
    make.run(blind, EARLIER, mode=mode)
    letters.baseline_run = first_letters.id
    glow = make.organisation("Glow Labs", hosts=["glow.example"])
    hostile = make.organisation(HOSTILE)
    old = make.notice(first_letters, "Old letter", posted=date(2025, 3, 1), baseline=True, organisation=glow)
    page, version = make.page(first_market, "https://glow.example/serum", TEXT_1, glow)
    serum = make.product("Glow Serum", "glow.example", glow)
    arthritis = make.claim(
        version, "treats arthritis in four weeks", product=serum, baseline=True,
        basis=(("us", "High", "us-a"), ("uk", "Medium", "uk-b")),
    )  # fmt: skip
    hair = make.claim(
        version, "may help hair grow", severity="Medium", category="hair_regrowth", decision="review",
        basis=(("us", "Medium", "us-a"),), baseline=True, confidence=0.61,
    )  # fmt: skip
    return FirstWeek(letters, market, blind, fresh, glow, hostile, old, page, serum, arthritis, hair)


def _second_week_of_notices(make: Factory, second_letters: Run, first: FirstWeek) -> dict[str, Notice]:
    mode = second_letters.record["mode"]
    first_fresh = make.run(first.fresh, MONDAY + timedelta(hours=1), mode=mode)
    make.run(
        first.blind, MONDAY + timedelta(days=1), state="quarantined", mode=mode, reasons=["0 entries; never empty"]
    )
    new = make.notice(
        second_letters, "Letter to Glow Labs", posted=date(2026, 11, 16), organisation=first.glow,
        quoted_urls=["https://www.glow.example/serum", "https://else.example/a"],
    )  # fmt: skip
    bad = make.notice(second_letters, f"Letter to {HOSTILE}", posted=date(2026, 11, 17), organisation=first.hostile)
    adjacent = make.notice(second_letters, "Umbilical cord cells", tier="adjacent", posted=date(2026, 11, 17))
    make.notice(second_letters, "Cheese recall", tier="other", posted=date(2026, 11, 17))
    make.notice_revision(first.old, second_letters, status="closed", quoted_urls=[])
    make.event(EventKind.NOTICE_UPDATED, second_letters, "notice", first.old.id)
    history = make.notice(first_fresh, "Old recall", posted=date(2024, 1, 5), baseline=True)
    recent = make.notice(first_fresh, "Recall of this week", posted=date(2026, 11, 18), baseline=True)
    make.event(
        EventKind.BASELINE_READ,
        first_fresh,
        "source",
        first.fresh.id,
        detail={"title": "Recalls", "brought": {"notice_published": 2}},
    )
    make.event(
        EventKind.SOURCE_BLIND, first_fresh, "source", first.blind.id, at=MONDAY + timedelta(days=1),
        detail={"reason": "answered with a page that apologises (HTTP 200)"},
    ).source_id = first.blind.id  # fmt: skip
    return {"new": new, "bad": bad, "adjacent": adjacent, "history": history, "recent": recent}


def _second_week_of_the_market(make: Factory, second_market: Run, first: FirstWeek) -> dict[str, Claim]:
    _, later = make.page(second_market, "https://glow.example/serum", TEXT_2, first.glow)
    reworded_quote = "treats arthritis in two weeks"
    make.wording(first.arthritis, later, reworded_quote, 2)
    first.arthritis.quote, first.arthritis.version_id = reworded_quote, later.id or 0
    first.arthritis.start = TEXT_2.index(reworded_quote)
    first.arthritis.end = first.arthritis.start + len(reworded_quote)
    reworded = make.event(
        EventKind.CLAIM_REWORDED, second_market, "claim", first.arthritis.id,
        detail={"before": "treats arthritis in four weeks", "after": reworded_quote}, severity="High",
    )  # fmt: skip
    first.hair.state, first.hair.ended_at = "withdrawn", MONDAY
    make.event(EventKind.CLAIM_WITHDRAWN, second_market, "claim", first.hair.id, severity="Medium")
    safe = make.claim(
        later, "No side effects at all", category="safety_absolute", severity="Medium", product=first.serum,
        basis=(("us", "Medium", "us-a"),),
    )  # fmt: skip
    scalp = make.claim(
        later, "Injected into the scalp", category="route_injection_iv", product=first.serum,
        event=EventKind.CLAIM_FLAGGED, cause=Cause.RULES, basis=(("us", "High", "us-unknown"),),
    )  # fmt: skip
    make.event(
        EventKind.PAGE_GONE, second_market, "page", first.page.id, severity="Medium", jurisdictions=["us", "br"],
        detail={"claims": ["may help hair grow", "may help hair grow"]},
    )  # fmt: skip
    make.match("Arthritis watch", reworded, "arthritis", reworded_quote)
    return {"safe": safe, "scalp": scalp}


def two_weeks(engine: Engine, mode: str = "live") -> dict[str, Any]:
    """Two weeks with everything a digest can meet; gives ids by short names. The second week is 2026-W47."""
    with transaction(engine) as session:
        make = Factory(session)
        first = _first_week(make, mode)
        second_letters, second_market = (
            make.run(source, MONDAY, mode=mode) for source in (first.letters, first.market)
        )
        told: dict[str, Any] = {
            name: getattr(first, name) for name in ("glow", "hostile", "serum", "page", "old", "arthritis", "hair")
        }
        told |= _second_week_of_notices(make, second_letters, first)
        told |= _second_week_of_the_market(make, second_market, first)
        for row, kind in ((first.serum, "product"), (first.glow, "organisation")):
            search.index(session, kind, row.id or 0, title=row.name, body="glow.example", seen_at=MONDAY)
        session.flush()
        return {name: row.id for name, row in told.items()}
