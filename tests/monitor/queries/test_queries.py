"""What people ask the database, on each kind of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from monitor import queries
from monitor.tables.db import transaction
from monitor.tables.models import Cause, Claim, EventKind, Finding, Run, Source
from tests.reports.factory import EARLIER, MONDAY, NOW, Factory
from tests.reports.two_weeks import two_weeks

WEEK = (MONDAY.replace(hour=0), MONDAY.replace(hour=0) + timedelta(days=7))


@pytest.fixture
def ids(engine: Engine) -> dict[str, Any]:
    return two_weeks(engine)


def test_nothing_stands_in_an_empty_database(engine: Engine) -> None:
    standing = queries.standing(engine)
    assert (standing.sources, standing.last_runs, standing.last_digest, standing.last_run_at) == ((), (), None, None)
    assert (standing.waiting.total, standing.claims_live, standing.rehearsal) == (0, 0, False)
    assert queries.week(engine, *WEEK).claims == ()


def test_where_things_stand(engine: Engine, ids: dict[str, Any]) -> None:
    standing = queries.standing(engine)
    assert [source.id for source in standing.blind] == ["uk_alerts"]
    assert [run.source_id for run in standing.last_runs] == [
        "uk_alerts", "ca_recalls", "site_glow_example", "us_letters",
    ]  # fmt: skip
    assert [run.reasons for run in standing.quarantined] == [("0 entries; never empty",)]
    assert (standing.waiting.flag, standing.waiting.review, standing.waiting.high) == (3, 0, 2)
    assert (standing.claims_live, standing.notices, standing.organisations) == (3, 7, 2)
    assert standing.last_run_at == MONDAY + timedelta(days=1)


def test_a_reviewed_claim_waits_no_longer(engine: Engine, ids: dict[str, Any]) -> None:
    with transaction(engine) as session:
        session.get_one(Claim, ids["arthritis"]).review_state = "confirmed"
    assert queries.standing(engine).waiting.high == 1


def test_sources_tell_when_they_were_read_well(engine: Engine, ids: dict[str, Any]) -> None:
    found = {source.id: source for source in queries.sources(engine)}
    blind = found["uk_alerts"]
    assert (blind.blind, blind.since, blind.last_success_at) == (True, MONDAY + timedelta(days=1), EARLIER)
    assert blind.last_run_at == MONDAY + timedelta(days=1)
    assert (found["us_letters"].blind, found["us_letters"].reason) == (False, "")


def test_a_week_keeps_causes_apart(engine: Engine, ids: dict[str, Any]) -> None:
    week = queries.week(engine, *WEEK)
    assert [(change.claim.id, change.event.kind) for change in week.claims] == [
        (ids["arthritis"], EventKind.CLAIM_REWORDED),
        (ids["safe"], EventKind.CLAIM_APPEARED),
        (ids["hair"], EventKind.CLAIM_WITHDRAWN),
    ]
    assert [change.claim.id for change in week.rules] == [ids["scalp"]]
    assert week.reviews == ()


def test_what_a_person_decided_is_no_news_of_the_seller(engine: Engine, ids: dict[str, Any]) -> None:
    with transaction(engine) as session:
        make = Factory(session, counter=9000)
        run = session.get_one(Run, make.run(session.get_one(Source, "site_glow_example"), NOW - timedelta(days=2)).id)
        make.event(EventKind.CLAIM_CLEARED, run, "claim", ids["safe"], cause=Cause.REVIEW, detail={"reason": "a joke"})
    week = queries.week(engine, *WEEK)
    assert [(change.claim.id, change.reason) for change in week.reviews] == [(ids["safe"], "a joke")]
    assert len(week.claims) == 3


def test_changed_rules_say_what_they_made_of_it(engine: Engine, ids: dict[str, Any]) -> None:
    with transaction(engine) as session:
        make = Factory(session, counter=9000)
        run = make.run(session.get_one(Source, "site_glow_example"), NOW - timedelta(days=2))
        detail = {
            "judged_before": {"decision": "review", "severity": "Low", "state": "live"},
            "judged_after": {"decision": "flag", "severity": "High", "state": "live"},
        }
        make.event(EventKind.CLAIM_FLAGGED, run, "claim", ids["safe"], cause=Cause.RULES, detail=detail)
    found = {change.claim.id: change for change in queries.week(engine, *WEEK).rules}
    assert found[ids["safe"]].judged == (("decision", "review", "flag"), ("severity", "Low", "High"))
    assert found[ids["safe"]].told == "decision: review → flag; severity: Low → High"
    assert found[ids["safe"]].before == ""


def test_the_end_of_a_period_belongs_to_the_next(engine: Engine, ids: dict[str, Any]) -> None:
    before = queries.week(engine, EARLIER, MONDAY)
    assert before.claims == ()
    assert queries.week(engine, MONDAY, MONDAY + timedelta(microseconds=1)).claims != ()
    assert queries.week(engine, MONDAY - timedelta(microseconds=1), MONDAY).claims == ()


def test_a_withdrawal_is_told_when_it_is_known(engine: Engine, ids: dict[str, Any]) -> None:
    """It bears the time of the first reading that lacked the claim: that week's digest may be out already."""
    with transaction(engine) as session:
        make = Factory(session, counter=9000)
        run = make.run(session.get_one(Source, "site_glow_example"), MONDAY + timedelta(days=7))
        event = make.event(EventKind.CLAIM_WITHDRAWN, run, "claim", ids["safe"], at=MONDAY + timedelta(days=6))
        make.match("Late", event, "x", "x")
    told = [(change.claim.id, change.event.kind) for change in queries.week(engine, *WEEK).claims]
    assert (ids["safe"], EventKind.CLAIM_WITHDRAWN) not in told
    following = queries.week(engine, WEEK[1], WEEK[1] + timedelta(days=7))
    assert [change.claim.id for change in following.claims] == [ids["safe"]]
    assert [hit.watchlist for hit in following.watch] == ["Late"]


