"""What must hold whatever the text: quotes, folding, disclaimers, negation, product, order."""

import html as markup
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.classify import Judgement, Query, gate, judge
from monitor.knowledge import load

KNOWLEDGE = load()
CLAIMS = (
    "Our exosomes treat arthritis.",
    "Exosome therapy repairs damaged nerves and calms inflammation.",
    "Exosomes regrow hair in three months.",
    "Exosomes have no side effects.",
    "These exosomes are FDA approved.",
)
DISCLAIMER = "These statements have not been evaluated by the FDA. Not intended to treat, cure or prevent any disease."
UNRELATED = "The library opens at nine and closes at six on weekdays."
BROKEN = (
    "ex&#111;somes",
    "exo<b>some</b>s",
    "exоsomes",
    "stem\n        cell drip",
    "stem <b> cells</b>",
    "stem\t\t\tcells",
    "stem&nbsp; cells",
)
HIDDEN = (
    '<p><img alt="exosome drops"></p>',
    '<meta name="description" content="Exosome drops">',
    '<form><input type="submit" value="Book exosomes"></form>',
    '<script type="application/ld+json">{"@type": "Product", "name": "\\u5916\\u6ccc\\u4f53"}</script><p>A</p>',
    '<script type="application/ld+json">{"@type": "Product", "name": "ex&#111;somes"}</script><p>A</p>',
)
LOOKALIKES = str.maketrans({"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "x": "х"})


def _text(text: str, **more: object) -> Judgement:
    return judge(Query(id="p", text=text, **more), KNOWLEDGE)  # type: ignore[arg-type]


def _verdict(judged: Judgement) -> tuple[str, frozenset[tuple[str, str]]]:
    return judged.decision, frozenset((claim.category, claim.decision) for claim in judged.findings)


def _disguises(text: str) -> dict[str, str]:
    return {
        "upper case": text.upper(),
        "no-break spaces": text.replace(" ", "\u00a0"),
        "zero-width characters": "\u200b".join(text),
        "soft hyphens": "\u00ad".join(text),
        "full width": "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text),
        "curly quotes": f"\u201c{text}\u201d",
    }


@pytest.mark.parametrize("claim", CLAIMS)
def test_verdict_is_the_same_under_spelling(claim: str) -> None:
    plain = _verdict(_text(claim))
    assert plain[0] == "flag"
    for name, disguised in _disguises(claim).items():
        assert _verdict(_text(disguised)) == plain, name


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("share", [1, 2, 3])
def test_look_alikes_hide_nothing_and_are_told(claim: str, share: int) -> None:
    words = claim.split()
    mixed = " ".join(
        word[:1] + word[1:].translate(LOOKALIKES) if index % share == 0 else word for index, word in enumerate(words)
    )
    judged = _text(mixed, lang="en")
    plain = {claim_.category for claim_ in _text(claim).findings}
    assert plain <= {claim_.category for claim_ in judged.findings}
    assert any(found.obfuscated for found in judged.findings) or mixed == claim


@pytest.mark.parametrize("claim", CLAIMS)
def test_wrapping_in_html_changes_nothing(claim: str) -> None:
    plain = _verdict(_text(claim))
    escaped = markup.escape(claim)
    middle = len(claim) // 2
    for page in (
        f"<p>{escaped}</p>",
        f"<div><div><span>{escaped}</span></div></div>",
        f"<p>{claim[:middle]}<b>{claim[middle:]}</b></p>",
        "<p>" + "".join(f"&#{ord(char)};" for char in claim) + "</p>",
        f"<section><p>\n   {claim.replace(' ', '   ')}\n</p></section>",
    ):
        assert _verdict(judge(Query(id="h", html=page), KNOWLEDGE)) == plain, page


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("other", [DISCLAIMER, UNRELATED])
@pytest.mark.parametrize("after", [True, False])
def test_another_block_never_removes_a_finding(claim: str, other: str, after: bool) -> None:
    alone = {(found.quote, found.category) for found in _text(claim).findings}
    parts = [claim, other] if after else [other, claim]
    page = "".join(f"<p>{part}</p>" for part in parts)
    together = judge(Query(id="b", html=page), KNOWLEDGE)
    assert alone <= {(found.quote, found.category) for found in together.findings}


@pytest.mark.parametrize("complaint", ["arthritis", "autism", "COPD", "hair loss", "eczema", "diabetes"])
@pytest.mark.parametrize(
    ("positive", "negative"),
    [("treat", "do not treat"), ("cure", "cannot cure"), ("reverse", "have never been shown to reverse")],
)
def test_negation_is_never_affirmed(complaint: str, positive: str, negative: str) -> None:
    assert _text(f"Exosomes {positive} {complaint}.").decision == "flag"
    denied = _text(f"Exosomes {negative} {complaint}.")
    assert denied.decision == "clear"
    assert {found.status for found in denied.dropped} == {"negated"}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_an_agency_warns_of_is_attributed(claim: str) -> None:
    told = _text(f"The agency warns that clinics claim {claim[0].lower()}{claim[1:]}")
    assert told.decision == "clear"
    assert {found.status for found in told.dropped} <= {"attributed", "quoted"}
    assert told.dropped


@pytest.mark.parametrize("claim", CLAIMS)
def test_no_finding_without_a_product(claim: str) -> None:
    other = claim.replace("Exosome therapy", "Massage").replace("exosomes", "pillows").replace("Exosomes", "Pillows")
    judged = _text(other)
    assert (judged.decision, judged.findings, judged.dropped) == ("clear", (), ())
    assert _text(other, product_context=True).product_names == ()


def test_product_context_opens_the_gate() -> None:
    assert _text("Treats arthritis and eases pain.").decision == "clear"
    assert _text("Treats arthritis and eases pain.", product_context=True).decision != "clear"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Two EV infusions eased his arthritis.", True),
        ("A freeze-dried EV that regrows hair.", True),
        ("The EV charging point is behind the clinic that treats arthritis.", False),
        ("EXO serum regrows hair.", True),
        ("EXO played two concerts for children with asthma.", False),
        ("膝の痛みは上清の点滴で消えます。", True),
        ("囊泡精华让头发再生。", True),
        ("소포 앰플로 탈모 끝.", True),
        ("탈모 샴푸를 소포로 보내드립니다.", False),
        ("Pęcherzyki z łożyska leczą stawy.", True),
        ("Inhalator leczy pęcherzyki płucne.", False),
        ("Synaptic vesicles return after depression.", False),
        ("Le milieu conditionné guérit les ulcères.", True),
    ],
)
def test_the_product_goes_by_many_names(text: str, named: bool) -> None:
    assert _text(text).names_product is named


