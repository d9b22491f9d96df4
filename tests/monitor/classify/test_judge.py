"""Golden cases: the hard cases and traps of the claim taxonomy, in our own words."""

from dataclasses import dataclass

import pytest

from monitor.classify import Judgement, Query, judge
from monitor.knowledge import load

KNOWLEDGE = load()


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    decision: str  # flag, clear, or any (only the findings count)
    categories: frozenset[str] = frozenset()
    dropped: str = ""
    url: str = ""
    html: bool = True


SHOP = "<nav><a href='/cart'>Cart</a></nav><button>Add to cart</button>"
BOOK = "<a href='/book-now'>Book your consultation</a><p>Our clinic welcomes you.</p>"
CASES = [
    Case("hedged", "<p>Our exosomes may help people with arthritis.</p>", "flag", frozenset({"disease_treatment"})),
    Case(
        "disclaimer beside a claim",
        f"{SHOP}<h1>Exosome vials</h1><p>Exosomes treat arthritis.</p><footer>These statements have not been evaluated "
        "by the FDA. This product is not intended to diagnose, treat, cure or prevent any disease.</footer>",
        "flag",
        frozenset({"disease_treatment"}),
        dropped="negated",
    ),
    Case(
        "balanced clinic page that still books",
        f"{BOOK}<h2>About exosomes</h2><p>Exosomes are not FDA approved. Exosomes repair damaged cartilage.</p>",
        "flag",
        frozenset({"drug_structure_function"}),
        dropped="negated",
    ),
    Case(
        "question answered with no",
        "<h2>Are exosomes approved by the FDA?</h2><p>No. None of them are.</p>",
        "clear",
        dropped="question",
    ),
    Case(
        "question answered with yes",
        "<p>Do exosomes cure arthritis? Yes, they do.</p>",
        "flag",
        frozenset({"disease_treatment"}),
    ),
    Case(
        "complaint asked, product answers",
        "<p>Tired of living with fibromyalgia? Our exosomes help.</p>",
        "flag",
        frozenset({"disease_treatment"}),
    ),
    Case(
        "attributed by an agency",
        "<p>The agency warns that clinics claim exosomes cure autism.</p>",
        "clear",
        dropped="attributed",
    ),
    Case(
        "regulator's letter",
        "<p>WARNING LETTER</p><p>Dear Dr Kolm: Your website states that your exosomes treat arthritis. Your product is "
        "a drug under section 201(g) of the FD&amp;C Act and is misbranded. Reply within fifteen working days.</p>",
        "clear",
        dropped="quoted",
    ),
    Case(
        "news by its host",
        "<h1>Exosome clinics boom</h1><p>Exosomes treat arthritis, the clinic's leaflet reads.</p>",
        "clear",
        dropped="attributed",
        url="https://www.statnews.com/2026/clinics",
    ),
    Case(
        "news by its structure",
        '<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2026-03-01","author":'
        '{"name":"R. Vale"}}</script><h1>Exosome boom</h1><p>By our reporter. Exosomes heal scars, owners told the '
        "Harbour Post. Experts warn of infections.</p>",
        "clear",
        dropped="attributed",
    ),
    Case(
        "abstract",
        "<h2>Abstract</h2><p>Background: exosomes repair cartilage in mice. Methods: we assessed rats in vivo. "
        "Results: exosomes were safe and effective (p&lt;0.05).</p>"
        "<p>Keywords: exosomes. Corresponding author: N. Orr.</p>",
        "clear",
        dropped="scientific",
    ),
    Case(
        "reagent",
        "<h1>Exosomes, purified</h1><p>Cat. No. EX-1001. For research use only. Not for human use. CD63 and CD81 by "
        "western blot. Store at -80. Exosomes stimulate cell proliferation in vitro.</p>",
        "clear",
        dropped="scientific",
    ),
    Case(
        "lawful cosmetic",
        f"{SHOP}<h1>Rice exosome serum</h1><p>Leaves skin soft and hydrated and visibly reduces the appearance of fine "
        "lines.</p>",
        "clear",
        dropped="cosmetic",
    ),
    Case(
        "plant exosomes with a drug claim",
        f"{SHOP}<h1>Rose exosome serum</h1><p>Stimulates collagen production and heals acne scars.</p>",
        "flag",
        frozenset({"drug_structure_function", "skin_drug_claim"}),
    ),
    Case(
        "bare list items",
        f"{BOOK}<h1>Exosome therapy</h1><h2>Conditions we treat</h2><ul><li>Autism</li><li>COPD</li>"
        "<li>Lupus</li></ul>",
        "flag",
        frozenset({"disease_treatment", "vulnerable_group"}),
    ),
    Case(
        "table rows",
        f"{BOOK}<h1>Exosomes</h1><h2>What exosomes help with</h2><table><tr><td>Psoriasis</td></tr></table>",
        "flag",
        frozenset({"disease_treatment"}),
    ),
    Case(
        "claim in alt text, meta and structured data",
        "<meta name='description' content='Exosomes that cure arthritis'><img alt='Exosomes regrow hair'>"
        '<script type="application/ld+json">{"@type":"Product","name":"Exo","description":"Exosomes heal burns."}'
        "</script>",
        "flag",
        frozenset({"disease_treatment", "hair_regrowth", "skin_drug_claim"}),
    ),
    Case(
        "no more pain",
        f"{BOOK}<p>No more joint pain with our exosomes.</p>",
        "flag",
        frozenset({"disease_treatment"}),
    ),
    Case("not only", "<p>Exosomes not only treat arthritis, they last.</p>", "flag", frozenset({"disease_treatment"})),
    Case(
        "concessive clause",
        "<p>Although exosomes are not approved, they repair cartilage.</p>",
        "flag",
        frozenset({"drug_structure_function"}),
    ),
    Case("RNA exosome complex", "<p>The RNA exosome complex degrades RNA and repairs cells.</p>", "clear"),
    Case("no product", f"{BOOK}<p>Our massage treats arthritis and cures back pain.</p>", "clear"),
    Case("other product", "<p>Minoxidil is an FDA-approved remedy for hair loss.</p><h3>Exosomes</h3>", "any"),
    Case(
        "pregnancy as contraindication",
        f"{BOOK}<h1>Exosomes</h1><p>Not suitable in pregnancy.</p>",
        "clear",
    ),
    Case(
        "sold as cosmetic, dosed for infusion",
        f"{SHOP}<h1>Exosomes, 50 billion</h1><p>For cosmetic use only. Infuse exosomes intravenously over 90 "
        "minutes.</p>",
        "flag",
        frozenset({"route_injection_iv"}),
    ),
    Case(
        "unapproved-product statements with strong claims",
        "<p>当院のエクソソーム点滴は未承認医薬品です。エクソソームで変形性関節症を治療します。</p>",
        "flag",
        frozenset({"disease_treatment"}),
    ),
    Case(
        "look-alike letters",
        "<p>Our ех\u043es\u043em\u0435s tr\u0435\u0430t \u0430rthritis.</p>",
        "flag",
        frozenset({"disease_treatment"}),
    ),
    Case(
        "loophole",
        f"{SHOP}<p>These exosomes are a minimally manipulated 361 HCT/P.</p>",
        "flag",
        frozenset({"legal_loophole"}),
    ),
]


