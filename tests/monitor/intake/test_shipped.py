"""History that ships: dated, sourced, marked as unread until it has been read, and never this week's news."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from crawler.sources.us_fda_warning_letters import key_of
from monitor import queries
from monitor.config import Config
from monitor.evidence.recomputed import verify
from monitor.intake.runs import take_in
from monitor.intake.shipped import LETTERS, LETTERS_SOURCE, Loaded, letters, load_history
from monitor.knowledge import Knowledge, KnowledgeError, load
from monitor.records import Expectation, OrganisationRef
from monitor.running.cycle import waiting_runs
from monitor.search import search
from monitor.tables.db import reading
from monitor.tables.models import Event, Notice, NoticeRevision, Run, Source
from tests.runs import RunMaker, notice_card

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CARD = notice_card(LETTERS_SOURCE, expect=Expectation())


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path / "var")


def notices(engine: Engine) -> list[Notice]:
    with reading(engine) as session:
        return list(session.exec(select(Notice).order_by(col(Notice.id))))


def events(engine: Engine) -> list[tuple[str, bool]]:
    with reading(engine) as session:
        return [(event.kind, event.baseline) for event in session.exec(select(Event).order_by(col(Event.id)))]


def small(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """Two rows of the shape that ships, of invented firms."""
    path = tmp_path / "us_fda_regenerative_letters.csv"
    text = LETTERS.read_text(encoding="utf-8").splitlines()[0]
    base = "https://www.fda.gov/inspections-compliance-enforcement-and-criminal-investigations/warning-letters"
    text += (
        f"\n2025-01-02,2025-01-14,Kelda Labs LLC,700001,Center of Tests,Unapproved New Drugs,{base}/kelda-1,2026-03-23"
    )
    text += f"\n2025-02-03,2025-02-11,Follica Inc.,700002,Center of Tests,Tissues,{base}/follica-2/,2026-03-23\n"
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_ships_is_whole_and_keyed_as_its_spider_keys_it() -> None:
    rows = letters()
    assert len(rows) == 41
    assert [row.key for row in rows] == [key_of(row.address) for row in rows]
    assert all(row.issued <= row.read_on and row.posted <= row.read_on for row in rows)
    assert all(row.number in row.address for row in rows)


def test_a_new_database_has_dated_sourced_unread_history(engine: Engine, config: Config, knowledge: Knowledge) -> None:
    loaded = load_history(engine, config, knowledge, now=NOW)

    assert loaded == Loaded(added=41)
    held = notices(engine)
    assert {notice.source_id for notice in held} == {LETTERS_SOURCE}
    assert all(notice.baseline and notice.issued and notice.posted and notice.url for notice in held)
    assert {notice.text for notice in held} == {""}
    assert {tuple(notice.unread) for notice in held} == {
        ("letter: not read; only its entry in FDA's list was, on 2026-03-23",)
    }
    assert search(engine, "cells tissues", kind="notice").total > 20
    shown = queries.notice(engine, held[0].id or 0)
    assert shown is not None
    assert shown.evidence is not None
    assert shown.evidence.status == 0
    assert shown.references == (f"MARCS-CMS {letters()[0].number}",)
    assert shown.notice.organisations
    assert not shown.notice.rehearsal
    assert verify(engine, config).broken == ()


def test_it_is_nobodys_news_and_no_reading(engine: Engine, config: Config, knowledge: Knowledge) -> None:
    load_history(engine, config, knowledge, now=NOW)

    assert set(events(engine)) == {("notice_published", True)}
    week = queries.week(engine, NOW - timedelta(days=2), NOW + timedelta(days=5))
    assert week.notices_new == week.notices_updated == week.baselines == week.sources == ()
    standing = queries.standing(engine)
    assert (standing.notices, standing.last_runs, standing.sources) == (41, (), ())
    assert queries.runs(engine) == ()
    assert waiting_runs(engine, config) == []
    with reading(engine) as session:
        source = session.get_one(Source, LETTERS_SOURCE)
    assert (source.baseline_run, source.last_run_at, source.last_success_at) == (None, None, None)


def test_it_stands_in_the_period_of_its_own_date(engine: Engine, config: Config, knowledge: Knowledge) -> None:
    load_history(engine, config, knowledge, now=NOW)
    week = queries.week(engine, datetime(2025, 12, 8, tzinfo=UTC), datetime(2025, 12, 15, tzinfo=UTC))

    assert {news.notice.posted for news in week.notices_new} == {date(2025, 12, 9)}
    assert all(news.read_later for news in week.notices_new)


def test_twice_adds_nothing(engine: Engine, config: Config, knowledge: Knowledge) -> None:
    load_history(engine, config, knowledge, now=NOW)
    before = (events(engine), len(list(config.runs_folder.iterdir())))

    assert load_history(engine, config, knowledge, now=NOW) == Loaded(held=41)
    assert (events(engine), len(list(config.runs_folder.iterdir()))) == before


def read_letter(engine: Engine, config: Config, knowledge: Knowledge, at: datetime, **changes: object) -> None:
    maker = RunMaker(CARD, at, config.runs_folder)
    key = "/inspections-compliance-enforcement-and-criminal-investigations/warning-letters/kelda-1"
    maker.notice(
        key,
        "Kelda Labs LLC: Unapproved New Drugs",
        **{
            "url": f"https://www.fda.gov{key}",
            "issued": date(2025, 1, 2),
            "posted": date(2025, 1, 14),
            "authority": "Center of Tests",
            "organisations": (OrganisationRef(name="Kelda Labs LLC", role="addressee"),),
            "summary": "Unapproved New Drugs",
            **changes,
        },
    )
    take_in(engine, maker.write(), config, knowledge)


@pytest.mark.parametrize("first_run", [True, False], ids=["in the first reading", "in a later one"])
def test_the_letter_read_later_takes_its_entrys_place(
    engine: Engine, config: Config, knowledge: Knowledge, tmp_path: Path, first_run: bool
) -> None:
    load_history(engine, config, knowledge, now=NOW, path=small(tmp_path))
    at = NOW + timedelta(hours=1)
    if not first_run:
        take_in(engine, RunMaker(CARD, at, config.runs_folder).write(), config, knowledge)
        at += timedelta(hours=1)
    read_letter(engine, config, knowledge, at, text="Your exosome product is an unapproved drug.")

    kelda, follica = notices(engine)
    assert (kelda.text, kelda.unread, kelda.tier) == ("Your exosome product is an unapproved drug.", [], "core")
    assert follica.unread
    assert kelda.baseline
    # Two came with the software; the reading changed one of them, and that is no news either.
    assert [event for event in events(engine) if event[0] != "baseline_read"] == [
        ("notice_published", True),
        ("notice_published", True),
        ("notice_updated", True),
    ]
    with reading(engine) as session:
        runs = {run.id: run.source_id for run in session.exec(select(Run))}
        revisions = session.exec(select(NoticeRevision).where(NoticeRevision.notice_id == kelda.id)).all()
    assert [runs[revision.run_id] for revision in revisions] == ["shipped_history", LETTERS_SOURCE]
    assert load_history(engine, config, knowledge, now=at, path=small(tmp_path)) == Loaded(held=2)
    assert notices(engine)[0].text == "Your exosome product is an unapproved drug."


def test_an_edit_after_it_was_read_is_news(
    engine: Engine, config: Config, knowledge: Knowledge, tmp_path: Path
) -> None:
    load_history(engine, config, knowledge, now=NOW, path=small(tmp_path))
    for hour, text in enumerate(("Your exosome product.", "Your exosome product is a drug."), start=1):
        read_letter(engine, config, knowledge, NOW + timedelta(hours=hour), text=text)

    assert events(engine)[-1] == ("notice_updated", False)


def test_its_list_entry_read_alone_leaves_it_unread_and_is_no_news(
    engine: Engine, config: Config, knowledge: Knowledge, tmp_path: Path
) -> None:
    load_history(engine, config, knowledge, now=NOW, path=small(tmp_path))
    take_in(engine, RunMaker(CARD, NOW, config.runs_folder).write(), config, knowledge)
    later = NOW + timedelta(hours=1)
    read_letter(engine, config, knowledge, later, unread=("letter page: timed out",), status="close-out letter: 2025")

    [kelda, _] = notices(engine)
    assert kelda.unread == ["letter page: timed out"]
    assert events(engine)[-1] == ("notice_updated", True)
    shown = queries.notice(engine, kelda.id or 0)
    assert shown is not None
    assert shown.references == ("MARCS-CMS 700001",)


def test_a_row_that_was_put_right_is_corrected(
    engine: Engine, config: Config, knowledge: Knowledge, tmp_path: Path
) -> None:
    load_history(engine, config, knowledge, now=NOW, path=small(tmp_path))
    again = small(tmp_path, ("Kelda Labs LLC", "Kelda Laboratories LLC"))

    assert load_history(engine, config, knowledge, now=NOW + timedelta(days=1), path=again) == Loaded(0, 1, 1)
    assert notices(engine)[0].title == "Kelda Laboratories LLC: Unapproved New Drugs"
    assert verify(engine, config).broken == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("2025-01-02", "2025-13-02", r"letters.csv:2: issued: "),
        (",700002,", ",none,", r"letters.csv:3: number: "),
        ("follica-2/", "kelda-1", r"letters.csv:3: \S+kelda-1 stands there twice. Keep one row."),
        ("www.fda.gov", "fda.example", r"letters.csv:2: address: "),
        ("issued,", "isued,", r"letters.csv:2: "),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_taken_in(
    engine: Engine, config: Config, knowledge: Knowledge, tmp_path: Path, before: str, after: str, told: str
) -> None:
    with pytest.raises(KnowledgeError, match=told):
        load_history(engine, config, knowledge, now=NOW, path=small(tmp_path, (before, after)))
    assert notices(engine) == []
    assert not config.runs_folder.exists()


def test_an_altered_file_breaks_the_chain(engine: Engine, config: Config, knowledge: Knowledge) -> None:
    load_history(engine, config, knowledge, now=NOW)
    [folder] = config.runs_folder.iterdir()
    (folder / "items.jsonl").write_text("{}\n", encoding="utf-8")

    assert [broken.kind for broken in verify(engine, config).broken] == ["run"]
    shutil.rmtree(folder)
