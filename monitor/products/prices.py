"""Prices as written, read by price-parser, and their currency as an ISO 4217 code where the sign tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick
from price_parser import Price

SIGNS: Mapping[str, str] = {
    "US$": "USD", "U$S": "USD", "CA$": "CAD", "C$": "CAD", "AU$": "AUD", "A$": "AUD", "NZ$": "NZD", "HK$": "HKD",
    "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "R$": "BRL", "€": "EUR", "£": "GBP", "₩": "KRW", "₺": "TRY", "₹": "INR",
    "₽": "RUB", "₫": "VND",
    "฿": "THB", "₪": "ILS", "₱": "PHP", "円": "JPY", "원": "KRW", "元": "CNY", "zł": "PLN", "TL": "TRY", "Kč": "CZK",
    "руб": "RUB",
    "درهم": "AED", "د.إ": "AED", "Dhs": "AED", "Rp": "IDR", "RM": "MYR", "Fr.": "CHF", "$": "$", "¥": "¥", "￥": "¥",
}  # fmt: skip
"""A bare dollar or yen sign names no one currency: it stays a sign."""
_CODES = (
    "USD EUR GBP CAD AUD NZD CHF KRW JPY CNY RMB TRY PLN BRL MXN AED SAR SGD HKD TWD INR THB MYR IDR PHP VND RUB SEK "
    "NOK DKK CZK HUF RON ZAR ILS COP CLP ARS KWD QAR"
).split()
_AMOUNT = r"\d{1,9}(?:[., '\u00a0\u202f]\d{2,3}){0,4}"
_MARK = "|".join(sorted(map(re.escape, [*SIGNS, *_CODES]), key=len, reverse=True))
_PRICE = re.compile(rf"(?<![\w.,$])(?:(?:{_MARK})[ \u00a0]?(?:{_AMOUNT})|(?:{_AMOUNT})[ \u00a0]?(?:{_MARK}))(?![\w$])")
_BOUNDED = re.compile(rf"(?<![\w.,$])(?:(?:{_MARK})[ \u00a0]?(?:{_AMOUNT})|(?:{_AMOUNT})[ \u00a0]?(?:円|원|元))")
_BY_AMOUNT = re.compile(r"\s?(?:/|per|pro|je|par|por)\s?(?:\d|(?:ml|l|kg|g|oz)\b)", re.IGNORECASE)
"""What a litre or a hundred grams would cost is not the price of the product."""
_ANCHORS = AhoCorasick([*SIGNS, *_CODES])
_REACH = 30
_TRIED = 500
"""Signs of money looked at on one page."""
_LARGEST = Decimal("1e9")


class WrittenPrice(NamedTuple):
    start: int
    end: int
    value: str


def money(amount: str, currency: str = "", exponent: int = 0) -> str:
    """`11.05 GBP`, or `11.05` without a currency; empty for what is no price. `exponent`: places of minor units."""
    try:
        value = Decimal(amount)
    except InvalidOperation:
        parsed = Price.fromstring(amount[:60]).amount
        if parsed is None:
            return ""
        value = parsed
    if not value.is_finite() or not 0 < value < _LARGEST * 10**exponent:
        return ""
    code = _code(currency)
    shown = f"{value.scaleb(-exponent):.{exponent}f}" if exponent else _two_places(value)
    return f"{shown} {code}".strip()


def _two_places(value: Decimal) -> str:
    whole = value == value.to_integral_value()
    return f"{value:.0f}" if whole and value >= 1000 else f"{value:.2f}"


def _code(currency: str) -> str:
    """An ISO code, from a code or a sign; empty for anything else."""
    said = currency.strip()
    if len(said) == 3 and said.isalpha() and said.isascii():
        return {"RMB": "CNY"}.get(said.upper(), said.upper())
    return SIGNS.get(said, "")


def prices_in(text: str, start: int, end: int, page_currency: str = "") -> Iterator[WrittenPrice]:
    """Written prices in a stretch of text, in order. `page_currency`: what a bare sign stands for there."""
    done = start
    for _, first, last in _ANCHORS.find_matches_as_indexes(text[start:end])[:_TRIED]:
        low, high = start + first, start + last
        if low < done:
            continue
        match = _near(text, max(done, low - _REACH), min(end, high + _REACH), low)
        if match is None:
            continue
        done = match.end()
        if _BY_AMOUNT.match(text, match.end(), match.end() + _REACH):
            continue
        parsed = Price.fromstring(match.group())
        if parsed.amount is None:
            continue
        mark = next((one for one in (*_CODES, *SIGNS) if one in match.group()), "")
        code = _code(mark)
        if code in ("$", "¥") and page_currency:
            code = page_currency
        if value := money(str(parsed.amount), code if len(code) == 3 else ""):
            yield WrittenPrice(match.start(), match.end(), value if len(code) == 3 else f"{value} {code}".strip())


def _near(text: str, low: int, high: int, mark: int) -> re.Match[str] | None:
    """The price whose sign stands at `mark`."""
    for pattern in (_PRICE, _BOUNDED):
        for match in pattern.finditer(text, low, high):
            if match.start() <= mark < match.end():
                return match
    return None
