"""A page over time: which readings make a version, and what `exowatch page` shows of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from monitor import queries
from monitor.cli import main
from monitor.config import Config, Site
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge, load
from monitor.migrations import upgrade
from monitor.queries.page_address import find_page, key_of
from monitor.records import PageState
from monitor.tables.db import open_engine, reading
from monitor.tables.models import Claim, Event, PageVersion
from tests.runs import RunMaker, page_card

MONDAY = datetime(2026, 10, 5, 6, tzinfo=UTC)
WEEK = timedelta(days=7)
SERUM = "https://www.kelda.example/products/serum"
CURE = "Our exosome therapy treats arthritis in older adults."
REWORDED = "Our exosome therapy treats arthritis in most older adults."
ORDERED = ("<p>Ships in a blue box.</p>", "<ul><li>Vegan</li><li>No fragrance</li></ul>")


def shop(claims: str, *, stock: int = 3, day: str = "5 October 2026", turned: bool = False, also: str = "Mask") -> str:
    middle = ORDERED[::-1] if turned else ORDERED
    return (
        f"<html lang='en'><title>Kelda serum</title><p>We use cookies. Accept all?</p><h1>Kelda exosome serum</h1>"
        f"<p>{claims}</p>{''.join(middle)}<p>Only {stock} left in stock</p><p>Updated {day}</p><p>$450 a vial</p>"
        f"<h2>You may also like</h2><ul><li>{also}</li></ul><footer>© 2026 Kelda Labs</footer></html>"
    )


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


class Weeks:
    """A page read week after week."""

    def __init__(self, engine: Engine, config: Config, knowledge: Knowledge) -> None:
        self.engine, self.config, self.knowledge = engine, config, knowledge
        self.at = MONDAY - WEEK

    def read(self, html: str, state: PageState = PageState.READ, status: int = 200, later: timedelta = WEEK) -> None:
        self.at += later
        maker = RunMaker(page_card(), self.at, self.config.runs_folder)
        maker.page(SERUM, html, state, status, title="Kelda serum")
        maker.page("https://www.kelda.example/", "<h1>Kelda</h1>")
        assert take_in(self.engine, maker.write(), self.config, self.knowledge).state == "taken_in"

    def again(self, html: str, state: PageState = PageState.READ, status: int = 200) -> None:
        """The second look of the same day."""
        self.read(html, state, status, later=timedelta(hours=1))

    def versions(self) -> list[int]:
        with reading(self.engine) as session:
            found = session.exec(
                select(PageVersion.number).where(col(PageVersion.text).contains("serum")).order_by(PageVersion.number)
            )
            return list(found)

    def claims(self) -> list[Claim]:
        with reading(self.engine) as session:
            return list(session.exec(select(Claim)))

    def news(self) -> list[str]:
        with reading(self.engine) as session:
            return list(session.exec(select(Event.kind).where(Event.baseline == False).order_by(col(Event.id))))  # noqa: E712


@pytest.fixture
def weeks(sqlite_engine: Engine, tmp_path: Path, knowledge: Knowledge) -> Weeks:
    config = Config(data=tmp_path / "var", sites=(Site(url="https://www.kelda.example/", name="Kelda Labs"),))
    return Weeks(sqlite_engine, config, knowledge)


def test_what_flickers_makes_no_version_and_no_event(weeks: Weeks) -> None:
    weeks.read(shop(CURE))
    weeks.read(shop(CURE, stock=2, day="12 October 2026"))
    weeks.read(shop(CURE, stock=9, day="October 19, 2026", turned=True, also="Toner"))

    assert weeks.versions() == [1]
    assert weeks.news() == ["baseline_read"]


@pytest.mark.parametrize(
    "hidden",
    [
        shop(CURE, stock=2).replace("We use cookies.", "We use cookies. Our exosome infusion cures diabetes."),
        shop(CURE, also="Our exosome infusion cures diabetes."),
    ],
)
def test_a_claim_in_a_banner_or_a_carousel_is_not_overlooked(weeks: Weeks, hidden: str) -> None:
    weeks.read(shop(CURE))
    weeks.read(hidden)

    assert weeks.versions() == [1, 2]
    assert "claim_appeared" in weeks.news()


def test_a_price_and_a_small_edit_make_versions_and_the_claim_stays_itself(weeks: Weeks) -> None:
    weeks.read(shop(CURE))
    weeks.read(shop(CURE).replace("$450", "$390"))
    weeks.read(shop(REWORDED).replace("$450", "$390"))
    weeks.again(shop(REWORDED, stock=1).replace("$450", "$390"))

    assert weeks.versions() == [1, 2, 3]
    assert [kind for kind in weeks.news() if kind.startswith("claim")] == ["claim_reworded"]
    found = queries.page(weeks.engine, held(weeks, SERUM), newest=None)
    assert found is not None
    [claim] = found.claims
    assert claim.quote in REWORDED
    assert "in most older adults" in claim.quote
    assert [[(c.kind, c.before, c.after) for c in v.difference.changes] for v in found.versions if v.difference] == [
        [("reworded", CURE, REWORDED)],
        [("reworded", "$450 a vial", "$390 a vial")],
    ]
    [reworded] = [each for each in found.events if each.event.kind == "claim_reworded"]
    assert [(piece.kind, piece.text) for piece in reworded.pieces if piece.kind != "same"] == [("inserted", "most ")]


def test_other_words_of_the_same_statement_are_no_new_claim(weeks: Weeks, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands beside a clause moves the model's marks in it; the seller said nothing new."""
    said = f"Our nurses are kind. {CURE}"
    weeks.read(shop(said))
    [before] = weeks.claims()
    monkeypatch.setattr("monitor.classify.quotes._CLAUSE_EDGE", 0.0)
    monkeypatch.setattr("monitor.classify.quotes._LEANING", -2.5)
    weeks.read(shop(said).replace("$450", "$390"))
    weeks.again(shop(said).replace("$450", "$390"))

    [after] = weeks.claims()
    assert weeks.versions() == [1, 2]
    assert [kind for kind in weeks.news() if kind.startswith("claim")] == []
    assert (after.id, after.quote) == (before.id, before.quote)
    assert after.words != before.words
    assert after.words in before.words in before.quote


