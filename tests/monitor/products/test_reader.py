"""What is read of a product, language by language, and where it must not be read."""

from __future__ import annotations

import pytest

from monitor.knowledge import load
from monitor.products import ProductReading, Told, read_products, read_told, told_at
from monitor.reading.text import read_html

KNOWLEDGE = load()


def read(
    body: str, *, named: str = "", words: tuple[str, ...] = (), lang: str = "en", head: str = ""
) -> tuple[ProductReading, ...]:
    html = f"<html><head>{head}</head><body>{body}</body></html>"
    document, told = read_html(html), read_told(html.encode(), "text/html")
    found = read_products(document, told, KNOWLEDGE, named=named, words=words, lang=lang)
    for one in found:
        for fact in one.facts:
            if fact.start is None:
                assert told_at(html.encode(), "text/html", fact.place) == fact.quote
            else:
                assert document.text[fact.start : fact.end] == fact.quote
    return found


def of(name: str, *words: str, lang: str = "en") -> ProductReading:
    """One product's page: its name as the heading, and some paragraphs."""
    (found,) = read(f"<h1>{name}</h1>" + "".join(f"<p>{one}</p>" for one in words), named=name, lang=lang)
    return found


LANGUAGES = {
    # name, words, then form, sources, routes
    "en": ("Exosome ampoule", "Made from human umbilical cord. Use with microneedling.",
           "ampoule", "human umbilical_cord", "microneedling"),
    "es": ("Ampolla de exosomas", "Obtenidos de tejido adiposo. Uso tópico, con microagujas.",
           "ampoule", "adipose", "microneedling topical"),
    "de": ("Exosomen-Creme", "Pflanzliche Exosomen. Auf die Haut auftragen.",
           "cream", "plant", "topical"),
    "fr": ("Sérum aux exosomes", "Exosomes issus de la moelle osseuse. Appliquez sur le visage.",
           "serum", "bone_marrow", "topical"),
    "pt": ("Sérum com exossomos", "Exossomos de rosa. Uso externo.",
           "serum", "plant_rose", "topical"),
    "it": ("Maschera con esosomi", "Esosomi di origine umana, dalla placenta. Uso esterno.",
           "mask", "human placenta", "topical"),
    "ja": ("エクソソーム点滴", "ヒト臍帯由来のエクソソームを静脈に点滴します。",
           "treatment", "human umbilical_cord", "intravenous"),
    "ko": ("엑소좀 앰플", "연어 유래 PDRN 함유. MTS 후 도포하세요.",
           "ampoule", "animal_salmon pdrn", "microneedling topical"),
    "zh": ("外泌体冻干粉", "脂肪干细胞来源的外泌体，可配合微针使用。",
           "powder_vial", "adipose", "microneedling"),
    "tr": ("Eksozom serumu", "Göbek kordonu kaynaklı eksozom. Cilde uygulayın.",
           "serum", "umbilical_cord", "topical"),
    "pl": ("Krem z egzosomami", "Egzosomy roślinne. Nałóż na skórę.",
           "cream", "plant", "topical"),
    "ru": ("Сыворотка с экзосомами", "Получены из пуповины. Для наружного применения.",
           "serum", "umbilical_cord", "topical"),
}  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_form_source_and_route_are_read_in_many_languages(lang: str) -> None:
    name, words, form, sources, routes = LANGUAGES[lang]
    found = of(name, words, lang=lang)

    assert form in found.values("form")
    assert set(found.values("source_material")) == set(sources.split())
    assert set(found.values("route")) == set(routes.split())


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        ("Exosomes not derived from placenta.", "placenta"),
        ("Our exosomes contain no bovine-derived parts.", "animal_bovine"),
        ("Unlike plant exosomes, ours are fresh.", "plant"),
        ("Exosomen ohne tierischen Ursprungs.", "animal_other"),
        ("Sans exosomes végétaux.", "plant"),
        ("胎盤不使用のエクソソーム", "placenta"),
        ("エクソソーム。植物由来ではありません。", "plant"),
        ("Are these exosomes plant-derived?", "plant"),
        ("Exosomes keep their rose scent off the skin for long, as any rose would.", "plant_other"),
        ("Exosomes. Our clinic adores its rose garden in the yard behind the old house.", "plant_rose"),
        ("The exosome serum wakes your own cells.", "autologous"),
        ("Never tested on animals, says our exosome team.", "animal_other"),
    ],
)
def test_what_is_denied_compared_or_asked_is_no_source(words: str, absent: str) -> None:
    assert absent not in of("Exosome serum", words).values("source_material")