def _judge(case: Case) -> Judgement:
    page, text = (case.text, None) if case.html else (None, case.text)
    return judge(Query(id=case.name, html=page, text=text, url=case.url), KNOWLEDGE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Case) -> None:
    judged = _judge(case)
    seen = [(claim.category, claim.status, claim.decision, claim.quote) for claim in judged.findings + judged.dropped]
    if case.decision != "any":
        assert judged.decision == case.decision, (judged.role, judged.role_why, seen)
    flagged = {claim.category for claim in judged.findings if claim.decision == "flag"}
    assert case.categories <= flagged, seen
    if case.dropped:
        assert case.dropped in {claim.status for claim in judged.dropped}, seen


def test_other_product_is_not_our_claim() -> None:
    judged = _judge(next(case for case in CASES if case.name == "other product"))
    assert not [claim for claim in judged.findings if "Minoxidil" in claim.quote]


def test_list_item_is_quoted_alone() -> None:
    judged = _judge(next(case for case in CASES if case.name == "bare list items"))
    quotes = {claim.quote for claim in judged.findings if claim.category == "disease_treatment"}
    assert {"Autism", "COPD", "Lupus"} <= quotes


def test_dropped_claims_say_why() -> None:
    judged = _judge(next(case for case in CASES if case.name == "attributed by an agency"))
    claim = judged.dropped[0]
    assert "Left out" in claim.why
    assert {cue.kind for cue in claim.cues} & {"attribution", "quoted"}


def test_hedge_is_recorded_and_never_cancels() -> None:
    judged = _judge(next(case for case in CASES if case.name == "hedged"))
    assert judged.findings[0].hedged
    assert "does not cancel" in judged.findings[0].why


def test_obfuscation_is_recorded() -> None:
    judged = _judge(next(case for case in CASES if case.name == "look-alike letters"))
    assert judged.findings[0].obfuscated
    assert judged.findings[0].statement.text == judged.document.text


