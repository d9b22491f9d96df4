"""Postal addresses in running text: the country that a postcode, or a district beside its city, gives away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from monitor.classify.places import address_shapes
from monitor.knowledge.wordlists import POSTCODES, any_of, in_use, words_of


class Postal(NamedTuple):
    """`words` are the page's. Not `sure`: the shape alone, which other things have too."""

    country: str
    sure: bool
    kind: str
    words: str


REACH = 24
"""Characters looked at around an address: more than the longest state name and its comma."""


Spot = tuple[str, int, int]
"""A place where something may stand: what that is, start, end."""
_ZIP_SPOT, _CODE_SPOT, _WORD_SPOT = "ZIP", "postcode", "district"


def spots(text: str) -> Iterator[Spot]:
    """Where postal addresses may stand. A part of a text has its part of them."""
    shape = text.encode("latin-1", "replace").translate(_SHAPE)
    for run in _DIGITS.finditer(shape):
        start, end = run.span()
        if end - start == 5:
            yield _ZIP_SPOT, start, end
        if shape[end : end + 1] == b"A":
            yield _CODE_SPOT, end - 1, end
    for _, start, end in _anchors()[0].find_matches_as_indexes(text, overlapping=True):
        yield _WORD_SPOT, start, end


def postal(text: str, at: Mapping[str, Sequence[tuple[int, int]]]) -> Iterator[Postal]:
    """The first address of each country. `at`: the `spots` of the text, by what they are."""
    codes = [start for start, _ in at.get(_CODE_SPOT, ())]
    yield from _american(text, [start for start, _ in at.get(_ZIP_SPOT, ())])
    yield from _british(text, codes)
    yield from _canadian(text, codes)
    yield from _elsewhere(text, at.get(_WORD_SPOT, ()))


_SHAPE = bytes(49 if 48 <= code <= 57 else 65 if 65 <= code <= 90 else 32 for code in range(256))
"""Digits to 1, capitals to A, the rest to blank: places for a postcode are then found without a look at each letter."""
_DIGITS = re.compile(rb"11*")  # begins with a letter to look for: far quicker than 1+
_ZIP = re.compile(r"\d{5}(?<!\d{6})(?:-\d{4})?(?!\d)")
_INWARD_UK = re.compile(r"\d[ABD-HJLNP-UW-Z]{2}(?![\w-])")
_POSTCODE_CA = re.compile(r"\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d(?![\w-])")


class _Before(NamedTuple):
    """What stands directly before a postcode."""

    zip: re.Pattern[str]
    uk: re.Pattern[str]
    ca: re.Pattern[str]


@lru_cache(maxsize=1)
def _before() -> _Before:
    lists = in_use(POSTCODES)

    def words(country: str, *names: str) -> str:
        return any_of(word for name in names for word in words_of(lists[name], country))

    return _Before(
        zip=re.compile(rf"(?:,\s?|\b[A-Z][a-z]+ )((?:{words('us', 'state_code', 'state')}),? )$"),
        uk=re.compile(rf"(?<![\w-])(?:{words('uk', 'area')})\d[\dA-HJKPSTUW]? $"),
        ca=re.compile(rf"(?<![\w-])((?:{words('ca', 'state_code', 'state')}),? )?[ABCEGHJ-NPRSTVXY]$"),
    )


def _american(text: str, spots: Sequence[int]) -> Iterator[Postal]:
    for match, before in _preceded(_ZIP, _before().zip, text, spots):
        yield Postal("us", True, "postal address", before.group(1) + match.group())
        return


def _british(text: str, spots: Sequence[int]) -> Iterator[Postal]:
    for match, before in _preceded(_INWARD_UK, _before().uk, text, spots):
        yield Postal("uk", True, "postcode", before.group() + match.group())
        return


def _canadian(text: str, spots: Sequence[int]) -> Iterator[Postal]:
    for match, before in _preceded(_POSTCODE_CA, _before().ca, text, spots):
        yield Postal("ca", bool(before.group(1)), "postcode", before.group() + match.group())
        if before.group(1):
            return


def _preceded(
    digits: re.Pattern[str], before: re.Pattern[str], text: str, spots: Sequence[int]
) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Matches of `digits`, at the spots given, that have `before` directly in front of them."""
    for spot in spots:
        match = digits.match(text, spot)
        found = before.search(text[max(0, spot - REACH) : spot]) if match else None
        if match and found:
            yield match, found


class _Beside(NamedTuple):
    """What must stand directly before or after a word to make it part of an address of `country`."""

    country: str
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None


def _elsewhere(text: str, words: Sequence[tuple[int, int]]) -> Iterator[Postal]:
    told: set[str] = set()
    for start, end in words:
        for one in _anchors()[1][text[start:end]]:
            if one.country in told:
                continue
            said = _address(one, text, start, end)
            if said:
                told.add(one.country)
                yield Postal(one.country, True, "postal address", said)


def _address(one: _Beside, text: str, start: int, end: int) -> str:
    """The words of the address; empty if this is none."""
    if one.before:
        found = one.before.search(text[max(0, start - REACH) : start])
        if found and not text[end : end + 1].isalnum():
            return found.group().lstrip(" ,;|\n") + text[start:end]
    if one.after:
        following = one.after.match(text, end)
        # A script without spaces has no word to be inside of.
        if following and (not text[start].isascii() or not text[start - 1 : start].isalnum()):
            return text[start : following.end()]
    return ""


@lru_cache(maxsize=1)
def _anchors() -> tuple[AhoCorasick, dict[str, list[_Beside]]]:
    by_word: dict[str, list[_Beside]] = {}
    for country, before, after, words in address_shapes():
        one = _Beside(country, re.compile(before + "$") if before else None, re.compile(after) if after else None)
        for word in words:
            by_word.setdefault(word, []).append(one)
    return AhoCorasick(list(by_word), matchkind=MatchKind.Standard), by_word
