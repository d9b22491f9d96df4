"""Which jurisdictions a page speaks to, and by what evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify.addressed import addressed
from monitor.text import Document, read_html, read_text


def codes(text: str, url: str = "https://vesimed.example/serum", lang: str = "en") -> list[str]:
    return [one.code for one in addressed(read_text(text), url, lang)]


def why(text: str, code: str, url: str = "https://vesimed.example/serum", lang: str = "en") -> str:
    return next(one.why for one in addressed(read_text(text), url, lang) if one.code == code)


@pytest.mark.parametrize(
    "text",
    [
        "Our serum calms the skin and keeps it soft.",
        "Exosome vials, 49 a piece, shipped worldwide.",
        "Only $49 today.",
        "Our clinic in London.",
        "It tells us how to ship to us in May.",
        "Made in Korea with care.",
        "Batch AB1C 2CD, strain CD63 9AB, lot 90503.",
        "Ring 020 7946 0958 or write to us.",
        "",
    ],
)
def test_english_alone_and_weak_signs_are_no_guess(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "code", "evidence"),
    [
        ("One vial: £49.00", "uk", 'price "£49.00"'),
        ("99,90 € je Sitzung", "eu", 'price "99,90 €"'),
        ("C$650 a session", "ca", 'price "C$650"'),
        ("CAD 650 a session", "ca", 'price "CAD 650"'),
        ("650 CAD a session", "ca", 'price "650 CAD"'),
        ("US$ 500 a vial", "us", 'price "US$ 500"'),
        ("$500 USD a vial", "us", 'price "$500 USD"'),
        ("A$500 a vial", "au", 'price "A$500"'),
        ("시술 50만원", "kr", 'price "50만원"'),
        ("一回 30,000円", "jp", 'price "30,000円"'),
        ("R$ 900 por sessão", "br", 'price "R$ 900"'),
        ("Call +44 20 7946 0958", "uk", 'telephone "+44 20 7946 0958"'),
        ("Call +1 416 555 0123", "ca", 'telephone "+1 416 555 0123"'),
        ("Call +1 202 555 0123", "us", 'telephone "+1 202 555 0123"'),
        ("Suite 4, Springfield, IL 62701", "us", 'postal address "IL 62701"'),
        ("Suite 4, Springfield, Illinois 62701-0001", "us", 'postal address "Illinois 62701-0001"'),
        ("1 High Street, Leeds LS1 4AP", "uk", 'postcode "LS1 4AP"'),
        ("12 King St, Toronto ON M5V 2T6", "ca", 'postcode "ON M5V 2T6"'),
        ("We ship to the UK in two days.", "uk", 'delivery "ship to the UK"'),
        ("Free shipping within the U.S. and Canada.", "ca", "U.S. and Canada"),
        ("Free UK delivery on all orders", "uk", 'delivery "Free UK"'),
        ("Versand nach Österreich", "eu", "(Austria, a member state)"),
        ("Livraison en France sous 48 h", "eu", "(France, a member state)"),
        ("Envíos a España", "eu", "(Spain, a member state)"),
        ("Our clinics across Canada", "ca", 'premises "clinics across Canada"'),
    ],
)
def test_strong_signs_are_enough_and_are_quoted(text: str, code: str, evidence: str) -> None:
    assert code in codes(text)
    assert evidence in why(text, code)


@pytest.mark.parametrize(
    ("url", "expected", "evidence"),
    [
        ("https://www.example.co.uk/serum", "uk", 'host ends in ".co.uk"'),
        ("https://example.ca/", "ca", 'host ends in ".ca"'),
        ("https://example.de/", "eu", 'host ends in ".de" (Germany, a member state)'),
        ("https://example.eu/", "eu", 'host ends in ".eu"'),
        ("https://example.jp/", "jp", 'host ends in ".jp"'),
        ("https://example.com/en-gb/serum", "uk", 'locale in the address "/en-gb/"'),
    ],
)
def test_the_address_counts(url: str, expected: str, evidence: str) -> None:
    assert codes("Serum.", url) == [expected]
    assert evidence in why("Serum.", expected, url)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/", "https://example.io/", "https://example.co/", "https://example.ai/x", "http://127.0.0.1/",
     "", "https://vesimed.example/uk-news/", "not an address"],
)  # fmt: skip
def test_general_suffixes_say_nothing(url: str) -> None:
    assert codes("Serum.", url) == []


def test_two_weak_signs_of_different_kinds_are_enough() -> None:
    assert codes("Only $49. Call (202) 555-0123.") == ["us"]
    assert codes("Only $49, then $99, then $199.") == []


def test_a_bare_dollar_is_not_american_beside_another_dollar_country() -> None:
    assert codes("Only $49. Call (202) 555-0123. 12 King St, Toronto ON M5V 2T6") == ["ca"]
    assert codes("Only $49. A$99.") == ["au"]


@pytest.mark.parametrize(
    "text",
    [
        "We do not ship to the UK.",
        "We don't deliver to the UK.",
        "We cannot ship to the UK.",
        "We ship to Canada but not to the UK.",
        "We ship to Canada, excluding the UK.",
    ],
)
def test_refused_delivery_is_no_sign(text: str) -> None:
    assert "uk" not in codes(text)


def test_a_list_of_countries_gives_each() -> None:
    found = addressed(read_text("We ship to the UK, Canada and Germany but not to the U.S."), "", "")
    assert {one.code for one in found} == {"uk", "ca", "eu"}


def test_a_sentence_ends_the_list() -> None:
    assert codes("We ship to Canada. The UK has its own rules.") == ["ca"]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("de", ["eu"]), ("it-IT", ["eu"]), ("ko", ["kr"]), ("ja", ["jp"]), ("en-GB", ["uk"]), ("fr-CA", ["ca"]),
     ("en", []), ("en-US", []), ("es", []), ("fr", []), ("pt", []), ("zh", []), ("", [])],
)  # fmt: skip
def test_a_language_counts_only_where_it_has_one_home(lang: str, expected: list[str]) -> None:
    assert codes("Serum", "https://vesimed.example/", lang) == expected


def test_what_the_page_declares_counts() -> None:
    page = read_html(
        '<html lang="en-GB"><head><link rel="alternate" hreflang="de-AT" href="/at">'
        '<script type="application/ld+json">{"@type":"Product","name":"Serum","offers":{"@type":"Offer",'
        '"priceCurrency":"CAD","price":"90"}}</script></head><body><p>Serum</p></body></html>'
    )
    found = {one.code: one.why for one in addressed(page, "https://vesimed.example/", "")}
    assert set(found) == {"uk", "eu", "ca"}
    assert 'language "en-GB"' in found["uk"]
    assert 'offered as hreflang "de-AT" (Austria, a member state)' in found["eu"]


def test_structured_dollars_are_american_only_if_said_so() -> None:
    said = Document("Serum", (), {"prices": ["USD 90"], "currencies": ["USD"]})
    bare = Document("Serum $90", (), {"prices": ["$90"], "currencies": ["USD"]})
    assert [one.code for one in addressed(said, "", "")] == ["us"]
    assert addressed(bare, "", "") == ()


def test_the_best_supported_comes_first() -> None:
    text = "£49. Call +44 20 7946 0958. Leeds LS1 4AP. We ship to Canada."
    assert codes(text) == ["uk", "ca"]


def test_long_evidence_is_cut() -> None:
    text = "We ship to Canada, " + "the lovely islands of the north, " * 3 + "the UK."
    assert len(why(text, "uk")) < 120
    assert why(text, "uk").endswith('…"')


@given(st.text(max_size=400), st.text(max_size=40), st.sampled_from(["", "en", "de-DE", "xx-YY", "ö"]))
def test_any_text_gives_the_same_answer_twice(text: str, path: str, lang: str) -> None:
    page = read_text(text)
    found = addressed(page, "https://vesimed.example/" + path, lang)
    assert found == addressed(page, "https://vesimed.example/" + path, lang)
    assert all(len(one.code) == 2 and one.why for one in found)


@given(st.text(alphabet="abc £$€+()0123456789 ABM.,\n", max_size=300))
def test_evidence_is_taken_from_the_page(text: str) -> None:
    words = " ".join(text.split())
    for one in addressed(Document(text, (), {}), "", ""):
        for piece in one.why.split("; "):
            quoted = piece.split('"')[1].removesuffix("…")
            assert quoted in words


def test_no_network_is_asked_for_the_suffix_list(monkeypatch: pytest.MonkeyPatch) -> None:
    from monitor.classify import addressed as module

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the public suffix list must not be fetched")

    monkeypatch.setattr("requests.sessions.Session.request", refuse)
    module._suffixes.cache_clear()
    assert codes("Serum", "https://example.co.uk/") == ["uk"]