def test_role_says_why() -> None:
    judged = _judge(next(case for case in CASES if case.name == "news by its host"))
    assert (judged.role, "statnews.com" in judged.role_why) == ("news", True)


def test_jurisdictions_asked_for_are_answered_in_order() -> None:
    query = Query(id="q", text="Our exosomes treat arthritis.", jurisdictions=("ca", "us", "zz"))
    claim = judge(query, KNOWLEDGE).findings[0]
    assert [verdict.code for verdict in claim.jurisdictions] == ["ca", "us", "zz"]
    assert claim.jurisdictions[1].assessed
    assert claim.jurisdictions[1].legal_basis
    assert not claim.jurisdictions[2].assessed
    assert claim.jurisdictions[2].legal_basis == ()


def test_without_signs_the_four_assessed_jurisdictions_answer() -> None:
    claim = judge(Query(id="q", text="Our exosomes treat arthritis."), KNOWLEDGE).findings[0]
    assert [verdict.code for verdict in claim.jurisdictions] == ["us", "uk", "eu", "ca"]
    assert all(verdict.assessed and verdict.legal_basis for verdict in claim.jurisdictions)


@pytest.mark.parametrize("query", [Query(id="a"), Query(id="b", html="<p>x</p>", text="x")])
def test_query_needs_exactly_one_text(query: Query) -> None:
    with pytest.raises(ValueError, match="either html or text"):
        judge(query, KNOWLEDGE)


@pytest.mark.parametrize(
    "text",
    [
        "Egzosomy dopuszczone przez Ministerstwo Zdrowia oraz FDA, klasa premium.",
        "Produit homologué par l'ANSM, exosomes injectables de première qualité.",
    ],
)
def test_a_seller_who_names_an_agency_for_itself_is_not_quoted_by_it(text: str) -> None:
    judged = judge(Query(id="n", text=text, product_context=True), KNOWLEDGE)
    assert judged.decision == "flag"
    assert [claim.status for claim in judged.dropped] == ["quoted"]


@pytest.mark.parametrize("text", ["Our exosomes treat COPD.", "Exosomes regrow hair.", "Egzosomy leczą artretyzm."])
def test_the_plainest_statement_is_flagged(text: str) -> None:
    assert judge(Query(id="p", text=text), KNOWLEDGE).decision == "flag"


def test_a_long_sentence_is_quoted_by_the_words_that_claim() -> None:
    told = "Our exosome drip rebuilds the worn cartilage of your knee, and the coffee in our lounge is free for all."
    judged = judge(Query(id="q", text=told), KNOWLEDGE)
    claims = {claim.quote for claim in judged.findings if claim.category == "disease_treatment"}
    assert claims
    assert all("cartilage" in quote and "coffee" not in quote for quote in claims)
    for claim in judged.findings:
        assert judged.document.text[claim.start : claim.end] == claim.quote


def test_what_the_model_saves_is_not_told_to_be_left_out() -> None:
    """The product is named far above, so the rules alone would leave the statement out."""
    blocks = (
        "Our house",
        "Parking is free",
        "Exosome drips on Mondays",
        "Tea and coffee",
        "Meet the team",
        "Fees",
        "Jobs",
    )
    far = "".join(f"<p>{block} in Kelda Street {number}.</p>" for number, block in enumerate((*blocks, *blocks)))
    page = f"{far}<p>Everything we give here is fully approved by COFEPRIS, and licensed.</p>"
    found = [claim for claim in judge(Query(id="f", html=page), KNOWLEDGE).findings if "COFEPRIS" in claim.quote]
    assert found
    for claim in found:
        assert "too unsure" in claim.why
        doubt = " Its page as a whole leaves doubt that it makes claims: a person decides."
        assert claim.why.removesuffix(doubt).endswith("kept.")
        assert claim.decision == "review" or not claim.why.endswith(doubt)


@pytest.mark.parametrize("text", ["49.00", "129.00 EUR", "24 Personen sehen sich diesen Artikel gerade an"])
def test_a_price_or_a_counter_is_no_claim(text: str) -> None:
    assert judge(Query(id="c", text=text, product_context=True), KNOWLEDGE).decision == "clear"


def test_a_rule_s_quote_holds_what_the_rule_met() -> None:
    """Of one sentence two rules met different words: neither is shown without its own."""
    told = (
        "A Kelda infusion of exosomes treats the inflammation behind chronic fatigue, "
        "and our guests feel the difference."
    )
    judged = judge(Query(id="r", text=told), KNOWLEDGE)
    quotes = {claim.category: claim.quote for claim in judged.findings}
    assert "infusion" in quotes["route_injection_iv"]
    assert "inflammation" in quotes["disease_treatment"]
    assert "difference" not in quotes["disease_treatment"]