def test_baseline_claims_are_no_news(engine: Engine, ids: dict[str, Any]) -> None:
    week = queries.week(engine, EARLIER - timedelta(days=1), EARLIER + timedelta(days=1))
    assert week.claims == ()
    assert week.notices_new == ()


def test_a_week_of_some_jurisdictions(engine: Engine, ids: dict[str, Any]) -> None:
    week = queries.week(engine, *WEEK, ["uk"])
    assert [change.claim.id for change in week.claims] == [ids["arthritis"]]
    assert week.notices_new == ()
    assert len(week.sources) == 4, "which sources were read is told whole"


def test_rehearsals_and_their_replays_are_known(engine: Engine) -> None:
    ids = two_weeks(engine, mode="rehearsal")
    with transaction(engine) as session:
        make = Factory(session, counter=9000)
        source = session.get_one(Source, "site_glow_example")
        origin = make.run(source, NOW, mode="rehearsal")
        replay = make.run(source, NOW + timedelta(days=30), mode="replay")
        replay.record = replay.record | {"replay_of": origin.id}
        _, version = make.page(replay, "https://glow.example/again", "Cures all.")
        again = make.claim(version, "Cures all").id
    found = queries.claim(engine, again or 0)
    assert found is not None
    assert found.claim.rehearsal
    assert queries.claim(engine, ids["safe"]).claim.rehearsal  # type: ignore[union-attr]
    assert queries.week(engine, *WEEK).rehearsal
    assert queries.week(engine, NOW + timedelta(days=29), NOW + timedelta(days=31)).rehearsal


