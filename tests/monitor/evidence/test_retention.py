"""Old runs may go; what a finding, a notice or an event rests on stays, whatever its age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import col, select

from monitor.config import Config, Site
from monitor.evidence.packages.check import check
from monitor.evidence.packages.export import export
from monitor.evidence.recomputed import verify
from monitor.evidence.retention import plan, prune
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge, load
from monitor.records import Outcome
from monitor.tables.db import reading
from monitor.tables.models import Claim, ClaimRevision, Finding, PageVersion
from tests.runs import RunMaker, notice_card, page_card

START = datetime(2025, 1, 6, 6, tzinfo=UTC)
LATER = datetime(2026, 11, 18, 6, tzinfo=UTC)
HOME = "http://kelda.example/"
CURE, AGAIN = "Our exosome therapy treats arthritis.", "Our exosome therapy treats arthritis in older adults."


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path / "var", sites=(Site(url=HOME, name="Kelda Labs", country="us"),))


def page(claim: str) -> str:
    return (
        '<html lang="en"><head><title>Kelda exosome therapy</title></head><body><h1>Exosome therapy</h1>'
        f"<p>{claim}</p><p>Book your appointment now: $450 a session.</p></body></html>"
    )


class Years:
    """Runs, one a week, taken in as they come."""

    def __init__(self, engine: Engine, config: Config, knowledge: Knowledge) -> None:
        self.engine, self.config, self.knowledge = engine, config, knowledge
        self.week = 0

    def site(self, claim: str, **changes: object) -> str:
        maker = RunMaker(page_card(), self._next(), self.config.runs_folder, **changes)  # type: ignore[arg-type]
        maker.page(HOME, page(claim))
        return self._take(maker)

    def letters(self, *keys: str) -> str:
        maker = RunMaker(notice_card(), self._next(), self.config.runs_folder)
        for key in keys:
            maker.notice(key, f"Letter {key}", "Your site sells exosomes.")
        return self._take(maker)

    def _next(self) -> datetime:
        self.week += 1
        return START + timedelta(weeks=self.week)

    def _take(self, maker: RunMaker) -> str:
        take_in(self.engine, maker.write(), self.config, self.knowledge)
        return maker.run_id

    def prune(self) -> set[str]:
        planned = plan(self.engine, self.config, LATER)
        prune(self.config, planned, LATER, "older than 30 days")
        return {one.run_id for one in planned.prunable}


@pytest.fixture
def years(engine: Engine, config: Config, knowledge: Knowledge) -> Years:
    return Years(engine, config, knowledge)


def test_what_nothing_rests_on_goes_and_the_rest_stays(years: Years) -> None:
    first = years.site(CURE)
    same = [years.site(CURE) for _ in range(3)]
    reworded = years.site(AGAIN)
    confirmed = years.site(AGAIN)
    idle = years.site(AGAIN)
    newest = years.site(AGAIN)
    letters, again, last = years.letters("a"), years.letters("a"), years.letters("a")

    assert years.prune() == {*same, idle, again}
    kept = {folder.name for folder in years.config.runs_folder.iterdir() if (folder / "run.warc.gz").exists()}
    assert kept == {first, reworded, confirmed, newest, letters, last}
    for run in (*same, idle, again):
        assert [path.name for path in (years.config.runs_folder / run).iterdir()] == ["run.json"]
    checked = verify(years.engine, years.config)
    assert (checked.broken, checked.pruned, checked.runs) == ((), 5, 11)
    assert years.prune() == set()


def test_every_finding_can_be_exported_after_pruning(years: Years) -> None:
    years.site(CURE)
    for _ in range(3):
        years.site(CURE)
    for _ in range(4):
        years.site(AGAIN)
    assert years.prune()
    with reading(years.engine) as session:
        findings = session.exec(select(Finding)).all()
        assert findings
        for claim_id in {finding.claim_id for finding in findings}:
            assert check(export(session, years.config, claim_id, "", LATER)).broken == ()
        for claim in session.exec(select(Claim)):
            versions = {claim.version_id} | {
                row.version_id for row in session.exec(select(ClaimRevision).where(ClaimRevision.claim_id == claim.id))
            }
            for version in session.exec(select(PageVersion).where(col(PageVersion.id).in_(versions))):
                assert (years.config.runs_folder / version.run_id / "run.warc.gz").exists()


def test_young_runs_stay(years: Years) -> None:
    years.site(CURE)
    years.site(CURE)
    years.site(CURE)
    assert plan(years.engine, years.config, START).prunable == ()
    assert len(plan(years.engine, years.config, LATER).prunable) == 1


def test_planning_removes_nothing(years: Years) -> None:
    for _ in range(3):
        years.site(CURE)
    (one,) = plan(years.engine, years.config, LATER).prunable
    assert one.size == sum(path.stat().st_size for path in one.folder.iterdir() if path.name != "run.json")
    assert verify(years.engine, years.config).pruned == 0


def test_a_refused_run_goes_but_its_reasons_stay(years: Years) -> None:
    years.site(CURE)
    refused = years.site(CURE, outcome=Outcome.STOPPED)
    assert years.prune() == {refused}
    assert {path.name for path in (years.config.runs_folder / refused).iterdir()} == {"run.json", "QUARANTINED.json"}


def test_a_pruning_that_was_killed_goes_on(years: Years) -> None:
    for _ in range(3):
        years.site(CURE)
    planned = plan(years.engine, years.config, LATER)
    (one,) = planned.prunable
    prune(years.config, planned, LATER, "older than 30 days")
    (one.folder / "items.jsonl").write_text("left over")
    assert years.prune() == {one.run_id}
    assert [path.name for path in one.folder.iterdir()] == ["run.json"]
    assert verify(years.engine, years.config).broken == ()


def test_a_table_that_comes_later_keeps_its_runs_too(years: Years) -> None:
    for _ in range(4):
        years.site(CURE)
    first, second = plan(years.engine, years.config, LATER).prunable
    with years.engine.begin() as connection:
        connection.execute(text("CREATE TABLE later (capture_id VARCHAR REFERENCES capture(id))"))
        connection.execute(text("INSERT INTO later VALUES (NULL), (:capture)"), {"capture": f"{first.run_id}/00001"})
    assert plan(years.engine, years.config, LATER).prunable == (second,)
