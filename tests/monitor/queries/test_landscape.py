"""What a landscape counts, on each kind of database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from monitor import queries
from monitor.config import Config
from monitor.intake.shipped import load_history
from monitor.knowledge import load
from monitor.queries.landscape import first_day, landscape, mark
from monitor.queries.landscape_rows import Asked, ClaimCount, Landscape, Stretch
from monitor.tables.db import open_engine, transaction
from monitor.tables.models import Capture, Claim, EventKind, Page, Source
from tests.reports.landscape.picture import NOVEMBER, OCTOBER, TODAY, Picture, quarter


def stretch(first: date, last: date, end: datetime | None = None) -> Stretch:
    midnight = datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)
    return Stretch(f"{first}", first, last, datetime.combine(first, datetime.min.time(), UTC), end or midnight)


THIRD, FOURTH = stretch(date(2026, 7, 1), date(2026, 9, 30)), stretch(date(2026, 10, 1), date(2026, 12, 31))
ASKED = Asked(
    now=FOURTH,
    before=THIRD,
    steps=(stretch(date(2026, 10, 1), date(2026, 10, 31)), stretch(date(2026, 11, 1), date(2026, 12, 31))),
    quarters=(stretch(date(2026, 4, 1), date(2026, 6, 30)), THIRD, FOURTH),
    timezone="UTC",
)


def _market(session: Session) -> Source:
    return session.get_one(Source, "site_a_example")


@dataclass(frozen=True)
class Held:
    """A filled database of one kind, what is in it, and its landscape; nobody changes it."""

    engine: Engine
    ids: dict[str, Any]
    found: Landscape


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("landscape") / "exowatch.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        engine = open_engine(f"sqlite:///{path}")
    else:
        admin = open_engine(request.getfixturevalue("postgresql_server"))
        name = f"t_{uuid4().hex}"
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template_exowatch"))
        engine = open_engine(admin.url.set(database=name).render_as_string(hide_password=False))
        admin.dispose()
    ids = quarter(engine)
    yield Held(engine, ids, landscape(engine, ASKED))
    engine.dispose()


@pytest.fixture
def ids(held: Held) -> dict[str, Any]:
    return held.ids


@pytest.fixture
def found(held: Held) -> Landscape:
    return held.found


@pytest.fixture
def own(sqlite_engine: Engine) -> dict[str, Any]:
    """Ids in a database of the test's own, to be changed."""
    return quarter(sqlite_engine)


def by_key(counts: tuple[ClaimCount, ...]) -> dict[tuple[str, ...], ClaimCount]:
    return {one.key: one for one in counts}


def test_an_empty_database_gives_noughts(engine: Engine) -> None:
    found = landscape(engine, ASKED)
    assert (found.notices.counts, found.claims.by_category, found.claims.sellers, found.coverage) == ((), (), (), ())
    assert found.letters.times == ()
    assert first_day(engine) is None
    assert mark(engine) == (0, 0)


def test_notices_count_on_their_own_day_by_sort(found: Landscape) -> None:
    now = {(n.source_id, n.notice_type, n.sort): n.number for n in found.notices.counts if n.stretch == 0}
    assert now == {
        ("us_letters", "warning_letter", "core"): 2,
        ("us_letters", "warning_letter", "other"): 1,
        ("us_letters", "rule", "adjacent"): 1,
        ("uk_alerts", "alert", "entry"): 1,
    }
    assert [(n.sort, n.number) for n in found.notices.counts if n.stretch == 1] == [("core", 1)]
    assert (found.notices.undated, found.notices.entries, found.notices.older) == (1, 1, 0)
    assert sum(n.number for n in found.notices.trend if n.stretch == 2) == 5


def test_claims_stand_where_the_history_says(found: Landscape) -> None:
    whole = by_key(found.claims.by_severity)
    assert whole["High",] == ClaimCount(("High",), 1, 2, 2, 1, 0, 0, 0, 0, 0)
    assert whole["Medium",] == ClaimCount(("Medium",), 2, 0, 0, 0, 1, 1, 0, 1, 0)
    assert whole["Low",] == ClaimCount(("Low",), 1, 0, 0, 0, 0, 0, 0, 1, 0), (
        "our rules ended it, and nobody withdrew it"
    )
    assert (found.claims.dismissed, found.claims.unreviewed) == (1, 3)
    assert [(one.step, one.kind, one.number) for one in found.claims.steps] == [
        (0, "appeared", 1),
        (1, "appeared", 1),
        (1, "withdrawn", 1),
    ]


