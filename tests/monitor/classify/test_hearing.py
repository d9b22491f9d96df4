"""Who speaks on a page is heard all over it; signs in a few of its words do not outweigh that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.classify import Query, judge
from monitor.classify.compose import Page
from monitor.classify.hearing import Heard, hear, settled
from monitor.classify.judge import windows_of
from monitor.classify.quotes import Quote
from monitor.classify.role import PageRole
from monitor.knowledge import Knowledge, load

CLINIC = """<html lang="en"><title>Vesicle infusions | Alderbrook Joint House</title><body>
<h1>Exosome infusions for worn joints</h1>
<p>Our lyophilised exosomes are reconstituted at your chair and go straight into the knee.</p>
<p>Book your first visit online and you will be seen by one of our three doctors within a week.</p>
<p>Unlike the placebo arm of many a cohort study, our guests walk down the stairs again after ten days.</p>
<p>We keep a room with a view of the orchard for those who travel far, at no extra charge.</p>
<p>Call us for a quote; payment in four instalments is possible with our partner bank.</p>
<p>Your driver waits downstairs, and the nurse rings you on the third day to ask how you are.</p>
</body></html>"""
REPORT = """<html lang="en"><title>Clinics sell vesicles by the billion | The Harrow Ledger</title><body>
<h1>Exosome clinics spread through the county</h1>
<p>A drip of exosomes costs 4,800 pounds at one house in the high street, and treats arthritis, its price list says.</p>
<p>Nobody had checked that claim until the county's trading standards officers called last month.</p>
<p>Three former clients told this newspaper that they had noticed no change and were refused a refund.</p>
<p>The owner declined to be interviewed and referred questions to a solicitor, who did not reply.</p>
<p>Professor Lowri Penhale, who studies such vesicles, said that no trial had yet shown any benefit in people.</p>
<p>The council will decide in March whether to prosecute, a spokesman confirmed on Tuesday evening.</p>
</body></html>"""


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


def _page(html: str, knowledge: Knowledge) -> Page:
    return windows_of(Query("a", html=html), knowledge)[0].page


def test_a_seller_and_a_reporter_are_told_apart(knowledge: Knowledge) -> None:
    seller, reporter = (hear(_page(html, knowledge), knowledge) for html in (CLINIC, REPORT))
    assert seller is not None
    assert reporter is not None
    assert seller.sells > 0.8 > 0.5 > reporter.sells
    assert reporter.reporter == "news"


def test_a_clinic_that_sounds_learned_is_flagged(knowledge: Knowledge) -> None:
    judged = judge(Query("a", html=CLINIC), knowledge)
    assert judged.decision == "flag"
    assert judged.role in ("seller", "clinic")


@pytest.mark.parametrize("read", [64, 1])
def test_where_the_page_leaves_doubt_nothing_is_flagged_and_it_is_said(
    read: int, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what the model did not get to read."""
    html = CLINIC.replace("</body>", "<ul><li>Arthritis</li><li>Our exosomes treat gout</li></ul></body>")
    assert judge(Query("a", html=html), knowledge).decision == "flag"
    doubting = _weighed(knowledge, speaks=99.0, alone=99.0)
    needs = doubting.scoring.fusion.on_a_page
    monkeypatch.setattr("monitor.classify.fuse._READ_AT_MOST", read)
    judged = judge(Query("a", html=html), doubting)
    assert judged.whole_page
    assert judged.decision == "review"
    said = [claim.why for claim in judged.findings if claim.confidence >= needs.flag]
    assert said
    assert all("Its page as a whole leaves doubt that it makes claims: a person decides." in why for why in said)


