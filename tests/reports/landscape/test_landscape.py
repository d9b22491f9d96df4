"""The landscape in all its forms: the same numbers in each, each with its source, and what is not known said."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from monitor.config import Config, SourceChoice
from monitor.intake.shipped import load_history
from monitor.knowledge import load
from monitor.queries.landscape import learnt_until
from monitor.tables.db import open_engine
from reports import period
from reports.__main__ import main
from reports.landscape import gather, write
from reports.landscape.asking import asked
from reports.landscape.figures.making import Making
from reports.landscape.formats import as_html, as_json, as_pdf, as_text, shown, tables
from reports.landscape.view import Figure, Landscape
from reports.languages import LANGUAGES, speech
from reports.site.app import create_app
from reports.words import Words
from tests.reports import factory
from tests.reports.landscape.picture import TODAY, quarter
from tests.reports.two_weeks import two_weeks

Q4 = period.quarter("2026-Q4", "UTC")


SOURCES = {"ca_hc_recalls": SourceChoice()}


@dataclass(frozen=True)
class Held:
    """A filled database that nobody changes, and its landscape."""

    engine: Engine
    config: Config
    landscape: Landscape


@pytest.fixture(scope="module")
def held(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    folder = tmp_path_factory.mktemp("landscape")
    shutil.copy(sqlite_template, folder / "exowatch.db")
    engine = open_engine(f"sqlite:///{folder / 'exowatch.db'}")
    quarter(engine)
    config = Config(data=folder / "var", sources=SOURCES)
    yield Held(engine, config, gather(engine, config, Q4, TODAY))
    engine.dispose()


@pytest.fixture
def found(held: Held) -> Landscape:
    return held.landscape


class Page(HTMLParser):
    """Tables, headings and names of attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.attributes: set[str] = set()
        self.bare_heads = 0
        self._table, self._text, self._heading = "", "", 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes |= set(given)
        if tag == "table":
            self._table = given.get("id") or ""
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self._text = ""
            self.bare_heads += tag == "th" and "scope" not in given
        elif re.fullmatch("h[1-6]", tag):
            self._heading, self._text = int(tag[1]), ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.tables[self._table][-1].append(self._text.strip())
        elif re.fullmatch("h[1-6]", tag):
            self.headings.append((self._heading, self._text.strip()))

    def handle_data(self, data: str) -> None:
        self._text += data


def figure(landscape: Landscape, key: str) -> Figure:
    return next(one for one in landscape.figures if one.id == key)


def cells(one: Figure) -> Iterator[list[str]]:
    english = speech()
    for row in (*one.rows, *([one.total] if one.total else [])):
        yield [row.label, *(shown(cell, english) for cell in row.cells)]


def test_every_form_has_the_same_numbers(found: Landscape) -> None:
    page, text, data = Page(as_html(found)), as_text(found), json.loads(as_json(found))
    held = {one["id"]: one for section in data["sections"] for one in section["figures"]}
    downloads = {name: (columns, rows) for name, columns, rows in tables(found)}
    english = speech()
    for one in found.figures:
        told = list(cells(one))
        assert page.tables.get(f"table-{one.id}", [[]])[1:] == told, one.id
        assert [[row["label"], *row["cells"]] for row in held[one.id]["rows"]] == json.loads(
            json.dumps([[row.label, *row.cells] for row in one.rows], default=date.isoformat)
        )
        assert [[str(row[0]), *(shown(cell, english) for cell in row[1:])] for row in downloads[one.id][1]] == told
        part = text[text.index(f"\n{one.title}\n") :].split(f"From: {one.basis}]")[0]
        for line in told:
            at = part.index(f"* {line[0]}")
            end = part.find("\n", at)
            assert all(cell in part[at:end] for cell in line[1:]), (one.id, line)
        assert all(sentence in text for sentence in (*one.says, *one.notes))


