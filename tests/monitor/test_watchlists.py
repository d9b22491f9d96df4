"""Watchlists: whole terms at their exact place, every criterion met, and the trial the same as the live match."""

from __future__ import annotations

import random
import string
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from monitor.config import Config, Site, Watchlist
from monitor.db import id_of, transaction
from monitor.knowledge import HERE
from monitor.knowledge.law import load as load_law
from monitor.models import (
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
from monitor.watch_check import check_list, check_lists, severity_ceilings
from monitor.watch_views import EventView, Passage, views
from monitor.watchlists import (
    MANY_A_WEEK,
    Index,
    folded_domain,
    folded_term,
    match,
    record_matches,
    try_list,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def event(text: str = "", **changes: Any) -> EventView:
    values: dict[str, Any] = {
        "id": 7,
        "kind": "claim_appeared",
        "at": NOW,
        "jurisdictions": frozenset({"us", "uk"}),
        "severity": "Medium",
        "category": "hair_regrowth",
        "passages": (Passage("quote", text),) if text else (),
        "names": ("Kelda Labs LLC", "Kelda"),
        "hosts": ("shop.kelda.example",),
    }
    return EventView(**{**values, **changes})


def terms_met(text: str, *terms: str) -> list[tuple[str, str]]:
    matches = match(event(text), [Watchlist(name="A", terms=terms)])
    return [(reason.term, reason.quote) for found in matches for reason in found.why]


@pytest.mark.parametrize(
    ("text", "term", "quote"),
    [
        ("Regrows HAIR fast", "hair", "HAIR"),
        ("a hair-loss serum", "hair", "hair"),
        ("(hair)", "hair", "hair"),
        ("La régénération des cheveux", "regeneration", "régénération"),
        ("regeneration", "Régénération", "regeneration"),
        ("new hаir growth on every scalp", "hair", "hаir"),
        ("exo\u00adsomes for skin", "exosomes", "exo\u00adsomes"),
        ("e\u200bxosome therapy", "exosome", "e\u200bxosome"),
        ("hair \n\t growth", "hair growth", "hair \n\t growth"),
        ("hair\u00a0growth", "hair growth", "hair\u00a0growth"),
        ("hair growth", "  hair   growth ", "hair growth"),
        ("エクソソーム配合の美容液", "エクソソーム", "エクソソーム"),
        ("엑소좀은 탈모를 치료", "엑소좀", "엑소좀"),
        ("die Straße", "strasse", "Straße"),
        ("C++ for hair", "c++", "C++"),
    ],
)
def test_a_term_is_found_whole_whatever_its_case_accents_and_look_alikes(text: str, term: str, quote: str) -> None:
    assert terms_met(text, term) == [(term, quote)]


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("chair", "hair"),
        ("hairy", "hair"),
        ("exosomes", "exosome"),
        ("hair5", "hair"),
        ("hair. growth", "hair growth"),
        ("", "hair"),
    ],
)
def test_a_part_of_a_word_is_no_match(text: str, term: str) -> None:
    assert terms_met(text, term) == []


def test_a_later_whole_word_is_found_behind_a_part_of_one() -> None:
    assert terms_met("hairy hair", "hair") == [("hair", "hair")]
    (found,) = match(event("hairy hair"), [Watchlist(name="A", terms=("hair",))])
    assert (found.why[0].start, found.why[0].end, found.why[0].place) == (6, 10, "quote")


def test_every_term_that_is_met_is_given_as_a_reason_overlapping_ones_too() -> None:
    assert terms_met("stem cell exosome serum", "stem cell", "cell exosome", "serum", "cream") == [
        ("stem cell", "stem cell"),
        ("cell exosome", "cell exosome"),
        ("serum", "serum"),
    ]


@example("ﬁne \u200b hair", "hair")
@given(st.text(max_size=60), st.text(alphabet=string.ascii_letters, min_size=2, max_size=6))
def test_a_reasons_offsets_point_at_its_quote(text: str, term: str) -> None:
    whole = f"{text} {term} {text}"
    for found in match(event(whole), [Watchlist(name="A", terms=(term,))]):
        for reason in found.why:
            assert whole[reason.start : reason.end] == reason.quote
            assert folded_term(reason.quote) == folded_term(term) or folded_term(term) in folded_term(whole)


