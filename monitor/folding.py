"""Folding: one spelling for what looks the same, with the way back to the original offsets.

Look-alike letters follow the confusables of Unicode UTS #39 (data: confusable-homoglyphs), cut to the scripts
met in Latin words; compatibility forms follow NFKC (UAX #15).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

_LOOKALIKE = {
    "a": "АаΑαɑᎪᗅꓮ",
    "b": "ВвЬьΒβᏴꓐ",
    "c": "СсϹϲᏟꓚᴄ",
    "d": "ԁᎠꓓ",
    "e": "ЕеΕεҽᎬꓰё",
    "f": "Ϝϝꓝք",
    "g": "ԌԍɡցᏀꓖ",
    "h": "НнΗһհᎻꓧ",
    "i": "ІіΙιɪıӏꙇᎥꓲї",
    "j": "ЈјϳᎫꓙ",
    "k": "КкΚκᏦꓗ",
    "l": "ӀᏞꓡ",
    "m": "МмΜμᎷꓟ",
    "n": "Νոռηпꓠ",
    "o": "ОоΟοσօᴏꓳՕ",
    "p": "РрΡρᏢꓑ",
    "q": "ԛգզ",
    "r": "гᏒꓣᴦ",
    "s": "ЅѕՏꜱᏚꓢ",
    "t": "ТтΤτᎢꓔ",
    "u": "υսᴜʋՍꓴ",
    "v": "ѴѵνᏙꓦᴠ",
    "w": "ԜԝѡωաᴡᎳꓪ",
    "x": "ХхΧχꓫ",
    "y": "УуΥʏүҮγᎽꓬ",
    "z": "ΖζᏃꓜᴢ",
}
_TO_LATIN = {other: letter for letter, others in _LOOKALIKE.items() for other in others}
_LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}

_REMOVED = "\u00ad\u061c\u0640\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20f0\ufe20-\ufe2f"
)
_COMPAT = (
    "\u1100-\u11ff\u2460-\u24ff\u2100-\u214f\u2160-\u217f\u2070-\u209c\u3099\u309a"
    "\ufb00-\ufb06\ufb1d-\ufdff\ufe30-\ufefe\uff01-\uffef\U0001d400-\U0001d7ff\U0001f130-\U0001f189"
)
_PAIRS = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "İ": "i", "…": "..."}
_CHARACTERS = re.compile(
    f"[{_REMOVED}]+|.[{_MARKS}]+|[{_MARKS}]+|[{_COMPAT}]+|[{''.join(_PAIRS)}]",
    re.DOTALL,
)
_TOUCHED = re.compile(f"[{_REMOVED}{_MARKS}{_COMPAT}{''.join(_PAIRS)}]")
"""A match of `_CHARACTERS` begins with one of these, or with whatever stands before a mark."""
_ALIKE = "".join(_TO_LATIN)
_WORDS = re.compile(rf"(?<![^\W_])[^\W_]*[{re.escape(_ALIKE)}][^\W_]*")  # tried once a word: some have no end
_SHAPE = bytes(
    97 if chr(code).isalpha() and code < 128 else 49 if chr(code) in _LEET else 32 for code in range(256)
)  # letters to a, signs to 1, the rest to blank: finding is then a byte search
_SIGNS = re.compile(rb"1(?<=a1)1*+(?=a)")  # begins with a letter to look for: ten times as quick as (?<=a)1+
_LEET_WORD = re.compile(r"[A-Za-z013457@$]+")
_LEET_CHARS = frozenset(char for char in map(chr, range(128)) if _LEET_WORD.match(char))
_LONGEST_WORD = 40
_SEVERAL = 5  # letters of a word that begins or ends with a sign: H1N1, 5-HT3A and COL4A1 are what they say
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_LATIN_WORD = re.compile("[A-Za-z0-9\u00c0-\u024f\u1e00-\u1eff]+")
_STYLED = re.compile("[\u2460-\u24ff\U0001d400-\U0001d7ff\U0001f130-\U0001f189]")
_STRUCK = re.compile("[\u0335-\u0338\u20d0-\u20f0]")


def _even_table() -> dict[int, str]:
    """One-to-one replacements: quotes, dashes, spaces, Latin letters with accents to plain ones."""
    table = {ord(char): "'" for char in "\u2018\u2019\u201a\u201b\u2032\u00b4\u0060\u02bc\uff07"}
    table |= {ord(char): '"' for char in "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u2039\u203a"}
    table |= {ord(char): "-" for char in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58"}
    table |= {
        ord(char): " "
        for char in "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
    }
    for code in [*range(0xC0, 0x250), *range(0x1E00, 0x1F00)]:
        plain = unicodedata.normalize("NFD", chr(code))[0].lower()
        if plain.isascii() and plain.isalpha():
            table[code] = plain
    table |= {ord(char): plain for char, plain in zip("ıłŁøØđĐðÐ", "illooddDd", strict=True)}
    for code in [
        *range(0x386, 0x3CF),
        *range(0x1F00, 0x2000),
    ]:  # Greek: capitals go without the accent that small ones bear
        plain = unicodedata.normalize("NFD", chr(code))[0].lower()
        if "α" <= plain <= "ω":
            table[code] = plain
    # Letters that writers take for each other: Russian ё and е, the alefs and yehs of Arabic and Persian keyboards.
    table |= {ord(char): plain for char, plain in zip("ёЁأإآٱىیکةۀ", "еЕااااييكهه", strict=True)}
    return table


_EVEN = {chr(code): plain.lower() for code, plain in _even_table().items() if chr(code) != plain.lower()}
_EVEN_SIGNS = {char: plain for char, plain in _EVEN.items() if not char.isalpha()}
_FEW = 24
"""Different characters up to which it is quicker to replace each in turn than to look up every one of a text."""


@dataclass(frozen=True)
class _Layer:
    """Where pieces of the new text began in the old one. A piece is copied (step 1) or replaced as a whole."""

    starts: list[int]
    olds: list[int]
    old_ends: list[int]
    copied: list[bool]
    length: int
    """Of the new text."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, max(end - 1, start)) - 1
        old_start = self.olds[first] + (start - self.starts[first] if self.copied[first] else 0)
        old_end = self.olds[last] + (end - self.starts[last]) if self.copied[last] else self.old_ends[last]
        return old_start, max(old_end, old_start)

    def place(self, old: int) -> int:
        """Where the new text first stands for `old` or what follows it; its length if nowhere."""
        following = bisect_left(self.olds, old)
        place = self.starts[following] if following < len(self.starts) else self.length
        if following and self.copied[following - 1]:
            place = min(place, self.starts[following - 1] + old - self.olds[following - 1])
        return place


