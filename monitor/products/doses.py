"""Numbers with a unit: how many exosomes, how much liquid, how many pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from monitor.classify.automaton import unbound
from monitor.knowledge import Knowledge
from monitor.knowledge.products import DosesFile, Terms, spellings

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SUP = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_NUMBER = r"(?:\d{1,3}(?:[.,'\u00a0\u202f]\d{3}){1,5}(?!\d)|\d{1,15})(?:[.,]\d{1,4}(?!\d))?"
_POWER = (
    rf"(?:\s?[x×*·]\s?10(?:\s?\^\s?\d{{1,2}}|\s?e\+?\d{{1,2}}|[{_SUP}]{{1,2}})"
    rf"|\s?\^\s?\d{{1,2}}|[{_SUP}]{{1,2}}|e\+?\d{{1,2}})"
)
_LEAST_COUNT = 1_000
"""Particles and cells below this are talk ("two exosomes"), not a dose."""
_LARGEST = Decimal("1e16")
_DIGIT = re.compile(r"\d")
_YEAR = re.compile("(?:19|20)\\d\\d")
_MOST = 400
"""Doses looked at in one page."""


class Dose(NamedTuple):
    """`value`: `5000000000 exosomes per vials`, `5 x 5 ml`. `kind`: count, volume, mass, share or piece."""

    start: int
    end: int
    value: str
    kind: str


class DoseReader:
    """The units and number words, compiled. Thread-safe; made once for a `Knowledge`."""

    def __init__(self, known: DosesFile) -> None:
        self._scales: dict[str, dict[str, int]] = {}
        for one in known.scales:
            for lang, words in spellings(one.terms):
                self._scales.setdefault(_low(words), {})[lang] = one.factor
        self._units = {_low(words): unit for unit in reversed(known.units) for words in _words(unit.terms)}
        unit, scale = _choice(self._units), _choice(self._scales)
        per = _choice(_words(known.per))
        begin = "".join(sorted({re.escape(words[0]) for words in self._units}))
        self._likely = re.compile(rf".*?[{begin}]", re.IGNORECASE | re.DOTALL)
        self._of = re.compile(rf"\s?(?:{_choice(_words(known.of))})\s?", re.IGNORECASE)
        self._boxed = re.compile(
            rf"(?<![^\W_])(?:{_choice(_words(known.boxed))})\s(?P<pieces>[1-9]\d{{0,2}})(?![\d.,%]|\s?(?:{scale}|{unit}))",
            re.IGNORECASE,
        )
        self._pattern = re.compile(
            rf"(?<![A-Za-z0-9\u00c0-\u024f.,_^])(?<![A-Za-z]-)(?:(?P<packs>\d{{1,3}})\s?(?:(?:{unit})\s?)?[x×*]\s?)?"
            rf"(?P<low>{_NUMBER})(?:\s?[-–~]\s?(?P<high>{_NUMBER}))?(?P<power>{_POWER})?\s?(?:(?P<scale>{scale})[\s\-+]{{0,2}})?"
            rf"(?P<unit>{unit})(?:\s?(?P<by>{per})\s?(?P<per>{unit}))?",
            re.IGNORECASE,
        )

    def find(self, text: str, start: int, end: int, lang: str = "") -> Iterator[Dose]:
        """Doses in a stretch of text, in order. `lang`: a billion is a thousand times more in German and French."""
        first = _DIGIT.search(text, start, end)  # every dose begins with one, and most blocks have none
        if first is None:
            return
        begins = self._likely.match(text, first.end(), end)  # a unit could: in "Part 12" nothing does
        for number, match in enumerate(self._pattern.finditer(text, first.start(), end) if begins else ()):
            if number >= _MOST:
                return
            dose = self._dose(match, lang)
            if dose is not None:
                yield dose
        for match in self._boxed.finditer(text, start, end):
            yield Dose(match.start(), match.end(), f"{match['pieces']} pieces", "piece")

    def named_after(self, text: str, at: int, end: int) -> int | None:
        """Where it begins to be said what an amount is of (`5 mg of …`); None if that is not said."""
        match = self._of.match(text, at, end)
        return match.end() if match else None

    def _dose(self, match: re.Match[str], lang: str) -> Dose | None:
        unit = self._units[_low(match["unit"])]
        packs, low, power = match["packs"], match["low"], match["power"] or ""
        if unit.kind == "count" and packs and not power and (said := re.fullmatch(r"10(\d{1,2})", low)):
            low, power, packs = packs, f"^{said[1]}", None  # 10⁹ whose raised 9 was lost with its markup
            if not 6 <= int(said[1]) <= 14:
                return None
        if packs and low == "10" and re.match(r"\s?\^|[⁰¹²³⁴⁵⁶⁷⁸⁹]", power):
            low, power, packs = packs, f" x 10{power}", None  # 5 x 10⁹ is one number, not five packs
        factor = Decimal(self._scale(match["scale"], lang)) * _factor(power, low)
        if power and not re.search(r"[x×*·]\s?10|^\^", power):
            low = "1" if low == "10" else low
        amounts = [_amount(low), _amount(match["high"])] if match["high"] else [_amount(low)]
        if any(one is None or not 0 < one * factor < _LARGEST for one in amounts):
            return None
        shown = [_shown(one * factor) for one in amounts if one is not None]
        if unit.kind == "count" and (
            Decimal(shown[0]) < _LEAST_COUNT or _YEAR.fullmatch(low + power + (match["scale"] or ""))
        ):
            return None
        value = f"{'–'.join(shown)} {unit.unit}"
        if packs:
            value = f"{int(packs)} x {value}"
        if match["per"]:
            by = self._units[_low(match["per"])]
            value += f" per {by.unit.removesuffix('s') if by.kind == 'piece' else by.unit}"
        return Dose(match.start(), match.end(), value, unit.kind)

    def _scale(self, words: str | None, lang: str) -> int:
        meant = self._scales.get(_low(words), {"": 1}) if words else {"": 1}
        return meant.get(lang) or meant.get("en") or next(iter(meant.values()))


def dose_reader(knowledge: Knowledge) -> DoseReader:
    made = knowledge.compiled.get("doses")
    if not isinstance(made, DoseReader):
        made = knowledge.compiled["doses"] = DoseReader(knowledge.products.doses)
    return made


def _words(terms: Terms) -> list[str]:
    return [words for _, words in spellings(terms)]


def _low(words: str) -> str:
    return " ".join(words.lower().split())


def _choice(words: Iterable[str]) -> str:
    """The longest first; a word of letters must end where it ends, in scripts that part words."""
    parts = []
    for one in sorted({_low(word) for word in words}, key=lambda word: (-len(word), word)):
        end = "" if not one[-1].isalpha() else "(?![가-힣])" if len(one) == 1 and "가" <= one <= "힣" else ""
        if not unbound(one) and one[-1].isalpha():
            end = r"(?![^\W\d_])"
        parts.append(re.escape(one).replace(r"\ ", r"\s") + end)
    return "|".join(parts)


def _factor(power: str, low: str) -> Decimal:
    """What a power of ten multiplies by. `10^9` alone is a power of its own base."""
    digits = re.sub(r"^\s?[x×*·]\s?10", "", power).translate(_SUPERSCRIPTS)
    found = re.search(r"\d{1,2}", digits)
    if not found or (not re.match(r"\s?[x×*·]", power) and not power.startswith(("e", "E")) and low not in ("10", "1")):
        return Decimal(1)
    exponent = int(found.group())
    return Decimal(10) ** exponent if exponent <= 15 else _LARGEST


def _amount(written: str | None) -> Decimal | None:
    """1,000 and 1.000 are a thousand, 1,5 is one and a half; a group of three after a zero is a fraction."""
    if not written:
        return None
    plain = re.sub(r"['\u00a0\u202f]", "", written)
    if re.fullmatch(r"[1-9]\d{0,2}(?:[.,]\d{3})+", plain):
        plain = re.sub(r"[.,]", "", plain)
    elif "," in plain and "." in plain:
        last = max(plain.rfind(","), plain.rfind("."))
        plain = re.sub(r"[.,]", "", plain[:last]) + "." + plain[last + 1 :]
    try:
        return Decimal(plain.replace(",", "."))
    except InvalidOperation:
        return None


def _shown(value: Decimal) -> str:
    return f"{value.normalize():f}"
