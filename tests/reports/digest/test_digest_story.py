"""A digest with all that it can tell: what stands in it, why, and what was known at its end."""

from __future__ import annotations

import html
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlmodel import select

from monitor.tables.db import transaction
from monitor.tables.models import Claim, Event, EventKind, Finding, Notice, Page, Review, ReviewState, Source
from reports import period
from reports.digest import gather, write
from reports.digest.cut import cut
from reports.digest.formats import as_html, as_json, as_text
from reports.digest.view import Sentence
from tests.reports import factory
from tests.reports.digest import story
from tests.reports.digest.conftest import Told, items, words_of
from tests.reports.factory import MONDAY, Factory

MAIL = {"sender": "Exowatch <exowatch@watch.example>"}


def test_a_watchlist_s_digest_has_only_what_it_matched(told: Told) -> None:
    found = told.digest(watchlists=("Arthritis watch",))
    claims, notices = items(found)
    assert set(claims) == {str(told.ids["arthritis"])}
    assert not notices
    assert found.counts["reworded"] == 1
    assert (found.counts["appeared"], found.counts["notices_core"], found.counts["registered"]) == (0, 0, 0)
    assert [group.name for group in found.watchlists] == ["Arthritis watch"]
    assert "Only what these watchlists matched: Arthritis watch" in as_text(found)
    assert "(Arthritis watch)" in found.subject
    with pytest.raises(ValueError, match="no watchlist 'Arthrits'; there are: Arthritis watch, Haar & Haut"):
        told.digest(watchlists=("Arthrits",))


def test_products_that_changed_are_told_counted_and_kept_when_a_list_is_cut(told: Told) -> None:
    found = told.digest()
    drops, cream = found.products.items
    assert [(change.kind, change.before, change.after) for change in drops.changes][:2] == [
        ("form", ("serum",), ("eye_drops", "injection_kit")),
        ("source_material", (), ("whartons_jelly",)),
    ]
    assert [(each.now, each.quote) for each in drops.said] == [(False, "世界中に発送"), (True, "点眼薬")]
    assert (cream.firm, cream.said) == ("kelda.example", ())
    assert found.counts["products_changed"] == 2
    assert "2 products changed" in found.subject
    short = cut(found, 1).products
    assert (len(short.items), short.more, short.total) == (0, 2, 2)
    assert [item.name for item in told.digest(jurisdictions=("ca",)).products.items] == ["Kelda Cream"]
    assert not told.digest(jurisdictions=("uk",)).products.total


def test_a_week_in_which_only_a_product_changed_is_not_empty(told: Told) -> None:
    quiet = told.digest(week="2026-W51")
    assert quiet.empty
    assert not quiet.model_copy(update={"products": told.digest().products}).empty