@dataclass(frozen=True)
class Folded:
    """Folded lower-case text. `at` and `span` lead back to the unfolded text; `obfuscated` takes unfolded offsets.

    `written`: the text before it was made small and even; `unleeted`: where signs stood for letters.
    """

    text: str
    original: str
    layers: tuple[_Layer, ...] = ()
    disguises: tuple[tuple[int, int], ...] = ()
    written: str = ""
    unleeted: tuple[tuple[int, int], ...] = ()

    @cached_property
    def accented(self) -> str:
        """The text, character for character, but with the accents of its letters."""
        if self.written.isascii():
            return self.text
        return _with(_lower(self.written, frozenset(self.written), _EVEN_SIGNS), self.text, self.unleeted)

    def at(self, index: int) -> int:
        return self.span(index, index + 1)[0]

    def span(self, start: int, end: int) -> tuple[int, int]:
        for layer in reversed(self.layers):
            start, end = layer.span(start, end)
        return start, end

    def place(self, offset: int) -> int:
        """The first folded offset that stands for the unfolded `offset` or what follows it."""
        for layer in self.layers:
            offset = layer.place(offset)
        return offset

    def obfuscated(self, start: int, end: int) -> bool:
        return any(begin < end and start < stop for begin, stop in self.disguises)


Swap = Callable[["re.Match[str]"], tuple[str, bool] | None]
Find = Callable[[str, AbstractSet[str]], Iterable["re.Match[str]"]]


