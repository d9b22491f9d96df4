"""The database keeps time zones, waits for other writers, and its migrations say what the models say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel, select

from monitor.db import reading, transaction
from monitor.migrations import upgrade
from monitor.models import Organisation

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
