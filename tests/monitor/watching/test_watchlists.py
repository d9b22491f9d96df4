"""Watchlists: whole terms at their exact place, and every criterion met."""

from __future__ import annotations

import random
import string
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.config import Watchlist
from monitor.watching.views import EventView, Passage
from monitor.watching.watchlists import (
    Index,
    folded_domain,
    folded_term,
    match,
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
