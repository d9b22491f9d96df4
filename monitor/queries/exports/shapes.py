"""What a table for export is: its columns with their meaning, the filters it takes, and its rows, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, String, cast
from sqlmodel import Session, col, select

from monitor.tables.models import Event, WatchMatch

BATCH = 1000
"""Rows held at once, however many there are."""
Kind = Literal["text", "number", "boolean", "date", "time", "list"]
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """`number` is int or float, `time` a moment with its zone, `list` a sequence of texts; None is "not known"."""

    name: str
    meaning: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Filters:
    """What narrows a table; empty is any. Dates are calendar days in UTC, both included."""

    jurisdiction: str = ""
    category: str = ""
    severity: str = ""
    source: str = ""
    kind: str = ""
    watchlist: str = ""
    since: date | None = None
    until: date | None = None
    claim: int | None = None
    notice: int | None = None
    page: int | None = None
    product: int | None = None
    organisation: int | None = None
    object: str = ""
    """`claim:12`: of events, what they are about."""

    @property
    def given(self) -> dict[str, Any]:
        """Those that are given, by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value not in ("", None)}

    def within(self, moment: Any) -> list[ColumnElement[bool]]:
        """Conditions that a moment lies in the days asked for."""
        conditions = [moment >= datetime.combine(self.since, time(), UTC)] if self.since else []
        after = self.until + timedelta(days=1) if self.until else None
        return conditions + ([moment < datetime.combine(after, time(), UTC)] if after else [])

    def watched(self, object_kind: str, key: Any) -> list[ColumnElement[bool]]:
        """Condition that some event about the object met the watchlist asked for."""
        if not self.watchlist:
            return []
        met = (
            select(Event.object_id)
            .join(WatchMatch, col(WatchMatch.event_id) == Event.id)
            .where(WatchMatch.watchlist == self.watchlist, Event.object_kind == object_kind)
        )
        return [cast(key, String).in_(met)]


@dataclass(frozen=True)
class Table:
    """One table. `filters` are names of `Filters` that it takes; its rows have a value for each column."""

    name: str
    title: str
    meaning: str
    columns: Sequence[Column]
    filters: tuple[str, ...]
    rows: Callable[[Session, Filters], Iterator[Row]]


def equal(pairs: Mapping[Any, Any]) -> list[ColumnElement[bool]]:
    """Conditions that columns have these values; an empty value asks for nothing."""
    return [column == value for column, value in pairs.items() if value not in ("", None)]


def batches(session: Session, statement: Select[Any], key: Any, first: Any = 0) -> Iterator[Sequence[Any]]:
    """Rows by their key, `BATCH` at a time. The key is the statement's first column; `first` lies below all keys.

    Each batch goes on where the last one ended (no OFFSET): the last is as quick as the first.
    """
    last = first
    while rows := session.execute(statement.where(key > last).order_by(key).limit(BATCH)).all():
        yield rows
        last = rows[-1][0]


def texts(values: Any) -> tuple[str, ...]:
    """A JSON list as texts; nothing for what is none."""
    return tuple(str(value) for value in values) if isinstance(values, list | tuple) else ()