def test_a_contrast_ends_a_denial() -> None:
    found = of("Exosome vial", "Not injected but applied topically.", "Not only plant-derived exosomes.")

    assert found.values("route") == ("topical",)
    assert found.values("source_material") == ("plant",)


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        ("For external use only. Not for injection.", "injection"),
        ("An alternative to injections.", "injection"),
        ("Needle-free, no injections needed.", "injection"),
        ("Infused with chamomile.", "intravenous"),
        ("注射ではありません。", "injection"),
        ("주사 없이 사용하세요.", "injection"),
        ("Better than Botox injections.", "injection"),
    ],
)
def test_what_is_not_done_is_no_route(words: str, absent: str) -> None:
    assert absent not in of("Exosome serum", words).values("route")


def test_a_serum_is_no_cream_because_its_page_speaks_of_one() -> None:
    found = of("Night exosome serum", "Use before your cream. A lyophilised exosome concentrate.")

    assert set(found.values("form")) == {"serum", "powder_vial"}


def test_without_a_form_in_the_name_the_description_tells_it() -> None:
    assert of("Kelda Exo One", "This exosome cream is rich.").values("form") == ("cream",)


def test_a_description_begins_with_what_the_thing_is() -> None:
    long = "made for tired skin in the cold of winter, with peptides, rice water and exosomes of roses in it."

    assert of("Kelda Exo One", f"A light serum {long}").values("form") == ("serum",)
    assert of("Kelda Exo One", f"Cleanse first, then your serum {long}").values("form") == ()
    assert of("Kelda Exo One", f"A bottle {long}", f"A light serum {long}").values("form") == ()


@pytest.mark.parametrize(
    ("name", "words", "sources", "routes"),
    [
        ("PDRN Cica Exosome Ampoule", "", "pdrn plant_centella", ""),
        ("PDRN 시카 엑소좀 앰플", "", "pdrn plant_centella", ""),
        ("Apple Exosome Cream", "", "plant_other", ""),
        ("발라오 엑소좀 앰플", "", "", ""),
        ("Exosome set", "A peptide-infused diluent, to massage into clean scalp.", "", "topical"),
        ("Exosome set", "A serum infused directly into the skin's channels.", "", ""),
        ("Exosome set", "Polynucleotide skin boosters.", "pdrn", ""),
        ("Exosome drip", "Given as an infusion of 30 minutes.", "", "intravenous"),
    ],
)
def test_words_of_the_market(name: str, words: str, sources: str, routes: str) -> None:
    found = of(name, words)

    assert set(found.values("source_material")) == set(sources.split())
    assert set(found.values("route")) == set(routes.split())


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("5 billion exosomes per vial", "5000000000 exosomes per vial"),
        ("10,000,000,000 particles", "10000000000 particles"),
        ("5 x 10^9 exosomes", "5000000000 exosomes"),
        ("1×10⁹ exosomes", "1000000000 exosomes"),
        ("1e10 particles", "10000000000 particles"),
        ("1 x 10<sup>10</sup> particles", "10000000000 particles"),
        ("5 x 5 ml", "5 x 5 ml"),
        ("10 vials x 3ml", "10 x 3 ml"),
        ("2,5 ml", "2.5 ml"),
        ("5-10 billion exosomes", "5000000000–10000000000 exosomes"),
        ("20 mg/ml", "20 mg per ml"),
        ("0.5 fl oz", "0.5 fl oz"),
        ("100億個のエクソソーム", "10000000000 exosomes"),
        ("500억 엑소좀", "50000000000 exosomes"),
        ("含50亿外泌体", "5000000000 exosomes"),
        ("5% exosomes", "5 %"),
        ("5 ml of exosome solution", "5 ml"),
        ("30 ml of serum", "30 ml"),
        ("30 count", "30 pieces"),
        ("Pack of 5", "5 pieces"),
        ("Box of 5 vials", "5 vials"),
        ("10 sachets", "10 sachets"),
        ("2 lbs", "2 lb"),
        ("5er-Pack", "5 pieces"),
        ("Lot de 3", "3 pieces"),
        ("Confezione da 10", "10 pieces"),
    ],
)
def test_doses(words: str, value: str) -> None:
    assert of("Exosome product", words).values("dose") == (value,)