def test_a_claim_with_all_that_belongs_to_it(engine: Engine, ids: dict[str, Any]) -> None:
    found = queries.claim(engine, ids["arthritis"])
    assert found is not None
    context = found.context
    assert context.holds
    assert context.quote == found.claim.quote == "treats arthritis in two weeks"
    assert context.before.endswith("Our exosome serum ")
    assert context.after.startswith(".\nNo side effects")
    assert [wording.quote for wording in found.wordings] == [
        "treats arthritis in four weeks", "treats arthritis in two weeks",
    ]  # fmt: skip
    assert [event.kind for event in found.history] == [EventKind.CLAIM_APPEARED, EventKind.CLAIM_REWORDED]
    assert found.evidence is not None
    assert found.evidence.capture_id == found.claim.capture_id
    assert found.evidence.fetched_at == MONDAY
    assert [notice.id for notice in found.notices] == [ids["new"], ids["old"]]
    assert [(each.status, each.quote) for each in found.dropped] == [("negated", "It does not cure anything.")]
    assert {finding.jurisdiction: finding.legal_basis for finding in found.claim.findings} == {
        "us": ("us-a",), "uk": ("uk-b",),
    }  # fmt: skip


def test_offsets_that_do_not_give_the_quote_are_owned_up_to(engine: Engine, ids: dict[str, Any]) -> None:
    with transaction(engine) as session:
        session.get_one(Claim, ids["safe"]).start += 1
    found = queries.claim(engine, ids["safe"])
    assert found is not None
    assert not found.context.holds


def test_findings_are_those_of_the_last_judgement(engine: Engine, ids: dict[str, Any]) -> None:
    with transaction(engine) as session:
        old = session.exec(select(Finding).where(Finding.claim_id == ids["safe"])).one()
        old.current = False
    cleared = queries.claim(engine, ids["safe"])
    assert cleared is not None
    assert [finding.legal_basis for finding in cleared.claim.findings] == [("us-a",)], "the last there was"
    with transaction(engine) as session:
        session.add(
            Finding(
                claim_id=ids["safe"], jurisdiction="us", rule_id="r2", severity="Low", confidence=0.5,
                decision="review", assessed=True, legal_basis=["us-new"], knowledge_version="k2", made_at=NOW,
            )
        )  # fmt: skip
    judged_anew = queries.claim(engine, ids["safe"])
    assert judged_anew is not None
    assert [finding.legal_basis for finding in judged_anew.claim.findings] == [("us-new",)]


def test_a_notice_with_its_sellers(engine: Engine, ids: dict[str, Any]) -> None:
    found = queries.notice(engine, ids["new"])
    assert found is not None
    assert [found.text[start:end] for start, end in found.marks] == ["exosome"]
    assert [(seller.host, seller.organisation and seller.organisation.id) for seller in found.sellers] == [
        ("glow.example", ids["glow"]), ("else.example", None),
    ]  # fmt: skip
    assert found.roles == {ids["glow"]: "addressee"}
    assert [event.kind for event in found.history] == [EventKind.NOTICE_PUBLISHED]
    old = queries.notice(engine, ids["old"])
    assert old is not None
    assert [revision.changed for revision in old.revisions] == [(), ("status",)]


def test_products_and_organisations_bring_claims_and_notices(engine: Engine, ids: dict[str, Any]) -> None:
    product = queries.product(engine, ids["serum"])
    assert product is not None
    assert product.organisation is not None
    assert product.organisation.id == ids["glow"]
    assert {claim.id for claim in product.claims} == {ids["arthritis"], ids["safe"], ids["scalp"]}
    firm = queries.organisation(engine, ids["glow"])
    assert firm is not None
    assert [claim.id for claim in firm.claims][-1] == ids["hair"], "what has ended comes last"
    assert [each.name for each in firm.products] == ["Glow Serum"]
    assert [alias.value for alias in firm.aliases] == ["glow.example"]
    assert len(firm.notices) == 2


@pytest.mark.parametrize("name", ["claim", "product", "notice", "organisation"])
def test_an_unknown_id_gives_nothing(engine: Engine, name: str) -> None:
    assert getattr(queries, name)(engine, 12345) is None


