"""What a page shows of itself beside its words: prices, byline, catalogue numbers, structured data. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ahocorasick_rs import AhoCorasick

_LIMIT = 20  # values kept of one kind: enough to judge by, bounded on hostile pages
_TEXT_MARKS = {
    "prices": re.compile(
        r"(?:[$€£¥₩₺]|US\$|CA\$|A\$|R\$|\b(?:USD|EUR|GBP|CAD|AUD|CHF|KRW|JPY|TRY))\s?\d[\d.,]*"
        r"|\b\d[\d.,]*\s?(?:€|£|円|원|元|USD\b|EUR\b|GBP\b|CAD\b|AUD\b|CHF\b|TL\b|zł)"
    ),
    "phones": re.compile(r"(?<![\w.])\+\d{1,3}[\s().-]{0,2}\d(?:[\s().-]{0,2}\d){6,11}(?!\d)"),
    "catalogue_numbers": re.compile(r"(?i)\b(?:cat(?:alog(?:ue)?)?\.?\s?(?:no|number|#)\.?:?\s?)[A-Z0-9][\w-]{2,}"),
    "trial_ids": re.compile(r"\bNCT\d{8}\b|\bEudraCT\s?\d{4}-\d{6}-\d{2}|\bjRCT[a-z]?\d{9,}|\bACTRN\d{14}\b"),
    "dois": re.compile(r"\b10\.\d{4,9}/[^\s\"'<>]{3,80}"),
}
# What each kind cannot be without. Looking for these first, all in one pass, and for the pattern around them only, is
# what keeps a long page quick: its text is mostly none of this.
_ANCHORS = {
    "prices": (*"$€£¥₩₺円元", "USD", "EUR", "GBP", "CAD", "AUD", "CHF", "KRW", "JPY", "TRY", "TL", "zł"),
    "phones": ("+",),
    "catalogue_numbers": ("cat", "Cat", "CAT"),
    "trial_ids": ("NCT", "EudraCT", "jRCT", "ACTRN"),
    "dois": ("10.",),
}
# What must come right after an anchor that other words hold as well ("education", "category").
_FOLLOWS = {"catalogue_numbers": re.compile(r"(?i)(?:alog(?:ue)?)?\.?\s?(?:no|number|#)")}
_ANCHOR_KINDS = [kind for kind, words in _ANCHORS.items() for _ in words]
_ANCHOR_SCAN = AhoCorasick([word for words in _ANCHORS.values() for word in words])
_BEFORE, _AFTER = 24, 120  # characters around an anchor in which its pattern may lie
_ANCHORS_TRIED = 2_000
_CURRENCY_SIGNS = {
    "US$": "USD", "CA$": "CAD", "A$": "AUD", "R$": "BRL", "€": "EUR", "£": "GBP", "₩": "KRW", "₺": "TRY", "円": "JPY",
    "원": "KRW", "元": "CNY", "zł": "PLN", "$": "$", "¥": "¥",
}  # fmt: skip
_CART = re.compile(
    r"(?i)add[-_]?to[-_]?cart|/cart\b|/checkout\b|woocommerce|shopify|/basket\b|/warenkorb|/panier|/carrito"
)
_BOOKING = re.compile(
    r"(?i)calendly|/book(?:ing|-now|-online|-appointment|-a-)|appointment|/termin\b|/cita\b|/rendez-vous|/reserv"
)
_TELLING_SCAN = AhoCorasick(
    """
    cart checkout woocommerce shopify basket warenkorb panier carrito
    calendly /book appointment /termin /cita /rendez-vous /reserv
    tel: mailto: byline author pricecurrency
    """.split()
)
"""What an element that shows something has in one of its attributes: see `may_tell`."""
_OTHER_CASE = "\u0130\u0131\u017f\u212a"  # what patterns take for i, s and k when case does not matter
_NEWS_TYPES = ("NewsArticle", "ReportageNewsArticle", "AnalysisNewsArticle")


class Marks:
    """Collects; `found()` gives kinds with values in order of appearance, without repeats."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, None]] = {}
        self._plain: set[str] = set()
        """Class names that say nothing: the same few stand on hundreds of a page's elements."""

    def add(self, kind: str, value: str) -> None:
        words = " ".join(value.split())[:300]
        kept = self._found.setdefault(kind, {})
        if words and len(kept) < _LIMIT:
            kept[words] = None

    def found(self) -> dict[str, list[str]]:
        return {kind: list(values) for kind, values in self._found.items() if values}

    def root(self, attributes: Mapping[str, str | None]) -> None:
        self.add("html_lang", attributes.get("lang") or "")

    def meta(self, attributes: Mapping[str, str | None]) -> tuple[str, str]:
        name = (attributes.get("name") or attributes.get("property") or attributes.get("itemprop") or "").lower()
        content = attributes.get("content") or ""
        kind = {
            "og:site_name": "site_name",
            "og:type": "og_type",
            "og:locale": "locale",
            "author": "byline",
            "article:author": "byline",
            "article:published_time": "published",
            "product:price:currency": "currencies",
            "product:price:amount": "prices",
            "generator": "generator",
            "citation_doi": "dois",
            "citation_journal_title": "journal",
            "citation_title": "journal",
        }.get(name)
        if kind:
            self.add(kind, content)
        return name, content

    def link(self, attributes: Mapping[str, str | None]) -> None:
        rel, href = attributes.get("rel") or "", attributes.get("href") or ""
        if rel == "alternate" and attributes.get("hreflang"):
            self.add("hreflang", attributes["hreflang"] or "")
        if rel == "canonical":
            self.add("canonical", href)

    def element(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        href = attributes.get("href") or attributes.get("action") or ""
        if href.startswith("tel:"):
            self.add("phones", href[4:])
        elif href.startswith("mailto:"):
            self.add("mails", href[7:])
        elif href and _BOOKING.search(href):
            self.add("booking", href)
        classes = f"{attributes.get('class') or ''} {attributes.get('name') or ''} {attributes.get('id') or ''}"
        telling = classes not in self._plain
        if (href and _CART.search(href)) or (telling and len(classes) > 5 and _CART.search(classes)):
            self.add("cart", href or classes)
        if tag == "time":
            self.add("published", attributes.get("datetime") or "")
        if attributes.get("rel") == "author" or (telling and "byline" in classes):
            self.add("byline", classes)
        if telling and not _CART.search(classes) and "byline" not in classes:
            self._plain.add(classes)
        if attributes.get("itemprop") == "priceCurrency":
            self.add("currencies", attributes.get("content") or "")

    def text(self, text: str) -> None:
        anchors: dict[str, list[tuple[int, int]]] = {}
        for index, start, end in _ANCHOR_SCAN.find_matches_as_indexes(text):
            anchors.setdefault(_ANCHOR_KINDS[index], []).append((start, end))
        for kind, places in anchors.items():
            follows = _FOLLOWS.get(kind)
            tried = places if follows is None else [place for place in places if follows.match(text, place[1])]
            for value in islice(_around(tried[:_ANCHORS_TRIED], _TEXT_MARKS[kind], text), _LIMIT):
                self.add(kind, value)
        for price in list(self._found.get("prices", ())):
            code = re.search(r"[A-Z]{3}\b", price)
            sign = next((name for mark, name in _CURRENCY_SIGNS.items() if mark in price), "")
            self.add("currencies", code.group() if code else sign)


def may_tell(tag: str, values: str) -> bool:
    """Could `Marks.element` find something in an element whose attributes hold these words?"""
    other = not values.isascii() and any(sign in values for sign in _OTHER_CASE)
    return tag == "time" or other or bool(_TELLING_SCAN.find_matches_as_indexes(values.lower()))


def _around(places: Iterable[tuple[int, int]], pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Matches of `pattern` near an anchor, in order, none twice."""
    done = 0
    for start, end in places:
        match = pattern.search(text, max(done, start - _BEFORE), end + _AFTER)
        if match and match.start() <= end:
            done = match.end()
            yield match.group()


_STRINGS = re.compile(r'"(name|headline|description|text|articleBody|reviewBody)"\s*:\s*"((?:[^"\\]|\\.){3,20000})"')
_TRAILING = re.compile(r",\s*([}\]])")
_SAID = ("headline", "description", "text", "reviewBody", "articleBody", "alternateName", "slogan", "abstract")


def _unwrapped(raw: str) -> str:
    inner = raw.strip().removeprefix("<!--").removesuffix("-->").strip()
    return inner.removeprefix("//<![CDATA[").removesuffix("//]]>")


def json_ld(raw: str) -> Any:
    """One script's data, its comma too many forgiven; None if it is broken."""
    text = _unwrapped(raw)
    for candidate in (text, _TRAILING.sub(r"\1", text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def json_ld_blocks(raw: str, marks: Marks, plain: Callable[[str], str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """(heading path, words) of one script; a broken script gives what its strings say."""
    data = json_ld(raw)
    if data is not None:
        yield from _said(data, marks, plain)
        return
    text = _unwrapped(raw)
    for match in _STRINGS.finditer(text):
        words = match.group(2).replace('\\"', '"').replace("\\n", " ").replace("\\/", "/")
        yield (), plain(words)


def _said(data: Any, marks: Marks, plain: Callable[[str], str]) -> Iterator[tuple[tuple[str, ...], str]]:
    waiting: list[tuple[Any, tuple[str, ...]]] = [(data, ())]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, list):
            waiting.extend((one, path) for one in reversed(value))
        elif isinstance(value, dict):
            kinds = value.get("@type")
            types = [str(one) for one in kinds] if isinstance(kinds, list) else [str(kinds or "")]
            _note(types, value, marks)
            name = value.get("name") if isinstance(value.get("name"), str) else ""
            below = path
            if name and not {"Organization", "Person", "WebSite", "ListItem", "BreadcrumbList"} & set(types):
                yield path, plain(str(name))
                below = (*path, plain(str(name))) if "Question" in types else path
            for key in _SAID:
                if isinstance(value.get(key), str):
                    yield below, plain(value[key])
            waiting.extend(
                (one, below)
                for key, one in reversed(value.items())
                if key != "@context" and isinstance(one, dict | list)
            )


def _note(types: list[str], value: Mapping[str, Any], marks: Marks) -> None:
    for kind in types:
        marks.add("types", kind)
    name = value.get("name")
    if "Product" in types and isinstance(name, str):
        marks.add("product_names", name)
    if any(kind in _NEWS_TYPES for kind in types):
        marks.add("published", str(value.get("datePublished") or "unknown"))
        author = value.get("author")
        if isinstance(author, dict):
            marks.add("byline", str(author.get("name") or ""))
    if isinstance(value.get("priceCurrency"), str):
        marks.add("currencies", value["priceCurrency"])
        marks.add("prices", f"{value['priceCurrency']} {value.get('price', '')}")
    for key, kind in (("telephone", "phones"), ("addressCountry", "countries"), ("streetAddress", "addresses")):
        if isinstance(value.get(key), str):
            marks.add(kind, value[key])
