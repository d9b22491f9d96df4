"""The main job, whole: two weeks of the demo web, from the web to the digest, as the program does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlmodel import col, func, select

from crawler.demo import configs
from crawler.demo.loopback import Running
from crawler.demo.play import STOPS
from crawler.demo.web import DemoWeb
from monitor.config import Config
from monitor.evidence.recomputed import verify
from monitor.tables.db import open_engine, reading
from monitor.tables.models import Claim, ClaimPlace, Event, Notice, Page, Run, Source
from tests.programs import Stage

EXPECTED = yaml.safe_load((Path(configs.__file__).parent / "expected.yaml").read_text(encoding="utf-8"))
WEEK = "2026-W47"


def exowatch(config: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor.cli", "--config", str(config), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **(env or {})})


@dataclass(frozen=True)
class Played:
    """The demo after its second week, with the server still there."""

    data: Path
    config: Path
    settings: Config
    stage: Stage

    def exowatch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.stage.run("monitor", "--config", self.config, *arguments)

    def events(self, kind: str) -> list[Event]:
        engine = open_engine(self.settings.database_url)
        with reading(engine) as session:
            statement = select(Event).where(Event.kind == kind, col(Event.baseline).is_(False)).order_by(col(Event.id))
            rows = list(session.exec(statement))
        engine.dispose()
        return rows

    def rows(self, statement: Any) -> list[Any]:
        engine = open_engine(self.settings.database_url)
        with reading(engine) as session:
            found = list(session.exec(statement))
        engine.dispose()
        return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, stage: Stage) -> Iterator[Played]:
    data = tmp_path_factory.mktemp("demo")
    with Running(DemoWeb()) as server:
        for stop in STOPS:
            config = data / f"{stop.week}.yaml"
            configs.write(configs.DEMO_CONFIG, server.address, stop.now, data / "var", config)
            run = exowatch(config, "run")
            assert run.returncode in stop.codes, run.stderr
        settings = Config.model_validate(yaml.safe_load(config.read_text(encoding="utf-8")))
        yield Played(data / "var", config, settings, stage)


def quotes(events: list[Event]) -> set[tuple[str, str]]:
    return {(event.detail["url"], event.detail["quote"]) for event in events}


def told(*parts: str) -> set[tuple[str, str]]:
    expected = EXPECTED["events"][WEEK]
    return {(one["page"], quote) for part in parts for one in expected[part] for quote in one["quotes"]}


def test_what_appeared_is_what_the_sellers_put_up_and_nothing_else(played: Played) -> None:
    """All that is told is true. On a new page the classifier may miss one; on a changed page nothing may be missing."""
    appeared = quotes(played.events("claim_appeared"))

    statements = told("appeared", "new_pages")
    for page, quote in appeared:
        assert any(page == where and quote in said for where, said in statements), quote
    assert told("appeared") <= appeared


def test_what_was_withdrawn_is_told_once_and_exactly(played: Played) -> None:
    withdrawn = played.events("claim_withdrawn")

    assert quotes(withdrawn) == told("withdrawn")
    assert len(withdrawn) == len({event.detail["quote"] for event in withdrawn})


def test_a_rewording_is_one_event_with_both_wordings(played: Played) -> None:
    told_as = [
        (one.detail["url"], one.detail["before"], one.detail["after"]) for one in played.events("claim_reworded")
    ]

    assert told_as == [(one["page"], one["before"], one["after"]) for one in EXPECTED["events"][WEEK]["reworded"]]


def test_a_page_that_is_gone_is_one_event(played: Played) -> None:
    gone = played.events("page_gone")

    assert [event.detail["url"] for event in gone] == [one["page"] for one in EXPECTED["events"][WEEK]["gone_pages"]]
    assert gone[0].detail["claims"]


def test_noise_made_no_event(played: Played) -> None:
    engine_events = [
        event for kind in ("claim_reappeared", "page_back", "claim_flagged") for event in played.events(kind)
    ]

    assert engine_events == []
    assert {event.cause for event in played.rows(select(Event))} == {"source"}


def test_new_and_changed_notices_are_told_and_redated_ones_are_not(played: Played) -> None:
    keys = {str(notice.id): notice.key for notice in played.rows(select(Notice))}
    expected = EXPECTED["events"][WEEK]["notices"].values()

    published = sorted(keys[event.object_id] for event in played.events("notice_published"))
    assert published == sorted(key for one in expected for key in one.get("published", []))
    updated = sorted(keys[event.object_id] for event in played.events("notice_updated"))
    assert updated == sorted(key for one in expected for key in one.get("updated", []))


def test_the_blocked_source_is_blind_with_its_reason_and_nothing_of_it_was_taken_in(played: Played) -> None:
    [blind] = played.events("source_blind")

    assert blind.source_id == "demo_blocked_alerts"
    assert "apology" in blind.detail["reason"]
    [run] = played.rows(select(Run).where(Run.state == "quarantined"))
    assert run.source_id == "demo_blocked_alerts"
    assert {source.id for source in played.rows(select(Source).where(Source.state == "blind"))} == {
        "demo_blocked_alerts"
    }


def test_lawful_news_science_and_reagent_pages_hold_no_claim(played: Played) -> None:
    statement = select(Page.url, Claim.quote).join(ClaimPlace, ClaimPlace.page_id == Page.id)
    standing = played.rows(
        statement.join(Claim, Claim.id == ClaimPlace.claim_id).where(Claim.state == "live", Claim.decision == "flag")
    )
    clean = set(EXPECTED["no_claims"][WEEK])
    wrong = [(url, quote) for url, quote in standing if url in clean]

    assert len(wrong) <= 0.02 * len(clean), wrong


def test_every_quote_verifies_down_to_the_bytes(played: Played) -> None:
    engine = open_engine(played.settings.database_url)
    checked = verify(engine, played.settings)
    engine.dispose()

    assert checked.broken == ()
    assert checked.quotes > 60
    verified = played.exowatch("evidence", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_digest_shows_the_week(played: Played) -> None:
    folder = played.data / "digests"
    html, text = ((folder / f"{WEEK}.{ending}").read_text(encoding="utf-8") for ending in ("html", "txt"))
    digest = json.loads((folder / f"{WEEK}.json").read_text(encoding="utf-8"))
    event = EXPECTED["events"][WEEK]

    for quote in (event["appeared"][0]["quotes"][0], event["reworded"][0]["before"], event["reworded"][0]["after"]):
        assert quote in text
        assert quote in html
    for word in ("Demo product alerts", "apology", "201(g)(1)", "uscode.house.gov", "Halden Regenerative Institute"):
        assert word in text
        assert word in html
    assert digest["rehearsal"] is True
    assert digest["tally"]["reworded"] == 1
    assert digest["sources_read"] == digest["sources_total"] - 1
    assert len(html.encode()) < 102_000


def test_hostile_names_stay_text(played: Played) -> None:
    pages = [(played.data / "digests" / f"{stop.week}.html").read_text(encoding="utf-8") for stop in STOPS]

    assert all("<script" not in html for html in pages)


def test_the_watchlists_were_met_with_reasons(played: Played) -> None:
    tried = played.exowatch("watch", "try", "Hair claims", "--days", "90")

    assert tried.returncode == 0, tried.stderr
    assert "dormant follicles" in tried.stdout


def test_search_finds_claims_by_words_and_jurisdiction(played: Played) -> None:
    found = played.exowatch("search", "hair", "--jurisdiction", "us", "--json")

    assert found.returncode == 0, found.stderr
    assert "follicles" in found.stdout


def test_where_things_stand_names_the_blind_source_and_the_next_command(played: Played) -> None:
    standing = played.exowatch()

    assert standing.returncode == 0, standing.stderr
    assert "demo_blocked_alerts" in standing.stdout
    assert "exowatch " in standing.stdout


def test_a_second_run_at_once_fetches_little_and_changes_nothing(played: Played) -> None:
    """Last of the module: it adds runs."""
    events = played.rows(select(func.count()).select_from(Event))
    before = {run.id for run in played.rows(select(Run))}
    again = exowatch(played.config, "run")

    assert again.returncode in (0, 1), again.stderr
    assert played.rows(select(func.count()).select_from(Event)) == events
    runs = [run for run in played.rows(select(Run)) if run.id not in before]
    assert len(runs) == 14
    lists = [run.record for run in runs if run.source_id.startswith("demo_") and run.state == "taken_in"]
    assert all(record["items"].get("notice", 0) == 0 for record in lists)
    assert all(record["requests"] <= 4 for record in lists)


def test_the_same_on_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    with Running(DemoWeb()) as server:
        for stop in STOPS:
            config = tmp_path / f"{stop.week}.yaml"
            configs.write(configs.DEMO_CONFIG, server.address, stop.now, tmp_path / "var", config)
            sources = ("demo_warning_letters", "site_halden_regen_example", "demo_blocked_alerts")
            chosen = [part for source in sources for part in ("--source", source)]
            run = exowatch(config, "run", *chosen, env={"EXOWATCH_DATABASE_URL": postgresql_url})
            assert run.returncode in stop.codes, run.stderr
    engine = open_engine(postgresql_url)
    with reading(engine) as session:
        kinds = [event.kind for event in session.exec(select(Event).where(col(Event.baseline).is_(False)))]
    engine.dispose()
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "baseline_read": 3,
        "product_changed": 1,
        "notice_published": 3,
        "claim_appeared": 1,
        "claim_reworded": 1,
        "claim_withdrawn": 1,
        "source_blind": 1,
    }