@pytest.mark.parametrize(("speaks", "likelier"), [(0.75, True), (99.0, False)])
def test_who_makes_claims_makes_many(speaks: float, likelier: bool, knowledge: Knowledge) -> None:
    """A statement is likelier on a page that speaks of claims, and no likelier on one that leaves doubt."""
    html = CLINIC.replace("</body>", "<ul><li>Arthritis</li><li>Our exosomes treat gout</li></ul></body>")
    sure: list[dict[str, float]] = []
    for spoken in (0.0, 1.0):
        weighed = _weighed(knowledge, speaks=speaks, alone=99.0, spoken=spoken, flag=0.1)
        found = judge(Query("a", html=html), weighed).findings
        # the model reads no title
        sure.append({one.quote: one.confidence for one in found if one.quote != "Vesicle infusions"})
    assert len(sure[0]) > 3
    assert {sure[1][quote] > before for quote, before in sure[0].items()} == {likelier}


def test_a_scrap_of_a_page_is_no_claim_however_it_is_marked(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "monitor.classify.fuse.quotes", lambda _text, start, end, _marked: [Quote(start, end, start, end, 3.0)]
    )
    html = CLINIC.replace("</body>", "<ul><li>New</li><li>$40</li><li>Back to tennis</li></ul></body>")
    judged = judge(Query("a", html=html), _weighed(knowledge, spoken=12.0, flag=0.05))
    quotes = {one.quote for one in judged.findings}
    assert "Back to tennis" in quotes
    assert not {"New", "$40"} & quotes


def _weighed(knowledge: Knowledge, **weights: float) -> Knowledge:
    fusion = knowledge.scoring.fusion
    page = fusion.on_a_page.model_copy(update=weights)
    scoring = knowledge.scoring.model_copy(update={"fusion": fusion.model_copy(update={"on_a_page": page})})
    return replace(knowledge, scoring=scoring)


def test_a_report_that_names_prices_is_not(knowledge: Knowledge) -> None:
    judged = judge(Query("a", html=REPORT), knowledge)
    assert judged.decision != "flag"
    assert "heard as a seller's" in judged.role_why or judged.role == "news"


def test_a_passage_is_too_short_to_hear_who_speaks(knowledge: Knowledge) -> None:
    html = "<p>Exosomes treat arthritis, and we have the photographs to prove it.</p>" * 9  # the same is no more
    assert hear(_page(html, knowledge), knowledge) is None


SELLS, DOUBTS, REPORTS = Heard(0.95, "news"), Heard(0.6, "news"), Heard(0.1, "science")


@pytest.mark.parametrize(
    ("signs", "heard", "role", "doubtful"),
    [
        (PageRole("unknown", "no sign", ""), None, "unknown", False),
        (PageRole("unknown", "no sign", ""), SELLS, "seller", False),
        (PageRole("science", "“placebo”", "scientific"), SELLS, "seller", False),
        (PageRole("science", "“placebo”", "scientific"), DOUBTS, "science", True),
        (PageRole("unknown", "no sign", ""), DOUBTS, "unknown", True),
        (PageRole("unknown", "no sign", ""), REPORTS, "science", False),
        (PageRole("clinic", "“our physicians”", ""), SELLS, "clinic", False),
        (PageRole("clinic", "“our physicians”", ""), DOUBTS, "clinic", False),
        (PageRole("seller", "shows prices", ""), REPORTS, "science", False),
        (PageRole("news", "host a.example is a known publisher", "attributed", known=True), SELLS, "news", False),
    ],
)
def test_signs_stand_unless_the_page_is_clearly_heard_otherwise(
    signs: PageRole, heard: Heard | None, role: str, doubtful: bool, knowledge: Knowledge
) -> None:
    found = settled(signs, heard, {"science": "scientific", "news": "attributed"}, knowledge.scoring.fusion)
    assert (found.role, found.doubtful) == (role, doubtful)
    assert (found.status == "") == (role in ("seller", "clinic", "unknown"))
    if found.role != signs.role:
        assert signs.why in found.why


def test_what_is_heard_does_not_depend_on_the_order_of_blocks(knowledge: Knowledge) -> None:
    page = _page(CLINIC, knowledge)
    turned = replace(page, parts=page.parts[::-1])
    one, other = hear(page, knowledge), hear(turned, knowledge)
    assert one is not None
    assert other is not None
    assert one.sells == pytest.approx(other.sells, abs=1e-6)
