"""`exowatch products`: the list with its filters, one product with all that is known of it, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.config import load as configuration
from monitor.intake.runs import take_in
from monitor.knowledge import load
from monitor.migrations import upgrade
from monitor.records import RunRequest
from monitor.tables.db import open_engine
from tests.runs import RunMaker, page_card

MONDAY = datetime(2026, 11, 9, 6, tzinfo=UTC)
KELDA, LUMA = "https://www.kelda.example", "https://luma.example"
CLAIM = "Our exosome serum regrows hair on bald scalps within weeks."


def offer(name: str, *words: str, price: str = "89.00", brand: str = "Kelda") -> str:
    told = {
        "@type": "Product",
        "name": name,
        "brand": brand,
        "offers": {"@type": "Offer", "price": price, "priceCurrency": "EUR"},
    }
    body = "".join(f"<p>{one}</p>" for one in words)
    return (
        f'<html lang="en"><head><title>{name}</title><script type="application/ld+json">{json.dumps(told)}</script>'
        f"</head><body><h1>{name}</h1><p>€{price}</p><a href='/cart'>Add to cart</a>{body}</body></html>"
    )


SERUM = offer("Regena exosome serum", "Made with exosomes of human umbilical cord.", CLAIM, "Apply to the skin.")
CREAM = offer("Orla exosome cream", "Made with plant-derived exosomes. We ship to Canada.", brand="Orla")
BOTH = (
    "<html lang='en'><title>Shop</title><h1>Shop</h1><a href='/cart'>Add to cart</a>"
    "<h2>Mira exosome ampoule</h2><p>€40.00</p><p>Made with plant-derived exosomes.</p>"
    "<h2>Vega exosome ampoule</h2><p>€50.00</p><p>Use with microneedling.</p></html>"
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites, read in two weeks: in the second the serum is made of something else, and a product is new."""
    folder = tmp_path_factory.mktemp("products")
    made = folder / "config.yaml"
    made.write_text(
        f"data: {folder / 'var'}\nsites:\n  - url: {KELDA}/\n    name: Kelda Labs\n  - url: {LUMA}/\n", encoding="utf-8"
    )
    config, knowledge = configuration(made), load()
    engine = open_engine(config.database_url)
    upgrade(engine)
    serum = SERUM.replace("human umbilical cord", "rose petals")
    new = offer("Nova exosome mist", "Spray on the skin.")
    for days, kelda, luma in (
        (0, {"/serum": SERUM}, {"/cream": CREAM, "/shop": BOTH, "/about": "<h1>Orla</h1><p>A family firm.</p>"}),
        (7, {"/serum": serum, "/mist": new}, {"/cream": CREAM, "/shop": BOTH}),
        (8, {"/serum": serum, "/mist": new}, {}),
    ):
        for source, home, pages in (("site_kelda_example", KELDA, kelda), ("site_luma_example", LUMA, luma)):
            request = RunRequest(pages=tuple(home + path for path in pages)) if days == 8 else RunRequest()
            maker = RunMaker(page_card(source), MONDAY + timedelta(days=days), config.runs_folder, request=request)
            for path, html in pages.items():
                maker.page(home + path, html)
            if pages:
                assert take_in(engine, maker.write(), config, knowledge).state == "taken_in"
    engine.dispose()
    return made


@pytest.fixture
def ask(file: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def asked(*arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(file), "products", *arguments])
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return said.err if code else said.out

    return asked


Ask = Callable[..., str]


