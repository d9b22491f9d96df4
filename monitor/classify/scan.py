"""One scan of the folded text for every word class and context cue, with word boundaries."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

from monitor.classify.conditions import Found, condition_scanner
from monitor.folding import fold
from monitor.knowledge import Cue, Knowledge

_UNBOUND = (  # scripts written without spaces, or with endings and articles glued on
    (0x0E00, 0x0E7F),  # Thai
    (0x0590, 0x06FF),  # Hebrew, Arabic
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xAC00, 0xD7AF),  # Hangul
)
_COMPLAINTS = (
    "condition",
    "condition_skin",
    "condition_hair",
    "outbreak",
    "symptom",
)  # heaviest first, as they are merged
_LONGEST_TERM = 80
_PRODUCT = ("product_exosome", "product_cell", "human_source", "misnomer")


class Hit(NamedTuple):
    """A word found: offsets in the folded text, its class, and the cue if it is one."""

    start: int
    end: int
    name: str
    cue: Cue | None


@dataclass(frozen=True)
class _Pattern:
    name: str
    free_left: bool
    free_right: bool
    cue: Cue | None


def _unbound(words: str) -> bool:
    return any(low <= ord(char) <= high for char in words for low, high in _UNBOUND)


def _joins(char: str) -> bool:
    """Does this letter make one word with a letter beside it?"""
    return char.isalnum() and (char < "\u0590" or not _unbound(char))


class _Joined(dict[int, str]):
    """For `str.translate`: `x` for a letter that makes one word with its neighbours, a space for anything else."""

    def __missing__(self, code: int) -> str:
        mark = self[code] = "x" if _joins(chr(code)) else " "
        return mark


_JOINED = _Joined()


class Scanner:
    """The words of some languages, compiled. Thread-safe; made once for a `Knowledge` and its languages."""

    def __init__(self, knowledge: Knowledge, langs: frozenset[str]) -> None:
        by_words: dict[str, list[_Pattern]] = {}
        spoken = langs | {"any"}
        self._knowledge = knowledge
        self._langs = langs
        for term in knowledge.lexicon:
            if term.lang in spoken:
                self._add(by_words, term.words, term.name, None)
        for cue in knowledge.context:
            if cue.lang in spoken:
                self._add(by_words, cue.words, f"cue:{cue.group.kind}", cue)
        self._patterns = list(by_words.values())
        # Nine of ten raw matches lie inside a longer word: these two lists let them be passed over at once.
        self._bound_left = [not any(one.free_left for one in patterns) for patterns in self._patterns]
        self._bound_right = [not any(one.free_right for one in patterns) for patterns in self._patterns]
        self._automaton = AhoCorasick(list(by_words), implementation=Implementation.DFA)

    @staticmethod
    def _add(by_words: dict[str, list[_Pattern]], words: str, name: str, cue: Cue | None) -> None:
        plain = fold(words.strip("*")).text
        unbound = _unbound(plain)
        left = words.startswith("*") or unbound or not plain[0].isalnum()
        right = words.endswith("*") or unbound or not plain[-1].isalnum()
        by_words.setdefault(plain, []).append(_Pattern(name, left, right, cue))

    def hits(self, text: str) -> list[Hit]:
        """Every class hit, by start; of overlapping hits of one class the longest."""
        found: list[Hit] = []
        patterns, bound_left, bound_right = self._patterns, self._bound_left, self._bound_right
        joined = f" {text.translate(_JOINED)} "
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            left_open, right_open = joined[start] == " ", joined[end + 1] == " "
            if (bound_left[index] and not left_open) or (bound_right[index] and not right_open):
                continue
            found.extend(
                Hit(start, end, pattern.name, pattern.cue)
                for pattern in patterns[index]
                if (left_open or pattern.free_left) and (right_open or pattern.free_right)
            )
        kept = _longest(found)
        known = [(hit.start, hit.end) for hit in kept if hit.name in _COMPLAINTS]
        return _with_diseases(kept, condition_scanner(self._knowledge).find(text, joined, self._langs, known))


def _with_diseases(hits: list[Hit], diseases: Sequence[Found]) -> list[Hit]:
    """Adds names of diseases. What the lexicon says of a word holds; a longer name takes its class and its place."""
    if not diseases:
        return hits
    starts = [hit.start for hit in hits]
    added: list[Hit] = []
    replaced: set[Hit] = set()
    for start, end, name in diseases:
        first, last = bisect_left(starts, start - _LONGEST_TERM), bisect_left(starts, end)
        met = [hit for hit in hits[first:last] if hit.end > start and hit.cue is None]
        if any(hit.start <= start and end <= hit.end for hit in met):
            continue
        complaints = [hit for hit in met if hit.name in _COMPLAINTS]
        if any(hit.start < start or hit.end > end for hit in complaints):
            continue
        owner = min((hit.name for hit in complaints), key=_COMPLAINTS.index, default=name)
        replaced.update(hit for hit in complaints if hit.name == owner)
        added.append(Hit(start, end, owner, None))
    return sorted([*(hit for hit in hits if hit not in replaced), *added], key=lambda hit: (hit.start, -hit.end))


def _longest(found: list[Hit]) -> list[Hit]:
    found.sort(key=lambda hit: (hit.start, -hit.end))
    kept: list[Hit] = []
    reach: dict[str, int] = {}
    veils = [(hit.start, hit.end) for hit in found if hit.name == "veil"]
    last_product = (-1, -1)
    for hit in found:
        if reach.get(hit.name, -1) >= hit.end:
            continue
        if hit.name in _PRODUCT:
            last_product = (hit.start, hit.end)
        elif hit.name == "body" and last_product[0] <= hit.start and hit.end <= last_product[1]:
            continue
        if veils and hit.name != "veil" and (_inside(hit, veils) or (hit.cue and _touches(hit, veils))):
            continue
        reach[hit.name] = hit.end
        kept.append(hit)
    return kept


def _inside(hit: Hit, spans: list[tuple[int, int]]) -> bool:
    index = bisect_left(spans, (hit.start + 1, -1)) - 1
    return index >= 0 and spans[index][0] <= hit.start and hit.end <= spans[index][1]


def _touches(hit: Hit, spans: list[tuple[int, int]]) -> bool:
    """A cue that shares words with a veil ("is not" in "is not only") is veiled too."""
    index = bisect_left(spans, (hit.end, -1)) - 1
    return index >= 0 and spans[index][1] > hit.start


def scanner(knowledge: Knowledge, langs: frozenset[str]) -> Scanner:
    made = knowledge.compiled.get(("scanner", langs))
    if not isinstance(made, Scanner):
        made = knowledge.compiled["scanner", langs] = Scanner(knowledge, langs)
    return made


def between(hits: list[Hit], starts: list[int], start: int, end: int) -> list[Hit]:
    """Hits that begin and end inside [start, end)."""
    return [hit for hit in hits[bisect_left(starts, start) : bisect_left(starts, end)] if hit.end <= end]


def names(hits: Iterable[Hit]) -> frozenset[str]:
    return frozenset({hit.name for hit in hits})
