"""Which jurisdictions a page speaks to, each with the evidence in its own words.

Signs are strong (one is enough) or weak (two different ones are needed). English alone is no sign, and a language
of several countries a weak one for each. A member state of the European Union is given twice: under its own code,
and as `eu` with the country named. No network and no cache: the public suffix list is the one that tldextract
brings along.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ahocorasick_rs import AhoCorasick, MatchKind

from monitor.classify.delivering import delivering
from monitor.classify.places import places
from monitor.classify.postal import Spot, postal, spots
from monitor.classify.remembered import Remembered
from monitor.classify.shapes import Addressed
from monitor.knowledge.wordlists import any_of
from monitor.reading.text import Document

if TYPE_CHECKING:
    from tldextract import TLDExtract

Span = tuple[int, int]
STRONG = 2
WEAK = 1
SHOWN = 4
"""Pieces of evidence named for one jurisdiction; the strongest come first."""


class Sign(NamedTuple):
    """One piece of evidence. `country` may be a member state: it then speaks for `eu` too."""

    country: str
    weight: int
    kind: str
    evidence: str


def addressed(document: Document, url: str, lang: str) -> tuple[Addressed, ...]:
    """The jurisdictions with enough evidence, best supported first, ties by code.

    `lang`: the page's language if known (BCP 47 or ISO 639-1); it counts only where the language has one home.
    """
    by_code: dict[str, list[Sign]] = {}
    for sign in _without_foreign_dollars(list(dict.fromkeys(_signs(document, url, lang)))):
        for code in _codes(sign.country):
            by_code.setdefault(code, []).append(sign)
    found = [
        (sum(weights.values()), code, signs)
        for code, signs in by_code.items()
        if sum((weights := _by_kind(signs)).values()) >= STRONG
    ]
    found.sort(key=lambda one: (-one[0], one[1]))
    return tuple(Addressed(code, _why(code, signs)) for _, code, signs in found)


def _by_kind(signs: Iterable[Sign]) -> dict[str, int]:
    """A kind of evidence counts once, by its strongest piece: ten prices are one sign."""
    weights: dict[str, int] = {}
    for sign in signs:
        weights[sign.kind] = max(weights.get(sign.kind, 0), sign.weight)
    return weights


def _codes(country: str) -> tuple[str, ...]:
    return (country, "eu") if country in places().member_states else (country,)


def _why(code: str, signs: Iterable[Sign]) -> str:
    best = sorted(signs, key=lambda sign: -sign.weight)
    told: dict[str, str] = {}
    said: set[tuple[str, str]] = set()
    for sign in best:
        # One language may speak for several member states.
        if (sign.kind, sign.evidence) not in said:
            said.add((sign.kind, sign.evidence))
            told.setdefault(f"{sign.kind} {sign.country}", _told(code, sign))
    return "; ".join(list(told.values())[:SHOWN])


def _told(code: str, sign: Sign) -> str:
    evidence = " ".join(sign.evidence.split())
    if len(evidence) > 80:
        evidence = evidence[:79].rstrip() + "…"
    member = places().member_states.get(sign.country) if code == "eu" else None
    return f'{sign.kind} "{evidence}"' + (f" ({member}, a member state)" if member else "")


def _without_foreign_dollars(signs: list[Sign]) -> list[Sign]:
    """A bare "$" on a page that shows signs of another dollar country is that country's; a language is not enough."""
    others = {sign.country for sign in signs if sign.kind != "language" or sign.weight == STRONG}
    others &= places().bare_dollar
    return [sign for sign in signs if not (others and sign.kind == "price" and sign.evidence.startswith("$"))]


def _signs(document: Document, url: str, lang: str) -> Iterator[Sign]:
    marks, text = document.marks, document.text
    at = _spots_on(document)
    yield from _host(url)
    yield from _languages(marks, lang)
    yield from _money(text, marks, at.get(_MONEY, ()))
    yield from _phones(text, marks)
    for one in postal(text, at):
        yield Sign(one.country, STRONG if one.sure else WEAK, one.kind, one.words)
    yield from _shipping(text, at.get(_SHIPPING, ()))
    yield from _premises(text, at.get(_PREMISE, ()))
    for name in marks.get("countries", ()):
        yield from _named(name, STRONG, "address in structured data")


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None)


@lru_cache(maxsize=10_000)
def _suffix(host: str) -> str:
    """A site's pages have one host or two: worked out once."""
    return _suffixes()(host).suffix


