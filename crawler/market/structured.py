"""What a page says of itself to machines: JSON-LD, microdata, OpenGraph, read by extruct.

extruct gives up on a page's whole JSON-LD at its first broken script, and does not know scripts wrapped in a comment
of more than one line or in CDATA, types in capitals or with a charset, or nesting beyond Python's stack. Those
are met here; everything else is extruct's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin
from weakref import WeakKeyDictionary

from scrapy.http import TextResponse

from crawler.market.elements import elements

_WRAPPED = re.compile(
    r"\A\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)(.*?)(?:(?://\s*)?-->|(?://\s*)?\]\]>)\s*\Z", re.DOTALL
)
_OPEN_GRAPH = ("og:", "product:")
_MOST_NODES = 5_000
"""Things looked at of one page: there are pages of 900 kB of data."""
_DEEPEST = 30
_MOST_REFERENCES = 200
"""Bounds of one page's microdata: nesting of its elements, and references from one to another."""
_ORGANISATIONS = frozenset(
    {"Organization", "MedicalClinic", "MedicalBusiness", "LocalBusiness", "Store", "OnlineStore"}
)
_PRODUCTS = frozenset({"Product", "ProductGroup", "IndividualProduct", "ProductModel"})


@dataclass(frozen=True)
class Structured:
    """Things with their properties; `broken`: scripts that could not be read."""

    items: tuple[dict[str, Any], ...] = ()
    open_graph: dict[str, str] = field(default_factory=dict)
    broken: int = 0

    def things(self) -> Iterator[tuple[frozenset[str], dict[str, Any]]]:
        """Every thing at any depth (`@graph`, offers, variants, lists) with its types, without their vocabulary."""
        waiting: list[Any] = list(reversed(self.items))
        for _ in range(_MOST_NODES):
            if not waiting:
                return
            value = waiting.pop()
            if isinstance(value, list):
                waiting.extend(reversed(value))
            elif isinstance(value, dict):
                yield _types(value), value
                waiting.extend(one for one in reversed(value.values()) if isinstance(one, dict | list))

    def name_of_site(self) -> str:
        """What the organisation behind the page calls itself; empty if it does not say."""
        for types, thing in self.things():
            if types & _ORGANISATIONS and (name := _words(_property(thing, "name"))):
                return name
        return ""

    def products(self) -> tuple[str, ...]:
        """Names of the products on the page, each once."""
        named = (_words(_property(thing, "name")) for types, thing in self.things() if types & _PRODUCTS)
        return tuple(dict.fromkeys(filter(None, named)))

    def addresses(self, base: str) -> Iterator[tuple[str, str]]:
        """Addresses and names of products and list items: what a list built by script shows to visitors alone."""
        for types, thing in self.things():
            if not types & (_PRODUCTS | {"ListItem"}):
                continue
            for name in ("url", "@id", "item"):
                value = _property(thing, name)
                if isinstance(value, str) and value.startswith(("http://", "https://", "/")):
                    try:
                        yield urljoin(base, value), _words(_property(thing, "name"))
                    except ValueError:
                        continue  # an address that is none; the thing itself was read
                    break


_READ: WeakKeyDictionary[TextResponse, Structured] = WeakKeyDictionary()


def structured(response: TextResponse) -> Structured:
    """All three kinds of a page, read once. Never raises for what the page holds."""
    if (found := _READ.get(response)) is None:
        found = _READ[response] = _structured(response)
    return found


def _structured(response: TextResponse) -> Structured:
    items, broken = _json_ld(response)
    found, unread = _microdata(response)
    return Structured((*items, *found), _open_graph(response), broken + unread)


def _open_graph(response: TextResponse) -> dict[str, str]:
    told: dict[str, str] = {}
    named = [one for one in elements(response)["meta"] if (one.get("property") or "").startswith(_OPEN_GRAPH)]
    if not named:
        return told
    # extruct brings a library for RDF with it: half a second that most pages need not pay
    from extruct.opengraph import OpenGraphExtractor  # type: ignore[import-untyped]

    for one in OpenGraphExtractor().extract_items(response.selector.root):
        for name, value in one["properties"]:
            told.setdefault(name, value)
    for meta in named:
        # where something visible stands above them, the parser has them in the body, where extruct does not look
        if meta.get("property").startswith("og:") and meta.get("content"):
            told.setdefault(meta.get("property"), meta.get("content"))
    return told


def _microdata(response: TextResponse) -> tuple[list[Any], int]:
    document = response.selector.root
    if "itemscope" not in response.text:
        return [], 0
    if _is_hostile(document):
        return [], 1
    from extruct.w3cmicrodata import MicrodataExtractor  # type: ignore[import-untyped]

    try:
        return list(MicrodataExtractor(strict=False).extract_items(document, base_url=response.url)), 0
    except (ValueError, RecursionError):
        return [], 1


def _is_hostile(document: Any) -> bool:
    """extruct's time grows with the cube of the nesting, and with what `itemref` repeats: no page needs much of it."""
    from lxml.etree import iterwalk  # type: ignore[import-untyped]

    depth = references = 0
    for event, element in iterwalk(document, events=("start", "end")):
        if element.get("itemprop") is None and element.get("itemscope") is None:
            continue
        depth += 1 if event == "start" else -1
        if event == "start":
            references += len((element.get("itemref") or "").split())
        if depth > _DEEPEST or references > _MOST_REFERENCES:
            return True
    return False


def _json_ld(response: TextResponse) -> tuple[list[Any], int]:
    scripts = [one for one in elements(response)["script"] if _is_json_ld(one.get("type") or "")]
    if not scripts:
        return [], 0
    from extruct.jsonld import JsonLdExtractor  # type: ignore[import-untyped]

    found: list[Any] = []
    broken = 0
    for script in scripts:
        text = "".join(script.itertext()).lstrip("\ufeff")
        wrapped = _WRAPPED.match(text)
        own = script.makeelement("script", type="application/ld+json")
        own.text = _printable(wrapped.group(1) if wrapped else text)
        if not own.text.strip():
            continue
        try:
            found += JsonLdExtractor().extract_items(own)
        except (ValueError, RecursionError, AttributeError, TypeError, IndexError):
            broken += 1
    return [one for one in found if isinstance(one, dict)], broken


def _is_json_ld(said: str) -> bool:
    return said.partition(";")[0].strip().lower() == "application/ld+json"


_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _printable(text: str) -> str:
    """lxml takes no character that XML forbids; in JSON they are white space or a mistake."""
    return _NOT_XML.sub(" ", text)


def _types(thing: dict[str, Any]) -> frozenset[str]:
    said = thing.get("@type", thing.get("type"))
    names = said if isinstance(said, list) else [said]
    return frozenset(str(name).rstrip("/").rpartition("/")[2].rpartition(":")[2] for name in names if name)


def _property(thing: dict[str, Any], name: str) -> Any:
    """A property, of JSON-LD or of microdata (which has them below `properties`); the first where there are many."""
    below = thing.get("properties")
    value = thing.get(name, below.get(name) if isinstance(below, dict) else None)
    return value[0] if isinstance(value, list) and value else value


def _words(value: Any) -> str:
    return " ".join(value.split())[:300] if isinstance(value, str) else ""