def listed(ask: Ask, *arguments: str) -> list[str]:
    told: dict[str, Any] = json.loads(ask(*arguments, "--json"))
    assert told["total"] == len(told["products"])
    return [one["name"].split()[0] for one in told["products"]]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ((), ["Mira", "Nova", "Orla", "Regena", "Vega"]),
        (("--site", "kelda.example"), ["Nova", "Regena"]),
        (("--site", "https://luma.example/x"), ["Mira", "Orla", "Vega"]),
        (("--site", "site_luma_example"), ["Mira", "Orla", "Vega"]),
        (("--name", "SERUM exosome"), ["Regena"]),
        (("--name", "kelda"), ["Nova", "Regena"]),
        (("--form", "ampoule"), ["Mira", "Vega"]),
        (("--source-material", "plant"), ["Mira", "Orla"]),
        (("--source-material", "human"), []),
        (("--route", "microneedling"), ["Vega"]),
        (("--country", "Canada"), ["Orla"]),
        (("--country", "us"), []),
        (("--claims",), ["Mira", "Regena", "Vega"]),
        (("--flagged", "--form", "serum"), ["Regena"]),
        (("--changed-since", "2026-11-16"), ["Nova", "Regena"]),
        (("--changed-since", "2026-11-09"), ["Nova", "Regena"]),
        (("--changed-since", "2026-11-18"), []),
    ],
)
def test_products_are_narrowed(ask: Ask, filters: tuple[str, ...], names: list[str]) -> None:
    assert listed(ask, *filters) == names


def test_a_line_says_what_it_is_and_how_it_stands(ask: Ask) -> None:
    said = ask("--name", "regena")

    assert "Regena exosome serum  kelda.example, Kelda Labs" in said
    assert "brand Kelda · form serum · made from plant rose · used topical · price 89.00 EUR" in said
    assert "2 standing claims, 1 flagged; first seen 2026-11-09, last seen 2026-11-17, changed 2026-11-17" in said
    assert said.endswith("1 product of 5\n")
    assert ask("--limit", "2").endswith("5 products, the first 2 shown (--limit)\n")


def test_one_product_is_shown_with_words_places_claims_and_history(ask: Ask) -> None:
    said = ask("show", f"{KELDA}/serum")

    assert said == ask(said.split()[1]), "a number alone shows it too"
    for words in (
        "made from: plant rose  (since 2026-11-",
        "“rose”  https://www.kelda.example/serum; characters ",
        "structured:ld+json/0/offers/price, capture site_kelda_example-",
        "not stated: amount, served to",
        "Said once, and not any more",
        "made from: human  (since 2026-11-09, until 2026-11-",
        "2 standing claims\n",
        f"“{CLAIM}” (",
        " hair regrowth, flagged, live, since 2026-11-09)",
        "1 page that offers it now\n  https://www.kelda.example/serum",
        "product changed\n    made from: human, umbilical cord → plant rose",
        "claim appeared, first reading",
    ):
        assert words in said
    told = json.loads(ask("show", "kelda.example/serum", "--json"))
    assert [one["url"] for one in told["pages"]] == [f"{KELDA}/serum"]
    assert told["history"][0]["event"]["kind"] == "product_changed"
    assert told["unstated"] == ["dose", "country"]


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--form", "serumm"), "--form: serumm is no form of the vocabulary; did you mean serum?"),
        (("--source-material", "gold"), "is no source material of the vocabulary; there are: "),
        (("--country", "Atlantis"), "--country: Atlantis is no country; write us, uk"),
        (("--site", "kelda.exmple"), "no product of kelda.exmple is known; did you mean kelda.example?"),
        (("--changed-since", "yesterday"), "--changed-since: yesterday is no date"),
        (("show", "999"), "there is no product 999; `exowatch products` lists them"),
        (("show", "regena"), "regena is neither a product's number nor a page's address"),
        (("show", f"{LUMA}/shop"), "offers several products; give the number of one:\n"),
        (("show", f"{LUMA}/about"), "is held, and offers no exosome or cell product"),
        (("show", f"{LUMA}/creme"), "no such page is held; the nearest are:\n  https://luma.example/cream"),
    ],
)
def test_what_cannot_be_shown_is_told_with_what_to_do(ask: Ask, arguments: tuple[str, ...], advice: str) -> None:
    assert advice in ask(*arguments, code=2)


def test_an_empty_database_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"data: {tmp_path / 'var'}\nrehearsal: {{address: 127.0.0.1:8099}}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(file), "products"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("No product is known yet: read sites with `exowatch run`")
