"""Who is due what: at each recipient's own time, in each list's rhythm, never twice, never what lies before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from monitor.config import Channel, Config, DigestChoice, Mail, Recipient, Watchlist, Webhook
from monitor.tables.db import transaction
from monitor.tables.models import Event, Run, WatchMatch
from monitor.watching import outbox, subscriptions
from monitor.watching.outbox import Letter
from monitor.watching.subscriptions import DueAlert, DueDigest
from tests.reports.factory import Factory

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
ANNA, BEN = "anna@reader.example", "ben@reader.example"


def settings(*recipients: Recipient, lists: tuple[Watchlist, ...] = (), **more: object) -> Config:
    made = Config(mail=Mail(sender="exo@watch.example"), recipients=recipients, watchlists=lists)
    return made.model_copy(update=more)


def put_in(engine: Engine, due: DueDigest | DueAlert, now: datetime) -> bool:
    matches = due.matches if isinstance(due, DueAlert) else ()
    return outbox.put(engine, Letter(due.target.key, "mail", "x", due.key, "s", "p", matches=matches), now=now)


@pytest.fixture
def only(sqlite_engine: Engine) -> Engine:
    """Where one database proves it."""
    return sqlite_engine


@pytest.fixture
def hit(request: pytest.FixtureRequest) -> Callable[..., int]:
    """Something happens that a list meets; gives the match's number."""
    engine: Engine = request.getfixturevalue("engine" if "engine" in request.fixturenames else "only")

    def happen(watchlist: str, at: datetime) -> int:
        with transaction(engine) as session:
            make = Factory(session, counter=len(session.exec(select(Event)).all()) * 10)
            run = session.exec(select(Run)).first() or make.run(make.source("us_letters"), MONDAY)
            event = make.event("notice_published", run, "notice", 1, at=at)
            match = WatchMatch(watchlist=watchlist, event_id=event.id or 0, why=[], matched_at=at)
            session.add(match)
            session.flush()
            return match.id or 0

    return happen


def due_at(engine: Engine, config: Config, now: datetime) -> list[tuple[str, str]]:
    return [
        (due.target.key, due.week if isinstance(due, DueDigest) else due.rhythm)
        for due in subscriptions.due(engine, config, now=now)
    ]


def test_each_recipient_has_the_digest_at_their_own_time(only: Engine) -> None:
    config = settings(
        Recipient(address=ANNA, timezone="Pacific/Auckland", at=time(7, 0)),
        Recipient(address=BEN, timezone="America/New_York", on="tue", at=time(9, 15)),
        digest=DigestChoice(timezone="Europe/Berlin", at=time(6, 30)),
        channels=(Channel(name="team", url_from="TEAM_URL", digest=True), Channel(name="quiet", url_from="QUIET_URL")),
    )
    subscriptions.note(only, config, now=MONDAY - timedelta(days=3))
    # 07:00 on Monday in Auckland is 18:00 on Sunday in UTC: their week is over, London's is not.
    sunday = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    assert due_at(only, config, sunday - timedelta(minutes=1)) == []
    assert due_at(only, config, sunday) == [(ANNA, "2026-W47")]
    monday = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
    assert due_at(only, config, monday - timedelta(minutes=1)) == [(ANNA, "2026-W47")]
    assert due_at(only, config, monday) == [(ANNA, "2026-W47"), ("team", "2026-W47")]
    tuesday = datetime(2026, 11, 24, 14, 15, tzinfo=UTC)
    assert (BEN, "2026-W47") not in due_at(only, config, tuesday - timedelta(minutes=1))
    assert (BEN, "2026-W47") in due_at(only, config, tuesday)