def _host(url: str) -> Iterator[Sign]:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    # A country's has two letters; what reads the others takes a tenth of a second to load.
    suffix = _suffix(host) if not host.isascii() or len(host.rstrip(".").rpartition(".")[2]) == 2 else ""
    last = suffix.rpartition(".")[2]
    # What is registered under com.co, unlike under co, is so because of the country.
    if len(last) == 2 and (last not in places().general_endings or "." in suffix):
        yield Sign(_country(last), STRONG, "host ends in", f".{suffix}")
    for segment in parts.path.split("/")[1:3]:
        region = _region(segment)
        if region:
            yield Sign(region, STRONG, "locale in the address", f"/{segment}/")


def _country(code: str) -> str:
    return {"gb": "uk", "el": "gr"}.get(code, code)


_LOCALE = re.compile(r"^([A-Za-z]{2})[-_]([A-Za-z]{2})$")


def _region(locale: str) -> str:
    """`uk` for en-GB; empty without a region that is in the tables."""
    match = _LOCALE.match(locale.strip())
    if not match:
        return ""
    region = _country(match.group(2).lower())
    return region if region in places().countries else ""


def _languages(marks: dict[str, list[str]], lang: str) -> Iterator[Sign]:
    for value in marks.get("hreflang", ()):
        region = _region(value)
        if region:
            yield Sign(region, STRONG, "offered as hreflang", value)
    for value in (*marks.get("html_lang", ()), *marks.get("locale", ()), lang):
        region = _region(value)
        if region:
            # en-US is what shop and blog software writes when nobody chose.
            weight = WEAK if region == "us" else STRONG
            yield Sign(region, weight, "language", value)
            continue
        spoken = value.strip().lower().split("-")[0].split("_")[0]
        if spoken in places().homes:
            yield Sign(places().homes[spoken], STRONG, "language", value)
        for country in places().shared_by.get(spoken, ()):
            yield Sign(country, WEAK, "language", value)


@lru_cache(maxsize=1)
def _price() -> re.Pattern[str]:
    sign, iso = any_of(places().currency_signs), any_of(places().currencies)
    amount = r"\d[\d.,\u00a0\u202f' ]{0,12}\d|\d"
    return re.compile(
        rf"(?<![\w$£€])(?:(?P<sign>{sign}|\$)[ \u00a0]?(?:{amount})(?:[ \u00a0]?(?P<after_sign>{iso})\b)?"
        rf"|(?P<iso>{iso})[ \u00a0]?\$?[ \u00a0]?(?:{amount})"
        rf"|(?:{amount})[ \u00a0]?(?:(?P<iso_after>{iso})\b|(?P<sign_after>{sign})(?![\w$])))"
    )


PRICE_REACH = 40
"""Characters on either side of a currency's sign in which the whole price lies."""


def _money(text: str, marks: dict[str, list[str]], anchors: Sequence[Span]) -> Iterator[Sign]:
    for currency in marks.get("currencies", ()):
        code = places().currencies.get(currency.strip().upper())
        # A mark of USD may stem from a bare "$"; the prices themselves tell.
        if code and code != "us":
            yield Sign(code, STRONG, "currency", currency)
    seen: set[str] = set()
    for matches in (*map(_price().finditer, marks.get("prices", ())), _prices_in(text, anchors)):
        for match in matches:
            iso = match["after_sign"] or match["iso"] or match["iso_after"]
            sign = match["sign"] or match["sign_after"]
            if (iso or sign) in seen:
                continue
            seen.add(iso or sign)
            if iso:
                yield Sign(places().currencies[iso], STRONG, "price", match.group())
            elif sign == "$":
                yield Sign("us", WEAK, "price", match.group())
            else:
                yield Sign(places().currency_signs[sign], STRONG, "price", match.group())


def _prices_in(text: str, anchors: Sequence[Span]) -> Iterator[re.Match[str]]:
    """Prices near a currency's sign or code: a long page is not searched for them elsewhere."""
    done = 0
    for start, end in anchors:
        match = _price().search(text, max(done, start - PRICE_REACH), end + PRICE_REACH)
        if match and match.start() <= end:
            done = match.end()
            yield match


# Each pattern begins with a character that is rare in prose and looks back from there: that is what makes it quick.
_PHONE = re.compile(r"\+(?<![\w+]\+)\d{1,3}[\s().-]{0,2}\d(?:[\s().-]{0,2}\d){5,11}(?!\d)")
_NORTH_AMERICAN = re.compile(r"\((?<![\w+-]\()\d{3}\)[ -]?\d{3}[ -.]\d{4}(?!\d)")