def test_a_word_that_is_excluded_rules_the_event_out() -> None:
    watchlist = Watchlist(name="A", terms=("exosome",), exclude=("research use only",))
    assert match(event("exosome serum"), [watchlist])
    assert not match(
        event("exosome serum", passages=(Passage("q", "exosome"), Passage("t", "Research\nuse only"))), [watchlist]
    )
    assert match(event("exosome for research users only"), [watchlist])


CRITERIA: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"terms": ("serum",)}, {"passages": (Passage("quote", "a cream"),)}),
    ({"names": ("kelda labs",)}, {"names": ("Other",)}),
    ({"domains": ("kelda.example",)}, {"hosts": ("notkelda.example",)}),
    ({"categories": ("hair_regrowth",)}, {"category": "disease_treatment"}),
    ({"jurisdictions": ("uk",)}, {"jurisdictions": frozenset({"us"})}),
    ({"min_severity": "Medium"}, {"severity": "Low"}),
    ({"min_severity": "Medium"}, {"severity": ""}),
    ({"events": ("claim_appeared",)}, {"kind": "claim_withdrawn"}),
    ({"terms": ("serum",), "until": date(2026, 11, 23)}, {"at": NOW + timedelta(days=1)}),
]


@pytest.mark.parametrize(("criterion", "spoilt"), CRITERIA)
def test_each_criterion_alone_decides(criterion: dict[str, Any], spoilt: dict[str, Any]) -> None:
    watchlist = Watchlist(name="A", **criterion)
    (found,) = match(event("hair serum"), [watchlist])
    assert found.why
    assert not match(event("hair serum", **spoilt), [watchlist])


def test_a_match_gives_a_reason_for_every_criterion() -> None:
    watchlist = Watchlist(
        name="A",
        terms=("serum",),
        names=("Kelda",),
        domains=("https://www.kelda.example/shop",),
        categories=("hair_regrowth",),
        jurisdictions=("uk", "ca"),
        min_severity="Low",
        events=("claim_appeared",),
    )
    (found,) = match(event("hair serum"), [watchlist])
    assert [(reason.criterion, reason.term, reason.quote) for reason in found.why] == [
        ("term", "serum", "serum"),
        ("name", "Kelda", "Kelda"),
        ("domain", "https://www.kelda.example/shop", "shop.kelda.example"),
        ("category", "hair_regrowth", "hair_regrowth"),
        ("jurisdiction", "uk", "uk"),
        ("severity", "Low", "Medium"),
        ("event", "claim_appeared", "claim_appeared"),
    ]


def test_an_organisation_is_met_by_any_of_its_names_and_the_alias_is_shown() -> None:
    (found,) = match(event(names=("Kelda Labs LLC", "Former Name Inc")), [Watchlist(name="A", names=("former name",))])
    assert found.why[0].quote == "Former Name"


def test_events_about_our_own_reading_are_met_only_if_asked_for() -> None:
    blind = event("could not be read", kind="source_blind")
    assert not match(blind, [Watchlist(name="A", jurisdictions=("us",))])
    assert match(blind, [Watchlist(name="A", jurisdictions=("us",), events=("source_blind",))])


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("https://www.Kelda.example/shop?x=1", "kelda.example"),
        ("*.kelda.example", "kelda.example"),
        ("kelda.example:8080", "kelda.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_domain_may_be_written_as_people_copy_it(written: str, domain: str) -> None:
    assert folded_domain(written) == domain


def test_many_lists_give_what_each_gives_alone() -> None:
    rng = random.Random(11)
    words = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "nrst"]
    lists = [
        Watchlist(
            name=f"list {number}",
            terms=tuple(" ".join(rng.sample(words, rng.choice((1, 1, 2)))) for _ in range(rng.randrange(4))),
            exclude=tuple(rng.sample(words, rng.randrange(2))),
            categories=rng.choice(((), ("hair_regrowth",), ("disease_treatment",))),
            min_severity=rng.choice((None, "Low", "High")),
        )
        for number in range(300)
    ]
    index = Index(lists)
    seen = 0
    for _ in range(40):
        view = event(" ".join(rng.choices(words, k=30)))
        together = index.match(view)
        assert together == [found for watchlist in lists for found in match(view, [watchlist])]
        seen += len(together)
    assert seen > 100


# --- with a database


