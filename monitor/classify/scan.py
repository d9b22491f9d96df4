"""One scan of the folded text for every word class and context cue, with word boundaries."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from monitor.classify.automaton import Met, Term, Terms, spaced
from monitor.classify.conditions import Found, condition_scanner
from monitor.folding import fold_words
from monitor.knowledge import Cue, Knowledge
from monitor.knowledge.shapes import bare

_COMPLAINTS = (
    "condition",
    "condition_skin",
    "condition_hair",
    "outbreak",
    "symptom",
)  # heaviest first, as they are merged
_IS_COMPLAINT = frozenset(_COMPLAINTS)
_NAME = attrgetter("name")
_LONGEST_TERM = 80
_PRODUCT = frozenset({"product_exosome", "product_cell", "human_source", "misnomer"})


class Hit(NamedTuple):
    """A word found: offsets in the folded text, its class, and the cue if it is one."""

    start: int
    end: int
    name: str
    cue: Cue | None


class _Meaning(NamedTuple):
    """What a term means: its class, and the cue if it is one."""

    name: str
    cue: Cue | None


class Scanner:
    """The words of some languages, compiled. Thread-safe; made once for a `Knowledge` and its languages."""

    def __init__(self, knowledge: Knowledge, langs: frozenset[str]) -> None:
        spoken = langs | {"any"}
        self._knowledge = knowledge
        self._langs = langs
        lexicon = list(knowledge.lexicon.spoken(spoken))
        cues = list(knowledge.context.spoken(spoken))
        self._meanings = [_Meaning(term.name, None) for term in lexicon]
        self._meanings += [_Meaning(f"cue:{cue.group.kind}", cue) for cue in cues]
        self._terms = Terms(_terms([*(term.words for term in lexicon), *(cue.words for cue in cues)]))

    def hits(self, text: str) -> list[Hit]:
        """Every class hit, by start; of overlapping hits of one class the longest."""
        between = spaced(text)
        kept = self.words(text, between)
        found = condition_scanner(self._knowledge).find(text, between, self._langs, complaints(kept))
        return with_diseases(kept, found)

    def words(self, text: str, between: str) -> list[Hit]:
        """The same without names of diseases. `between`: the text `spaced`."""
        return _longest(self._terms.find(text, between), self._meanings)


def complaints(hits: Iterable[Hit]) -> list[tuple[int, int]]:
    """Where the lexicon's own names of diseases stand."""
    return [(hit.start, hit.end) for hit in hits if hit.name in _IS_COMPLAINT]


def _terms(written: Sequence[str]) -> Iterator[Term]:
    return map(Term.of, written, fold_words(map(bare, written)))


def with_diseases(hits: list[Hit], diseases: Sequence[Found]) -> list[Hit]:
    """Adds names of diseases. What the lexicon says of a word holds; a longer name takes its class and its place."""
    if not diseases:
        return hits
    starts = [hit.start for hit in hits]
    added: list[Hit] = []
    replaced: set[int] = set()
    for start, end, name in diseases:
        first, last = bisect_left(starts, start - _LONGEST_TERM), bisect_left(starts, end)
        met = [hit for hit in hits[first:last] if hit.end > start and hit.cue is None]
        if any(hit.start <= start and end <= hit.end for hit in met):
            continue
        complaints = [hit for hit in met if hit.name in _IS_COMPLAINT]
        if any(hit.start < start or hit.end > end for hit in complaints):
            continue
        owner = min((hit.name for hit in complaints), key=_COMPLAINTS.index, default=name)
        replaced.update(id(hit) for hit in complaints if hit.name == owner)
        added.append(Hit(start, end, owner, None))
    kept = [hit for hit in hits if id(hit) not in replaced]
    for hit in added:
        insort(kept, hit, key=_place)
    return kept


def _place(hit: Hit) -> tuple[int, int]:
    return hit.start, -hit.end


def _longest(found: Sequence[Met], meanings: Sequence[_Meaning]) -> list[Hit]:
    """What no longer hit of its class covers. The numbers of `found` are those of `meanings`."""
    new = tuple.__new__
    kept: list[Hit] = []
    reach: dict[str, int] = {}
    veils = [(start, -below) for start, below, number in found if meanings[number].name == "veil"]
    product_start = product_end = -1
    for start, below, number in found:
        name, cue = meanings[number]
        end = -below
        if name in reach and reach[name] >= end:
            continue
        if name in _PRODUCT:
            product_start, product_end = start, end
        elif name == "body" and product_start <= start and end <= product_end:
            continue
        hit = new(Hit, (start, end, name, cue))  # a third quicker than Hit(…), and there are hundreds a page
        if veils and name != "veil" and (_inside(hit, veils) or (cue and _touches(hit, veils))):
            continue
        reach[name] = end
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
    low = bisect_left(starts, start)
    if low == len(starts) or starts[low] >= end:
        return []
    return [hit for hit in hits[low : bisect_left(starts, end, low)] if hit.end <= end]


def names(hits: Iterable[Hit]) -> frozenset[str]:
    return frozenset(map(_NAME, hits))