def test_digests_are_noted_once_each(engine: Engine) -> None:
    for sha256 in ("a", "b"):
        queries.remember_digest(
            engine, "2026-W47", period_from=WEEK[0], period_to=WEEK[1], written_at=NOW, sha256=sha256,
            counts={"appeared": 1},
        )  # fmt: skip
    (row,) = queries.digests(engine)
    assert (row.name, row.sha256, row.counts) == ("2026-W47", "b", {"appeared": 1})
    assert queries.digest(engine, "2026-W47") == row
    assert queries.digest(engine, "../2026-W47\0") is None
    assert queries.standing(engine).last_digest == row


def test_runs_come_newest_first(engine: Engine, ids: dict[str, Any]) -> None:
    runs = queries.runs(engine, limit=2)
    assert [run.source_id for run in runs] == ["uk_alerts", "ca_recalls"]
    assert (runs[1].records, runs[1].outcome) == (2, "ok")


PAGE = "Shop | Kelda\nHome\nContact\nSerum\nA gentle start.\nIt cures gout. Fast.\nIn a vial.\nTerms\nNo refunds."


def test_a_claim_s_context_is_what_stands_under_its_heading(engine: Engine) -> None:
    kinds = ("title", "nav", "nav", "heading", "paragraph", "paragraph", "paragraph", "heading", "paragraph")
    paths: tuple[list[str], ...] = ([], [], [], [], ["Serum"], ["Serum"], ["Serum"], [], ["Terms"])
    blocks, place = [], 0
    for kind, path, words in zip(kinds, paths, PAGE.split("\n"), strict=True):
        blocks.append([kind, place, place + len(words), 0, path])
        place += len(words) + 1
    with transaction(engine) as session:
        make = Factory(session)
        run = make.run(make.source("site_kelda_example", "Kelda", kind="page"), MONDAY)
        _, version = make.page(run, "https://kelda.example/serum", PAGE)
        version.document = {"blocks": blocks, "marks": {}}
        told, head = make.claim(version, "cures gout").id, make.claim(version, "Kelda").id
    found = queries.claim(engine, told or 0)
    assert found is not None
    context = found.context
    assert (context.before, context.after) == ("A gentle start.\nIt ", ". Fast.\nIn a vial.")
    assert PAGE[context.start : context.end] == context.quote == "cures gout"
    title = queries.claim(engine, head or 0)
    assert title is not None
    assert (title.context.before, title.context.after) == ("Shop | ", "")


def test_a_long_block_is_cut_at_words(engine: Engine) -> None:
    text = f"{'before ' * 100}cures gout{' after' * 100}"
    with transaction(engine) as session:
        make = Factory(session)
        run = make.run(make.source("site_kelda_example", "Kelda", kind="page"), MONDAY)
        _, version = make.page(run, "https://kelda.example/serum", text)
        told = make.claim(version, "cures gout").id
    found = queries.claim(engine, told or 0)
    assert found is not None
    assert 380 < len(found.context.before) <= 400
    assert set(found.context.before.split()) == {"before"}
    assert set(found.context.after.split()) == {"after"}


def test_a_period_before_the_first_reading_says_that_its_notices_are_a_rehearsal(engine: Engine) -> None:
    two_weeks(engine, mode="rehearsal")
    past = queries.week(engine, MONDAY.replace(year=2025, month=1, day=1), MONDAY.replace(year=2026, month=1, day=1))
    assert [news.read_later for news in past.notices_new] == [True]
    assert past.rehearsal


@pytest.mark.parametrize("query", ["glow", "GLOW labs, LLC", "Glów", "glow.example", "gl*"])
def test_a_firm_is_found_by_its_name_or_host(engine: Engine, ids: dict[str, Any], query: str) -> None:
    assert queries.firms(engine, query)[0].name == "Glow Labs"


@pytest.mark.parametrize("query", ["", "  ", "%", "glow kelda", "_"])
def test_what_no_firm_is_called_finds_none(engine: Engine, ids: dict[str, Any], query: str) -> None:
    assert queries.firms(engine, query) == ()