def test_through_changes_of_clocks_everyone_has_each_week_once(sqlite_engine: Engine) -> None:
    config = settings(
        Recipient(address=ANNA, timezone="Europe/Berlin", on="sun", at=time(6, 30)),
        Recipient(address=BEN, timezone="America/New_York", on="sun", at=time(6, 30)),
    )
    moment = datetime(2026, 10, 1, tzinfo=UTC)  # a Thursday
    subscriptions.note(sqlite_engine, config, now=moment)
    got: dict[str, list[tuple[str, datetime]]] = {ANNA: [], BEN: []}
    while moment < datetime(2026, 11, 20, tzinfo=UTC):
        # Half hours of Sundays; on other days nothing is due.
        moment += timedelta(minutes=30) if f"{moment:%a}" == "Sun" else timedelta(hours=12)
        for due in subscriptions.due(sqlite_engine, config, now=moment):
            assert isinstance(due, DueDigest)
            assert put_in(sqlite_engine, due, moment)
            got[due.target.key].append((due.week, moment))
    # Berlin's clocks change on 25 October, New York's on 1 November: both Sundays.
    assert [week for week, _ in got[ANNA]] == [f"2026-W{number}" for number in range(39, 46)]
    assert [week for week, _ in got[BEN]] == [f"2026-W{number}" for number in range(39, 46)]
    assert {f"{at:%H:%M}" for _, at in got[ANNA] if at < datetime(2026, 10, 25, tzinfo=UTC)} == {"04:30"}
    assert {f"{at:%H:%M}" for _, at in got[ANNA] if at > datetime(2026, 10, 25, tzinfo=UTC)} == {"05:30"}


def test_who_joins_later_gets_nothing_of_before(only: Engine, hit: Callable[..., int]) -> None:
    early = hit("Letters", MONDAY - timedelta(days=1))
    lists = (Watchlist(name="Letters", terms=("x",), recipients=(ANNA,)),)
    config = settings(Recipient(address=ANNA), lists=lists)
    assert subscriptions.due(only, config, now=MONDAY) == []
    subscriptions.note(only, config, now=MONDAY + timedelta(hours=12))
    assert subscriptions.due(only, config, now=MONDAY + timedelta(days=1)) == []
    late = hit("Letters", MONDAY + timedelta(days=1))
    (due,) = subscriptions.due(only, config, now=MONDAY + timedelta(days=1))
    assert isinstance(due, DueAlert)
    assert due.matches == (late,)
    assert early not in due.matches


def test_a_match_is_told_once_however_often_it_is_asked(engine: Engine, hit: Callable[..., int]) -> None:
    lists = (
        Watchlist(name="Letters", terms=("x",), recipients=(ANNA, BEN)),
        Watchlist(name="Firms", terms=("y",), recipients=(ANNA,)),
    )
    config = settings(Recipient(address=ANNA, digest=False), Recipient(address=BEN, digest=False), lists=lists)
    subscriptions.note(engine, config, now=MONDAY)
    first, second = hit("Letters", MONDAY), hit("Firms", MONDAY)
    due = subscriptions.due(engine, config, now=MONDAY)
    assert [(each.target.key, each.watchlists, each.matches) for each in due if isinstance(each, DueAlert)] == [
        (ANNA, ("Firms", "Letters"), (first, second)),
        (BEN, ("Letters",), (first,)),
    ]
    assert all(put_in(engine, each, MONDAY) for each in due)
    assert subscriptions.due(engine, config, now=MONDAY) == []
    assert not put_in(engine, due[0], MONDAY)
    third = hit("Letters", MONDAY + timedelta(hours=1))
    again = subscriptions.due(engine, config, now=MONDAY + timedelta(hours=1))
    assert {each.matches for each in again if isinstance(each, DueAlert)} == {(third,)}


def test_a_letter_that_tells_a_match_already_told_is_not_put_in(engine: Engine, hit: Callable[..., int]) -> None:
    lists = (Watchlist(name="Letters", terms=("x",), recipients=(ANNA,)),)
    config = settings(Recipient(address=ANNA, digest=False), lists=lists)
    subscriptions.note(engine, config, now=MONDAY)
    hit("Letters", MONDAY)
    (early,) = subscriptions.due(engine, config, now=MONDAY)
    hit("Letters", MONDAY)
    (late,) = subscriptions.due(engine, config, now=MONDAY)
    assert put_in(engine, late, MONDAY)
    assert not put_in(engine, early, MONDAY)


def test_daily_and_weekly_lists_wait_for_their_recipients_time(only: Engine, hit: Callable[..., int]) -> None:
    lists = (
        Watchlist(name="Daily", terms=("x",), recipients=(ANNA,), rhythm="daily"),
        Watchlist(name="Weekly", terms=("x",), recipients=(ANNA,), rhythm="weekly"),
    )
    anna = Recipient(address=ANNA, digest=False, timezone="Europe/Berlin", on="thu", at=time(8, 0))
    config = settings(anna, lists=lists)
    subscriptions.note(only, config, now=MONDAY)
    hit("Daily", MONDAY + timedelta(hours=9))
    hit("Weekly", MONDAY + timedelta(hours=9))
    tuesday = MONDAY + timedelta(days=1, hours=7)
    assert due_at(only, config, tuesday - timedelta(minutes=1)) == []
    assert due_at(only, config, tuesday) == [(ANNA, "daily")]
    for due in subscriptions.due(only, config, now=tuesday):
        put_in(only, due, tuesday)
    thursday = MONDAY + timedelta(days=3, hours=7)
    assert due_at(only, config, thursday - timedelta(minutes=1)) == []
    assert due_at(only, config, thursday) == [(ANNA, "weekly")]


