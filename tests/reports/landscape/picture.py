"""A quarter of invented events that a landscape can be told of, beside what `factory` has."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from monitor.tables.db import transaction
from monitor.tables.models import Cause, EventKind, Notice, Organisation, Page, Product, Run
from monitor.tables.product_facts import ProductFact
from monitor.tables.registers import Publication, Trial
from tests.reports.factory import HOSTILE, Factory

JULY = datetime(2026, 7, 6, 5, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 5, 5, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 2, 5, tzinfo=UTC)
TODAY = datetime(2026, 11, 26, 1, tzinfo=UTC)
TEXT = "Treats arthritis. Regrows hair. Free of risk. Made of human cells. Heals scars. Cures colds."


class Picture(Factory):
    """Adds what only a landscape asks for."""

    def fact(self, product: Product, page: Page, kind: str, value: str, **more: Any) -> ProductFact:
        return self._add(
            ProductFact(
                product_id=product.id or 0, page_id=page.id or 0, kind=kind, value=value, quote=value,
                version_id=page.current_version_id or 1, capture_id=self.any_capture, first_seen=JULY, last_seen=JULY,
                **more,
            )
        )  # fmt: skip

    any_capture: str = ""

    def trial(self, run: Run, key: str, **more: Any) -> Trial:
        values: dict[str, Any] = {
            "title": f"Trial {key}", "url": "https://registry.example/", "jurisdiction": "us", "status": "RECRUITING",
            "tier": "core", "content_digest": key, "capture_id": self.any_capture, "first_seen": run.finished_at,
            "last_seen": run.finished_at, "posted": run.finished_at.date(), "conditions": ["Knee Pain"],
        }  # fmt: skip
        return self._add(Trial(source_id=run.source_id, key=key, **values | more))

    def paper(self, run: Run, key: str, **more: Any) -> Publication:
        values: dict[str, Any] = {
            "title": f"Paper {key}", "url": "https://index.example/", "tier": "core", "content_digest": key,
            "capture_id": self.any_capture, "first_seen": run.finished_at, "last_seen": run.finished_at,
            "published": run.finished_at.date(),
        }  # fmt: skip
        return self._add(Publication(source_id=run.source_id, key=key, **values | more))

    def seller(self, name: str, run: Run, at: str = "", organisation: bool = True) -> tuple[Any, Any, Any]:
        """A firm with one page; gives firm, page and its version."""
        firm = self.organisation(name) if organisation else None
        page, version = self.page(run, f"https://{at or 'x'}.example/serum", TEXT, firm)
        page.current_version_id = version.id
        return firm, page, version


def quarter(engine: Engine) -> dict[str, Any]:
    """2026-Q3 and Q4 of an invented market, up to 26 November; gives ids by short names."""
    with transaction(engine) as session:
        make = Picture(session)
        letters = make.source("us_letters", "Warning letters", baseline_at=JULY)
        market = make.source("site_a_example", "a.example", kind="page", baseline_at=JULY)
        late = make.source("uk_alerts", "Medicine alerts", jurisdiction="uk", baseline_at=NOVEMBER)
        registry = make.source("us_trials", "Registry", kind="trial", baseline_at=JULY)
        july, first = make.run(letters, JULY), make.run(market, JULY)
        october, second = make.run(letters, OCTOBER), make.run(market, OCTOBER)
        november, third = make.run(late, NOVEMBER), make.run(market, NOVEMBER)
        tested = make.run(registry, OCTOBER)
        make.any_capture = make.capture(july, "https://x.example/").id
        ids = _market(make, first, second, third)
        _letters(make, july, october, november, ids)
        _registers(make, tested)
        _blind(make, october, november)
        return ids


def _market(make: Picture, first: Run, second: Run, third: Run) -> dict[str, Any]:
    kelda, page, version = make.seller("Kelda Labs", first, "a")
    other, gone_page, gone_version = make.seller(HOSTILE, first, "b")
    serum = make.product("Serum", "a.example", kelda)
    make.fact(serum, page, "source_material", "human")
    make.fact(serum, page, "source_material", "plant")
    make.fact(serum, page, "route", "topical")
    make.fact(serum, page, "route", "injection", current=False)
    kept = make.claim(version, "Treats arthritis", product=serum, baseline=True)
    left = make.claim(version, "Regrows hair", category="hair_regrowth", severity="Medium", baseline=True)
    cleared = make.claim(version, "Free of risk", category="safety_absolute", severity="Low")
    with_page = make.claim(gone_version, "Heals scars", category="skin_drug_claim", severity="Medium")
    new = make.claim(version, "Made of human cells", category="human_source", product=serum, event=None, basis=(
        ("us", "High", "us-a"), ("uk", "Medium", "uk-b"),
    ))  # fmt: skip
    make.event(EventKind.CLAIM_APPEARED, second, "claim", new.id)
    new.first_seen = OCTOBER
    left.state, left.ended_at = "withdrawn", NOVEMBER - timedelta(hours=1)
    make.event(EventKind.CLAIM_WITHDRAWN, third, "claim", left.id, at=left.ended_at)
    cleared.state, cleared.ended_at = "superseded", OCTOBER
    make.event(EventKind.CLAIM_CLEARED, second, "claim", cleared.id, cause=Cause.RULES)
    with_page.state, with_page.ended_at = "withdrawn", OCTOBER
    gone_page.state = "gone"
    make.event(EventKind.PAGE_GONE, second, "page", gone_page.id, detail={"claims": ["Heals scars"]})
    joke = make.claim(version, "Cures colds", review_state="dismissed")
    _, _, fresh_version = make.seller("Fresh Firm", third, "c")
    unassessed = make.claim(fresh_version, "Heals scars", category="skin_drug_claim", severity="", assessed=False)
    for claim in (kept, new):
        claim.last_seen = NOVEMBER
    return {
        "kelda": kelda.id, "gone": other.id, "kept": kept.id, "left": left.id, "new": new.id, "joke": joke.id,
        "unassessed": unassessed.id, "cleared": cleared.id, "with_page": with_page.id, "page": page.id,
    }  # fmt: skip


def _letters(make: Picture, july: Run, october: Run, november: Run, ids: dict[str, Any]) -> None:
    kelda = make.session.get_one(Organisation, ids["kelda"])
    ids["letter"] = make.notice(october, "Letter to Kelda Labs", posted=date(2026, 10, 10), organisation=kelda).id
    make.notice(october, "Second letter", posted=date(2026, 10, 20), organisation=kelda)
    make.notice(july, "Old letter", posted=date(2026, 7, 7))
    make.notice(july, "Cheese", tier="other", posted=date(2026, 10, 11), organisation=kelda, text="Cheese.")
    make.notice(july, "No date", posted=None)
    entry = make.notice(november, "An entry", tier="other", posted=date(2026, 11, 3), text="")
    entry.unread, entry.notice_type = ["letter: not read"], "alert"
    rule: Notice = make.notice(october, f"Rule {HOSTILE}", tier="adjacent", posted=date(2026, 10, 12))
    rule.notice_type, rule.effective, rule.comments_close = "rule", date(2027, 1, 15), date(2026, 12, 1)
    ids["rule"] = rule.id
    make.session.flush()


def _registers(make: Picture, run: Run) -> None:
    one = make.trial(run, "T1", status="COMPLETED", conditions=["knee pain", "Arthritis"])
    make.trial(run, "T2")
    make.trial(run, "T3", posted=date(2026, 8, 3), conditions=[])
    make.trial(run, "T4", tier="other")
    later = make.run(make.source("us_trials_2", kind="trial"), TODAY + timedelta(days=60))
    make.event(
        EventKind.TRIAL_STATUS_CHANGED, later, "trial", one.id,
        detail={"changes": {"status": {"before": "RECRUITING", "after": "COMPLETED"}}},
    )  # fmt: skip
    make.paper(run, "doi:1", preprint=True)
    make.paper(run, "doi:2", tier="adjacent", published=date(2026, 7, 1))
    make.paper(run, "doi:3", tier="other")
    make.paper(run, "doi:4", published=None)


def _blind(make: Picture, october: Run, november: Run) -> None:
    for kind, run, day, success in (
        (EventKind.SOURCE_BLIND, october, date(2026, 10, 15), "2026-10-12T05:00:00+00:00"),
        (EventKind.SOURCE_RECOVERED, october, date(2026, 10, 20), ""),
    ):
        at = datetime.combine(day, OCTOBER.timetz())
        make.event(kind, run, "source", "us_letters", at=at, detail={"last_success": success})
    make.event(EventKind.BASELINE_READ, november, "source", "uk_alerts", detail={"brought": {"notice_published": 1}})
