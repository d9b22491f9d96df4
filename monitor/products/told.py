"""Products as a capture tells them to machines: entries of catalogues, JSON-LD, microdata, OpenGraph.

A place is `structured:` and one of
    <JSON pointer>                 in a catalogue's JSON (RFC 6901)
    ld+json/<n><JSON pointer>      in the n-th script of JSON-LD on the page, counted from 0
    microdata/<n>/<property>       of the n-th product marked up in the page
    meta/<property>                of the page's meta elements
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.products.entries import of_entry
from monitor.products.prices import money
from monitor.products.regions import country_code
from monitor.products.shapes import STRUCTURED, Fact, Told
from monitor.reading.captured import entry_of, is_json, parsed_json, pointed
from monitor.reading.marks import json_ld
from monitor.reading.text import source_of

_MOST_NODES = 5_000
_MOST_PRODUCTS = 60
_MOST_PRICES = 12
_PRODUCTS = frozenset({"Product", "ProductGroup", "IndividualProduct", "ProductModel"})
_NOT_THIS = frozenset({"isRelatedTo", "isSimilarTo", "isAccessoryOrSparePartFor", "itemReviewed", "review", "reviews"})
"""Below these stand other products, or what others say."""
_WORDY = ("category", "material", "additionalType", "activeIngredient", "administrationRoute", "dosageForm")


def read_told(body: bytes, content_type: str = "", part: str = "") -> tuple[Told, ...]:
    """The products that a decoded body tells of. Empty for a PDF, for broken data, and where there are none."""
    if part or is_json(body, content_type):
        path, entry = entry_of(body, part)
        found = of_entry(entry, f"{STRUCTURED}{path}") if isinstance(entry, dict) else None
        return (found,) if found else ()
    if not any(mark in body for mark in (b"ld+json", b"LD+JSON", b"itemscope", b"product:price")):
        return ()
    tree = LexborHTMLParser(source_of(body, content_type))
    found_there = [*_json_ld_products(tree), *_microdata_products(tree)]
    priced = any(fact.kind == "price" for one in found_there for fact in one.facts)
    if len(found_there) <= 1 and not priced:
        found_there = _with_meta(tree, found_there)
    return tuple(found_there[:_MOST_PRODUCTS])


def told_at(body: bytes, content_type: str, place: str) -> str | None:
    """The value at a place, as it is written there; None if there is none."""
    where = place.removeprefix(STRUCTURED)
    if where.startswith("/") or not where:
        return _written(pointed(parsed_json(body), where))
    kind, _, rest = where.partition("/")
    tree = LexborHTMLParser(source_of(body, content_type))
    if kind == "ld+json":
        number, _, pointer = rest.partition("/")
        scripts = _scripts(tree)
        if not number.isdecimal() or int(number) >= len(scripts):
            return None
        return _written(pointed(json_ld(scripts[int(number)]), f"/{pointer}" if pointer else ""))
    if kind == "microdata":
        number, _, name = rest.partition("/")
        scopes = _scopes(tree)
        if not number.isdecimal() or int(number) >= len(scopes):
            return None
        return _properties(scopes[int(number)]).get(name)
    return _meta(tree).get(rest) if kind == "meta" else None


def _written(value: Any) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    return _flat(str(value)) if isinstance(value, str | int | float) else None


def _scripts(tree: LexborHTMLParser) -> list[str]:
    return [script.text() for script in tree.css('script[type="application/ld+json" i]')]


def _json_ld_products(tree: LexborHTMLParser) -> Iterator[Told]:
    for number, raw in enumerate(_scripts(tree)):
        yield from _Data(f"{STRUCTURED}ld+json/{number}", json_ld(raw)).products()


def _step(path: str, key: str | int) -> str:
    return f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"


class _Data:
    """One script's things, walked without recursion and with a limit."""

    def __init__(self, place: str, data: Any) -> None:
        self._place = place
        self._data = data

    def products(self) -> Iterator[Told]:
        waiting: list[tuple[str, Any]] = [(self._place, self._data)]
        for _ in range(_MOST_NODES):
            if not waiting:
                return
            path, value = waiting.pop()
            if isinstance(value, list):
                waiting.extend((_step(path, index), one) for index, one in reversed(list(enumerate(value))))
            elif isinstance(value, dict):
                if _types(value) & _PRODUCTS and (found := self._product(path, value)):
                    yield found
                    continue
                below = [(_step(path, key), one) for key, one in value.items() if key not in _NOT_THIS]
                waiting.extend(one for one in reversed(below) if isinstance(one[1], dict | list))

    def _product(self, path: str, value: dict[str, Any]) -> Told | None:
        name = _flat(_plain(value.get("name")))
        if not name:
            return None
        facts = [Fact("name", name, _flat(str(value["name"])), place=_step(path, "name"))]
        words: list[tuple[str, str]] = []
        for key in ("brand", "manufacturer"):
            facts += _named("brand", value.get(key), _step(path, key))
        for key in _WORDY:
            words += _strings(value.get(key), _step(path, key))
        for where, one in _each(value.get("additionalProperty"), _step(path, "additionalProperty")):
            words += _strings(one.get("value"), _step(where, "value")) if isinstance(one, dict) else []
        for where, offer in self._offers(path, value):
            facts += _offered(where, offer)
        return Told(name[:300], tuple(_first_of_each(facts)), tuple(words[:20]))

    def _offers(self, path: str, value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The offers of a product and of its variants."""
        variants = [(path, value), *_each(value.get("hasVariant"), _step(path, "hasVariant"))]
        for place, one in variants[:50]:
            if not isinstance(one, dict):
                continue
            for where, offer in _each(one.get("offers"), _step(place, "offers")):
                if isinstance(offer, dict):
                    yield where, offer
                    inner = _each(offer.get("offers"), _step(where, "offers"))[:50]
                    yield from ((deep, each) for deep, each in inner if isinstance(each, dict))


def _offered(path: str, offer: dict[str, Any]) -> Iterator[Fact]:
    currency = _plain(offer.get("priceCurrency"))
    for key in ("price", "lowPrice", "highPrice"):
        yield from _price(offer.get(key), currency, _step(path, key))
    for where, one in _each(offer.get("priceSpecification"), _step(path, "priceSpecification")):
        if isinstance(one, dict):
            yield from _price(one.get("price"), _plain(one.get("priceCurrency")) or currency, _step(where, "price"))
    yield from _named("seller", offer.get("seller"), _step(path, "seller"))
    for key in ("eligibleRegion", "areaServed"):
        yield from _countries(offer.get(key), _step(path, key))
    for where, one in _each(offer.get("shippingDetails"), _step(path, "shippingDetails")):
        if isinstance(one, dict):
            yield from _countries(one.get("shippingDestination"), _step(where, "shippingDestination"))


def _price(amount: Any, currency: str, place: str) -> Iterator[Fact]:
    written = _written(amount)
    if written and (value := money(written, currency)):
        yield Fact("price", value, written, place=place)


def _named(kind: str, value: Any, place: str) -> Iterator[Fact]:
    for where, one in _each(value, place):
        deep, said = (_step(where, "name"), one.get("name")) if isinstance(one, dict) else (where, one)
        if isinstance(said, str) and (name := _flat(said)):
            yield Fact(kind, name[:200], name, place=deep)


def _countries(value: Any, place: str) -> Iterator[Fact]:
    for where, one in _each(value, place):
        names = [(where, one)]
        if isinstance(one, dict):
            key = next((name for name in ("addressCountry", "name") if name in one), "")
            names = list(_each(one.get(key), _step(where, key)))
        for inner, name in names:
            deep, said = (_step(inner, "name"), name.get("name")) if isinstance(name, dict) else (inner, name)
            if isinstance(said, str) and (code := country_code(said)):
                yield Fact("country", code, _flat(said), place=deep)


def _each(value: Any, place: str) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return [(_step(place, index), one) for index, one in enumerate(value[:200])]
    return [] if value is None else [(place, value)]


def _strings(value: Any, place: str) -> list[tuple[str, str]]:
    return [(_flat(one)[:300], where) for where, one in _each(value, place) if isinstance(one, str) and one.strip()]


def _types(value: dict[str, Any]) -> frozenset[str]:
    said = value.get("@type")
    names = said if isinstance(said, list) else [said]
    return frozenset(str(name).rstrip("/").rpartition("/")[2].rpartition(":")[2] for name in names if name)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=4096)
def _flat(words: str) -> str:
    return " ".join(words.split())


def _first_of_each(facts: list[Fact]) -> Iterator[Fact]:
    """Each value once; of prices, a few."""
    seen: set[tuple[str, str]] = set()
    prices = 0
    for fact in facts:
        prices += fact.kind == "price" and fact.key not in seen
        if fact.key in seen or (fact.kind == "price" and prices > _MOST_PRICES):
            continue
        seen.add(fact.key)
        yield fact


_SCHEMA_PRODUCT = re.compile(r"schema\.org/(?:Product|ProductGroup|IndividualProduct|ProductModel)\b", re.IGNORECASE)
_MOST_PROPERTIES = 300


def _scopes(tree: LexborHTMLParser) -> list[LexborNode]:
    marked = tree.css("[itemtype]")[: _MOST_PRODUCTS * 20]
    return [node for node in marked if _SCHEMA_PRODUCT.search(node.attributes.get("itemtype") or "")][:_MOST_PRODUCTS]


def _properties(scope: LexborNode) -> dict[str, str]:
    """Properties of a product, those of its offers and its brand's name (`brand`) with them; the first of each."""
    found: dict[str, str] = {}
    for node in scope.css("[itemprop]")[:_MOST_PROPERTIES]:
        name = (node.attributes.get("itemprop") or "").strip()
        outer = _outer(node, scope)
        if outer is None or name in _NOT_THIS:
            continue
        if outer and name == "name":
            name = outer
        elif outer not in ("", "offers"):
            continue
        value = node.attributes.get("content") or node.attributes.get("href") or node.text()
        if "itemscope" not in node.attributes and (words := _flat(value or "")):
            found.setdefault(name, words[:300])
    return found


def _outer(node: LexborNode, scope: LexborNode) -> str | None:
    """The property that a property stands in ("" for the product's own); None if it belongs to another product."""
    current = node.parent
    inner = ""
    for _ in range(60):
        if current is None:
            return None
        if current.mem_id == scope.mem_id:
            return inner
        if "itemscope" in current.attributes:
            prop = (current.attributes.get("itemprop") or "").strip()
            if not prop or prop in _NOT_THIS or _SCHEMA_PRODUCT.search(current.attributes.get("itemtype") or ""):
                return None
            inner = inner or prop
        current = current.parent
    return None


def _microdata_products(tree: LexborHTMLParser) -> Iterator[Told]:
    for number, scope in enumerate(_scopes(tree)):
        said = _properties(scope)
        place = f"{STRUCTURED}microdata/{number}"
        name = said.get("name", "")
        if not name:
            continue
        facts = [Fact("name", name, name, place=f"{place}/name")]
        for kind, key in (("brand", "brand"), ("brand", "manufacturer"), ("seller", "seller")):
            if key in said:
                facts.append(Fact(kind, said[key], said[key], place=f"{place}/{key}"))
        for key in ("price", "lowPrice", "highPrice"):
            facts += _price(said.get(key), said.get("priceCurrency", ""), f"{place}/{key}")
        words = [(said[key], f"{place}/{key}") for key in _WORDY if key in said]
        yield Told(name, tuple(_first_of_each(facts)), tuple(words))


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.css("meta")[:500]:
        name = (node.attributes.get("property") or node.attributes.get("name") or "").lower()
        if name.startswith(("product:", "og:")) and (words := _flat(node.attributes.get("content") or "")):
            found.setdefault(name, words[:300])
    return found


def _with_meta(tree: LexborHTMLParser, found: list[Told]) -> list[Told]:
    """OpenGraph's price and brand, for the page's one product."""
    said = _meta(tree)
    name = found[0].name if found else said.get("og:title", "")
    if "product:price:amount" not in said or not name:
        return found
    held = list(found[0].facts) if found else [Fact("name", name, name, place=f"{STRUCTURED}meta/og:title")]
    amount, currency = said["product:price:amount"], said.get("product:price:currency", "")
    held += _price(amount, currency, f"{STRUCTURED}meta/product:price:amount")
    if "product:brand" in said and not any(fact.kind == "brand" for fact in held):
        held.append(
            Fact("brand", said["product:brand"], said["product:brand"], place=f"{STRUCTURED}meta/product:brand")
        )
    return [Told(name, tuple(_first_of_each(held)), found[0].words if found else ())]
