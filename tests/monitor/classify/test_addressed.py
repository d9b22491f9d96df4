"""Which jurisdictions a page speaks to, and by what evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify.addressed import addressed
from monitor.reading.text import Document, read_html, read_text


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
        ("Entregas em todo o Brasil", "br", 'delivery "Entregas em todo o Brasil"'),
        ("Envíos a todo México", "mx", 'delivery "Envíos a todo México"'),
        ("Versand nach Österreich", "at", 'delivery "Versand nach Österreich"'),
        ("Our clinics across Canada", "ca", 'premises "clinics across Canada"'),
    ],
)
def test_strong_signs_are_enough_and_are_quoted(text: str, code: str, evidence: str) -> None:
    assert code in codes(text)
    assert evidence in why(text, code)


@pytest.mark.parametrize(
    ("url", "expected", "national", "evidence"),
    [
        ("https://www.example.co.uk/serum", "uk", [], 'host ends in ".co.uk"'),
        ("https://example.ca/", "ca", [], 'host ends in ".ca"'),
        ("https://example.de/", "eu", ["de"], 'host ends in ".de" (Germany, a member state)'),
        ("https://example.eu/", "eu", [], 'host ends in ".eu"'),
        ("https://example.jp/", "jp", [], 'host ends in ".jp"'),
        ("https://example.com.tw/", "tw", [], 'host ends in ".com.tw"'),
        ("https://example.com.co/", "co", [], 'host ends in ".com.co"'),
        ("https://example.com.ph/", "ph", [], 'host ends in ".com.ph"'),
        ("https://example.com/en-gb/serum", "uk", [], 'locale in the address "/en-gb/"'),
        ("https://example.com/pt-br/serum", "br", [], 'locale in the address "/pt-br/"'),
        ("https://example.com/fr-FR/serum", "eu", ["fr"], 'locale in the address "/fr-FR/" (France, a member state)'),
    ],
)
def test_the_address_counts(url: str, expected: str, national: list[str], evidence: str) -> None:
    assert codes("Serum.", url) == sorted({expected, *national})
    assert evidence in why("Serum.", expected, url)
    assert all("member state" not in why("Serum.", code, url) for code in national)


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
    assert {one.code for one in found} == {"uk", "ca", "de", "eu"}


def test_a_sentence_ends_the_list() -> None:
    assert codes("We ship to Canada. The UK has its own rules.") == ["ca"]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("de", ["eu"]), ("nl", ["eu"]), ("it-IT", ["eu", "it"]), ("pl", ["eu", "pl"]), ("zh-TW", ["tw"]),
     ("ar-SA", ["sa"]), ("ar", []), ("tr", ["tr"]), ("th", ["th"]),
     ("ko", ["kr"]), ("ja", ["jp"]), ("en-GB", ["uk"]), ("fr-CA", ["ca"]),
     ("en", []), ("en-US", []), ("es", []), ("fr", []), ("pt", []), ("zh", []), ("", [])],
)  # fmt: skip
def test_a_language_counts_only_where_it_has_one_home(lang: str, expected: list[str]) -> None:
    assert codes("Serum", "https://vesimed.example/", lang) == expected


@pytest.mark.parametrize(
    ("lang", "place", "expected"),
    [
        ("de", "Unsere Praxis in Berlin", ["eu", "de"]),
        ("de", "Unsere Praxis in Zürich", ["ch", "eu"]),
        ("es", "Nuestra clínica en Madrid", ["es", "eu"]),
        ("es", "Nuestra clínica en Guadalajara", ["mx"]),
        ("fr", "Notre clinique à Paris", ["eu", "fr"]),
        ("fr", "Notre clinique à Lausanne", ["ch"]),
        ("pt", "A nossa clínica em São Paulo", ["br"]),
        ("zh", "Clinic in Taipei", ["tw"]),
        ("ar", "Clinic in Riyadh", ["sa"]),
        ("en", "Our clinic in Mumbai", []),
    ],
)
def test_a_shared_language_needs_a_second_sign(lang: str, place: str, expected: list[str]) -> None:
    assert codes("Serum", "https://vesimed.example/", lang) == codes("Serum", "", lang)
    found = codes(place, "https://vesimed.example/", lang)
    assert set(found) >= set(expected)
    assert set(found) <= {*expected, "eu"}


def test_a_shared_language_does_not_take_a_dollar_away() -> None:
    assert codes("Solo $49. (202) 555-0123.", lang="es") == ["us"]


@pytest.mark.parametrize(
    ("text", "expected", "evidence"),
    [
        ("Musterweg 1, 10115 Berlin", ["de", "eu"], "10115 Berlin"),
        ("Musterweg 1, D-80331 München", ["de", "eu"], "D-80331"),
        ("1 rue du Test, 75008 Paris", ["eu", "fr"], "75008 Paris"),
        ("Calle Prueba 5, 28001 Madrid", ["es", "eu"], "28001 Madrid"),
        ("Via Prova 3, 20121 Milano", ["eu", "it"], "20121 Milano"),
        ("Testgasse 2, 1010 Wien", ["at", "eu"], "1010 Wien"),
        ("Teststraat 4, 1016 AB Amsterdam", ["eu", "nl"], "1016 AB Amsterdam"),
        ("ul. Testowa 1, 00-001 Warszawa", ["eu", "pl"], "00-001 Warszawa"),
        ("Teststrasse 1, 8001 Zürich", ["ch"], "8001 Zürich"),
        ("CH-8001 Zürich", ["ch"], "CH-8001"),
        ("Level 2, Sydney NSW 2000", ["au"], "Sydney NSW 2000"),
        ("1 Test St, Perth, WA 6000", ["au"], "Perth, WA 6000"),
        ("1 Test Road, Mumbai - 400 001", ["in"], "Mumbai - 400 001"),
        ("1 Test Road, Singapore 238823", ["sg"], "Singapore 238823"),
        ("P.O. Box 12345, Dubai", ["ae"], "P.O. Box 12345, Dubai"),
        ("P.O. Box 12345, Abu Dhabi", ["ae"], "P.O. Box 12345, Abu Dhabi"),
        ("Riyadh 11564", ["sa"], "Riyadh 11564"),
        ("Rua Teste 1, São Paulo - SP, 01310-100", ["br"], "São Paulo - SP, 01310-100"),
        ("CEP 01310-100", ["br"], "CEP 01310-100"),
        ("Col. Centro, 06600 Ciudad de México", ["mx"], "06600 Ciudad de México"),
        ("34394 Şişli/İstanbul", ["tr"], "34394 Şişli/İstanbul"),
        ("Bangkok 10110", ["th"], "Bangkok 10110"),
        ("Jakarta Selatan 12190", ["id"], "Jakarta Selatan 12190"),
        ("50450 Kuala Lumpur", ["my"], "50450 Kuala Lumpur"),
        ("〒150-0001", ["jp"], "〒150-0001"),
        ("東京都渋谷区1-1", ["jp"], "東京都渋谷区"),
        ("서울특별시 강남구 시험로 1", ["kr"], "서울특별시 강남구"),
        ("台北市大安區測試路", ["tw"], "台北市大安區"),
        ("上海市静安区测试路", ["cn"], "上海市静安区"),
    ],
)
def test_postal_addresses_are_strong_signs(text: str, expected: list[str], evidence: str) -> None:
    assert codes(text) == expected
    for code in expected:
        assert f'postal address "{evidence}"' in why(text, code)


@pytest.mark.parametrize(
    "text",
    [
        "In 2023 Zürich hosted a meeting.",
        "The Goods Act 2000 and the Singapore 2024 meeting.",
        "Lot D-12345 of the vitamin, model I-20121 only.",
        "Berlin 10115",
        "100000 Paris",
        "Sydney 2000 games",
        "Oberlin 10115, Xmumbai 400001",
        "CEP 123",
        "P.O. Box, Dubai",
        "北京市民",
        "서울 강남 스타일",
    ],
)
def test_what_only_looks_like_an_address_is_none(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("500 TL", "tr"), ("₺500", "tr"), ("RM 250", "my"), ("Rp 500.000", "id"), ("500 บาท", "th"), ("AED 900", "ae"),
        ("900 د.إ", "ae"), ("SAR 500", "sa"), ("CHF 90", "ch"), ("SFr. 90", "ch"), ("RMB 500", "cn"), ("NT$ 900", "tw"),
        ("₹ 900", "in"), ("S$ 90", "sg"), ("MXN 900", "mx"), ("R$ 900", "br"), ("₩90,000", "kr"),
    ],
)  # fmt: skip
def test_currencies_of_the_assessed_countries(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+49 30 901820", ["de", "eu"]), ("+33 1 42 68 53 00", ["eu", "fr"]), ("+34 912 345 678", ["es", "eu"]),
        ("+39 06 1234 5678", ["eu", "it"]), ("+41 44 668 18 00", ["ch"]), ("+61 2 9374 4000", ["au"]),
        ("+82 2 312 3456", ["kr"]), ("+81 3 1234 5678", ["jp"]), ("+886 2 2345 6789", ["tw"]),
        ("+86 10 6552 9988", ["cn"]), ("+65 6521 8000", ["sg"]), ("+91 22 6617 1000", ["in"]),
        ("+55 11 2395 8400", ["br"]), ("+52 55 5342 8400", ["mx"]), ("+966 11 234 5678", ["sa"]),
        ("+971 4 450 9500", ["ae"]), ("+66 2 123 4567", ["th"]), ("+90 212 345 6789", ["tr"]),
    ],
)  # fmt: skip
def test_telephone_codes_of_the_assessed_countries(number: str, expected: list[str]) -> None:
    assert codes(f"Call {number}.") == expected


def test_a_price_in_euro_names_no_member_state() -> None:
    assert codes("49 €") == ["eu"]


def test_what_the_page_declares_counts() -> None:
    page = read_html(
        '<html lang="en-GB"><head><link rel="alternate" hreflang="de-AT" href="/at">'
        '<script type="application/ld+json">{"@type":"Product","name":"Serum","offers":{"@type":"Offer",'
        '"priceCurrency":"CAD","price":"90"}}</script></head><body><p>Serum</p></body></html>'
    )
    found = {one.code: one.why for one in addressed(page, "https://vesimed.example/", "")}
    assert set(found) == {"uk", "eu", "at", "ca"}
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


@pytest.mark.parametrize(
    ("text", "lang", "code"),
    [
        ("Verzending naar België binnen twee dagen.", "nl", "be"),
        ("Доставка по России и в Казахстан.", "ru", "kz"),
        ("Αποστολή σε Ελλάδα και Κύπρο.", "el", "cy"),
        ("Onze kliniek in Rotterdam", "nl", "nl"),
        ("Флакон 300 грн", "uk", "ua"),
    ],
)
def test_delivery_is_read_in_more_languages(text: str, lang: str, code: str) -> None:
    assert code in codes(text, lang=lang)


def test_a_country_left_out_is_not_served() -> None:
    assert "ru" not in codes("Доставка по всем странам, кроме России.", lang="ru")
