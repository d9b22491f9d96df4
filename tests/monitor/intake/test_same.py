"""The same notice in two sources is one notice with two places; what only looks alike stays apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from monitor import queries
from monitor.intake.same import canonical_url, marks_of
from monitor.records import Authority, Expectation, NoticeType, SourceCard
from monitor.tables.db import reading
from monitor.tables.models import Notice, NoticeRevision
from monitor.tables.registers import NoticePlace
from tests.monitor.registered import Registry, registry
from tests.runs import notice_card

LIST = notice_card("us_test_list", start="http://office.example/list", expect=Expectation())
FEED = notice_card(
    "us_test_feed",
    start="http://office.example/feed.xml",
    authority=Authority(name="Office of T.e.s.t.s"),
    expect=Expectation(),
)
OTHER = notice_card("us_test_other", authority=Authority(name="Another Office"), expect=Expectation())
URL = "https://www.office.example/letters/kelda-labs"


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    found = registry(engine, tmp_path)
    found.baseline(LIST, FEED, OTHER)
    return found


def read(desk: Registry, card: SourceCard, key: str, title: str = "Kelda Labs", **changes: Any) -> None:
    maker = desk.maker(card)
    maker.notice(key, title, **{"url": URL, "text": "A letter about exosomes.", **changes})
    desk.take(maker)


def notices(desk: Registry) -> list[str]:
    with reading(desk.engine) as session:
        return [notice.key for notice in session.exec(select(Notice).order_by(Notice.id))]  # type: ignore[arg-type]


def test_the_same_address_is_one_notice_and_one_event(desk: Registry) -> None:
    read(desk, LIST, "a")
    read(desk, FEED, "guid-1", "A letter to Kelda Labs", url="http://office.example/letters/kelda-labs/?utm_source=rss")
    read(desk, FEED, "guid-1", "A letter to Kelda Labs", url="http://office.example/letters/kelda-labs/?utm_source=rss")

    assert notices(desk) == ["a"]
    assert desk.events() == ["notice_published"]
    shown = queries.notice(desk.engine, 1)
    assert shown is not None
    assert [(place.source_id, place.why) for place in shown.places] == [("us_test_feed", "the same address")]
    assert shown.notice.title == "Kelda Labs"


def test_the_same_number_is_one_notice_for_one_kind_of_document(desk: Registry) -> None:
    read(desk, LIST, "a", references=("MARCS-CMS 700001",))
    read(desk, FEED, "b", url="http://office.example/x", references=("marcs-cms  700001",))
    read(
        desk,
        FEED,
        "c",
        url="http://office.example/y",
        references=("MARCS-CMS 700001",),
        notice_type=NoticeType.CLOSE_OUT,
    )

    assert notices(desk) == ["a", "c"]
    assert desk.events() == ["notice_published", "notice_published"]


@pytest.mark.parametrize(
    ("card", "changes"),
    [
        (OTHER, {"url": "http://other.example/x", "references": ("MARCS-CMS 700001",)}),
        (FEED, {"url": "http://office.example/letters/kelda-labs?id=2"}),
        (FEED, {"url": "http://office.example/other", "references": ("event 12345",)}),
        (LIST, {}),
    ],
    ids=["another authority", "another address", "a number that many share", "one source's own keys"],
)
def test_what_only_looks_alike_stays_apart(desk: Registry, card: SourceCard, changes: dict[str, Any]) -> None:
    read(desk, LIST, "a", references=("event 12345", "MARCS-CMS 700001"))
    read(desk, card, "b", **changes)

    assert notices(desk) == ["a", "b"]


def test_one_address_is_one_document_whoever_lists_it(desk: Registry) -> None:
    read(desk, LIST, "a")
    read(desk, OTHER, "b")

    assert notices(desk) == ["a"]


def test_the_address_of_a_list_is_no_document(desk: Registry) -> None:
    read(desk, LIST, "a", url="http://office.example/list")
    read(desk, FEED, "b", url="http://office.example/list")

    assert notices(desk) == ["a", "b"]


def test_an_edit_that_both_show_is_told_once(desk: Registry) -> None:
    read(desk, LIST, "a")
    read(desk, FEED, "b")
    read(desk, LIST, "a", text="A letter about exosomes and needles.")
    read(desk, FEED, "b", text="A letter about exosomes and needles.")

    assert desk.events() == ["notice_published", "notice_updated"]
    [told] = desk.details("notice_updated")
    assert told["changes"]["text"] == {
        "before": "A letter about exosomes.",
        "after": "A letter about exosomes and needles.",
    }


def test_an_edit_is_told_once_whichever_shows_it_first(desk: Registry) -> None:
    read(desk, LIST, "a")
    read(desk, FEED, "b")
    read(desk, FEED, "b", status="closed")
    read(desk, LIST, "a", status="closed")

    assert desk.events() == ["notice_published", "notice_updated"]
    [told] = desk.details("notice_updated")
    assert told["changes"]["status"] == {"before": "", "after": "closed"}
    assert told["changes"]["place"] == {"note": "as us_test_feed shows it"}
    with reading(desk.engine) as session:
        assert [row.number for row in session.exec(select(NoticeRevision))] == [1, 2]
        assert session.exec(select(NoticePlace)).one().record["status"] == "closed"


def test_an_address_in_every_spelling() -> None:
    spellings = (URL, "http://office.example/letters/kelda-labs/", f"{URL}?utm_campaign=x&gclid=1")
    assert {canonical_url(url) for url in spellings} == {"office.example/letters/kelda-labs"}
    assert canonical_url("http://[bad") == canonical_url("no address") == ""
    assert marks_of("", ("  A-1 ", "12", "event 12345", "FEI 3000000001", "none")) == ()