def test_every_figure_says_what_it_counts_and_where_that_stands(found: Landscape) -> None:
    for one in found.figures:
        assert one.means.endswith(".")
        assert re.search(r"queries\.|source cards", one.basis), one.id
        assert one.rows or one.says, one.id
    ids = {one.id for one in found.figures}
    assert len(ids) == len(found.figures)
    assert {statement.figure for statement in found.lead} <= ids


def test_a_picture_shows_what_its_table_holds(found: Landscape) -> None:
    pictured = [one for one in found.figures if one.chart]
    assert {one.chart.kind for one in pictured if one.chart} == {"bars", "columns", "pairs", "dots", "spans"}
    for one in pictured:
        assert one.chart is not None
        assert one.chart.alternative.startswith(one.chart.title)
        if one.chart.kind in ("bars", "columns", "pairs"):
            table = {row.label: {cell for cell in row.cells if isinstance(cell, int)} for row in one.rows}
            for place, label in enumerate(one.chart.labels):
                assert {series.values[place] for series in one.chart.series} <= table[label] | {0}, (one.id, label)


def test_the_page_can_be_read_by_any_program(found: Landscape) -> None:
    page = Page(as_html(found))
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert page.bare_heads == 0
    assert "style" not in page.attributes
    assert as_html(found).count('role="img"') == sum(1 for one in found.figures if one.chart)


def test_strangers_text_stays_text(found: Landscape) -> None:
    for written in (as_html(found), as_text(found)):
        assert "\u202e" not in written
        assert "\x07" not in written
    assert "<script>" not in as_html(found)
    assert "<script>" in as_text(found), "the name is told, as text"
    assert not [line for line in as_text(found).splitlines() if line.startswith("Bcc:")]


def test_the_same_data_and_moment_give_the_same_bytes(held: Held, tmp_path: Path) -> None:
    both = []
    for name, moment in (("one", TODAY), ("two", TODAY + timedelta(hours=3))):
        landscape = gather(held.engine, held.config, Q4, moment)
        both.append([path.read_bytes() for path in write(landscape, tmp_path / name)])
    assert both[0] == both[1]


def test_what_was_read_while_a_rehearsed_clock_stood_still_is_counted(held: Held) -> None:
    learnt = learnt_until(held.engine)
    assert learnt is not None
    early, late = (gather(held.engine, held.config, Q4, learnt + timedelta(seconds=by)) for by in (-1, 1))
    assert early.figures == late.figures


def test_permalinks_lead_to_the_readers_site(held: Held) -> None:
    config = held.config.model_copy(update={"public_site": "https://exowatch.kelda.example/"})
    ours, here = as_html(gather(held.engine, config, Q4, TODAY)), as_html(held.landscape)
    assert ours.count('"https://exowatch.kelda.example/') == here.count('"http://127.0.0.1:8017/') > 0
    assert "127.0.0.1" not in ours


def test_the_paper_has_pictures_and_is_the_same_each_time(found: Landscape) -> None:
    part = found.model_copy(update={"sections": found.sections[:2], "lead": ()})
    first = as_pdf(part)
    assert first.startswith(b"%PDF")
    assert b"/Subtype /Image" in first
    assert as_pdf(part) == first


def test_what_is_not_known_is_said(found: Landscape) -> None:
    unknown = {row.label: row.cells for row in figure(found, "not-known").rows}
    assert unknown["sources that are on and were never read"][0] == 1
    assert "Health Canada" in str(unknown["sources that are on and were never read"][1])
    assert unknown["standing claims not assessed in any jurisdiction"] == (1, "")
    assert unknown["standing claims whose source material is unstated"] == (1, "")
    assert unknown["notices of the period of which only the index entry was held"] == (1, "")
    assert unknown["notices without a date"] == (1, "")
    assert unknown["standing claims that nobody has reviewed"] == (3, "")