class Archive:
    """Rows as intake writes them, for matching alone."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.count = 0
        self._add(
            Source(id="site_kelda_example", title="Kelda", jurisdiction="us", kind="page", card={}, state_since=NOW)
        )
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
        self.organisation = Organisation(name="Kelda Labs LLC", folded="kelda labs", first_seen=NOW)
        self._add(self.organisation)
        for kind, value in (
            ("name", "Kelda Labs LLC"),
            ("name", "Old Kelda"),
            ("folded", "kelda labs"),
            ("host", "kelda.example"),
        ):
            self._add(OrganisationAlias(organisation_id=id_of(self.organisation), kind=kind, value=value, basis="test"))
        self.page = Page(
            source_id="site_kelda_example",
            organisation_id=self.organisation.id,
            url="https://kelda.example/",
            host="kelda.example",
            first_seen=NOW,
            last_read=NOW,
        )
        self._add(self.page)
        self.version = PageVersion(
            page_id=id_of(self.page),
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
        self._add(self.version)

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


# --- lists that cannot do what their owner wants

LAW_CEILINGS = {"hair_regrowth": "Medium", "disease_treatment": "High"}


def findings(**criteria: Any) -> list[tuple[str, str]]:
    config = Config(sites=(Site(url="https://www.kelda.example/"),))
    found = check_list(Watchlist(name="A", **criteria), config, today=date(2026, 11, 25), ceilings=LAW_CEILINGS)
    return [(finding.level, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("criteria", "says"),
    [
        ({}, "would match everything"),
        ({"exclude": ("x",)}, "would match everything"),
        ({"terms": ("hair serum", "hair"), "exclude": ("HAIR",)}, "exclude: rules out every one of its terms"),
        ({"terms": ("!!!",)}, "no letter or digit"),
        ({"terms": ("hair",), "until": date(2026, 11, 24)}, "ran out on 2026-11-24"),
        (
            {"categories": ("hair_regrowth",), "min_severity": "High"},
            "gives High; lower min_severity: (at most Medium)",
        ),
        ({"categories": ("hair_regrowth",), "events": ("notice_published",)}, "belong to claims"),
        ({"min_severity": "Low", "events": ("notice_published",)}, "only claims and pages have a severity"),
        (
            {"domains": ("a.example",), "events": ("source_blind",)},
            "events about sources and registers have no domains",
        ),
        ({"domains": ("kelda",)}, "is no domain"),
    ],
)
def test_a_list_that_is_of_no_use_is_an_error(criteria: dict[str, Any], says: str) -> None:
    errors = [message for level, message in findings(**criteria) if level == "error"]
    assert any(says in message for message in errors)


@pytest.mark.parametrize(
    ("criteria", "says"),
    [
        ({"jurisdictions": ("us", "uk", "eu", "ca")}, "matches nearly everything"),
        ({"min_severity": "Low"}, "matches nearly everything"),
        ({"terms": ("hair", "hair serum"), "exclude": ("serum",)}, "rules out these of its terms: hair serum"),
        ({"terms": ("a",)}, "very short"),
        ({"terms": ("hair",), "jurisdictions": ("jp",)}, "claims are not judged there"),
        ({"domains": ("elsewhere.example",)}, "not among sites:"),
    ],
)
def test_a_list_that_may_disappoint_is_a_warning(criteria: dict[str, Any], says: str) -> None:
    found = findings(**criteria)
    assert [level for level, _ in found] == ["warning"]
    assert says in found[0][1]


@pytest.mark.parametrize(
    "criteria",
    [
        {"terms": ("hair",), "exclude": ("serum",)},
        {"categories": ("hair_regrowth", "disease_treatment"), "min_severity": "High"},
        {"domains": ("kelda.example",), "until": date(2026, 11, 25)},
        {"jurisdictions": ("us",)},
        {"events": ("notice_published",)},
    ],
)
def test_a_list_that_is_well_made_is_left_in_peace(criteria: dict[str, Any]) -> None:
    assert findings(**criteria) == []


def test_the_shipped_lists_are_well_made_under_the_law_as_it_stands() -> None:
    from pathlib import Path

    from monitor.config import load

    config = load(Path(__file__).parents[2] / "config.yaml")
    ceilings = severity_ceilings(load_law(HERE), config.jurisdictions)
    assert ceilings["disease_treatment"] == "High"
    assert check_lists(config, date(2026, 11, 25), ceilings) == []