def test_a_deleted_list_and_a_removed_recipient_are_due_nothing(only: Engine, hit: Callable[..., int]) -> None:
    lists = (Watchlist(name="Letters", terms=("x",), recipients=(ANNA,)),)
    config = settings(Recipient(address=ANNA), Recipient(address=BEN), lists=lists)
    subscriptions.note(only, config, now=MONDAY - timedelta(days=2))
    hit("Letters", MONDAY)
    monday = MONDAY + timedelta(hours=7)
    assert due_at(only, config, monday) == [(ANNA, "2026-W47"), (ANNA, "at_once"), (BEN, "2026-W47")]
    without_list = settings(Recipient(address=ANNA), Recipient(address=BEN))
    subscriptions.note(only, without_list, now=monday)
    assert due_at(only, without_list, monday) == [(ANNA, "2026-W47"), (BEN, "2026-W47")]
    without_anna = settings(Recipient(address=BEN))
    subscriptions.note(only, without_anna, now=monday)
    assert due_at(only, without_anna, monday) == [(BEN, "2026-W47")]
    # Who comes back begins anew: not with what was missed.
    subscriptions.note(only, config, now=monday)
    assert due_at(only, config, monday) == [(BEN, "2026-W47")]


def test_what_a_withdrawn_alert_told_of_lists_that_stand_is_told_anew(only: Engine, hit: Callable[..., int]) -> None:
    lists = tuple(Watchlist(name=name, terms=("x",), recipients=(ANNA,)) for name in ("Kept", "Gone"))
    config = settings(Recipient(address=ANNA, digest=False), lists=lists)
    subscriptions.note(only, config, now=MONDAY)
    kept, gone = hit("Kept", MONDAY), hit("Gone", MONDAY)
    (due,) = subscriptions.due(only, config, now=MONDAY)
    assert isinstance(due, DueAlert)
    told = Letter(ANNA, "mail", "alert", due.key, "s", "p", watchlists=due.watchlists, matches=due.matches)
    outbox.put(only, told, now=MONDAY)
    fewer = settings(Recipient(address=ANNA, digest=False), lists=lists[:1])
    subscriptions.note(only, fewer, now=MONDAY)
    assert outbox.withdraw(only, fewer) == 1
    (again,) = subscriptions.due(only, fewer, now=MONDAY)
    assert isinstance(again, DueAlert)
    assert again.matches == (kept,)
    assert gone not in again.matches


def test_there_is_work_when_something_is_due_or_waits_or_was_left(only: Engine) -> None:
    hook = Webhook(name="desk", url="https://desk.example/in", secret_from="DESK_SECRET", digest=True)
    config = settings(webhooks=(hook,), digest=DigestChoice(at=time(6, 30)))
    subscriptions.note(only, config, now=MONDAY)

    def work(now: datetime) -> bool:
        return subscriptions.has_work(only, config, now=now, clock=now)

    monday = MONDAY + timedelta(hours=6, minutes=30)
    assert not work(monday - timedelta(minutes=1))
    assert work(monday)
    (due,) = subscriptions.due(only, config, now=monday)
    outbox.put(only, Letter("desk", "webhook", "digest", due.key, "s", "{}"), now=monday)
    assert work(monday)
    letter = outbox.claim(only, now=monday)
    assert letter is not None
    assert not work(monday)
    assert work(monday + outbox.LEASE + timedelta(seconds=1))
    outbox.note_sent(only, letter, now=monday)
    assert not work(monday + timedelta(days=6))
    assert work(monday + timedelta(days=7))
    assert subscriptions.of_week(config, "2026-W40", now=monday) == [DueDigest(hook, "2026-W40")]
    assert subscriptions.of_week(config, "2026-W48", now=monday) == []
    assert subscriptions.due(only, Config(), now=monday) == []
