"""Sentences and clauses of a block, as offsets in the folded text."""

from __future__ import annotations

import re
from typing import NamedTuple

_ENDS = re.compile(r"[.!?。！？．｡؟।;；\n|•·●▪✓✔]+[\"')\]」』]*\s*")
_ANYWHERE = frozenset("。！？．｡;；\n")  # end a sentence without a space after them
_BULLETS = frozenset("|•·●▪✓✔")  # part items when blanks stand around them
_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|prof|st|vs|e\.g|i\.e|etc|approx|inc|ltd|co|no|fig|al|u\.s|u\.k|sra?|dra|z\.b|bzw|ca|usw|art|nr|p|cat|sec"
    r"|pr|mia|mio|mld|inkl|f\.eks|bl\.a|t\.ex|dvs|tzv|napr|tj|pl|kb|stb|dll|jl|tp|ths|bs|pgs|gs|ts|อย|สบส|สคบ|นพ|พญ|ดร)|\b[a-z])\.$"
)
_LONGEST = 600


class Span(NamedTuple):  # hundreds a page: a frozen dataclass takes four times as long to make
    """A sentence, by folded offsets; `question` says that it ends with a question mark."""

    start: int
    end: int
    question: bool


def sentences(text: str, start: int, end: int) -> list[Span]:
    """Splits one block. Very long runs are cut at commas or spaces so that every step stays bounded."""
    spans: list[Span] = []
    begin = start
    for match in _ENDS.finditer(text, start, end):
        if not _parts(text, match, begin):
            continue
        bullet = text[match.start()] in _BULLETS
        _push(spans, text, begin, match.start() if bullet else len(match.group().rstrip()) + match.start())
        begin = match.end()
    _push(spans, text, begin, end)
    return spans


def _parts(text: str, match: re.Match[str], begin: int) -> bool:
    """Does a sentence end here? Not within a number or an address, nor after an abbreviation."""
    mark, spaced = text[match.start()], match.group()[-1].isspace()
    if mark in _BULLETS:
        return spaced and match.start() > begin and text[match.start() - 1].isspace()
    if mark in _ANYWHERE:
        return True
    if not spaced:
        return False
    at = match.start() + 1
    return mark != "." or not _ABBREVIATION.search(text, max(begin, at - 9), at)


def _push(spans: list[Span], text: str, start: int, end: int) -> None:
    while end - start > _LONGEST:
        cut = max(text.rfind(mark, start + _LONGEST // 2, start + _LONGEST) for mark in (", ", "、", "，", " "))
        cut = cut + 1 if cut > start else start + _LONGEST
        _trim(spans, text, start, cut)
        start = cut
    _trim(spans, text, start, end)


def _trim(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end, text[start:end].rstrip("\"')」』 ").endswith(("?", "؟", "？"))))


def parts_words(char: str) -> bool:
    """Is it of a script that parts words by blanks? Thai, Lao, Khmer, kana and Han do not; Hangul's words are short."""
    return char < "\u0e00" or "\u1e00" <= char < "\u2e80"


def word_end(text: str, end: int) -> int:
    """Where the word ends that text[:end] breaks off in; `end` itself where it breaks off in none."""
    while 0 < end < len(text) and text[end - 1].isalnum() and text[end].isalnum() and parts_words(text[end]):
        end += 1
    return end
