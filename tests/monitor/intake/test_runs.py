"""Run folder → database: whole or not at all, once, with each change under its own cause."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from monitor.evidence.recomputed import verify
from monitor.intake.runs import REASONS_FILE, UnreadableRunError, known_items, take_in
from monitor.knowledge import Knowledge
from monitor.market.rejudge import rejudge
from monitor.records import HeldCapture, Outcome, PageState, Problem, RunRequest
from monitor.tables.db import reading, transaction
from monitor.tables.models import (
    Claim,
    ClaimRevision,
    Event,
    Page,
    Run,
    Source,
)
from tests.monitor.edited import with_rules
from tests.monitor.intake.desk import CURE, CURE_AGAIN, HAIR, HOME, SAFE, Desk, live_quotes, shop_page
from tests.runs import RunMaker, page_card


def test_a_first_reading_is_a_baseline(desk: Desk) -> None:
    result = desk.take(desk.site(CURE))

    assert result.state == "taken_in"
    assert result.findings == 1
    assert desk.events() == [("baseline_read", "source")]
    assert ("claim_appeared", "source") in desk.events(baseline=True)
    assert live_quotes(desk.engine) == {CURE}


def test_every_quote_stands_at_its_offsets_and_the_chain_verifies(desk: Desk) -> None:
    desk.take(desk.site(CURE, HAIR))
    desk.take(desk.site("New opening words.", CURE, HAIR, noise="9 people are looking"))

    checked = verify(desk.engine, desk.config)
    assert checked.broken == ()
    assert checked.quotes >= 4
    assert checked.versions == 2


@pytest.mark.parametrize("victim", ["quote", "text", "archive"])
def test_an_alteration_breaks_the_chain(desk: Desk, victim: str) -> None:
    desk.take(desk.site(CURE))
    if victim == "archive":
        [archive] = desk.config.runs_folder.glob("*/run.warc.gz")
        archive.write_bytes(archive.read_bytes()[:-9] + b"123456789")
    else:
        with transaction(desk.engine) as session:
            claim = session.exec(select(Claim)).one()
            if victim == "quote":
                claim.quote = claim.quote.replace("arthritis", "asthma")
            else:
                from monitor.tables.models import PageVersion

                version = session.get_one(PageVersion, claim.version_id)
                version.text = version.text.replace("arthritis", "asthma123")
                session.add(version)
            session.add(claim)

    assert {broken.kind for broken in verify(desk.engine, desk.config).broken} >= {
        {"quote": "quote", "text": "text", "archive": "run"}[victim]
    }


def test_the_same_folder_twice_changes_nothing(desk: Desk) -> None:
    folder = desk.site(CURE).write()
    take_in(desk.engine, folder, desk.config, desk.knowledge)
    before = desk.events(baseline=True) + desk.events()
    again = take_in(desk.engine, folder, desk.config, desk.knowledge)

    assert again.state == "already"
    assert desk.events(baseline=True) + desk.events() == before


def test_noise_makes_no_event(desk: Desk) -> None:
    desk.take(desk.site(CURE, HAIR, noise="3 people are looking. 09:14"))
    desk.take(desk.site(HAIR, CURE, noise="7 people are looking. 10:52 We use cookies"))

    assert desk.events() == [("baseline_read", "source")]


def test_a_claim_appears_once(desk: Desk) -> None:
    desk.take(desk.site(CURE))
    desk.take(desk.site(CURE, HAIR))
    desk.take(desk.site(CURE, HAIR))

    assert desk.events()[1:] == [("claim_appeared", "source")]


def test_a_claim_is_withdrawn_after_two_good_readings(desk: Desk) -> None:
    desk.take(desk.site(CURE, HAIR))
    first = desk.take(desk.site(CURE))
    events_after_one = desk.events()[1:]
    second = desk.take(desk.site(CURE))

    assert first.second_look == (HOME,)
    assert events_after_one == []
    assert second.second_look == ()
    assert desk.events()[1:] == [("claim_withdrawn", "source")]
    assert live_quotes(desk.engine) == {CURE}


def test_an_unchanged_answer_is_a_second_reading(desk: Desk) -> None:
    """304: the page is as it was when it first lacked the claim."""
    desk.take(desk.site(CURE, HAIR))
    desk.take(desk.site(CURE))
    maker = RunMaker(page_card(), desk.at + timedelta(hours=1), desk.config.runs_folder)
    maker.page(HOME, "", PageState.UNCHANGED, 304)
    desk.take(maker)

    assert desk.events()[1:] == [("claim_withdrawn", "source")]


def test_the_next_run_is_told_which_answer_the_servers_marks_came_with(desk: Desk) -> None:
    def taken(state: PageState, etag: str) -> tuple[RunMaker, list[tuple[str, HeldCapture | None]]]:
        desk.at += timedelta(hours=1)
        maker = RunMaker(page_card(), desk.at, desk.config.runs_folder)
        maker.page(HOME, shop_page((CURE,), ""), state, etag=etag)
        desk.take(maker)
        return maker, [(item.etag, item.capture) for item in known_items(desk.engine, "site_kelda_example")]

    first, held = taken(PageState.READ, '"one"')
    [answer] = first.captures
    assert held == [('"one"', HeldCapture(id=answer.id, url=HOME, fetched_at=answer.fetched_at))]

    assert taken(PageState.UNCHANGED, '"one"')[1] == held
    assert taken(PageState.READ, "")[1] == [("", None)]


def test_a_rewording_is_one_event_with_both_wordings(desk: Desk) -> None:
    desk.take(desk.site(CURE))
    desk.take(desk.site(CURE_AGAIN))
    desk.take(desk.site(CURE_AGAIN))

    assert desk.events()[1:] == [("claim_reworded", "source")]
    with reading(desk.engine) as session:
        detail = session.exec(select(Event).where(Event.kind == "claim_reworded")).one().detail
        revisions = session.exec(select(ClaimRevision).order_by(col(ClaimRevision.number))).all()
    assert (detail["before"], detail["after"]) == (CURE, CURE_AGAIN)
    assert [revision.quote for revision in revisions] == [CURE, CURE_AGAIN]
    assert verify(desk.engine, desk.config).broken == ()


def test_two_variants_in_turn_make_no_event(desk: Desk) -> None:
    for claim in (CURE, CURE_AGAIN, CURE, CURE_AGAIN, CURE):
        desk.take(desk.site(claim))

    assert desk.events() == [("baseline_read", "source")]


def test_a_withdrawn_claim_reappears(desk: Desk) -> None:
    for claims in ((CURE, HAIR), (CURE,), (CURE,), (CURE, HAIR)):
        desk.take(desk.site(*claims))

    assert desk.events()[1:] == [("claim_withdrawn", "source"), ("claim_reappeared", "source")]


def test_a_page_that_could_not_be_read_withdraws_nothing(desk: Desk) -> None:
    desk.take(desk.site(CURE))
    for _ in range(3):
        blocked = RunMaker(
            page_card(),
            desk.at + timedelta(hours=1),
            desk.config.runs_folder,
            outcome=Outcome.BLOCKED,
            problems=[Problem(kind="blocked", message="captcha", url=HOME)],
        )
        desk.at += timedelta(hours=1)
        assert desk.take(blocked).state == "quarantined"

    assert live_quotes(desk.engine) == {CURE}
    assert desk.events()[1:] == [("source_blind", "source")]


def test_a_source_goes_blind_once_and_recovers_once(desk: Desk) -> None:
    good = desk.letters()
    good.notice("a", "Kelda Labs")
    desk.take(good)
    for _ in range(3):
        quarantined = desk.take(desk.letters(outcome=Outcome.EMPTY))
    with reading(desk.engine) as session:
        blind = session.get_one(Source, "us_test_letters")
        assert (blind.state, blind.state_reason) == ("blind", "0 on the list, where never fewer than 1 are")
    good = desk.letters()
    good.notice("a", "Kelda Labs")
    desk.take(good)

    assert desk.events()[1:] == [("source_blind", "source"), ("source_recovered", "source")]
    assert [reason.code for reason in quarantined.reasons] == ["empty"]
    assert len(list(desk.config.runs_folder.glob(f"*/{REASONS_FILE}"))) == 3


def test_a_run_that_we_stopped_says_nothing_about_the_source(desk: Desk) -> None:
    good = desk.letters()
    good.notice("a", "Kelda Labs")
    desk.take(good)
    stopped = desk.take(desk.letters(outcome=Outcome.STOPPED))

    assert stopped.state == "quarantined"
    assert desk.events() == [("baseline_read", "source")]


def test_a_page_is_gone_after_two_looks_and_tells_of_its_claims_in_one_line(desk: Desk) -> None:
    desk.take(desk.site(CURE, HAIR))
    for turn in range(2):
        desk.at += timedelta(hours=1)
        maker = RunMaker(
            page_card(), desk.at, desk.config.runs_folder, request=RunRequest(pages=(HOME,)) if turn else RunRequest()
        )
        maker.page(HOME, "not found", PageState.GONE, 404)
        maker.page("http://kelda.example/about", "<p>About us</p>")
        result = desk.take(maker)
        assert result.second_look == (() if turn else (HOME,))

    assert desk.events()[1:] == [("page_gone", "source")]
    with reading(desk.engine) as session:
        assert sorted(session.exec(select(Event).where(Event.kind == "page_gone")).one().detail["claims"]) == sorted(
            [CURE, HAIR]
        )
        assert {claim.state for claim in session.exec(select(Claim))} == {"withdrawn"}
        gone_at = session.exec(select(Event).where(Event.kind == "page_gone")).one().at
        assert {claim.ended_at for claim in session.exec(select(Claim))} == {gone_at}
        assert session.exec(select(Page).where(Page.url == HOME)).one().state == "gone"


def test_a_moved_claim_makes_no_event(desk: Desk) -> None:
    first = desk.site(CURE)
    first.page("http://kelda.example/other", shop_page([SAFE]))
    desk.take(first)
    second = desk.site()
    second.page("http://kelda.example/other", shop_page([SAFE, CURE]))
    desk.take(second)

    assert desk.events() == [("baseline_read", "source")]
    with reading(desk.engine) as session:
        moved = session.exec(select(Claim).where(Claim.quote == CURE)).one()
        assert session.get_one(Page, moved.page_id).url.endswith("/other")
    assert verify(desk.engine, desk.config).broken == ()


def test_what_our_rules_change_is_not_what_the_seller_changed(desk: Desk, knowledge: Knowledge) -> None:
    """A category is switched off: the standing claim is cleared by the rules; on again: flagged by the rules."""
    desk.take(desk.site(CURE, HAIR))
    with reading(desk.engine) as session:
        category = session.exec(select(Claim).where(Claim.quote == CURE)).one().category
    others = tuple(one for one in knowledge.claims if one.category != category)
    without = with_rules(knowledge, "without one category", claims=others)
    cleared = rejudge(desk.engine, without, desk.config, now=desk.at)
    flagged = rejudge(desk.engine, knowledge, desk.config, now=desk.at + timedelta(minutes=5))

    assert cleared.keys() <= {"claim_cleared", "claim_flagged"}
    assert cleared
    assert flagged
    assert {cause for kind, cause in desk.events()[1:]} == {"rules"}
    assert live_quotes(desk.engine) == {CURE, HAIR}


def test_changed_rules_and_a_changed_page_in_one_run_keep_their_causes(desk: Desk, knowledge: Knowledge) -> None:
    desk.take(desk.site(CURE))
    desk.knowledge = with_rules(knowledge, "another version")
    desk.take(desk.site(CURE, HAIR))

    assert desk.events()[1:] == [("claim_appeared", "source")]


def test_a_dry_run_leaves_nothing(desk: Desk) -> None:
    result = desk.take(desk.site(CURE), dry_run=True)

    assert result.events["claim_appeared"] == 1
    with reading(desk.engine) as session:
        assert session.exec(select(Run)).all() == []
        assert session.exec(select(Claim)).all() == []


def test_an_altered_folder_is_refused_and_leaves_nothing(desk: Desk) -> None:
    folder = desk.site(CURE).write()
    (folder / "items.jsonl").write_bytes(b"")

    with pytest.raises(UnreadableRunError, match="altered or cut"):
        take_in(desk.engine, folder, desk.config, desk.knowledge)
    with reading(desk.engine) as session:
        assert session.exec(select(Run)).all() == []


def test_a_moved_data_folder_still_verifies(desk: Desk, tmp_path: Path) -> None:
    desk.take(desk.site(CURE))
    shutil.move(desk.config.data, tmp_path / "elsewhere")

    assert verify(desk.engine, desk.config.model_copy(update={"data": tmp_path / "elsewhere"})).broken == ()
