"""What the records of a run become: notices, organisations, findings, and what the search finds."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import select

from monitor.intake.runs import known_items
from monitor.search import search
from monitor.tables.db import reading, transaction
from monitor.tables.models import (
    Claim,
    Event,
    Finding,
    Notice,
    NoticeRevision,
    Organisation,
    Page,
    Product,
    SearchDocument,
)
from tests.monitor.intake.desk import CURE, HAIR, HOME, Desk


def test_a_notice_has_a_tier_revisions_and_organisations(desk: Desk) -> None:
    first = desk.letters()
    first.notice(
        "a",
        "Kelda Labs, LLC",
        "FDA reviewed kelda.example, where you sell exosome vials.",
        quoted_urls=("http://kelda.example/",),
    )
    first.notice("b", "Brae Foods", "Your cheese was held too warm.")
    desk.take(first)
    second = desk.letters()
    second.notice(
        "a",
        "Kelda Labs, LLC",
        "FDA reviewed kelda.example, where you sell exosome vials. Closed.",
        quoted_urls=("http://kelda.example/",),
    )
    second.notice("b", "Brae Foods", "Your cheese was held too warm.")
    second.notice("c", "Third Firm", "Your umbilical cord blood product is a drug.")
    desk.take(second)

    assert desk.events()[1:] == [("notice_updated", "source"), ("notice_published", "source")]
    with reading(desk.engine) as session:
        tiers = {notice.key: notice.tier for notice in session.exec(select(Notice))}
        assert tiers == {"a": "core", "b": "other", "c": "adjacent"}
        assert len(session.exec(select(NoticeRevision)).all()) == 4
        update = session.exec(select(Event).where(Event.kind == "notice_updated")).one()
    assert list(update.detail["changes"]) == ["text"]


def test_a_long_list_may_take_several_runs_to_be_read_first(desk: Desk) -> None:
    """What was published before the first reading is history in every run; only what came after is news."""
    first = desk.letters()
    first.notice("a", "Kelda Labs", posted=date(2026, 11, 8))
    desk.take(first)
    second = desk.letters()
    second.notice("b", "An older letter", posted=date(2026, 11, 8))
    second.notice("c", "A newer letter", posted=date(2026, 11, 9))
    desk.take(second)

    with reading(desk.engine) as session:
        history = {notice.key: notice.baseline for notice in session.exec(select(Notice))}
    assert history == {"a": True, "b": True, "c": False}
    assert desk.events()[1:] == [("notice_published", "source")]


def test_a_document_that_could_not_be_read_again_keeps_its_text(desk: Desk) -> None:
    first = desk.letters()
    first.notice("a", "Kelda Labs", "You sell exosome vials.")
    desk.take(first)
    second = desk.letters()
    second.notice("a", "Kelda Labs", "", unread=("letter page: blocked",))
    desk.take(second)

    with reading(desk.engine) as session:
        assert session.exec(select(Notice)).one().text == "You sell exosome vials."
    assert desk.events() == [("baseline_read", "source")]


def test_a_letter_ties_the_quoted_site_to_its_addressee(desk: Desk) -> None:
    letter = desk.letters()
    letter.notice(
        "a", "Kelda Biologics, Inc. d/b/a Kelda Labs", "Your site.", quoted_urls=("https://www.kelda.example/shop",)
    )
    desk.take(letter)
    desk.take(desk.site(CURE))

    with reading(desk.engine) as session:
        page = session.exec(select(Page)).one()
        assert session.get_one(Organisation, page.organisation_id).name == "Kelda Biologics, Inc."
        assert len(session.exec(select(Organisation)).all()) == 1


def test_known_items_come_back_for_the_next_run(desk: Desk) -> None:
    maker = desk.site(CURE)
    desk.take(maker)

    [item] = known_items(desk.engine, "site_kelda_example")
    assert item.key == HOME
    assert item.read_at == maker.at + timedelta(minutes=1)


def test_findings_name_law_and_severity_for_each_jurisdiction(desk: Desk) -> None:
    desk.take(desk.site(CURE))

    with reading(desk.engine) as session:
        findings = session.exec(select(Finding)).all()
        claim = session.exec(select(Claim)).one()
    assert claim.severity == "High"
    assert claim.category == "disease_treatment"
    assert all(finding.legal_basis for finding in findings if finding.assessed)
    assert {finding.jurisdiction for finding in findings} <= set(desk.config.jurisdictions)


def test_a_jurisdiction_the_operator_does_not_want_is_not_assessed(desk: Desk) -> None:
    desk.config = desk.config.model_copy(update={"jurisdictions": ("uk",)})
    desk.take(desk.site(CURE))

    with reading(desk.engine) as session:
        findings = session.exec(select(Finding)).all()
    assert any(one.assessed for one in findings if one.jurisdiction == "uk")
    assert not any(one.assessed for one in findings if one.jurisdiction != "uk")


def test_a_claim_is_about_the_product_that_its_page_names(desk: Desk) -> None:
    maker = desk.site()
    maker.page("http://kelda.example/gel", "<h1>KeldaExo exosome gel</h1><p>This exosome gel treats eczema. $90.</p>")
    desk.take(maker)

    with reading(desk.engine) as session:
        [claim] = session.exec(select(Claim).where(Claim.category == "skin_drug_claim"))
        assert session.get_one(Product, claim.product_id).name == "KeldaExo exosome gel"


def test_nul_characters_and_hostile_names_are_stored(desk: Desk) -> None:
    letter = desk.letters()
    letter.notice("a", "<script>alert(1)</script>\x00", "exosome\x00 vials", posted=date(2026, 11, 1))
    desk.take(letter)

    with reading(desk.engine) as session:
        assert session.exec(select(Notice)).one().title.startswith("<script>")


def test_what_was_taken_in_is_found_by_search(desk: Desk) -> None:
    desk.take(desk.site(HAIR))

    with reading(desk.engine) as session:
        kinds = {row.kind for row in session.exec(select(SearchDocument))}
    assert "claim" in kinds


def test_a_firm_is_found_by_each_of_its_names_and_its_host(desk: Desk) -> None:
    def found(query: str) -> list[str]:
        return [hit.kind for hit in search(desk.engine, query, kind="organisation").hits]

    letter = desk.letters()
    letter.notice("a", "Kelda Biologics, Inc. d/b/a Kelda Labs", "Your site.")
    desk.take(letter)
    assert found("kelda biologics") == found('"kelda labs"') == ["organisation"]
    assert found("kelda.example") == []

    letter = desk.letters()
    letter.notice("b", "Kelda Labs", "Your site.", quoted_urls=("https://www.kelda.example/shop",))
    desk.take(letter)
    assert found("kelda.example") == found("kelda biologics") == ["organisation"]


def test_firms_of_an_older_database_are_let_be_found_by_the_next_run(desk: Desk) -> None:
    desk.take(desk.site(HAIR))
    with transaction(desk.engine) as session:
        for row in session.exec(select(SearchDocument).where(SearchDocument.kind == "organisation")):
            session.delete(row)
    desk.take(desk.site(HAIR))

    assert [hit.kind for hit in search(desk.engine, "", kind="organisation").hits] == ["organisation"]