def test_a_billion_is_larger_in_german_and_french() -> None:
    for lang, words in (
        ("de", "5 Milliarden Exosomen"),
        ("fr", "5 milliards d'exosomes"),
        ("es", "5 mil millones de exosomas"),
    ):
        found = of("Exosom", words.replace("d'", "").replace(" de ", " "), lang=lang)
        assert found.values("dose") == ("5000000000 exosomes",), lang
    assert of("Exosom", "5 Billionen Exosomen", lang="de").values("dose") == ("5000000000000 exosomes",)


@pytest.mark.parametrize(
    "words",
    ["20% off", "two exosomes", "item EV-2210 exosome", "open 24 hours", "call 555 0100", "in 2026 exosomes came",
     "165 mg of caffeine", "2 % de niacinamide", "box of 2026", "pack of 5,000"],
)  # fmt: skip
def test_what_is_no_dose(words: str) -> None:
    assert of("Exosome product", words).values("dose") == ()


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("We ship to the United States, Germany and the UK.", {"us", "de", "uk"}),
        ("Worldwide shipping.", {"worldwide"}),
        ("We ship worldwide except Brazil.", {"worldwide"}),
        ("Free shipping within the EU.", {"eu"}),
        ("We do not ship to Canada.", set()),
        ("We ship to us at once.", set()),
        ("Delivery within Germany, excluding Austria.", {"de"}),
        ("Versand nach Österreich und in die Schweiz.", {"at", "ch"}),
        ("Livraison en France et en Belgique.", {"fr", "be"}),
        ("Envíos a todo el mundo.", {"worldwide"}),
        ("Spedizione in Italia.", {"it"}),
        ("Entregas em Portugal.", {"pt"}),
        ("日本国内へ発送します。", {"jp"}),
        ("전 세계 배송", {"worldwide"}),
        ("全球配送", {"worldwide"}),
        ("Almanya'ya kargo yapılır.", {"de"}),
        ("Wysyłka do Niemiec.", {"de"}),
        ("Made in Germany. Our team loves Italy.", set()),
    ],
)
def test_countries_served(words: str, codes: set[str]) -> None:
    assert set(of("Exosome serum", words).values("country")) == codes


def test_countries_stand_in_the_footer_too_but_not_in_the_menu() -> None:
    (found,) = read(
        "<nav>We ship to Chile</nav><h1>Exosome serum</h1><footer>We ship to Norway</footer>", named="Exosome serum"
    )
    assert found.values("country") == ("no",)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("$49.00", "49.00 $"),
        ("US$49", "49.00 USD"),
        ("1.299,00 €", "1299 EUR"),
        ("12,000円", "12000 JPY"),
        ("R$ 199,90", "199.90 BRL"),
        ("49,90 TL", "49.90 TRY"),
        ("1 299,00 zł", "1299 PLN"),
    ],
)
def test_written_prices(words: str, value: str) -> None:
    assert of("Exosome serum", words).values("price") == (value,)


def test_what_a_litre_would_cost_is_not_the_price() -> None:
    assert of("Exosome serum", "89,00 € (296,67 € / 100 ml)").values("price") == ("89.00 EUR",)


def test_a_price_far_below_the_name_is_of_something_else() -> None:
    assert of("Exosome serum", "word " * 200, "€20").values("price") == ()


@pytest.mark.parametrize("body", ["<p>Brand: Kelda</p>", "<table><tr><th>Brand</th><td>Kelda</td></tr></table>"])
def test_a_written_brand(body: str) -> None:
    (found,) = read(f"<h1>Exosome serum</h1>{body}", named="Exosome serum")
    assert found.values("brand") == ("Kelda",)