def test_judging_is_deterministic_and_thread_safe() -> None:
    texts = [f"{claim} {UNRELATED}" for claim in CLAIMS] * 6
    alone = [_text(text).to_json() for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: _text(text).to_json(), texts)) == alone


def test_order_of_blocks_does_not_matter_to_the_verdicts() -> None:
    forth = judge(Query(id="f", html="".join(f"<p>{claim}</p>" for claim in CLAIMS)), KNOWLEDGE)
    back = judge(Query(id="f", html="".join(f"<p>{claim}</p>" for claim in reversed(CLAIMS))), KNOWLEDGE)
    assert {(found.quote, found.category, found.decision) for found in forth.findings} == {
        (found.quote, found.category, found.decision) for found in back.findings
    }


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*CLAIMS, "é", "\u200b", "治療 エクソソーム", "\U0001f600", "ﬁ"]), max_size=6),
    st.text(max_size=40),
)
def test_quotes_are_the_text_at_their_offsets(parts: list[str], noise: str) -> None:
    for judged in (_text(noise.join(parts)), judge(Query(id="h", html=f"<p>{noise.join(parts)}</p>"), KNOWLEDGE)):
        for claim in judged.findings + judged.dropped:
            assert judged.document.text[claim.start : claim.end] == claim.quote
            assert claim.quote.strip() == claim.quote != ""
            stated = claim.statement
            assert judged.document.text[stated.start : stated.end] == stated.text
            assert stated.start < claim.end
            assert claim.start < stated.end
            assert 0 <= claim.confidence <= 1
            assert all(0 <= cue.start <= cue.end <= len(judged.document.text) for cue in claim.cues)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.sampled_from([*CLAIMS, UNRELATED, *BROKEN]))
def test_the_screen_never_hides_a_product(noise: str, part: str) -> None:
    page = f"<p>{noise}{part}</p>"
    if judge(Query(id="s", html=page), KNOWLEDGE).names_product:
        assert gate(KNOWLEDGE).screen(page)


@pytest.mark.parametrize("page", [f"<p>{part}</p>" for part in BROKEN] + list(HIDDEN))
def test_the_screen_sees_a_name_however_it_is_written(page: str) -> None:
    assert judge(Query(id="s", html=page), KNOWLEDGE).names_product
    assert gate(KNOWLEDGE).screen(page)
    assert gate(KNOWLEDGE).screen(f"<p>{UNRELATED * 400}</p>{page}")


def test_a_name_that_only_an_address_holds_does_not_pass_the_screen() -> None:
    page = '<p class="exosome">Open from nine.</p><a href="/exosome">Hours</a>'
    assert not judge(Query(id="s", html=page), KNOWLEDGE).names_product
    assert not gate(KNOWLEDGE).screen(page)