def test_letters_give_a_median_a_range_and_what_still_stands(found: Landscape) -> None:
    rows = [(row.label, row.cells) for row in figure(found, "letter-to-withdrawal").rows]
    assert rows[1] == ("withdrawn or gone with their page, ever", (1, 23, 23, 23))
    assert rows[2][1][0] == 2
    assert "does not say that it went because of it" in figure(found, "letter-to-withdrawal").means


def test_sellers_that_came_and_went_are_named(found: Landscape) -> None:
    came = [(row.label, row.cells[0]) for row in figure(found, "sellers-new").rows]
    assert came == [("Fresh Firm", "new")]
    (went,) = figure(found, "sellers-gone").rows
    assert went.cells == ("vanished", 1, 0)
    assert went.path.startswith("/organisations/")


def test_source_material_is_told_in_words(found: Landscape) -> None:
    rows = {row.label: row.cells[1] for row in figure(found, "claims-by-material").rows}
    assert rows == {"human": 2, "plant": 2, "unstated": 1}
    total = figure(found, "claims-by-material").total
    assert total is not None
    assert total.cells[1] == 3, "each once"


def test_a_share_is_told_of_twenty_and_more_alone(found: Landscape) -> None:
    make = Making(speech(), Words(speech()), asked(Q4, TODAY), "now", "before")
    assert make.share(10, 19) == ""
    assert make.share(10, 20) == " (50 %)"
    assert "%" not in re.sub(r"data:\S+|%PDF", "", as_text(found)), "nothing here counts twenty"


def test_a_period_that_is_not_over_is_held_against_as_many_days() -> None:
    wanted = asked(Q4, TODAY)
    assert (wanted.now.last, wanted.now.days, wanted.now.end) == (date(2026, 11, 26), 57, TODAY)
    assert (wanted.before.first, wanted.before.last) == (date(2026, 7, 1), date(2026, 8, 26))
    assert [step.name for step in wanted.steps[:2]] == ["2026-W40", "2026-W41"]
    assert (wanted.steps[0].first, wanted.steps[0].last) == (date(2026, 10, 1), date(2026, 10, 4))
    assert [one.name for one in wanted.quarters][:: len(wanted.quarters) - 1] == ["2024-Q1", "2026-Q4"]
    over = asked(period.quarter("2026-Q1", "Europe/Berlin"), TODAY)
    assert (over.now.days, over.before.name, over.before.days) == (90, "2025-Q4", 92)
    assert over.now.start == datetime(2025, 12, 31, 23, tzinfo=UTC)
    whole = asked(period.year("2025", "UTC"), TODAY)
    assert (whole.steps[0].name, len(whole.steps), whole.before.name) == ("2025-01", 12, "2024")
    with pytest.raises(ValueError, match="2027-Q1 has not begun"):
        asked(period.quarter("2027-Q1", "UTC"), TODAY)


def test_an_empty_database_says_that_nothing_was_read(sqlite_engine: Engine, tmp_path: Path) -> None:
    empty = gather(sqlite_engine, Config(data=tmp_path), Q4, TODAY)
    text = as_text(empty)
    assert "No source has been read yet." in text
    assert "No claim stood in this period." in text
    assert "never" not in text.split("WHAT REGULATORS")[0]
    assert not [one.id for one in empty.figures if one.chart]
    assert Page(as_html(empty)).headings[0] == (1, "The landscape of 2026-Q4")


def test_a_rehearsal_says_so(sqlite_engine: Engine, tmp_path: Path) -> None:
    two_weeks(sqlite_engine, mode="rehearsal")
    rehearsed = gather(sqlite_engine, Config(data=tmp_path), Q4, TODAY)
    assert "DEMONSTRATION" in as_text(rehearsed)
    assert "read from a rehearsal server" in as_html(rehearsed.model_copy(update={"sections": (), "lead": ()}))


