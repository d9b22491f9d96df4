"""What a page says of itself to machines, with the breakages that are met, and what the library alone makes of them."""

from __future__ import annotations

import json

import pytest
from extruct.jsonld import JsonLdExtractor  # type: ignore[import-untyped]
from extruct.opengraph import OpenGraphExtractor  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import TextResponse

from crawler.market.structured import Structured, structured
from tests.crawler.responses import response_of

URL = "https://www.orrel.example/p"
GOOD = '{"@type":"Product","name":"Exo"}'


def reading(*scripts: str, kind: str = "application/ld+json", body: str = "") -> Structured:
    head = "".join(f'<script type="{kind}">{script}</script>' for script in scripts)
    response = response_of(URL, f"<html><head>{head}</head><body>{body}</body></html>")
    assert isinstance(response, TextResponse)
    return structured(response)


def library_reads(script: str, kind: str = "application/ld+json") -> bool:
    """True if extruct by itself finds the product."""
    try:
        found = JsonLdExtractor().extract(f'<html><head><script type="{kind}">{script}</script></head></html>')
    except (ValueError, RecursionError):
        return False
    return any(one.get("name") == "Exo" for one in found)


@pytest.mark.parametrize(
    "script",
    [
        GOOD,
        f"// first\n{GOOD}",
        f"/* first */{GOOD}",
        f"<!-- one line -->{GOOD}",
        f"[{GOOD}]",
        f'{{"@graph":[{GOOD}]}}',
        '{"@type":"Product","name":"Exo",}',
        '{"@type":["Thing","Product"],"name":"Exo"}',
        '{"\\u0040type":"https://schema.org/Product","name":"Exo"}',
        '{"@type":"Product","name":"Exo","description":"one\ntwo\x01three"}',
    ],
)
def test_breakages_that_the_library_meets_by_itself(script: str) -> None:
    found = reading(script)

    assert (found.products(), found.broken) == (("Exo",), 0)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (f"<!--\n{GOOD}\n-->", "application/ld+json"),
        (f"//<![CDATA[\n{GOOD}\n//]]>", "application/ld+json"),
        (f"\ufeff{GOOD}", "application/ld+json"),
        (GOOD, "Application/LD+JSON"),
        (GOOD, "application/ld+json; charset=utf-8"),
    ],
)
def test_breakages_that_are_ours_to_meet(script: str, kind: str) -> None:
    assert not library_reads(script, kind), "the library can do this now: take ours away"

    found = reading(script, kind=kind)

    assert (found.products(), found.broken) == (("Exo",), 0)


@pytest.mark.parametrize("bad", ["{broken", GOOD + "}", "[" * 100_000, GOOD + GOOD])
def test_one_bad_script_costs_no_other_and_is_counted(bad: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        JsonLdExtractor().extract(
            f'<html><script type="application/ld+json">{bad}</script>'
            f'<script type="application/ld+json">{GOOD}</script></html>'
        )

    found = reading(bad, GOOD)

    assert (found.products(), found.broken) == (("Exo",), 1)


@pytest.mark.parametrize("empty", ["null", "", "  ", "[]", '"words"', "[null]"])
def test_scripts_that_say_nothing_are_not_broken(empty: str) -> None:
    assert reading(empty) == Structured()


def test_a_page_of_nearly_a_megabyte_is_read_within_its_bound() -> None:
    things = ",".join(json.dumps({"@type": "Product", "name": f"Cream {number}"}) for number in range(20_000))

    found = reading(f"[{things}]")

    assert len(found.products()) == 5_000


def test_microdata_and_open_graph_are_read() -> None:
    body = (
        '<div itemscope itemtype="https://schema.org/Product"><h2 itemprop="name">Roller</h2>'
        '<a itemprop="url" href="/p/roller">r</a></div>'
    )
    response = response_of(
        URL, f'<html><head><meta property="og:site_name" content="Orrel"></head><body>{body}</body></html>'
    )
    assert isinstance(response, TextResponse)

    found = structured(response)

    assert found.products() == ("Roller",)
    assert found.open_graph == {"og:site_name": "Orrel"}
    assert list(found.addresses(URL)) == [("https://www.orrel.example/p/roller", "Roller")]


def test_open_graph_below_something_visible_is_read_too() -> None:
    markup = '<html><div>x</div><meta property="og:site_name" content="Orrel"></html>'
    response = response_of(URL, markup)
    assert isinstance(response, TextResponse)
    assert list(OpenGraphExtractor().extract(markup)) == [], "the library can do this now: take ours away"

    assert structured(response).open_graph == {"og:site_name": "Orrel"}


@pytest.mark.parametrize(
    "body",
    [
        '<div itemscope itemprop="a">' * 3000 + "</div>" * 3000,
        f'<div itemscope itemref="{" ".join(f"r{number}" for number in range(201))}"></div>',
    ],
    ids=["nested", "repeated"],
)
def test_microdata_that_would_never_end_is_left_and_counted(body: str) -> None:
    found = reading(GOOD, body=body)

    assert (found.products(), found.broken) == (("Exo",), 1)


def test_the_organisation_and_the_addresses_of_lists_are_found() -> None:
    script = json.dumps(
        {
            "@graph": [
                {"@type": "MedicalClinic", "name": " Clinic\n Onda "},
                {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": "/a", "name": "A"}]},
                {"@type": "ProductGroup", "name": "B", "hasVariant": [{"@type": "Product", "@id": "#x", "url": "/b"}]},
                {"@type": "Person", "url": "/nobody"},
            ]
        }
    )

    found = reading(script)

    assert found.name_of_site() == "Clinic Onda"
    assert list(found.addresses(URL)) == [
        ("https://www.orrel.example/a", "A"),
        ("https://www.orrel.example/b", ""),
    ]


@given(st.text(max_size=80))
def test_reading_structured_data_never_falls_over(text: str) -> None:
    found = reading(text, f'{{"@type":"Product","name":{text!r}}}', body=f"<p itemscope itemtype={text!r}>ld+json og:")
    assert found.broken >= 0
    assert all(name for name in found.products())
