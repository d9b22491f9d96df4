"""Watchlists over a database: matches written once, and the trial the same as the live match."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from monitor.config import Watchlist
from monitor.tables.db import id_of, transaction
from monitor.tables.models import (
    Capture,
    Claim,
    Event,
    Notice,
    NoticeOrganisation,
    NoticeRevision,
    Organisation,
    OrganisationAlias,
    Page,
    PageVersion,
    Run,
    Source,
    WatchMatch,
)
from monitor.watching.views import views
from monitor.watching.watchlists import (
    MANY_A_WEEK,
    record_matches,
    try_list,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Archive:
    """Rows as intake writes them, for matching alone."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.count = 0
        self._add(
            Source(id="site_kelda_example", title="Kelda", jurisdiction="us", kind="page", card={}, state_since=NOW)
        )
        self._read_once()
        self.organisation = self._organisation()
        self.page, self.version = self._page()

    def _read_once(self) -> None:
        self._add(
            Run(
                id="r1",
                source_id="site_kelda_example",
                state="taken_in",
                started_at=NOW,
                finished_at=NOW,
                taken_in_at=NOW,
                folder="runs/r1",
                record={},
            )
        )
        self._add(
            Capture(
                id="r1/00001",
                run_id="r1",
                url="https://kelda.example/",
                fetched_at=NOW,
                status=200,
                payload_sha256="0" * 64,
                offset=0,
                length=1,
            )
        )

    def _organisation(self) -> Organisation:
        organisation = Organisation(name="Kelda Labs LLC", folded="kelda labs", first_seen=NOW)
        self._add(organisation)
        for kind, value in (
            ("name", "Kelda Labs LLC"),
            ("name", "Old Kelda"),
            ("folded", "kelda labs"),
            ("host", "kelda.example"),
        ):
            self._add(OrganisationAlias(organisation_id=id_of(organisation), kind=kind, value=value, basis="test"))
        return organisation

    def _page(self) -> tuple[Page, PageVersion]:
        page = Page(
            source_id="site_kelda_example",
            organisation_id=self.organisation.id,
            url="https://kelda.example/",
            host="kelda.example",
            first_seen=NOW,
            last_read=NOW,
        )
        self._add(page)
        version = PageVersion(
            page_id=id_of(page),
            number=1,
            run_id="r1",
            capture_id="r1/00001",
            read_at=NOW,
            text="",
            text_sha256="0" * 64,
            document={},
            knowledge_version="k",
            decision="flag",
        )
        self._add(version)
        return page, version

    def _add(self, row: Any) -> None:
        self.session.add(row)
        self.session.flush()

    def event(self, kind: str, object_kind: str, object_id: object, days_ago: float = 0, **changes: Any) -> Event:
        self.count += 1
        row = Event(
            at=NOW - timedelta(days=days_ago),
            kind=kind,
            cause="source",
            source_id="site_kelda_example",
            run_id="r1",
            object_kind=object_kind,
            object_id=str(object_id),
            dedupe_key=f"k{self.count}",
            **{"jurisdictions": ["us"], "severity": "Medium", **changes},
        )
        self._add(row)
        return row

    def claim(self, quote: str, days_ago: float = 0, category: str = "hair_regrowth", **changes: Any) -> Event:
        claim = Claim(
            source_id="site_kelda_example",
            page_id=id_of(self.page),
            category=category,
            rule_id="x",
            status="affirmed",
            quote=quote,
            folded=quote,
            decision="flag",
            confidence=0.9,
            severity="Medium",
            version_id=id_of(self.version),
            start=0,
            end=len(quote),
            first_seen=NOW,
            last_seen=NOW,
        )
        self._add(claim)
        detail = {"quote": quote, "category": category, "organisation": "Kelda Labs LLC", "host": "kelda.example"}
        return self.event("claim_appeared", "claim", claim.id, days_ago, detail=detail, **changes)

    def notice(self, title: str, text: str, days_ago: float = 0, **changes: Any) -> Event:
        self.count += 1
        notice = Notice(
            source_id="site_kelda_example",
            key=f"n{self.count}",
            notice_type="warning_letter",
            title=title,
            url="https://letters.example/1",
            authority="Office",
            jurisdiction="us",
            text=text,
            tier="core",
            content_digest="0",
            capture_id="r1/00001",
            first_seen=NOW,
            last_seen=NOW,
        )
        self._add(notice)
        self.revision(notice, 1, title, text, days_ago + 0.001)
        self._add(
            NoticeOrganisation(notice_id=id_of(notice), organisation_id=id_of(self.organisation), role="addressee")
        )
        return self.event("notice_published", "notice", notice.id, days_ago, detail={"title": title}, **changes)

    def revision(self, notice: Notice, number: int, title: str, text: str, days_ago: float) -> None:
        record = {
            "title": title,
            "text": text,
            "summary": "",
            "quoted_urls": ["https://other.example/x"],
            "organisations": [],
        }
        self._add(
            NoticeRevision(
                notice_id=id_of(notice),
                number=number,
                run_id="r1",
                capture_id="r1/00001",
                seen_at=NOW - timedelta(days=days_ago),
                content_digest=str(number),
                record=record,
            )
        )


