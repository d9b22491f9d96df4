"""What is to the byte as it was read before is not read again, and nobody who looks at the tables can tell."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlmodel import SQLModel

from monitor.config import Config, Site
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge, load
from monitor.market import pages, sameness
from monitor.market.rejudge import rejudge
from monitor.market.sameness import Marks
from monitor.reading.captured import read_captured
from monitor.records import PageState, RunRequest
from monitor.tables.db import open_engine
from monitor.tables.models import Page, PageVersion
from monitor.tables.product_facts import ProductFact
from tests.runs import RunMaker, page_card

HOME = "http://kelda.example/"
MONDAY = datetime(2026, 9, 7, 6, tzinfo=UTC)
WEEK = timedelta(weeks=1)
CURE = "Our exosome therapy treats arthritis in older adults."
REWORDED = "Our exosome therapy treats arthritis in most older adults."
HAIR = "Exosome injections regrow hair."


def shop(
    *claims: str, stock: int = 3, price: str = "89.00", name: str = "Kelda Exosome Serum", data: bool = True
) -> str:
    told = {"@type": "Product", "name": name, "offers": {"price": price, "priceCurrency": "EUR"}}
    script = f'<script type="application/ld+json">{json.dumps(told)}</script>' if data else ""
    said = "".join(f"<p>{claim}</p>" for claim in claims)
    return (
        f"<html lang='en'><title>{name}</title>{script}<h1>{name}</h1><p>€{price}</p><a href='/cart'>Add to cart</a>"
        f"{said}<p>Only {stock} left in stock</p></html>"
    )


LOOKS = (
    shop(CURE),
    shop(CURE, stock=2),
    shop(CURE, stock=9, price="79.00"),
    shop(REWORDED),
    shop(CURE, HAIR, "Made with exosomes derived from human umbilical cord."),
    shop(HAIR, "Made with plant-derived exosomes."),
    shop("Made with plant-derived exosomes.", stock=5),
    shop(CURE, data=False),
    shop("Made with plant-derived exosomes.", "Made with exosomes derived from human umbilical cord.", data=False),
    "<html><title>About</title><h1>About us</h1><p>The house has a garden.</p></html>",
    "<html><title>About</title><h1>About us</h1><p>The house has a garden. 12 people are looking.</p></html>",
)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@dataclass
class House:
    """A database and a data folder of its own."""

    engine: Engine
    config: Config

    def take(self, folder: Path, knowledge: Knowledge) -> tuple[str, ...]:
        own = self.config.runs_folder / folder.name
        shutil.copytree(folder, own)
        taken = take_in(self.engine, own, self.config, knowledge)
        assert taken.state == "taken_in"
        return taken.second_look

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table; only what a page was read as is left out."""
        with self.engine.connect() as connection:
            return {
                table.name: sorted(
                    map(repr, connection.execute(select(*(one for one in table.columns if one.key != "reading"))))
                )
                for table in SQLModel.metadata.sorted_tables
                if connection.dialect.has_table(connection, table.name)
            }


@pytest.fixture
def houses(sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[House, House]]:
    made = []
    for name in ("quick", "whole"):
        (tmp_path / name).mkdir()
        shutil.copy(sqlite_template, tmp_path / name / "exowatch.db")
        config = Config(data=tmp_path / name, sites=(Site(url=HOME, country="us"),))
        made.append(House(open_engine(f"sqlite:///{tmp_path / name / 'exowatch.db'}"), config))
    yield made[0], made[1]
    for house in made:
        house.engine.dispose()


