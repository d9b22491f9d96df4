"""What a statement's surroundings make of it: negated, attributed, quoted, scientific, question, or affirmed.

After ConText (Harkema 2009): cues with direction, scope and termination, all from data. Hedges are recorded and
never cancel: regulators cite hedged claims. General disclaimers elsewhere on the page never cancel either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from monitor.classify.scan import Hit

VOICES = {"cue:attribution": "attributed", "cue:quoted": "quoted", "cue:scientific": "scientific"}
REPORTING = frozenset(VOICES)
_SEGMENT_ENDS = ("cue:contrast",)
_PAUSES = (",", ":", "、", "，", " - ")
_SUBJECTS = ("first_person", "product_exosome", "product_cell", "vulnerable", "agency")
_LIST_STEP = 22  # characters between the members of a negated list: "does not treat, cure or prevent"


@dataclass(frozen=True)
class Reading:
    """The status and the cues that gave it, by folded offsets."""

    status: str
    cues: tuple[Hit, ...] = ()
    hedges: tuple[Hit, ...] = ()
    voice: float = 0.0  # reporting voice that did not suffice


@dataclass
class Voice:
    """Weights of reporting voices and seller's cues in a stretch of text; each word counts once."""

    weights: dict[str, float] = field(default_factory=dict)
    cues: dict[str, list[Hit]] = field(default_factory=dict)
    seller: float = 0.0


def voice(hits: Iterable[Hit], text: str) -> Voice:
    found = Voice()
    seen: set[tuple[str, str]] = set()
    for hit in hits:
        if hit.cue is None:
            continue
        key = (hit.name, text[hit.start : hit.end])
        if key in seen:
            continue
        seen.add(key)
        if hit.name == "cue:seller":
            found.seller += hit.cue.group.weight
        elif status := VOICES.get(hit.name):
            found.weights[status] = found.weights.get(status, 0.0) + hit.cue.group.weight
            found.cues.setdefault(status, []).append(hit)
    return found


def segments(hits: Sequence[Hit], text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentence cut where a contrast begins, and after a concessive clause."""
    cuts = {start, end}
    for hit in hits:
        if hit.name in _SEGMENT_ENDS and hit.start > start:
            cuts.add(hit.start)
        elif hit.name == "cue:concessive":
            if hit.start > start:
                cuts.add(hit.start)
            comma = min(
                (at for at in (text.find(mark, hit.end, end) for mark in (",", "、", "，")) if at >= 0), default=-1
            )
            if comma >= 0:
                cuts.add(comma)
    ordered = sorted(cuts)
    return list(pairwise(ordered))


def read(
    key: Sequence[Hit],
    sentence_hits: Sequence[Hit],
    around: Voice,
    text: str,
    span: tuple[int, int],
    *,
    negation_is_claim: bool,
    question: bool,
    needs: float,
    carry: float,
) -> Reading:
    """The status of a candidate whose deciding words are `key`, in a sentence with `sentence_hits`.

    `carry`: how much the voice of the block's other sentences counts, 0 to 1.
    """
    hedges = tuple(hit for hit in sentence_hits if hit.name == "cue:hedge")
    home = _home(key, segments(sentence_hits, text, *span))
    negators = _negators(key, sentence_hits, home, text, negation_is_claim)
    if negators:
        return Reading("negated", negators, hedges)
    own = voice(sentence_hits, text)
    best, strength = "", 0.0
    for status in VOICES.values():
        total = own.weights.get(status, 0.0)
        rest = around.weights.get(status, 0.0) - total
        total += carry * max(rest, 0.0)
        if own.weights.get(status, 0.0) or total >= needs:
            total -= min(own.seller, total)
        if total > strength:
            best, strength = status, total
    if strength >= needs:
        cues = tuple(own.cues.get(best, [])) or tuple(around.cues.get(best, []))
        return Reading(best, cues, hedges)
    if question:
        return Reading("question", (), hedges)
    asked = tuple(hit for hit in sentence_hits if hit.name == "cue:question")
    if asked:
        return Reading("question", asked, hedges)
    return Reading("affirmed", (), hedges, strength)


def _home(key: Sequence[Hit], parts: list[tuple[int, int]]) -> tuple[int, int]:
    """The segment that holds most of the deciding words."""
    if not key:
        return parts[0]
    return max(parts, key=lambda part: sum(part[0] <= hit.start < part[1] for hit in key))


def _negators(
    key: Sequence[Hit], hits: Sequence[Hit], home: tuple[int, int], text: str, negation_is_claim: bool
) -> tuple[Hit, ...]:
    if not key:
        return ()
    found: list[Hit] = []
    claimed = {(hit.start, hit.end) for hit in key}
    for hit in hits:
        if hit.cue is None or not home[0] <= hit.start < home[1] or (hit.start, hit.end) in claimed:
            continue
        if hit.name == "cue:denial":
            if not (negation_is_claim and any(one.start < hit.end and hit.start < one.end for one in key)):
                found.append(hit)
        elif hit.name == "cue:negation" and not negation_is_claim and _covers(hit, key, hits, home, text):
            found.append(hit)
    return tuple(found)


def _covers(negator: Hit, key: Sequence[Hit], hits: Sequence[Hit], home: tuple[int, int], text: str) -> bool:
    if negator.cue is None:
        return False
    group = negator.cue.group
    stop = min(home[1], negator.end + group.reach)
    if group.direction == "next":
        comma = min((at for at in (text.find(mark, negator.end, stop) for mark in _PAUSES) if at >= 0), default=stop)
        return any(negator.end <= hit.start < comma for hit in key)
    if group.direction in ("backward", "both"):
        begin = max(home[0], negator.start - group.reach)
        if any(begin <= hit.start and hit.end <= negator.end for hit in key):
            return True
    if group.direction == "backward":
        return False
    for hit in hits:
        if hit.name == "cue:terminator" and negator.end <= hit.start < stop:
            stop = hit.start
    for hit in hits:  # a list of verbs under one negator goes on past the reach
        if hit.name.startswith("act_") and negator.end <= hit.start < stop:
            stop = max(stop, min(hit.end + _LIST_STEP, home[1]))
    return any(negator.end <= hit.start < stop for hit in _predicate(key))


def _predicate(key: Sequence[Hit]) -> Sequence[Hit]:
    """The verbs of a candidate, or where it has none whatever is not its subject."""
    verbs = [hit for hit in key if hit.name.startswith("act_")]
    return verbs or [hit for hit in key if hit.name not in _SUBJECTS] or key
