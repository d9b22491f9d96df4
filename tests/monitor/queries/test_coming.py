"""Days ahead that a notice names: kept with it, told of before they come, and found for what was read before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine
from sqlmodel import select

from monitor import migrations, queries
from monitor.records import Expectation, NoticeType
from monitor.tables.db import reading
from monitor.tables.models import Notice
from tests.monitor.registered import Registry, registry
from tests.runs import notice_card

REGISTER = notice_card("us_federal_register", expect=Expectation())
CLOSES, HOLDS = date(2026, 12, 18), date(2027, 1, 4)
WEEK = datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    found = registry(engine, tmp_path)
    found.baseline(REGISTER)
    return found


def read(desk: Registry, **changes: Any) -> None:
    maker = desk.maker(REGISTER)
    text = "A rule on exosomes."
    maker.notice("2026-1", "Proposed rule", **{"text": text, "notice_type": NoticeType.CONSULTATION, **changes})
    desk.take(maker)


def held(desk: Registry) -> Notice:
    with reading(desk.engine) as session:
        return session.exec(select(Notice)).one()


def coming(desk: Registry, end: datetime = WEEK[1]) -> list[tuple[str, date]]:
    week = queries.week(desk.engine, WEEK[0], end)
    return [(one.kind, one.on) for one in week.coming]


def test_days_are_kept_and_told_while_they_lie_ahead(desk: Registry) -> None:
    read(desk, comments_close=CLOSES, effective=HOLDS)
    assert (held(desk).comments_close, held(desk).effective) == (CLOSES, HOLDS)
    later = datetime(2026, 12, 19, tzinfo=UTC)
    assert coming(desk, later) == [("effective", HOLDS)]
    assert coming(desk, datetime(2027, 1, 5, tzinfo=UTC)) == []


def test_a_day_that_is_moved_is_an_update_that_says_so(desk: Registry) -> None:
    read(desk, comments_close=CLOSES)
    read(desk, comments_close=HOLDS)
    assert desk.events() == ["notice_published", "notice_updated"]
    assert held(desk).comments_close == HOLDS


def test_a_reading_without_the_document_loses_no_day(desk: Registry) -> None:
    read(desk, comments_close=CLOSES)
    read(desk, text="", unread=("document: blocked",))
    assert held(desk).comments_close == CLOSES
    assert desk.events() == ["notice_published"]


def test_days_that_were_read_into_the_status_are_found_there(sqlite_engine: Engine, tmp_path: Path) -> None:
    desk = registry(sqlite_engine, tmp_path)
    desk.baseline(REGISTER)
    read(desk, status="comments close 2026-12-18; effective 2027-01-04")
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with sqlite_engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, "0007")
    migrations.upgrade(sqlite_engine)
    assert (held(desk).comments_close, held(desk).effective) == (CLOSES, HOLDS)