def test_a_period_stays_as_it_was(sqlite_engine: Engine, own: dict[str, Any]) -> None:
    asked = replace(ASKED, now=THIRD, before=ASKED.quarters[0], quarters=ASKED.quarters[:2], steps=())
    before = landscape(sqlite_engine, asked).claims
    assert sum(one.end for one in before.by_severity) == 4, "what went in October still stood in September"
    with transaction(sqlite_engine) as session:
        make = Picture(session, counter=9000)
        run = make.run(_market(session), TODAY)
        make.event(EventKind.CLAIM_WITHDRAWN, run, "claim", own["kept"], at=TODAY - timedelta(days=1))
        session.get_one(Claim, own["kept"]).ended_at = TODAY - timedelta(days=1)
    assert landscape(sqlite_engine, asked).claims == before


def test_a_claim_stands_under_each_jurisdiction_and_the_unassessed_apart(found: Landscape) -> None:
    counts = by_key(found.claims.by_jurisdiction)
    assert (counts["us",].end, counts["uk",].end, counts["",].end) == (2, 1, 1)
    assert found.unknown.not_assessed == ("us",)


def test_source_material_and_route_are_those_stated_now(found: Landscape) -> None:
    material, route = by_key(found.claims.by_material), by_key(found.claims.by_route)
    assert {key: one.end for key, one in material.items()} == {("human",): 2, ("plant",): 2, ("",): 1}
    assert {key: one.end for key, one in route.items()} == {("topical",): 2, ("",): 1}


def test_a_part_has_what_touches_its_jurisdictions(held: Held) -> None:
    part = landscape(held.engine, replace(ASKED, jurisdictions=frozenset({"uk"})))
    assert [one.key for one in part.claims.by_jurisdiction] == [("uk",)]
    assert sum(one.end for one in part.claims.by_severity) == 1
    assert {n.jurisdiction for n in part.notices.counts} == {"uk"}
    assert [one.id for one in part.coverage] == ["uk_alerts"]
    assert (part.trials.total, part.publications.total, part.letters.letters) == (0, 0, 0)


def test_sellers_are_known_by_what_stood(found: Landscape, ids: dict[str, Any]) -> None:
    sellers = {one.id: one for one in found.claims.sellers}
    kelda, gone = sellers[ids["kelda"]], sellers[ids["gone"]]
    fresh = next(one for one in found.claims.sellers if one.name == "Fresh Firm")
    assert (kelda.start, kelda.end, kelda.first_read) == (3, 2, True)
    assert (gone.start, gone.end, gone.pages, gone.pages_gone, gone.by_rules) == (1, 0, 1, 1, False)
    assert (fresh.start, fresh.end, fresh.first_read, fresh.first_known) == (0, 1, False, NOVEMBER)


def test_a_seller_that_our_rules_cleared_is_known_as_such(sqlite_engine: Engine, own: dict[str, Any]) -> None:
    with transaction(sqlite_engine) as session:
        make = Picture(session, counter=9000)
        run = make.run(_market(session), OCTOBER)
        for key in ("kept", "left", "new"):
            make.event(EventKind.CLAIM_CLEARED, run, "claim", own[key], cause="rules")
    kelda = next(one for one in landscape(sqlite_engine, ASKED).claims.sellers if one.id == own["kelda"])
    assert (kelda.end, kelda.by_rules) == (0, True)


def test_a_host_stands_for_a_firm_that_nobody_knows(sqlite_engine: Engine, own: dict[str, Any]) -> None:
    with transaction(sqlite_engine) as session:
        session.get_one(Page, own["page"]).organisation_id = None
    names = [one.name for one in landscape(sqlite_engine, ASKED).claims.sellers if one.id is None]
    assert names == ["a.example"]


def test_days_run_from_the_first_letter_that_met_a_claim(found: Landscape, ids: dict[str, Any]) -> None:
    times = {one.claim_id: one for one in found.letters.times}
    assert set(times) == {ids["kept"], ids["left"], ids["new"]}
    left = times[ids["left"]]
    assert (left.notice_id, left.days, left.ended, left.in_period) == (ids["letter"], 23, date(2026, 11, 2), True)
    assert (times[ids["kept"]].ended, times[ids["kept"]].days) == (None, 23), "seen last on 2 November"
    assert (found.letters.letters, found.letters.firms, found.letters.firms_read, found.letters.later) == (2, 1, 1, 0)