def test_a_match_on_a_product_bears_the_product_s_name(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    with transaction(engine) as session:
        changed = session.exec(select(Event).where(Event.kind == EventKind.PRODUCT_CHANGED, Event.object_id == "99"))
        Factory(session, counter=8000).match("Arthritis watch", changed.one(), "cream", "Kelda Cream")
    found = story.digest(engine, tmp_path)
    labels = [match.label for group in found.watchlists for match in group.matches if match.path == "/products/99"]
    assert labels == ["Kelda Cream"]
    engine.dispose()


def test_a_summary_that_the_title_has_is_not_said_twice(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    with transaction(engine) as session:
        rule = session.get_one(Notice, told.ids["rule"])
        rule.summary = "Human cells  and tissues"
    found = story.digest(engine, tmp_path)
    shown = {
        notice.notice_id: notice for place in found.sections for group in place.notices for notice in group.notices
    }
    assert shown[told.ids["rule"]].summary == ""
    assert shown[told.ids["recall"]].summary == "Unapproved product"
    engine.dispose()


def test_no_sentence_stands_without_its_source(told: Told) -> None:
    assert Sentence.resting_on("It is a drug.", "Drug Act", "https://law.example/1") is not None
    assert Sentence.resting_on("It is a drug.", "Drug Act", "") is None
    assert Sentence.resting_on("It is a drug.", "Drug Act", "javascript:x") is None
    assert Sentence.resting_on("It is a drug.", "", "https://law.example/1") is None

    def unsourced(provision_id: str) -> Any:
        return factory.law(provision_id).model_copy(update={"url": ""})

    week = period.week(story.WEEK, "UTC")
    bare = gather(told.engine, story.config(told.folder), week, factory.NOW, law=unsourced)
    for shown, there in ((told.digest(), True), (bare, False)):
        for form in (as_html(shown), as_text(shown)):
            assert ("What is meant to treat a disease is a drug." in form) is there
    assert all(
        item.matters is None for s in bare.sections for g in s.claims for page in g.pages for item in page.claims
    )


def test_a_sentence_says_why_it_matters_and_where_that_stands(told: Told) -> None:
    tree = LexborHTMLParser(as_html(told.digest()))
    sentences = tree.css(".matters")
    assert sentences
    for node in sentences:
        assert node.css_first("cite a[href^='https://']") is not None, node.text()
    text = as_text(told.digest())
    assert (
        "Why it matters: What is meant to treat a disease is a drug. (Drug Act, s. 201(g), https://law.example/us/201)"
        in text
    )


def test_what_comes_up_is_told_with_its_day(told: Told) -> None:
    found = told.digest()
    assert [(item.kind, item.on) for item in found.coming.items] == [
        ("comments_close", date(2026, 12, 18)),
        ("effective", date(2027, 1, 4)),
    ]
    assert "18 Dec 2026, last day for comments: United States, Department of Invented Health" in as_text(found)
    assert "4. Jan. 2027, tritt in Kraft" in as_text(told.digest("de"))
    assert told.digest(jurisdictions=("uk",)).coming.total == 0
    assert told.digest(watchlists=("Arthritis watch",)).coming.total == 0
    assert [item.kind for item in told.digest(week="2026-W51").coming.items] == ["effective"], "the other day is over"


def test_corrections_say_what_was_told_where_and_what_became_of_it(told: Told) -> None:
    found = told.digest().corrections
    assert [(item.kind, item.digest, item.path) for item in found.items] == [
        ("dismissed", "2026-W46", f"/claims/{told.ids['told']}"),
        ("notice", "2026-W46", f"/notices/{told.ids['recall']}"),
        ("numbers", "2026-W46", "/digests/2026-W46"),
    ]
    assert found.items[1].changes == (("status", "open", "withdrawn"),)
    assert found.items[2].changes == (("appeared", "1", "2"),)
    assert "Die Übersicht 2026-W46 meldete:" in as_text(told.digest("de"))
    assert told.digest(week="2026-W48").corrections.total == 0, "a correction is told once"
    assert told.digest(week="2026-W46").corrections.total == 0


def test_what_matters_most_is_few_explained_and_adds_up(told: Told) -> None:
    found = told.digest().priorities
    assert len(found) == 5
    assert [line.points for line in found] == sorted((line.points for line in found), reverse=True)
    for line in found:
        assert line.points == sum(one.points for one in line.because)
        assert line.because
    assert found[0].path == f"/notices/{told.ids['new']}"
    assert found[0].also == 3, "further changes of the firm that the letter names"
    cure = next(line for line in found if line.path == f"/claims/{told.ids['cure']}")
    assert [(one.what, one.value, one.points) for one in cure.because] == [
        ("severity", "High", 40),
        ("change", "claim_appeared", 20),
        ("places", "2", 3),
        ("watch", "Haar & Haut", 15),
    ]
    text = as_text(told.digest("de"))
    assert (
        "78 Punkte: Schweregrad Hoch 40, Aufgetaucht 20, in 2 Rechtsräumen 3, Beobachtungsliste Haar & Haut 15." in text
    )


def test_what_is_not_assessed_has_no_severity(told: Told) -> None:
    found = told.digest()
    last = found.sections[-1]
    assert (last.code, [group.severity for group in last.claims]) == ("", [""])
    assert (last.tally.appeared, last.tally.appeared_unassessed, last.tally.appeared_high) == (1, 1, 0)
    assert "New claims, not assessed: 1" in as_text(found)


def test_an_empty_week_is_one_line_and_the_sources_that_were_read(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    with transaction(engine) as session:
        Factory(session, counter=9000).run(session.get_one(Source, "us_letters"), MONDAY + timedelta(days=30))
    quiet = story.digest(engine, told.folder, week="2026-W51")
    engine.dispose()
    assert quiet.empty
    assert "nothing new; 1 source blind" in quiet.subject
    page = words_of(html.unescape(LexborHTMLParser(as_html(quiet)).body.text(separator=" ")))  # type: ignore[union-attr]
    for shown in (page, as_text(quiet)):
        assert "Nothing new in this period. 1 of 5 sources was read." in shown or "1 of 5 sources were read." in shown
        assert re.search(r"Read well:? +Warning letters \(United States\)", shown)


def test_a_digest_stays_what_was_known_at_its_end(told: Told, tmp_path: Path) -> None:
    """Later decisions, judgements, wordings, notices and sources change no byte of an earlier digest."""
    engine = told.copy(tmp_path)
    before = as_json(story.digest(engine, told.folder))
    later = MONDAY + timedelta(days=9)
    with transaction(engine) as session:
        market, letters = session.get_one(Source, "site_hikari_example"), session.get_one(Source, "us_letters")
        cure = session.get_one(Claim, told.ids["cure"])
        page = session.get_one(Page, cure.page_id)
        make = Factory(session, counter=9000, pages={page.url: page})
        run, reading = make.run(market, later), make.run(letters, later)
        session.add(
            Review(
                claim_id=told.ids["cure"], state=ReviewState.CONFIRMED, reason="Read.", reviewer="A. Reader", at=later,
                quote=cure.quote, category=cure.category,
            )
        )  # fmt: skip
        cure.review_state, cure.ended_at, cure.state = ReviewState.CONFIRMED, later, "withdrawn"
        _, version = make.page(run, page.url, "エクソソームは癌を治します")
        make.wording(cure, version, "エクソソームは癌を治します", 2)
        cure.quote, cure.version_id = "エクソソームは癌を治します", version.id or 0
        safe = session.get_one(Claim, told.ids["safe"])
        safe.severity, safe.decision, safe.confidence = "Low", "review", 0.4
        for finding in session.exec(select(Finding).where(Finding.claim_id == safe.id)).all():
            finding.current = False
            changed = finding.model_dump(exclude={"id"}) | {"severity": "Low", "decision": "review", "confidence": 0.4}
            session.add(Finding(**changed | {"made_at": later, "current": True, "legal_basis": ["uk-b"]}))
        letter = session.get_one(Notice, told.ids["new"])
        make.notice_revision(letter, reading, title="Letter, closed", status="closed")
        letter.title, letter.notice_type, letter.summary = "Letter, closed", "close_out", ""
        rule = session.get_one(Notice, told.ids["rule"])
        make.notice_revision(rule, reading, comments_close="2027-02-01", effective=None)
        rule.comments_close, rule.effective = date(2027, 2, 1), None
        make.source("au_later", jurisdiction="au")
        make.run(session.get_one(Source, "au_later"), later)
    after = as_json(story.digest(engine, told.folder))
    engine.dispose()
    assert after == before


def test_a_claim_that_our_rules_judge_otherwise_corrects_the_digest_that_told_it(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    write(engine, story.config(tmp_path), period.week("2026-W47", "UTC"), factory.NOW, law=factory.law)
    with transaction(engine) as session:
        make = Factory(session, counter=9000)
        run = make.run(session.get_one(Source, "site_hikari_example"), MONDAY + timedelta(days=9))
        make.event(
            EventKind.CLAIM_FLAGGED, run, "claim", told.ids["cure"], cause="rules",
            detail={"judged_before": {"severity": "High"}, "judged_after": {"severity": "Low"}},
        )  # fmt: skip
        make.event(EventKind.CLAIM_CLEARED, run, "claim", told.ids["hair"], cause="rules")
    (found,) = story.digest(engine, told.folder, week="2026-W48").corrections.items
    engine.dispose()
    assert (found.kind, found.digest, found.path) == ("rules", "2026-W47", f"/claims/{told.ids['cure']}")
    assert found.changes == (("severity", "High", "Low"),)


def test_a_digest_of_a_week_that_is_not_over_is_as_known_by_the_last_reading(told: Told) -> None:
    week = period.week("2026-W47", "UTC")
    now = MONDAY + timedelta(days=3)
    found = gather(told.engine, story.config(told.folder), week, now, law=factory.law)
    assert found.generated_at == MONDAY + timedelta(days=2), "the last thing that happened, a decision"
    assert told.digest().generated_at == datetime.fromisoformat("2026-11-23T00:00:00+00:00")


def test_rewriting_is_noted_only_once_a_period_is_over(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    week, choice = period.week("2026-W47", "UTC"), story.config(tmp_path)

    def again(now: datetime) -> None:
        with transaction(engine) as session:
            make = Factory(session, counter=int(now.timestamp()) % 100000)
            make.notice(make.run(session.get_one(Source, "us_letters"), MONDAY), "Another", posted=date(2026, 11, 18))
        write(engine, choice, week, now, law=factory.law)

    write(engine, choice, week, MONDAY, law=factory.law)
    again(MONDAY + timedelta(days=1))
    again(factory.NOW)
    assert story.digest(engine, tmp_path, week="2026-W48").corrections.total == 0, "nobody read those as final"
    again(factory.NOW + timedelta(days=1))
    write(engine, choice, week, factory.NOW + timedelta(days=2), law=factory.law)
    (found,) = story.digest(engine, tmp_path, week="2026-W48").corrections.items
    engine.dispose()
    assert (found.kind, found.digest) == ("numbers", "2026-W47")
    assert ("notices_core", "6", "7") in found.changes
