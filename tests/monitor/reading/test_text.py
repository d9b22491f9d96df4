"""Canonical text: blocks, offsets, encodings, hostile pages, folding."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.folding import fold
from monitor.reading.text import BLOCK_KINDS, Document, read_html, read_text

PAGE = """<!doctype html><html lang="en-GB"><head><title>Vesica &amp; Co</title>
<meta name="description" content="Serums from Vesica"><meta property="og:site_name" content="Vesica">
<link rel="alternate" hreflang="de" href="/de">
<script type="application/ld+json">{"@type":"Product","name":"Vesica Exo 50","description":"A gel.",
"offers":{"@type":"Offer","price":"99","priceCurrency":"EUR"},}</script>
<script type="application/ld+json">{"@type":"FAQPage","mainEntity":[{"@type":"Question","name":"Does it sting?",
"acceptedAnswer":{"@type":"Answer","text":"<p>No, not <b>at all</b>.</p>"}}]}</script>
<style>.hidden{}</style></head><body>
<nav><a href="/">Home</a><a href="/book-now">Book</a></nav>
<h1>Exo<b>some</b><br>care</h1><p>First words.</p><script>var secret = 1;</script>
<h2>What we treat</h2><ul><li>Autism</li><li>Lupus</li></ul>
<table><caption>Prices</caption><tr><th>Vial</th><td>&euro;99</td></tr></table>
<figure><img src="a.png" alt="A vial on a shelf"><figcaption>The vial</figcaption></figure>
<blockquote><p>It helped me.</p></blockquote><details><summary>Is it safe?</summary><p>Ask us.</p></details>
<form action="/cart/add"><button>Add to cart</button><input type="submit" value="Pay"></form>
<footer><p>Call <a href="tel:+44 20 7946 0000">us</a></p><ul><li>Imprint</li></ul></footer></body></html>"""


def _blocks(document: Document, kind: str) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks if block.kind == kind]


def test_every_kind_of_block_is_kept() -> None:
    document = read_html(PAGE)
    assert {block.kind for block in document.blocks} == set(BLOCK_KINDS)
    assert _blocks(document, "title") == ["Vesica & Co"]
    assert _blocks(document, "list_item") == ["Autism", "Lupus"]
    assert _blocks(document, "nav") == ["Home", "Book"]
    assert _blocks(document, "footer") == ["Call", "us", "Imprint"]
    assert _blocks(document, "alt") == ["A vial on a shelf"]
    assert _blocks(document, "button") == ["Add to cart", "Pay"]
    assert _blocks(document, "quote") == ["It helped me."]
    assert _blocks(document, "jsonld") == ["Vesica Exo 50", "A gel.", "Does it sting?", "No, not at all."]
    assert "secret" not in document.text
    assert "hidden" not in document.text


def test_inline_tags_join_and_headings_make_paths() -> None:
    document = read_html(PAGE)
    item = next(block for block in document.blocks if block.kind == "list_item")
    assert item.heading_path == ("Exosome care", "What we treat")
    answer = next(block for block in document.blocks if document.text[block.start : block.end] == "No, not at all.")
    assert answer.heading_path == ("Does it sting?",)
    summary = next(block for block in document.blocks if document.text[block.start : block.end] == "Ask us.")
    assert summary.heading_path[-1] == "Is it safe?"


def test_marks_are_read() -> None:
    marks = read_html(PAGE).marks
    assert marks["html_lang"] == ["en-GB"]
    assert marks["site_name"] == ["Vesica"]
    assert marks["product_names"] == ["Vesica Exo 50"]
    assert marks["hreflang"] == ["de"]
    assert "EUR" in marks["currencies"]
    assert marks["phones"] == ["+44 20 7946 0000"]
    assert marks["booking"] == ["/book-now"]
    assert marks["cart"] == ["/cart/add"]


def test_blocks_tile_the_text_and_survive_storage() -> None:
    document = read_html(PAGE)
    assert "\n".join(document.text[block.start : block.end] for block in document.blocks) == document.text
    stored = json.loads(json.dumps(document.to_json()))
    assert Document.from_json(document.text, stored) == document


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        ("<p>crème für 30 €</p>".encode("cp1252"), "text/html; charset=iso-8859-1"),
        ("<p>crème für 30 €</p>".encode(), "text/html; charset=iso-8859-1"),  # the header lies
        (b"\xff\xfe" + "<p>crème für 30 €</p>".encode("utf-16-le"), ""),
        ("<meta charset='windows-1252'><p>crème für 30 €</p>".encode("cp1252"), ""),
        ("<p>crème für 30 €</p>".encode("cp1252"), "text/html; charset=no-such-thing"),
    ],
)
def test_encodings_and_their_lies(raw: bytes, content_type: str) -> None:
    assert read_html(raw, content_type).text == "crème für 30 €"


def test_broken_json_ld_gives_what_its_strings_say() -> None:
    page = '<script type="application/ld+json">{"name":"Exo gel" "description":"Soft on \\"skin\\""</script><p>x</p>'
    assert _blocks(read_html(page), "jsonld") == ["Exo gel", 'Soft on "skin"']


@pytest.mark.parametrize(
    ("page", "blocks"),
    [
        ("", 0),
        ("\x00\x00", 1),
        ("<<<>>>&&&", 1),
        ("w" * 5_000_000, 1),
        ("<ul>" + "<li>a" * 100_000, 100_000),
        ("<div>" * 200_000 + "deep", 1),
        ("<div>" * 50_000 + "deep" + "</div>" * 50_000, 1),
        ("<b><p>" * 20_000 + "x", 1),
        ("<table><tr><td>" * 300 + "x", 1),
    ],
)
def test_hostile_pages_give_a_document(page: str, blocks: int) -> None:
    assert len(read_html(page).blocks) == blocks


def test_plain_text_is_kept_as_it_is() -> None:
    text = "# Uses\n\n- Lupus\n• Gout\n  Plain words.  \n・関節\n"
    document = read_text(text)
    assert document.text == text
    assert [(block.kind, text[block.start : block.end]) for block in document.blocks] == [
        ("heading", "Uses"),
        ("list_item", "Lupus"),
        ("list_item", "Gout"),
        ("paragraph", "Plain words."),
        ("list_item", "関節"),
    ]
    assert document.blocks[1].heading_path == ("Uses",)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_html_gives_blocks_that_are_slices(text: str) -> None:
    for document in (read_html(text), read_text(text), read_html(f"<p>{text}</p><ul><li>{text}")):
        assert all(0 <= block.start < block.end <= len(document.text) for block in document.blocks)
        document.text.encode()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Exоsоme", "exosome"),  # Cyrillic o
        ("ex\u200bo\u00adsome", "exosome"),
        ("ｅｘｏｓｏｍｅ ＦＤＡ", "exosome fda"),
        ("𝐞𝐱𝐨𝐬𝐨𝐦𝐞", "exosome"),
        ("ex0s0me tr3atment", "exosome treatment"),
        ("Régénère l’œil", "regenere l'oeil"),
        ("re\u0301ge\u0301nère", "regenere"),
        ("Straße İstanbul ﬁn", "strasse istanbul fin"),
        ("e̶x̶o̶", "exo"),
        ("экзосомы лечат артрит", "экзосомы лечат артрит"),
        ("ＡＧＡ薄毛ﾊﾞｽ", "aga薄毛バス"),
        ("50 mg, CD9, 3D, H2O, a@b.example", "50 mg, cd9, 3d, h2o, a@b.example"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text).text == folded


def test_obfuscation_is_told_by_span() -> None:
    text = "Our exоsomes heal. Our serum cools. Eine Fuß\u00adpflege mit Öl."
    folded = fold(text)
    assert folded.obfuscated(4, 12)
    assert not folded.obfuscated(19, len(text))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_offsets_of_folded_text_lead_back(text: str) -> None:
    folded = fold(text)
    previous = 0
    for index in range(len(folded.text)):
        start, end = folded.span(index, index + 1)
        assert 0 <= start <= end <= len(text)
        assert start >= previous
        previous = start
    if folded.text.strip():
        start, end = folded.span(0, len(folded.text))
        assert fold(text[start:end]).text.strip() == folded.text.strip()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="exosme \u200b\u00ad ée\u0301ｅ", max_size=60))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text).text
    assert fold(once).text == once