JSON_LD = '<script type="application/ld+json">{}</script>'


def test_structured_data_gives_brand_seller_price_form_and_countries() -> None:
    data = (
        '{"@graph": [{"@type": "Product", "name": "Exosome One", "brand": "Kelda", "category": "Ampoule", "offers": '
        '[{"@type": "AggregateOffer", "lowPrice": 40, "highPrice": "60.5", "priceCurrency": "usd", "seller": {"name": '
        '"Orla"}, "eligibleRegion": [{"name": "US"}, "Canada"]}]},]}'
    )
    (found,) = read("<p>Exosome One</p>", head=JSON_LD.format(data))

    assert found.values("brand") == ("Kelda",)
    assert found.values("seller") == ("Orla",)
    assert found.values("price") == ("40.00 USD", "60.50 USD")
    assert found.values("form") == ("ampoule",)
    assert found.values("country") == ("us", "ca")


def test_microdata_and_open_graph_give_the_same() -> None:
    (micro,) = read(
        '<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Exosome One</h1>'
        '<span itemprop="brand" itemscope itemtype="https://schema.org/Brand"><b itemprop="name">Kelda</b></span>'
        '<div itemprop="offers" itemscope><meta itemprop="price" content="12.5">'
        '<meta itemprop="priceCurrency" content="GBP"></div>'
        '<div itemprop="isRelatedTo" itemscope itemtype="https://schema.org/Product">'
        '<b itemprop="name">Other</b></div></div>'
    )
    (graph,) = read(
        "<h1>Exosome One</h1>",
        named="Exosome One",
        head='<meta property="og:title" content="Exosome One"><meta property="product:price:amount" content="12.5">'
        '<meta property="product:price:currency" content="GBP"><meta property="product:brand" content="Kelda">',
    )

    for found in (micro, graph):
        assert (found.name, found.values("brand"), found.values("price")) == ("Exosome One", ("Kelda",), ("12.50 GBP",))


def test_products_beside_the_page_s_own_keep_to_themselves() -> None:
    data = '{"@type":"Product","name":"Exosome serum","isRelatedTo":{"@type":"Product","name":"Rose exosome cream"}}'
    found = read(
        "<h1>Exosome serum</h1><p>From human umbilical cord.</p>"
        "<h2>You may also like</h2><h3>Rose exosome cream</h3><p>$5</p>",
        head=JSON_LD.format(data),
    )

    (one,) = found
    assert set(one.values("source_material")) == {"human", "umbilical_cord"}
    assert one.values("price") == ()


def test_a_list_of_products_is_read_card_by_card() -> None:
    cards = (("Exosome vial", "intravenous infusion"), ("Exosome cream", "apply to the skin"))
    body = "".join(f"<h3>{name}</h3><p>For {words}</p><p>$10</p>" for name, words in cards)
    vial, cream = read(f"<h1>Our exosomes</h1>{body}", named="Our exosomes")

    assert (vial.name, vial.values("route")) == ("Exosome vial", ("intravenous",))
    assert (cream.name, cream.values("route")) == ("Exosome cream", ("topical",))


def test_a_shop_s_other_goods_are_left_out() -> None:
    data = '[{"@type":"Product","name":"Towel"},{"@type":"Product","name":"Exosome vial"}]'
    found = read("<h2>Towel</h2><p>Soft.</p><h2>Exosome vial</h2><p>Dry.</p>", head=JSON_LD.format(data))

    assert [one.name for one in found] == ["Exosome vial"]


def test_what_is_told_survives_being_stored() -> None:
    data = '{"@type":"Product","name":"Exosome vial","brand":"Kelda"}'
    html = f"<html><head>{JSON_LD.format(data)}</head></html>"
    (told,) = read_told(html.encode(), "text/html")

    assert Told.from_json(told.to_json()) == told
    assert told_at(html.encode(), "text/html", "structured:ld+json/0/brand") == "Kelda"
    for nowhere in (
        "structured:ld+json/1/brand",
        "structured:ld+json/0/x/y",
        "structured:microdata/0/name",
        "structured:x",
    ):
        assert told_at(html.encode(), "text/html", nowhere) is None
