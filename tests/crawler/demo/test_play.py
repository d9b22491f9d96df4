"""Configurations, the child processes, and what the runners say when a step fails."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from crawler.demo import configs, play, play_real
from crawler.demo.__main__ import main
from crawler.demo.stage import DATA_MARK, StageError, clear, server
from crawler.demo.web import DemoWeb
from crawler.source import load_cards
from monitor.config import Config, load
from monitor.records import RunRecord
from tests.crawler.demo.asking import Asker

NOW = datetime(2026, 11, 11, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def config() -> Config:
    return Config.model_validate(yaml.safe_load(configs.rehearsed(configs.DEMO_CONFIG, "127.0.0.1:8000", NOW)))


def test_the_demo_reads_every_demo_source_and_no_other(config: Config) -> None:
    cards = load_cards()
    assert {source for source, choice in config.sources.items() if choice.on} == {
        card.id for card in cards.values() if card.demo
    }


def test_the_demo_reads_every_site_at_once_again(config: Config, web: DemoWeb) -> None:
    assert {site.url for site in config.sites} == {f"{site.origin}/" for site in web.sites.values()}
    assert {site.revisit_hours for site in config.sites} == {0}


def test_every_demo_source_begins_at_a_host_that_is_served(web: DemoWeb) -> None:
    for card in load_cards().values():
        if card.demo:
            assert card.start.split("/")[2] in web.hosts


def test_config_writes_a_file_that_the_program_reads(tmp_path: Path) -> None:
    out = tmp_path / "made" / "config.yaml"
    now = "2026-11-09T06:00:00Z"
    assert main(["config", "--address", "127.0.0.1:4242", "--now", now, "--out", str(out), "--data", "x"]) == 0
    made = load(out)
    assert made.rehearsal is not None
    assert made.rehearsal.address == "127.0.0.1:4242"
    assert made.rehearsal.now == datetime(2026, 11, 9, 6, tzinfo=UTC)
    assert made.data.name == "x"
    assert [watchlist.name for watchlist in made.watchlists] == ["Hair claims", "Human umbilical material"]


def test_the_recordings_are_read_by_the_real_sources() -> None:
    raw = yaml.safe_load(configs.rehearsed(configs.REAL_CONFIG, "127.0.0.1:8000", play_real.NOW))
    on = {source for source, choice in Config.model_validate(raw).sources.items() if choice.on}
    assert on == set(play_real.RECORDED)
    assert on <= {card.id for card in load_cards().values() if not card.demo}


def test_an_address_off_this_machine_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        configs.rehearsed(configs.DEMO_CONFIG, "192.0.2.1:80", NOW)


def test_clear_empties_only_what_the_demo_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    clear(data)
    (data / "old").write_text("x")
    clear(data)
    assert [path.name for path in data.iterdir()] == [DATA_MARK]
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "precious").write_text("x")
    with pytest.raises(StageError, match="no demo put there"):
        clear(foreign)
    assert (foreign / "precious").exists()


def test_the_server_runs_as_a_child_until_the_block_ends() -> None:
    with server(["serve"]) as address:
        asker = Asker(address)
        assert asker.get("https://www.halden-regen.example/").status == 200
        asker.close()
    with pytest.raises(ConnectionRefusedError):
        Asker(address).get("https://www.halden-regen.example/")


def test_serve_prints_its_address_and_ends_well_on_sigterm() -> None:
    child = subprocess.Popen([sys.executable, "-m", "crawler.demo", "serve"], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    line = child.stdout.readline()
    child.terminate()
    rest, _ = child.communicate(timeout=20)
    assert line.startswith("The demo web is served at http://127.0.0.1:")
    assert rest == ""
    assert child.returncode == 0


def test_a_server_that_cannot_start_is_a_failed_step(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="exit code 2"), server(["recordings", "--samples", str(tmp_path)]):
        pass


def test_a_failed_run_fails_the_play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, ...]] = []

    def failing(_config: Path, *arguments: str) -> int:
        asked.append(arguments)
        return 2

    monkeypatch.setattr(play, "exowatch", failing)
    assert play.play(tmp_path / "data") == 1
    assert asked == [("run",)]
    assert "ended with exit code 2" in capsys.readouterr().out


def test_two_weeks_are_played_in_order_and_the_last_digest_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    moments = []

    def writing(config: Path, *_arguments: str) -> int:
        made = load(config)
        assert made.rehearsal is not None
        assert made.rehearsal.now is not None
        moments.append(made.rehearsal.now)
        week = f"{made.rehearsal.now.isocalendar().year}-W{made.rehearsal.now.isocalendar().week}"
        (data / "digests").mkdir(exist_ok=True)
        (data / "digests" / f"{week}.html").write_text("<p>")
        return 0

    monkeypatch.setattr(play, "exowatch", writing)
    assert play.play(data) == 0
    assert moments == [datetime(2026, 11, 11, 6, tzinfo=UTC), datetime(2026, 11, 18, 6, tzinfo=UTC)]
    assert str(data / "digests" / "2026-W47.html") in capsys.readouterr().out


def test_the_summary_is_what_the_digest_counts(tmp_path: Path) -> None:
    file = tmp_path / "2026-W47.json"
    digest = {
        "tally": {"appeared": 1234, "notices_core": 3},
        "sources_read": 13,
        "sources_total": 14,
        "blind": [{"id": "x", "title": "Demo alerts"}],
    }
    file.write_text(json.dumps(digest))
    assert play.summary(file) == [
        "  appeared: 1,234",
        "  notices core: 3",
        "  sources read: 13 of 14",
        "  blind: Demo alerts",
    ]
    assert play.summary(tmp_path / "none.json") == []


def test_without_recordings_the_real_demo_is_skipped_in_plain_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play-real", "--samples", str(tmp_path / "none"), "--data", str(tmp_path / "data")]) == 0
    assert "skipped" in capsys.readouterr().out
    assert not (tmp_path / "data").exists()


def test_a_recorded_run_is_told_in_one_line_with_what_was_not_read() -> None:
    problem = {"kind": "http_error", "message": "answered with status 404"}
    run = RunRecord.model_validate(
        {
            "run_id": "r",
            "source": "ca_hc_recalls",
            "card": load_cards()["ca_hc_recalls"].model_dump(),
            "mode": "rehearsal",
            "started_at": "2026-03-24T06:00:00Z",
            "finished_at": "2026-03-24T06:00:07Z",
            "finish_reason": "finished",
            "outcome": "ok",
            "software": "test",
            "items": {"notice": 4},
            "listed": 17,
            "not_kept": {"other organisation": 6},
            "responses": {"404": 4, "200": 1},
            "problems": [problem, problem],
        }
    )
    assert play_real.what_was_read(run) == (
        "ca_hc_recalls: ok in 7 s; listed 17, records 4; answers: 200: 1, 404: 4; "
        "left out: other organisation: 6; problems: http_error: 2"
    )