def held(weeks: Weeks, url: str) -> int:
    page_id = find_page(weeks.engine, url).page_id
    assert page_id is not None
    return page_id


def test_a_page_that_went_and_came_back_tells_so(weeks: Weeks) -> None:
    weeks.read(shop(CURE))
    weeks.read("gone", PageState.GONE, 404)
    weeks.again("gone", PageState.GONE, 404)
    weeks.read(shop(CURE))

    found = queries.page(weeks.engine, held(weeks, SERUM))
    assert found is not None
    kinds = [each.event.kind for each in found.events]
    assert kinds.index("page_back") < kinds.index("page_gone") < kinds.index("claim_appeared")
    assert found.state == "live"


@pytest.mark.parametrize(
    "written",
    [
        SERUM,
        "http://kelda.example/products/serum/",
        "kelda.example/products/serum#reviews",
        "HTTPS://WWW.KELDA.EXAMPLE:443/products/serum?utm_source=mail&gclid=1",
        " https://kelda.example/products/s%65rum ",
    ],
)
def test_a_page_is_found_however_its_address_is_written(weeks: Weeks, written: str) -> None:
    weeks.read(shop(CURE))

    assert find_page(weeks.engine, written).page_id == held(weeks, SERUM)


def test_addresses_that_are_others_are_told_apart() -> None:
    assert key_of("https://a.example/x?colour=red&size=2") == key_of("a.example/x/?size=2&colour=red#top")
    assert key_of("https://a.example/x?colour=red") != key_of("https://a.example/x?colour=blue")
    assert key_of("https://shop.a.example/x") != key_of("https://a.example/x")
    assert key_of("https://bücher.example/x") == key_of("https://xn--bcher-kva.example/x")
    assert key_of("https://[broken/") is None
    assert key_of("") is None


def configured(tmp_path: Path) -> tuple[Path, Config]:
    file = tmp_path / "config.yaml"
    file.write_text(f"data: {tmp_path / 'var'}\nsites:\n  - url: https://www.kelda.example/\n", encoding="utf-8")
    return file, Config(data=tmp_path / "var", sites=(Site(url="https://www.kelda.example/"),))


def test_the_command_shows_the_history(
    tmp_path: Path, knowledge: Knowledge, capsys: pytest.CaptureFixture[str]
) -> None:
    file, config = configured(tmp_path)
    engine = open_engine(config.database_url)
    upgrade(engine)
    weeks = Weeks(engine, config, knowledge)
    weeks.read(shop(CURE).replace("Vegan", "\x1b]0;bell\x07"))
    weeks.read(shop(REWORDED, turned=True))
    weeks.again(shop(REWORDED, turned=True))
    engine.dispose()
    capsys.readouterr()

    main_with(file, "page", "kelda.example/products/serum")
    told = capsys.readouterr().out
    assert "2 versions, 1 standing claim" in told
    assert "reworded paragraph, under Kelda exosome serum" in told
    assert "{+most +}older adults" in told
    assert "claim_reworded" not in told
    assert "claim reworded, claim 1" in told
    assert "\x1b" not in told

    main_with(file, "page", SERUM, "--json", "--all")
    answer = json.loads(capsys.readouterr().out)
    assert [version["number"] for version in answer["versions"]] == [2, 1]
    assert answer["versions"][1]["difference"] is None
    assert answer["versions"][0]["difference"]["changes"][0]["kind"] == "reworded"
    assert len(answer["versions"][0]["payload_sha256"]) == 64

    for wrong, hint in (
        ("https://kelda.example/products/sera", f"that page of the site is not held; the nearest are:\n  {SERUM}"),
        ("https://keldo.example/", "no page of that site is held; the nearest are:\n  https://www.kelda.example/"),
        ("https://brightwater.example/", "none that is written nearly so"),
    ):
        assert main_with(file, "page", wrong) == 2
        assert hint in capsys.readouterr().err


def main_with(file: Path, *arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(file), *arguments])
    return int(ended.value.code or 0)