class Readings:
    """How many pages were made text of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(pages, "read_captured", self._read)

    def _read(self, *arguments: Any) -> Any:
        self.count += 1
        return read_captured(*arguments)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    return Readings(monkeypatch)


def read_whole(monkeypatch: pytest.MonkeyPatch, always: bool) -> None:
    if always:
        monkeypatch.setattr(Marks, "same", lambda *_: False)
        monkeypatch.setattr(Marks, "same_reader", lambda *_: False)
    else:
        monkeypatch.setattr(Marks, "same", SAME)
        monkeypatch.setattr(Marks, "same_reader", SAME_READER)


SAME, SAME_READER = Marks.same, Marks.same_reader


class Web:
    """Five pages that mostly stay as they are, and now and then change, go, come back, or are not asked for."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.shown = {f"{HOME}{number}": self.random.randrange(len(LOOKS)) for number in range(5)}
        self.gone: set[str] = set()

    def week(self) -> None:
        for url in self.shown:
            chance = self.random.random()
            if chance < 0.25:
                self.shown[url] = self.random.randrange(len(LOOKS))
            self.gone = self.gone ^ {url} if chance > 0.93 else self.gone

    def run(self, at: datetime, runs: Path, only: tuple[str, ...] = ()) -> Path:
        maker = RunMaker(page_card(), at, runs, request=RunRequest(pages=only))
        for url, look in self.shown.items():
            if (only and url not in only) or (not only and self.random.random() < 0.1):
                continue
            html = LOOKS[look]
            if url in self.gone:
                maker.page(url, "not there", PageState.GONE, 404)
            else:
                maker.page(url, html, etag=f'"{look}"', body_sha256=hashlib.sha256(html.encode()).hexdigest())
        maker.page(HOME, "<h1>Kelda</h1>")
        return maker.write()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_tables_are_as_if_each_page_had_been_read_whole(
    houses: tuple[House, House],
    knowledge: Knowledge,
    readings: Readings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    seed: int,
) -> None:
    web, at, counts = Web(seed), MONDAY, Counter[bool]()

    def taken(folder: Path, known: Knowledge) -> tuple[str, ...]:
        looks = []
        for house, always in zip(houses, (False, True), strict=True):
            read_whole(monkeypatch, always)
            before = readings.count
            looks.append(house.take(folder, known))
            counts[always] += readings.count - before
        assert looks[0] == looks[1]
        return looks[0]

    for number in range(9):
        known = replace(knowledge, version="edited") if number in (4, 5, 6) else knowledge
        if number == 5:
            for house, always in zip(houses, (False, True), strict=True):
                read_whole(monkeypatch, always)
                rejudge(house.engine, knowledge, house.config, now=at)
        second = taken(web.run(at, tmp_path / "runs"), known)
        if second:
            taken(web.run(at + timedelta(hours=1), tmp_path / "runs", second), known)
        web.week()
        at += WEEK

    quick, whole = (house.rows() for house in houses)
    assert {name for name in quick if quick[name] != whole[name]} == set()
    assert len(quick["event"]) > 5
    assert counts[False] < counts[True] * 0.7


def one_page(house: House, knowledge: Knowledge, at: datetime, html: str, **changes: Any) -> None:
    request = changes.pop("request", RunRequest())
    maker = RunMaker(page_card(), at, house.config.data / "made", request=request)
    maker.page(HOME, html, **changes)
    house.take(maker.write(), knowledge)


def test_the_same_bytes_are_made_text_of_once(
    houses: tuple[House, House], knowledge: Knowledge, readings: Readings
) -> None:
    house = houses[0]
    counts = []
    for week, html in enumerate([shop(CURE), shop(CURE), shop(CURE, stock=2), shop(CURE, stock=2)]):
        one_page(house, knowledge, MONDAY + week * WEEK, html)
        counts.append(readings.count)

    assert counts == [1, 1, 2, 2]


def test_a_body_whose_digest_the_crawler_did_not_tell_is_held_against_the_last_one_too(
    houses: tuple[House, House], knowledge: Knowledge, readings: Readings
) -> None:
    for week in range(2):
        one_page(houses[0], knowledge, MONDAY + week * WEEK, shop(CURE), body_sha256="")

    assert readings.count == 1


def test_a_full_run_reads_everything(houses: tuple[House, House], knowledge: Knowledge, readings: Readings) -> None:
    one_page(houses[0], knowledge, MONDAY, shop(CURE))
    one_page(houses[0], knowledge, MONDAY + WEEK, shop(CURE), request=RunRequest(full=True))

    assert readings.count == 2


