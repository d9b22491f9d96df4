"""The database keeps time zones, waits for other writers, and its migrations say what the models say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Engine, MetaData, Table, text
from sqlalchemy import select as sa_select
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel, select

import monitor.migrations
from monitor.migrations import upgrade
from monitor.tables.db import open_engine, reading, transaction
from monitor.tables.models import Organisation
from tests.reports.two_weeks import two_weeks

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def organisation(name: str, seen: datetime = NOON) -> Organisation:
    return Organisation(name=name, folded=name.lower(), first_seen=seen)


def test_a_time_comes_back_aware_and_in_utc(engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(organisation("Kelda", NOON.astimezone(timezone(timedelta(hours=5)))))

    with reading(engine) as session:
        found = session.exec(select(Organisation)).one()
    assert found.first_seen == NOON
    assert found.first_seen.utcoffset() == timedelta(0)


def test_a_time_without_zone_is_refused(engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(organisation("Kelda", NOON.replace(tzinfo=None)))
        with pytest.raises(StatementError, match="without a zone"):
            session.flush()
        session.rollback()


def test_a_transaction_that_fails_leaves_nothing(engine: Engine) -> None:
    def half_way() -> None:
        with transaction(engine) as session:
            session.add(organisation("Kelda"))
            session.flush()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half_way()

    with reading(engine) as session:
        assert session.exec(select(Organisation)).all() == []


def test_writers_wait_for_each_other(engine: Engine) -> None:
    """Two writers that both read first: with a deferred transaction one of them fails on SQLite."""
    together = Barrier(4)
    failures: list[Exception] = []

    def write(number: int) -> None:
        together.wait()
        try:
            for turn in range(5):
                with transaction(engine) as session:
                    session.exec(select(Organisation)).all()
                    session.add(organisation(f"firm {number} {turn}"))
        except Exception as error:  # the test reports whatever a thread met
            failures.append(error)

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with reading(engine) as session:
        assert len(session.exec(select(Organisation)).all()) == 20


def test_migrations_and_models_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, _kind, _parents: not (name or "").startswith("search_fts")},
        )
        differences = compare_metadata(context, SQLModel.metadata)

    assert differences == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    with transaction(engine) as session:
        session.add(organisation("Kelda"))
    upgrade(engine)

    with reading(engine) as session:
        assert session.exec(select(Organisation)).one().name == "Kelda"


def test_what_changes_it_is_asked_for_older_databases_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(command, "upgrade", lambda _settings, revision: asked.append(revision))
    upgrade(engine)
    assert asked == []
    for number in ("0001", "9999"):
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})
        upgrade(engine)
    assert asked == ["head", "head"]


def test_of_older_claims_every_word_claims(sqlite_engine: Engine) -> None:
    two_weeks(sqlite_engine)
    asked = "SELECT words_start, words_end, length(quote) FROM claim"
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(monitor.migrations.__file__).parent))
    with sqlite_engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, "0009")
    upgrade(sqlite_engine)

    with sqlite_engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(asked))]
    assert len(found) >= 3
    assert all(start == 0 and end == length > 0 for start, end, length in found)


def test_each_change_is_in_the_file_that_bears_its_number() -> None:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(monitor.migrations.__file__).parent))
    changes = list(ScriptDirectory.from_config(settings).walk_revisions())
    assert [Path(one.path).name.partition("_")[0] for one in changes] == [one.revision for one in changes]
    assert changes[0].is_head
    assert changes[0].revision == max(one.revision for one in changes)


# --- a database that an older version made


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database of each kind in which nothing was made yet."""
    if request.param == "sqlite":
        opened = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
        yield opened
        opened.dispose()
        return
    admin = open_engine(request.getfixturevalue("postgresql_server"))
    name = f"t_{uuid4().hex}"
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    opened = open_engine(admin.url.set(database=name).render_as_string(hide_password=False))
    yield opened
    opened.dispose()
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def bring_to(engine: Engine, revision: str) -> None:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(monitor.migrations.__file__).parent))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def tables_of(engine: Engine) -> list[Table]:
    """The tables as the database has them, those that others point at first."""
    found = MetaData()
    found.reflect(engine)
    return [each for each in found.sorted_tables if not each.name.startswith(("search_fts", "alembic"))]


def value(column: Column[Any], number: int) -> Any:
    """Something that fits the column, the same for what points there."""
    kind = column.type.python_type if column.type.__class__.__name__ not in ("JSON", "JSONB", "TSVECTOR") else dict
    words = f"{column.name} {number}: Zürich, “exosomes”\n2 µm"
    return {
        int: number,
        float: number + 0.25,
        bool: bool(number % 2),
        datetime: NOON + timedelta(days=number),
        date: NOON.date() + timedelta(days=number),
        dict: {"status": "effective 2026-12-01", "words": [words]},
        str: f"key-{number}" if column.primary_key or column.foreign_keys else words,
    }[kind]


def rows_of(engine: Engine, tables: list[Table]) -> dict[str, list[dict[str, Any]]]:
    with engine.connect() as connection:
        return {
            each.name: sorted((dict(row) for row in connection.execute(sa_select(each)).mappings()), key=repr)
            for each in tables
        }


def test_a_database_of_an_older_version_loses_nothing_when_it_is_brought_up_to_date(empty: Engine) -> None:
    bring_to(empty, "0004")
    old = tables_of(empty)
    with empty.begin() as connection:
        for each in old:
            keys = [column for column in each.columns if not column.computed]
            connection.execute(each.insert(), [{one.name: value(one, n) for one in keys} for n in (1, 2)])
    before = rows_of(empty, old)
    assert {"notice", "claim", "event", "capture", "watch_match", "site_lead"} <= set(before)
    assert all(len(rows) == 2 for rows in before.values())

    upgrade(empty)

    assert rows_of(empty, old) == before
    with empty.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, _kind, _parents: not (name or "").startswith("search_fts")},
        )
        assert compare_metadata(context, SQLModel.metadata) == []