def _substitute(
    text: str, matches: Iterable[re.Match[str]], swap: Swap
) -> tuple[str, _Layer | None, list[tuple[int, int]]]:
    """Replaces what `swap` answers for; the bool says that the replaced spelling hides a word."""
    parts: list[str] = []
    starts: list[int] = []
    olds: list[int] = []
    old_ends: list[int] = []
    copies: list[bool] = []
    disguises: list[tuple[int, int]] = []
    length = done = 0

    def add(piece: str, old: int, old_end: int, copied: bool) -> None:
        nonlocal length
        if piece:
            starts.append(length)
            olds.append(old)
            old_ends.append(old_end)
            copies.append(copied)
            parts.append(piece)
            length += len(piece)

    for match in matches:
        answer = swap(match)
        if answer is None:
            continue
        replacement, hides = answer
        begin, end = match.span()
        add(text[done:begin], done, begin, True)
        add(replacement, begin, end, len(replacement) == end - begin)
        done = end
        if hides:
            disguises.append((begin, end))
    if not starts and not done:
        return text, None, disguises
    add(text[done:], done, len(text), True)
    if not starts:
        add(" ", 0, len(text), False)
    return "".join(parts), _Layer(starts, olds, old_ends, copies, length), disguises


def _characters(text: str, held: AbstractSet[str]) -> Iterator[re.Match[str]]:
    """`_CHARACTERS.finditer`, tried only where a match may begin: most texts hold none of these, long ones a few."""
    done = 0 if _TOUCHED.search("".join(held)) else len(text)
    while touched := _TOUCHED.search(text, done):
        at = touched.start()
        # A mark belongs to what stands before it.
        match = _CHARACTERS.match(text, max(done, at - 1)) or _CHARACTERS.match(text, at)
        if match is None:
            raise AssertionError(f"{text[at]!r} begins nothing that is folded")
        yield match
        done = match.end()


def _words(text: str, held: AbstractSet[str]) -> Iterable[re.Match[str]]:
    return () if held.isdisjoint(_TO_LATIN) else _WORDS.finditer(text)


def _character(match: re.Match[str]) -> tuple[str, bool]:
    found = match.group()
    if found in _PAIRS:
        return _PAIRS[found], False
    plain = unicodedata.normalize("NFKC", found)
    kept = re.sub(f"[{_REMOVED}{_MARKS}]", "", plain)
    if not kept:
        before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
        soft = set(found) <= {"\u00ad"}
        return "", bool(_LATIN.match(before) and _LATIN.match(after)) and not soft
    if found[-1] in "\u3099\u309a" or not found[0].isalpha():
        kept = plain
    return kept, bool(_STYLED.search(found) or (_STRUCK.search(found) and found[0].isalpha()))


def _word(match: re.Match[str]) -> tuple[str, bool] | None:
    word = match.group()
    foreign = [char for char in word if char in _TO_LATIN]
    plain = "".join(_TO_LATIN.get(char, char) for char in word)
    if not _LATIN_WORD.fullmatch(plain):
        return None
    if len(foreign) == len(word):
        line_start = match.string.rfind("\n", max(0, match.start() - 200), match.start()) + 1 or max(
            0, match.start() - 80
        )
        around = match.string[line_start : match.start()] + match.string[match.end() : match.end() + 80]
        letters = [char for char in around if char.isalpha()]
        latin = sum(1 for char in letters if _LATIN.match(char))
        if (len(word) < 2 and len(letters) < 8) or latin * 10 < len(letters) * 7 or not letters:
            return None
    elif not _LATIN.search(word) or all(char in "ıμµ" for char in foreign):
        return None
    return plain, True


