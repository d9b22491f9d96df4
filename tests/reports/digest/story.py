"""A week with all that a digest can tell, in several scripts.

`python -m tests.reports.digest.story` renews the golden files.
Look at each renewed file before it is kept: the tests hold digests to these files, byte for byte.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine
from sqlmodel import select

from monitor import queries
from monitor.config import Config, Watchlist
from monitor.migrations import upgrade
from monitor.tables.db import open_engine, transaction
from monitor.tables.models import Cause, Event, EventKind, Notice, Review, ReviewState, Source
from reports import period
from reports.digest import gather
from reports.digest.formats import as_html, as_json, as_text
from reports.digest.view import Digest
from tests.reports import factory
from tests.reports.factory import EARLIER, MONDAY, Factory
from tests.reports.two_weeks import two_weeks

GOLDEN = Path(__file__).parent / "golden"
WEEK = "2026-W47"
LANGUAGES = ("en", "de", "fr")


def _linked(digest: Digest) -> str:
    """The page with its stylesheet beside it, which changes for reasons of its own."""
    link = '<link rel="stylesheet" href="../../../../reports/static/site.css">'
    return re.sub(r"<style>.*?</style>", link, as_html(digest), flags=re.DOTALL)


FORMS = {"html": _linked, "txt": as_text, "json": as_json}


def config(folder: Path) -> Config:
    lists = (Watchlist(name="Arthritis watch", terms=("arthritis",)), Watchlist(name="Haar & Haut", terms=("hair",)))
    return Config(data=folder, watchlists=lists, public_site="https://exowatch.example/")


def tell(engine: Engine) -> dict[str, Any]:
    """Fills a fresh database; gives ids by short names."""
    ids = two_weeks(engine)
    with transaction(engine) as session:
        make = Factory(session, counter=500)
        market = make.source("site_hikari_example", "ヒカリ医院 ✨", jurisdiction="jp", kind="page")
        first, second = make.run(market, EARLIER), make.run(market, MONDAY + timedelta(hours=4))
        clinic = make.organisation("光の肌クリニック ✨\nTokyo", hosts=["hikari.example"], country="JP")
        page, version = make.page(second, "https://hikari.example/肌", "当院のエクソソームは糖尿病を治します。", clinic)
        page.language = "ja"
        cure = make.claim(
            version, "エクソソームは糖尿病を治します", basis=(("us", "High", "us-a"), ("uk", "High", "uk-b"))
        )
        gulf = make.organisation("عيادة الخلايا", hosts=["khalaya.example"], country="AE")
        page, version = make.page(second, "https://khalaya.example/", "الإكسوسومات تعالج التهاب المفاصل", gulf)
        page.language = "ar"
        joint = make.claim(version, "الإكسوسومات تعالج التهاب المفاصل", basis=(("ae", "High", "ae-x"),), assessed=False)
        _unsaid(make, first, second, ids)
        _registers(make, second)
        _product(make, second, clinic, page_id=cure.page_id)
        for source in session.exec(select(Source)):
            source.card = {**source.card, "means": "An office, invented for tests, put it on its list."}
        letters = session.get_one(Source, "us_letters")
        reading = make.run(letters, MONDAY + timedelta(hours=6))
        ids |= {"cure": cure.id, "joint": joint.id, "rule": _rule(make, reading).id}
        made = session.exec(select(Event).where(Event.object_kind == "claim", Event.object_id == str(cure.id))).one()
        make.match("Haar & Haut", made, "糖尿病", cure.quote)
    return ids


def _unsaid(make: Factory, first: Any, second: Any, ids: dict[str, Any]) -> None:
    """What the digest of the week before told, and what became of it."""
    _, version = make.page(first, "https://hikari.example/old", "Our exosomes end hair loss for good.")
    told = make.claim(version, "exosomes end hair loss for good", category="hair_regrowth")
    told.review_state = ReviewState.DISMISSED
    at, reason = MONDAY + timedelta(days=2), "A patient’s question, not the clinic’s statement."
    make.session.add(
        Review(
            claim_id=told.id or 0, state=ReviewState.DISMISSED, reason=reason, reviewer="A. Reader", at=at,
            quote=told.quote, category=told.category, language="en",
        )
    )  # fmt: skip
    make.event(
        EventKind.CLAIM_REVIEWED, second, "claim", told.id, at=at, cause=Cause.REVIEW,
        detail={"quote": told.quote, "state": "dismissed", "reviewer": "A. Reader", "reason": reason},
    )  # fmt: skip
    recall = make.notice(first, "Recall of vials of Kelda Labs", posted=date(2026, 11, 10))
    make.event(
        EventKind.NOTICE_UPDATED, second, "notice", recall.id,
        detail={"changes": {"status": {"before": "open", "after": "withdrawn"}}},
    )  # fmt: skip
    ids |= {"told": told.id, "recall": recall.id}


def _registers(make: Factory, run: Any) -> None:
    make.event(
        EventKind.TRIAL_STATUS_CHANGED, run, "trial", 7, jurisdictions=["us"],
        detail={
            "title": "Exosomes in knee osteoarthritis", "url": "https://trials.example/NCT09000001", "tier": "core",
            "organisations": ["Invented University"],
            "changes": {"status": {"before": "RECRUITING", "after": "TERMINATED"}},
        },
    )  # fmt: skip
    make.event(
        EventKind.PUBLICATION_RETRACTED, run, "publication", 3,
        detail={"title": "Vesicles & hair <regrowth>", "url": "https://papers.example/3", "tier": "core"},
    )  # fmt: skip
    make.event(
        EventKind.PUBLICATION_INDEXED, run, "publication", 4,
        detail={"title": "Aspirin", "url": "https://papers.example/4", "tier": "other"},
    )  # fmt: skip


def _product(make: Factory, run: Any, clinic: Any, page_id: int) -> None:
    """What the clinic's product is said to be changed; a second one's page is not kept any more."""
    drops = make.product("光エクソ <drops>", "hikari.example", clinic)
    make.event(
        EventKind.PRODUCT_CHANGED, run, "product", drops.id, jurisdictions=["jp", "us"],
        detail={
            "product": drops.name, "organisation": clinic.name, "host": "hikari.example", "page_id": page_id,
            "url": "https://hikari.example/肌",
            "changed": {
                "form": {"before": ["serum"], "after": ["eye_drops", "injection_kit"]},
                "source_material": {"before": [], "after": ["whartons_jelly"]},
                "country": {"before": ["us", "worldwide"], "after": ["us"]},
            },
            "said": [
                {"kind": "form", "value": "eye_drops", "quote": "点眼薬", "fact": 1, "now": True},
                {"kind": "country", "value": "worldwide", "quote": "世界中に発送", "fact": 2, "now": False},
                {"kind": "source_material", "value": "whartons_jelly", "quote": "点眼薬", "fact": 3, "now": True},
            ],
        },
    )  # fmt: skip
    make.event(
        EventKind.PRODUCT_CHANGED, run, "product", 99, jurisdictions=["ca"],
        detail={
            "product": "Kelda Cream", "organisation": "", "host": "kelda.example", "page_id": 9999,
            "url": "javascript:x",
            "changed": {"route": {"before": ["topical"], "after": ["microneedling"]}},
        },
    )  # fmt: skip


def _rule(make: Factory, run: Any) -> Notice:
    """A proposal with a day for comments, and a day on which it would hold."""
    return make.notice(
        run, "Human cells and tissues: proposed rule", posted=date(2026, 11, 18), notice_type="consultation",
        authority="Department of Invented Health", comments_close=date(2026, 12, 18), effective=date(2027, 1, 4),
    )  # fmt: skip


def issue(engine: Engine) -> None:
    """The digest of the week before was out, and was written again in this week with another number."""
    before = period.week("2026-W46", "UTC")
    for number, written in enumerate((datetime(2026, 11, 16, 6, 30, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC))):
        queries.remember_digest(
            engine, before.name, period_from=before.start, period_to=before.end, written_at=written,
            sha256=f"{number:064}", counts={"appeared": 1 + number, "withdrawn": 0},
        )  # fmt: skip


def digest(engine: Engine, folder: Path, language: str = "en", **more: Any) -> Digest:
    week = period.week(more.pop("week", WEEK), "UTC")
    return gather(engine, config(folder), week, factory.NOW, law=factory.law, language=language, **more)


def forms(engine: Engine, folder: Path) -> dict[str, str]:
    """Each golden file's name and content. JSON says the same in every language, but for its subject."""
    found = {}
    for language in LANGUAGES:
        told = digest(engine, folder, language)
        for form, make in FORMS.items():
            if form != "json" or language == "en":
                found[f"{WEEK}.{language}.{form}"] = make(told)
    quiet = digest(engine, folder, week="2026-W51")
    return found | {f"2026-W51.en.{form}": make(quiet) for form, make in FORMS.items() if form != "json"}


def renew() -> None:
    with TemporaryDirectory() as made:
        folder = Path(made)
        engine = open_engine(f"sqlite:///{folder / 'story.db'}")
        upgrade(engine)
        tell(engine)
        issue(engine)
        for name, content in forms(engine, folder).items():
            (GOLDEN / name).write_text(content, encoding="utf-8")
        engine.dispose()


if __name__ == "__main__":
    renew()
