"""A digest tells of registers and literature: once, in words, with exact counts, and as text from strangers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from monitor.config import Config, Site, SourceChoice
from monitor.knowledge import load
from reports import period
from reports.digest import as_html, as_text, gather, lead
from reports.digest.cut import cut
from reports.digest.sources_read import never_read
from reports.digest.view import Digest
from reports.site.app import create_app
from tests.monitor.registered import Registry, card_of, entry, paper, trial
from tests.reports import factory

TRIALS = card_of("us_test_trials", "trial")
PAPERS = card_of("eu_test_papers", "publication", jurisdiction="eu")
REGISTER = card_of("us_test_register", "authorisation")
NASTY = "<script>alert(1)</script> exosomes\u202e"

WEEK = period.week("2026-W47", "UTC")


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Registry:
    found = Registry(sqlite_engine, Config(data=tmp_path / "var"), load())
    found.at = datetime(2026, 11, 9, 6, tzinfo=UTC)
    found.baseline(TRIALS, PAPERS, REGISTER)
    found.at = datetime(2026, 11, 17, 6, tzinfo=UTC)
    for changes in ({}, {"status": "WITHDRAWN"}):
        maker = found.maker(TRIALS)
        trial(maker, **changes)
        trial(maker, "NCT09000002", title="Aspirin, an invented trial", interventions=(), summary="")
        found.take(maker)
    maker = found.maker(PAPERS)
    paper(maker, title=NASTY, url="javascript:alert(1)")
    found.take(maker)
    maker = found.maker(REGISTER)
    entry(maker)
    found.take(maker)
    return found


def digest(desk: Registry, *codes: str) -> Digest:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return gather(desk.engine, desk.config, WEEK, now, law=factory.law, jurisdictions=codes)


def test_changes_are_told_in_their_order_and_what_is_of_other_matters_is_counted(desk: Registry) -> None:
    found = digest(desk)
    assert [item.change for item in found.registered.items] == [
        "authorisation_granted",
        "trial_status_changed",
        "trial_registered",
        "publication_indexed",
    ]
    assert (found.registered.total, found.registered.other) == (4, 1)
    assert found.registered.items[1].changes == (("status", "RECRUITING", "WITHDRAWN"),)
    assert "status: RECRUITING → WITHDRAWN" in as_text(found)
    assert found.counts["registered"] == 4
    assert not found.empty
    assert found.subject == "Exowatch weekly 2026-W47: 4 changes in registers and literature"
    assert lead(found) == "4 changes in registers and literature. 3 of 3 sources read."


def test_a_part_of_a_digest_has_what_its_jurisdictions_have(desk: Registry) -> None:
    assert [item.change for item in digest(desk, "us").registered.items] == [
        "authorisation_granted",
        "trial_status_changed",
        "trial_registered",
    ]
    assert digest(desk, "ca").registered.total == 0


def test_html_and_text_say_it_and_strangers_text_stays_text(desk: Registry) -> None:
    found = digest(desk)
    html, text = as_html(found), as_text(found)
    for shown in (html, text):
        assert "RECRUITING" in shown
        assert "Vesimed" in shown
        assert "Kelda Labs" in shown
        assert "/trials/1" in shown
        assert "\u202e" not in shown
        assert 'href="javascript' not in shown
    assert "<script>" not in html
    assert "1 further change on other matters is counted here and not listed." in text


def test_a_shortened_digest_keeps_its_counts(desk: Registry) -> None:
    short = cut(digest(desk), 1)
    assert (len(short.registered.items), short.registered.more, short.registered.total) == (1, 3, 4)
    assert short.registered.items[0].change == "authorisation_granted"


def test_each_has_a_page_on_the_site(desk: Registry, visit: Callable[[FastAPI], httpx.Client]) -> None:
    client = visit(create_app(desk.engine, desk.config, law=factory.law))
    for path, shown in (
        ("/trials/1", "WITHDRAWN"),
        ("/publications/1", "Journal of Invented"),
        ("/authorisations/1", "keldacel"),
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert shown in answer.text
        assert "<script>alert" not in answer.text
    assert "no approval of any kind" in client.get("/trials/1").text
    assert client.get("/trials/99").status_code == 404
    assert 'href="/authorisations/1"' in client.get("/search", params={"q": "vesimed"}).text


def test_sources_that_are_on_and_were_never_read_are_named(desk: Registry) -> None:
    on = {"ca_hc_recalls": SourceChoice(), "us_test_trials": SourceChoice(), "us_fda_recalls": SourceChoice(on=False)}
    desk.config = desk.config.model_copy(update={"sources": on})
    found = digest(desk)

    assert [(one.id, one.state, one.reason) for one in found.not_read] == [("ca_hc_recalls", "never", "")]
    assert (found.sources_total, found.sources_read) == (4, 3)
    assert "Health Canada" in as_text(found)
    assert lead(found).endswith("3 of 4 sources read; 1 source not read by the end of the period.")
    assert "not read by the end of the period" in as_text(found)
    assert "never read yet" not in as_text(found), "it may have been read since"
    sunday = gather(desk.engine, desk.config, WEEK, datetime(2026, 11, 22, tzinfo=UTC), law=factory.law)
    assert lead(sunday).endswith("3 of 4 sources read; 1 source never read yet.")
    assert "never read yet" in as_text(sunday)


def test_a_site_that_was_never_read_bears_the_name_it_is_configured_with() -> None:
    named = Site(url="https://www.kelda.example/", name="Kelda Labs", country="us")
    plain = Site(url="https://glow.example/")
    told = [(item.title, item.jurisdiction) for item in never_read((), Config(sites=(named, plain)))]
    assert told == [("Kelda Labs", "us"), ("https://glow.example/", "")]