def _phones(text: str, marks: dict[str, list[str]]) -> Iterator[Sign]:
    seen: set[str] = set()
    for raw in (*marks.get("phones", ()), *(match.group() for match in _PHONE.finditer(text))):
        if raw.strip().startswith("+"):
            region = _phone_region(raw, None)
            if region and region not in seen:
                seen.add(region)
                yield Sign(region, STRONG, "telephone", raw)
    for match in _NORTH_AMERICAN.finditer(text):
        region = _phone_region(match.group(), "US")
        if region and region not in seen:
            seen.add(region)
            yield Sign(region, WEAK, "telephone", match.group())


def _phone_region(raw: str, default: str | None) -> str:
    from phonenumbers import NumberParseException, is_possible_number, parse, region_code_for_number

    try:
        number = parse(raw, default)
    except NumberParseException:
        # Digits that are no telephone number are no evidence.
        return ""
    region = region_code_for_number(number) if is_possible_number(number) else None
    return _country(region.lower()) if region and region.isalpha() else ""


_SENTENCE = re.compile(r"(?:[^.!?\n]|(?<=\b[A-Z])\.)*")


def _shipping(text: str, anchors: Sequence[Span]) -> Iterator[Sign]:
    words, countries = delivering(), places().names
    for match in _anchored(anchors, words.ships, text):
        if words.excluding.search(text[max(0, match.start() - 25) : match.end()]):
            continue
        rest = _SENTENCE.match(text, match.end(), match.end() + 160)
        window = rest.group() if rest else ""
        barred = words.excluding.search(window)
        window = window[: barred.start()] if barred else window
        for name in words.country.finditer(window):
            said = text[match.start() : match.end() + name.end()]
            yield Sign(countries[name.group()], STRONG, "delivery", said)


def _premises(text: str, anchors: Sequence[Span]) -> Iterator[Sign]:
    for match in _anchored(anchors, delivering().premises, text):
        country = places().names.get(match["place"])
        if country:
            yield Sign(country, STRONG, "premises", match.group())
        else:
            # Many cities have namesakes abroad.
            yield Sign(places().cities[match["place"]], WEAK, "premises", match.group())


@lru_cache(maxsize=1)
def _anchors() -> tuple[tuple[str, AhoCorasick], ...]:
    """What each kind of sign may begin with. No anchor begins another.

    Leftmost matching is the one that skips text without any.
    """
    words = delivering()
    money = ("$", *places().currency_signs, *places().currencies)
    return (
        (_MONEY, _cased(money, MatchKind.Standard)),
        (_SHIPPING, _cased(words.ship_anchors, MatchKind.LeftmostFirst)),
        (_PREMISE, _cased(words.premise_anchors, MatchKind.LeftmostFirst)),
    )


def _cased(words: Iterable[str], kind: MatchKind) -> AhoCorasick:
    """Finds the words in small letters, with a capital and in capitals."""
    return AhoCorasick([form for word in words for form in (word, word.capitalize(), word.upper())], matchkind=kind)


_MONEY, _SHIPPING, _PREMISE = "price", "delivery", "premises"


def _spots_on(document: Document) -> dict[str, list[Span]]:
    """Where signs may stand, by what they are. What says so goes past no block's end."""
    found: dict[str, list[Span]] = {}
    own = _SPOTS.of([document.text[block.start : block.end] for block in document.blocks])
    for block, its in zip(document.blocks, own, strict=True):
        for what, start, end in its:
            found.setdefault(what, []).append((start + block.start, end + block.start))
    return found


def _spots_in(blocks: Sequence[str]) -> list[tuple[Spot, ...]]:
    text = "\n".join(blocks)
    ends = list(accumulate(len(block) + 1 for block in blocks))
    found: list[list[Spot]] = [[] for _ in blocks]
    for what, start, end in chain(_anchors_in(text), spots(text)):
        number = bisect_right(ends, start)
        first = ends[number - 1] if number else 0
        found[number].append((what, start - first, end - first))
    return list(map(tuple, found))


def _anchors_in(text: str) -> Iterator[Spot]:
    for what, sought in _anchors():
        for _, start, end in sought.find_matches_as_indexes(text):
            yield what, start, end


_SPOTS = Remembered(_spots_in)


def _anchored(anchors: Sequence[Span], pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches of `pattern` that begin at an anchor: far quicker than searching a long page for the pattern."""
    for start, _ in anchors:
        match = pattern.match(text, start)
        if match:
            yield match


def _named(name: str, weight: int, kind: str) -> Iterator[Sign]:
    cleaned = name.strip()
    code = _country(cleaned.lower()) if len(cleaned) == 2 else places().names.get(cleaned, "")
    if code in places().countries:
        yield Sign(code, weight, kind, cleaned)
