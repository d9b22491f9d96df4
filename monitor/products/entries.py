"""An entry of a catalogue as a product: Shopify, WooCommerce Store API, Squarespace. Pages and posts are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from monitor.products.prices import money
from monitor.products.shapes import Fact, Told

_MOST = 50
"""Variants, categories and attributes looked at of one entry."""
_MOST_PRICES = 12
_BRAND_ATTRIBUTES = frozenset({"brand", "marke", "marca", "marque", "ブランド", "브랜드", "品牌", "pa_brand"})


def of_entry(entry: dict[str, Any], place: str) -> Told | None:
    """None for what is no product. `place`: where the entry itself stands."""
    if not any(key in entry for key in ("variants", "prices", "body_html")):
        return None
    key = "title" if isinstance(entry.get("title"), str) else "name"
    written = _flat(entry.get(key))
    name = _plain(written)
    if not name:
        return None
    facts = [Fact("name", name, written, place=f"{place}/{key}"), *_brands(entry, place)]
    prices: dict[str, Fact] = {}
    for fact in (*_woo_price(entry, place), *_variant_prices(entry, place)):
        if len(prices) < _MOST_PRICES:
            prices.setdefault(fact.value, fact)
    return Told(name[:300], (*facts, *prices.values()), tuple(_words(entry, place)), entry=True)


def _brands(entry: dict[str, Any], place: str) -> Iterator[Fact]:
    found: dict[str, Fact] = {}
    for value, where in _branded(entry, place):
        if name := _plain(value):
            found.setdefault(name, Fact("brand", name[:200], value, place=where))
    yield from found.values()


def _branded(entry: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    yield _flat(entry.get("vendor")), f"{place}/vendor"
    for number, one in _each(entry.get("brands")):
        yield _flat(one.get("name")), f"{place}/brands/{number}/name"
    for number, one in _each(entry.get("attributes")):
        if _flat(one.get("name")).casefold() in _BRAND_ATTRIBUTES or one.get("taxonomy") == "pa_brand":
            for inner, term in _each(one.get("terms")):
                yield _flat(term.get("name")), f"{place}/attributes/{number}/terms/{inner}/name"


def _woo_price(entry: dict[str, Any], place: str) -> Iterator[Fact]:
    prices = entry.get("prices")
    if not isinstance(prices, dict):
        return
    minor = prices.get("currency_minor_unit")
    exponent = minor if isinstance(minor, int) and not isinstance(minor, bool) and 0 <= minor <= 4 else 2
    said_range = prices.get("price_range")
    inner = [("price", prices.get("price"))]
    if isinstance(said_range, dict):
        inner = [(f"price_range/{key}", said_range.get(key)) for key in ("min_amount", "max_amount")]
    for key, amount in inner:
        yield from _price(amount, prices.get("currency_code"), f"{place}/prices/{key}", exponent)


def _variant_prices(entry: dict[str, Any], place: str) -> Iterator[Fact]:
    for number, one in _each(entry.get("variants")):
        where = f"{place}/variants/{number}"
        paid = one.get("priceMoney")
        if isinstance(paid, dict):
            yield from _price(paid.get("value"), paid.get("currency"), f"{where}/priceMoney/value")
        else:
            yield from _price(one.get("price"), one.get("currency"), f"{where}/price")


def _price(amount: Any, currency: Any, place: str, exponent: int = 0) -> Iterator[Fact]:
    if isinstance(amount, str | int | float) and not isinstance(amount, bool):
        written = _flat(str(amount))
        if value := money(written, currency if isinstance(currency, str) else "", exponent):
            yield Fact("price", value, written, place=place)


def _words(entry: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """What kind of thing the entry is said to be; its description is in the text."""
    for key in ("product_type", "productType"):
        if said := _flat(entry.get(key)):
            yield said[:300], f"{place}/{key}"
    for number, one in _each(entry.get("categories")):
        if said := _flat(one.get("name")):
            yield said[:300], f"{place}/categories/{number}/name"


def _each(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(value, list):
        yield from ((number, one) for number, one in enumerate(value[:_MOST]) if isinstance(one, dict))


def _flat(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _plain(words: str) -> str:
    """WooCommerce writes names as HTML."""
    if "<" not in words and "&" not in words:
        return words
    body = LexborHTMLParser(words[:2_000]).body
    return words if body is None else " ".join(body.text().split())