def test_a_claim_seen_only_after_the_letter_has_no_time(sqlite_engine: Engine, own: dict[str, Any]) -> None:
    with transaction(sqlite_engine) as session:
        session.get_one(Claim, own["new"]).first_seen = NOVEMBER
    letters = landscape(sqlite_engine, ASKED).letters
    assert own["new"] not in {one.claim_id for one in letters.times}
    assert letters.later == 1


def test_at_an_earlier_end_the_claim_still_stood(held: Held) -> None:
    asked = replace(ASKED, now=stretch(date(2026, 10, 1), date(2026, 10, 31)))
    left = next(one for one in landscape(held.engine, asked).letters.times if one.claim_id == held.ids["left"])
    assert left.ended is None


def test_trials_are_as_they_were_at_the_end_of_the_period(found: Landscape) -> None:
    trials = found.trials
    assert [(one.key, one.total, one.now, one.before) for one in trials.by_status] == [("RECRUITING", 3, 2, 1)]
    assert [(one.key, one.total) for one in trials.by_condition] == [("Knee Pain", 2), ("Arthritis", 1)]
    assert (trials.without_condition, trials.other, trials.changed, trials.trend) == (1, 1, 0, (0, 1, 2))


def test_papers_count_by_their_day(found: Landscape) -> None:
    papers = found.publications
    assert (papers.core, papers.adjacent, papers.now, papers.before) == ((0, 0, 1), (0, 1, 0), 1, 1)
    assert (papers.preprints, papers.undated, papers.other, papers.total, papers.retracted) == (1, 1, 1, 3, 0)


def test_what_was_read_only_later_counts_on_its_own_day(sqlite_engine: Engine, own: dict[str, Any]) -> None:
    with transaction(sqlite_engine) as session:
        make = Picture(session, counter=9000)
        make.any_capture = session.exec(select(Capture.id)).first() or ""
        later = make.run(session.get_one(Source, "us_trials"), TODAY + timedelta(days=90))
        make.trial(later, "T9", posted=date(2026, 10, 1), status="WITHDRAWN")
        make.trial(later, "T10", posted=date(2027, 1, 1))
        make.paper(later, "doi:9", published=date(2026, 12, 31))
    found = landscape(sqlite_engine, ASKED)
    assert [(one.key, one.total) for one in found.trials.by_status] == [("RECRUITING", 3), ("WITHDRAWN", 1)]
    assert (found.trials.now, found.publications.now) == (3, 2)


def test_rules_bear_the_days_that_their_source_gave(found: Landscape, ids: dict[str, Any]) -> None:
    assert [(one.id, one.effective, one.closes, one.dated) for one in found.rules] == [
        (ids["rule"], date(2027, 1, 15), date(2026, 12, 1), date(2026, 10, 12))
    ]


def test_blind_spans_and_days_before_the_first_reading_are_gaps(found: Landscape) -> None:
    seen = {one.id: one for one in found.coverage}
    assert seen["us_letters"].gaps == ((date(2026, 10, 13), date(2026, 10, 19), "blind"),)
    assert seen["us_letters"].days == 92 - 7
    assert seen["uk_alerts"].gaps == ((date(2026, 10, 1), date(2026, 11, 1), "unread"),)
    assert (seen["uk_alerts"].first_read, seen["uk_alerts"].brought) == (date(2026, 11, 2), {"notice_published": 1})
    assert seen["us_trials"].gaps == ()


def test_the_sum_of_the_digests_is_the_landscape(held: Held) -> None:
    told = queries.week(held.engine, FOURTH.start, FOURTH.end).claims
    kinds = [change.event.kind for change in told if change.claim.id != held.ids["joke"]]
    whole = held.found.claims.by_severity
    assert kinds.count(EventKind.CLAIM_APPEARED) == sum(one.appeared for one in whole)
    assert kinds.count(EventKind.CLAIM_WITHDRAWN) == sum(one.withdrawn for one in whole)


def test_shipped_history_makes_the_first_landscape(sqlite_engine: Engine, tmp_path: Path) -> None:
    load_history(sqlite_engine, Config(data=tmp_path / "var"), load(), now=TODAY)
    asked = replace(ASKED, quarters=(stretch(date(2020, 1, 1), date(2026, 12, 31)),))
    found = landscape(sqlite_engine, asked)
    assert sum(one.number for one in found.notices.trend) == found.notices.entries_in_trend == 41
    assert found.notices.oldest == date(2021, 6, 1)
    assert [(one.id, one.days) for one in found.coverage] == [("us_fda_warning_letters", 0)], "never read itself"
    assert found.letters.letters == 41