def test_other_software_or_other_knowledge_reads_again(
    houses: tuple[House, House], knowledge: Knowledge, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, counts = houses[0], []
    one_page(house, knowledge, MONDAY, shop(CURE))
    other = replace(knowledge, version="edited")
    for week in (1, 2):
        one_page(house, other, MONDAY + week * WEEK, shop(CURE))
        counts.append(readings.count)
    monkeypatch.setattr(sameness, "_software", lambda: "another version")
    for week in (3, 4):
        one_page(house, other, MONDAY + week * WEEK, shop(CURE))
        counts.append(readings.count)

    assert counts == [2, 2, 3, 3]


def test_a_page_judged_again_by_other_rules_is_read_whole_once(
    houses: tuple[House, House], knowledge: Knowledge, readings: Readings
) -> None:
    house = houses[0]
    one_page(house, knowledge, MONDAY, shop(CURE))
    rejudge(house.engine, replace(knowledge, version="edited"), house.config, now=MONDAY + WEEK / 2)
    with house.engine.connect() as connection:
        assert connection.execute(select(Page.reading)).all() == [("",)]
    for week in (1, 2):
        one_page(house, knowledge, MONDAY + week * WEEK, shop(CURE))

    assert readings.count == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a" * 64, "text/html; charset=utf-8", ""), ("a" * 64, "text/html; charset=iso-8859-1", "")),
        (("a" * 64, "application/json", "/products/0"), ("a" * 64, "application/json", "/products/1")),
        (("a" * 64, "text/html", ""), ("b" * 64, "text/html", "")),
        (("", "text/html", ""), ("", "text/html", "")),
    ],
)
def test_what_makes_another_text_of_the_same_bytes_makes_another_mark(
    knowledge: Knowledge, one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    marks = Marks(knowledge)

    assert marks.same(marks.of("a" * 64, "", ""), marks.of("a" * 64, "", ""))
    assert not marks.same(marks.of(*one), marks.of(*other))


def test_the_mark_covers_all_that_reads_and_judges() -> None:
    """A module of the core that a reading uses and whose change would go unseen fails here."""
    covered = {
        path.relative_to(sameness._HERE).as_posix()
        for pattern in sameness._CODE
        for path in sameness._HERE.glob(pattern)
    }
    read = {"reading/text.py", "reading/captured.py", "reading/flicker.py", "market/pages.py"}
    assert read | {"classify/judge.py", "products/reader.py"} <= covered
    assert {path.relative_to(sameness._HERE).as_posix() for path in sameness._HERE.glob("[!_]*.py")} <= covered


def test_the_same_text_in_other_bytes_is_no_new_version_on_each_database(
    engine: Engine, knowledge: Knowledge, readings: Readings, tmp_path: Path
) -> None:
    """What is kept beside a held text of its products is asked of the database, not read with all its blocks."""
    house = House(engine, Config(data=tmp_path / "own", sites=(Site(url=HOME, country="us"),)))
    for week, nonce in enumerate(("17", "18", "19")):
        one_page(house, knowledge, MONDAY + week * WEEK, f"<!-- {nonce} -->{shop(CURE)}")
    one_page(house, knowledge, MONDAY + 3 * WEEK, f"<!-- 20 -->{shop(CURE, price='79.00', stock=2)}")

    assert readings.count == 4
    with engine.connect() as connection:
        assert connection.execute(select(PageVersion.number).order_by(PageVersion.number)).all() == [(1,), (2,)]
        prices = select(ProductFact.value).where(ProductFact.kind == "price", ProductFact.current)
        assert connection.execute(prices).all() == [("79.00 EUR",)]


def test_a_page_of_an_older_database_is_read_once_more(
    houses: tuple[House, House], knowledge: Knowledge, readings: Readings
) -> None:
    house = houses[0]
    one_page(house, knowledge, MONDAY, shop(CURE))
    with house.engine.begin() as connection:
        connection.execute(text("UPDATE page SET reading = ''"))
    for week in (1, 2):
        one_page(house, knowledge, MONDAY + week * WEEK, shop(CURE))

    assert readings.count == 2