def test_the_first_landscape_has_the_letters_that_ship(sqlite_engine: Engine, tmp_path: Path) -> None:
    config = Config(data=tmp_path / "var")
    load_history(sqlite_engine, config, load(), now=TODAY)
    text = as_text(gather(sqlite_engine, config, period.quarter("2025-Q1", "UTC"), TODAY))
    assert "Held as index entry, text not read: 24 of these" in text
    assert re.search(
        r"US Food and Drug Administration: on exosomes 0; related \d; unsorted entries \d; 2025-Q1 5;", text
    )
    assert "FDA warning letters: days seen 0" in text


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_it_is_told_in_each_language_with_the_same_numbers(held: Held, code: str) -> None:
    told = gather(held.engine, held.config, Q4, TODAY, language=code)
    assert numbers(told) == numbers(held.landscape)
    assert told.title != held.landscape.title
    plain = told.model_copy(update={"sections": told.sections[-1:], "lead": ()})
    assert f'<html lang="{code}">' in as_html(plain)


def numbers(landscape: Landscape) -> list[list[list[int]]]:
    """Every number of every table; rows by their numbers, for their names are sorted as each language sorts them."""
    return [sorted([cell for cell in row.cells if type(cell) is int] for row in one.rows) for one in landscape.figures]


def test_the_site_shows_it_and_gives_its_tables(held: Held, visit: Callable[[FastAPI], httpx.Client]) -> None:
    client = visit(create_app(held.engine, held.config, law=factory.law))
    overview = client.get("/landscape")
    assert 'href="/landscape/2026-Q4"' in overview.text
    assert "2026-Q2" not in overview.text, "nothing is held from before July"
    answer = client.get("/landscape/2026-Q4")
    assert answer.status_code == 200
    assert "style-src" not in answer.headers["content-security-policy"]
    assert "style" not in Page(answer.text).attributes
    assert "Cite this" in answer.text
    table = client.get("/landscape/2026-Q4/tables/claims-by-severity.csv")
    assert table.text.splitlines()[1].startswith("High,")
    assert client.get("/landscape/2026-Q4/tables/sellers-gone.xlsx").content[:2] == b"PK"
    for path in (
        "/landscape/2026-Q5",
        "/landscape/0000",
        "/landscape/2999",
        "/landscape/x",
        "/landscape/2026-Q4/tables/x.csv",
    ):
        assert client.get(path).status_code == 404


def test_the_command_writes_what_is_asked_and_refuses_what_is_not_understood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"data: {tmp_path}/var\n", encoding="utf-8")
    call = ["landscape", "--config", str(file)]
    assert (
        main([*call, "--year", "2025", "--format", "txt, json", "--out", str(tmp_path / "o"), "--language", "de"]) == 0
    )
    assert capsys.readouterr().out.split() == [str(tmp_path / "o" / f"2025.de.{kind}") for kind in ("txt", "json")]
    with file.open("a", encoding="utf-8") as config:
        config.write("digest: {language: fr}\n")
    assert main([*call, "--year", "2025", "--format", "txt", "--out", str(tmp_path / "o")]) == 0
    written = Path(capsys.readouterr().out.strip())
    assert written.name == "2025.fr.txt"
    assert written.read_text(encoding="utf-8").startswith("Le paysage de 2025"), "as the digest speaks"
    for wrong, said in (
        (["--quarter", "2026-Q7"], "is no quarter; write the year and the quarter, such as 2026-Q4"),
        (["--year", "26"], "is no year"),
        (["--from", "2026-01-01"], "--from and --to go together"),
        (["--year", "2025", "--from", "2026-01-01", "--to", "2026-01-02"], "name two periods"),
        (["--format", "docx"], "no format 'docx'; write one or more of html, txt, json, pdf"),
        (["--language", "xx"], "no language 'xx'"),
        (["--jurisdiction", "zz"], "no jurisdiction 'zz'"),
        (["--year", "2999"], "has not begun"),
        (["--year", "2025", "--out", str(file)], "give another folder with --out"),
    ):
        assert main([*call, *wrong]) == 2, wrong
        assert said in capsys.readouterr().err