def _unleet(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Digits and signs that stand for letters inside a word, one for one."""
    chars: list[str] = []
    words: list[tuple[int, int]] = []
    for first, last in _leet_signs(text):
        if words and last <= words[-1][1]:
            continue
        start = first
        while start > 0 and text[start - 1] in _LEET_CHARS and first - start < _LONGEST_WORD:
            start -= 1
        found = _LEET_WORD.match(text, start, last + _LONGEST_WORD)
        if found is None or not _disguised(text, start, found.end()):
            continue
        chars = chars or list(text)
        chars[start : found.end()] = [_LEET.get(char, char) for char in found.group()]
        words.append((start, found.end()))
    return ("".join(chars), words) if words else (text, [])


def _leet_signs(text: str) -> Iterator[tuple[int, int]]:
    """Runs of signs with a letter on either side."""
    for run in _SIGNS.finditer(text.encode("latin-1", "replace").translate(_SHAPE)):
        yield run.span()


def _disguised(text: str, start: int, end: int) -> bool:
    """A whole word of mostly letters that begins and ends with one, or has several, and no mail address."""
    before, word, after = text[start - 1 : start], text[start:end], text[end : end + 1]
    if before.isalnum() or after.isalnum() or after == ".":
        return False
    if not (word[0].isalpha() and word[-1].isalpha()) and sum(map(str.isalpha, word)) < _SEVERAL:
        return False
    return sum(char in _LEET for char in word) * 2 <= len(word)


def fold(text: str) -> Folded:
    """Folds any string; offsets round-trip. Linear in the length."""
    layers: list[_Layer] = []
    disguises: list[tuple[int, int]] = []
    current = text
    steps: list[tuple[Find, Swap]] = [] if text.isascii() else [(_characters, _character), (_words, _word)]
    held = frozenset() if text.isascii() else frozenset(text)
    for find, swap in steps:
        back = Folded(current, text, tuple(layers))
        current, layer, hidden = _substitute(current, find(current, held), swap)
        disguises += [back.span(*pair) for pair in hidden]
        if layer is not None:
            layers.append(layer)
            held = frozenset(current)
    low, hidden = _unleet(_lower(current, held, _EVEN))
    back = Folded(low, text, tuple(layers))
    disguises += [back.span(*pair) for pair in hidden]
    return Folded(low, text, tuple(layers), tuple(sorted(disguises)), current, tuple(hidden))


def fold_words(words: Iterable[str]) -> list[str]:
    """Words of a list, none with a line break, each folded as it would be alone. Those in ASCII are folded at once."""
    given = list(words)
    at_once = iter(fold("\n".join(one for one in given if one.isascii())).text.split("\n"))
    return [next(at_once) if one.isascii() else fold(one).text for one in given]


def _with(text: str, other: str, places: Sequence[tuple[int, int]]) -> str:
    """`text` with what `other`, as long, holds at some places."""
    if not places:
        return text
    chars = list(text)
    for start, end in places:
        chars[start:end] = other[start:end]
    return "".join(chars)


def _lower(text: str, held: AbstractSet[str], even_by: Mapping[str, str]) -> str:
    """`held`: the text's characters, needed where it is no ASCII."""
    if text.isascii():
        return text.lower()
    even = _replaced(text, [char for char in held if char in even_by], even_by)
    low = even.lower()
    if len(low) == len(even):
        return low
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in even)


def _replaced(text: str, chars: list[str], even_by: Mapping[str, str]) -> str:
    """None of what they are replaced by is replaced itself, so that their order is the same."""
    if len(chars) > _FEW:
        return text.translate({ord(char): even_by[char] for char in chars})
    for char in chars:
        text = text.replace(char, even_by[char])
    return text