def matches_in(engine: Engine) -> list[tuple[str, int]]:
    with transaction(engine) as session:
        rows = session.exec(select(WatchMatch).order_by(WatchMatch.id))  # type: ignore[arg-type]
        return [(row.watchlist, row.event_id) for row in rows]


def test_matches_are_written_once_with_their_reasons(engine: Engine) -> None:
    lists = [Watchlist(name="Hair", terms=("hair",)), Watchlist(name="None", terms=("teeth",))]
    with transaction(engine) as session:
        archive = Archive(session)
        events = [archive.claim("Regrows hair"), archive.claim("Softens skin"), archive.claim("Hair!", baseline=True)]
        assert record_matches(session, events, lists, now=NOW) == 1
    with transaction(engine) as session:
        again = session.exec(select(Event).order_by(Event.id)).all()  # type: ignore[arg-type]
        assert record_matches(session, again, lists, now=NOW) == 1
        row = session.exec(select(WatchMatch)).one()
        assert (row.watchlist, row.matched_at) == ("Hair", NOW)
        assert row.why == [
            {"criterion": "term", "term": "hair", "quote": "hair", "start": 8, "end": 12, "place": "quote"}
        ]
    assert len(matches_in(engine)) == 1


def test_an_event_is_seen_with_its_text_names_and_hosts_as_they_were(engine: Engine) -> None:
    with transaction(engine) as session:
        archive = Archive(session)
        claim = archive.claim("Regrows hair")
        stored = session.get_one(Claim, int(claim.object_id))
        stored.quote = "Reworded since"
        letter = archive.notice("Warning to Kelda", "You sell exosomes.", days_ago=5)
        notice = session.get_one(Notice, int(letter.object_id))
        archive.revision(notice, 2, "Warning to Kelda", "Closed out.", days_ago=1)
        updated = archive.event("notice_updated", "notice", notice.id, 0, detail={})
        seen = views(session, [claim, letter, updated])
    assert [passage.text for passage in seen[0].passages] == ["Regrows hair"]
    assert seen[0].names == ("Kelda Labs LLC", "Old Kelda")
    assert seen[0].hosts == ("kelda.example",)
    assert seen[0].category == "hair_regrowth"
    assert [passage.text for passage in seen[1].passages] == ["Warning to Kelda", "You sell exosomes."]
    assert seen[1].hosts == ("other.example", "kelda.example")
    assert [passage.text for passage in seen[2].passages] == ["Warning to Kelda", "Closed out."]


def test_the_trial_catches_what_live_matching_caught(sqlite_engine: Engine) -> None:
    rng = random.Random(5)
    words = ["hair", "skin", "exosome", "serum", "cures", "arthritis", "research", "only"]
    lists = [
        Watchlist(name="words", terms=("hair", "cures arthritis")),
        Watchlist(name="not research", terms=("exosome",), exclude=("research only",)),
        Watchlist(name="named", names=("old kelda",), events=("notice_published",)),
        Watchlist(name="severe", min_severity="High", jurisdictions=("uk",)),
        Watchlist(name="hosts", domains=("other.example",)),
        Watchlist(name="category", categories=("disease_treatment",)),
    ]
    with transaction(sqlite_engine) as session:
        archive = Archive(session)
        for _ in range(120):
            text = " ".join(rng.choices(words, k=5))
            facts: dict[str, Any] = {
                "days_ago": rng.uniform(0, 120),
                "baseline": rng.random() < 0.2,
                "severity": rng.choice(("High", "Low")),
                "jurisdictions": rng.choice((["us"], ["uk", "eu"])),
            }
            if rng.random() < 0.5:
                found = archive.claim(text, category=rng.choice(("hair_regrowth", "disease_treatment")), **facts)
            else:
                found = archive.notice("A letter", text, **facts)
            record_matches(session, [found], lists, now=found.at)
    live = matches_in(sqlite_engine)
    with transaction(sqlite_engine) as session:
        at = {event.id: event.at for event in session.exec(select(Event))}
    total = 0
    for watchlist in lists:
        trial = try_list(sqlite_engine, watchlist, days=90, now=NOW)
        caught = [found.event_id for _, found in trial.caught]
        expected = [
            number for name, number in live if name == watchlist.name and at[number] >= NOW - timedelta(days=90)
        ]
        assert sorted(caught) == sorted(expected), watchlist.name
        total += len(caught)
    assert total > 20
    assert matches_in(sqlite_engine) == live


def test_a_trial_counts_history_apart_and_warns_of_noise(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine) as session:
        archive = Archive(session)
        for number in range(MANY_A_WEEK + 1):
            archive.claim(f"hair {number}", days_ago=1)
        archive.claim("hair then", days_ago=1, baseline=True)
        archive.claim("hair long ago", days_ago=8)
    trial = try_list(sqlite_engine, Watchlist(name="Hair", terms=("hair",)), days=7, now=NOW)
    assert (len(trial.caught), trial.history, trial.events) == (MANY_A_WEEK + 1, 1, MANY_A_WEEK + 1)
    assert trial.is_noisy
    assert not try_list(sqlite_engine, Watchlist(name="One", terms=("hair 3",)), days=7, now=NOW).is_noisy
