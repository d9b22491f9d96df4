"""A capture's body as a document: a page of HTML, one entry of a shop's catalogue, or a PDF. Pure: bytes in, text out.

Catalogues: Shopify's products.json, the WooCommerce Store API, the WordPress REST API (wp/v2), Squarespace's
`?format=json`. An entry is shown as the shop's own words and nothing else, so that a quote from it is a quote of
the seller. What moves with every sale (stock, times of update, order of variants) is left out.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from monitor.reading.pdf import pdf_html
from monitor.reading.text import Document, read_html

_NO_CHOICE = "Default Title"
"""Shopify's name of the one variant of a product that has none."""
_MOST_VALUES = 200
"""Variants, tags and pictures shown of one entry: enough for any product, bounded on hostile catalogues."""


def read_captured(body: bytes, content_type: str = "", part: str = "") -> Document:
    """A decoded body as a document; empty where it holds nothing that can be read. `part`: see `PageRecord.part`."""
    if b"%PDF-" in body[:1024] and "html" not in content_type.lower():
        return read_html(pdf_html(body))
    if part or is_json(body, content_type):
        _, entry = entry_of(body, part)
        return _shown(entry) if isinstance(entry, dict) else read_html("")
    return read_html(body, content_type)


def is_json(body: bytes, content_type: str) -> bool:
    """Does a body said to be JSON begin like JSON?"""
    return "json" in content_type.lower() and body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


@lru_cache(maxsize=2)
def parsed_json(body: bytes) -> Any:
    """The data, None if it is broken. Kept for the next entry of the same catalogue page, which holds up to 250."""
    try:
        return json.loads(body.decode("utf-8-sig", errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def entry_of(body: bytes, part: str) -> tuple[str, Any]:
    """The entry that `part` names in a catalogue, and the pointer to it. None if it names nothing.

    An entry that was asked for alone stands under the name of its kind (Shopify, Squarespace).
    """
    data = pointed(parsed_json(body), part)
    for name in ("product", "item"):
        if isinstance(data, dict) and isinstance(data.get(name), dict) and "title" in data[name]:
            return f"{part}/{name}", data[name]
    return part, data


def pointed(data: Any, pointer: str) -> Any:
    """What a JSON pointer names; None if it names nothing."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        else:
            return None
    return data


def _shown(entry: dict[str, Any]) -> Document:
    title = _title(entry)
    prices = list(dict.fromkeys(_prices(entry)))
    parts = [
        f'<title>{title}</title><meta name="keywords" content="{html.escape(_tags(entry))}"><h1>{title}</h1>',
        *(f"<p>{html.escape(name)}</p>" for name in _names(entry)),
        *(f"<div>{words}</div>" for words in _descriptions(entry)),
        *(f"<li>{html.escape(words)}</li>" for words in _choices(entry)),
        *(f"<p>{html.escape(price)}</p>" for price in prices),
        *(f'<img alt="{html.escape(words)}">' for words in _alts(entry)),
    ]
    document = read_html("\n".join(parts))
    if not _is_product(entry):
        return document
    named = document.text[document.blocks[0].start : document.blocks[0].end] if document.blocks and title else ""
    told = {"product_names": [named] if named else [], "prices": prices, "types": ["Product"]}
    return replace(document, marks={**document.marks, **{kind: values for kind, values in told.items() if values}})


def _is_product(entry: dict[str, Any]) -> bool:
    return any(key in entry for key in ("variants", "prices", "body_html"))


def _title(entry: dict[str, Any]) -> str:
    """As HTML: WordPress and WooCommerce escape it themselves."""
    rendered = _rendered(entry.get("title"))
    if rendered or isinstance(entry.get("name"), str):
        return rendered or str(entry["name"])
    return html.escape(_text(entry.get("title")))


def _names(entry: dict[str, Any]) -> Iterator[str]:
    """Maker and kind of a product, and its categories."""
    for key in ("vendor", "product_type"):
        if _text(entry.get(key)):
            yield _text(entry[key])
    for key in ("brands", "categories"):
        yield from (_text(one.get("name")) for one in _dicts(entry.get(key)) if _text(one.get("name")))


def _descriptions(entry: dict[str, Any]) -> Iterator[str]:
    for key in ("body_html", "short_description", "excerpt", "description", "body"):
        if words := _text(entry.get(key)):
            yield words
    content = _rendered(entry.get("content"))
    if content or _rendered(entry.get("excerpt")):
        yield content or _rendered(entry.get("excerpt"))


def _choices(entry: dict[str, Any]) -> Iterator[str]:
    """Named variants, in an order of their own."""
    names = {_text(one.get("title")).strip() for one in _dicts(entry.get("variants"))}
    yield from sorted(names - {"", _NO_CHOICE})


def _tags(entry: dict[str, Any]) -> str:
    """What a page of HTML has as its keywords: said to machines, and seldom shown."""
    tags = entry.get("tags")
    words = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []
    names = {_text(one.get("name") if isinstance(one, dict) else one).strip() for one in words[:_MOST_VALUES]}
    return ", ".join(sorted(names - {""}))


def _prices(entry: dict[str, Any]) -> Iterator[str]:
    prices = entry.get("prices")
    if isinstance(prices, dict):
        places = prices.get("currency_minor_unit")
        exponent = places if isinstance(places, int) and 0 <= places <= 4 else 2
        yield from _money(prices.get("price"), exponent, _text(prices.get("currency_code")))
    for variant in _dicts(entry.get("variants")):
        money = variant.get("priceMoney")
        if isinstance(money, dict):
            yield from _money(money.get("value"), 0, _text(money.get("currency")))
        else:
            yield from _money(variant.get("price"), 0, "")


def _money(amount: Any, exponent: int, currency: str) -> Iterator[str]:
    """`11.05 GBP`; amounts come as strings, some of them in minor units."""
    if not isinstance(amount, str | int | float) or isinstance(amount, bool):
        return
    try:
        value = Decimal(str(amount)).scaleb(-exponent)
        yield f"{value:.{max(exponent, 2)}f} {currency}".strip()
    except InvalidOperation:
        return


def _alts(entry: dict[str, Any]) -> Iterator[str]:
    """Of WooCommerce alone: Shopify tells them of a product asked for alone, and not in its list."""
    if "prices" in entry:
        yield from (_text(one.get("alt")) for one in _dicts(entry.get("images")) if _text(one.get("alt")))


def _rendered(value: Any) -> str:
    return _text(value.get("rendered")) if isinstance(value, dict) else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value[:_MOST_VALUES] if isinstance(one, dict)] if isinstance(value, list) else []
