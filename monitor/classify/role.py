"""Who speaks on a page: by its address, by what it shows of itself, by its words. Says why."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from typing import NamedTuple
from urllib.parse import urlsplit

from ahocorasick_rs import AhoCorasick

from monitor.classify.context import Voice
from monitor.classify.remembered import Remembered
from monitor.classify.shapes import SELLING_ROLES
from monitor.folding import fold_words
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import bare, expand
from monitor.reading.text import Document

_KNOWN_PUBLISHER = 8.0
_VOICE_ROLES = {"attributed": "news", "quoted": "regulator", "scientific": "science"}


Add = Callable[[str, float, str], None]


@dataclass(frozen=True)
class PageRole:
    role: str
    why: str
    status: str  # what candidates on this page become; empty for sellers
    known: bool = False  # by its address
    doubtful: bool = False  # it may well only report: nothing is flagged without a person


class _Sign(NamedTuple):
    """Words that speak for a role. `free`: a longer word may begin with them."""

    role: str
    words: str
    lang: str
    weight: float
    free: bool


class RoleReader:
    """The compiled signs of every role."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._roles = knowledge.roles
        self._needs = knowledge.scoring.role_needs
        self._signs: dict[str, list[_Sign]] = {}
        written = [(words, row.role, cue) for row in knowledge.roles for cue in row.cues for words in expand(cue.terms)]
        folded = fold_words(bare(words) for words, _, _ in written)
        for plain, (words, role, cue) in zip(folded, written, strict=True):
            free = words.endswith("*") or not plain.isascii()
            self._signs.setdefault(plain, []).append(_Sign(role, plain, cue.lang, cue.weight, free))
        self._patterns = list(self._signs)
        self._automaton = AhoCorasick(self._patterns)
        self._said = Remembered(self._find)
        self.statuses = {row.role: row.status for row in knowledge.roles}

    def read(
        self, document: Document, words: Sequence[str], url: str, langs: frozenset[str], spoken: Voice
    ) -> PageRole:
        """`words`: of the document's blocks, folded."""
        scores: dict[str, float] = {}
        reasons: dict[str, list[str]] = {}

        def add(role: str, weight: float, why: str) -> None:
            scores[role] = scores.get(role, 0.0) + weight
            reasons.setdefault(role, []).append(why)

        published = self._address(url, add)
        self._marks(document, add)
        for role, weight, said in self._cues(words, langs):
            add(role, weight, f"“{said}”")
        for status, weight in spoken.weights.items():
            add(_VOICE_ROLES[status], min(0.5 * weight, 3.0), "wording of its sentences")
        return replace(self._choose(scores, reasons), known=published)

    def _choose(self, scores: dict[str, float], reasons: dict[str, list[str]]) -> PageRole:
        selling = sum(scores.get(role, 0.0) for role in SELLING_ROLES)
        seller = max(SELLING_ROLES, key=lambda role: scores.get(role, 0.0))
        others = [role for role in scores if role not in SELLING_ROLES]
        reporter = max(others, key=lambda role: scores[role], default="")
        if reporter and scores[reporter] >= self._needs and scores[reporter] > 1.2 * selling:
            return PageRole(reporter, _reason(reasons[reporter]), self.statuses.get(reporter, ""))
        if selling >= 1.5:
            return PageRole(seller, _reason(reasons.get(seller, [])), "")
        return PageRole("unknown", "no sign of who speaks was strong enough", "")

    def _address(self, url: str, add: Add) -> bool:
        """Is it a known publisher's?"""
        published = False
        parts = urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "").removeprefix("www.")
        for row in self._roles:
            if host and any(host == known or host.endswith(f".{known}") for known in row.hosts):
                add(row.role, _KNOWN_PUBLISHER, f"host {host} is a known publisher")
                published = True
            for path in row.paths:
                if path in parts.path.lower():
                    add(row.role, 1.0, f"address holds {path}")
        return published

    def _marks(self, document: Document, add: Add) -> None:
        for row in self._roles:
            for mark, weight in row.marks.items():
                kind, _, value = mark.partition(":")
                values = document.marks.get(kind, [])
                if values and (not value or value in values):
                    add(row.role, weight, f"shows {kind.replace('_', ' ')}")

    def _cues(self, blocks: Sequence[str], langs: frozenset[str]) -> list[tuple[str, float, str]]:
        found = {
            (one.role, one.words): one.weight
            for one in chain.from_iterable(self._said.of(blocks))
            if one.lang == "any" or one.lang in langs
        }
        return [(role, weight, words) for (role, words), weight in found.items()]

    def _find(self, blocks: Sequence[str]) -> list[tuple[_Sign, ...]]:
        """What each block holds, in any language. No sign goes past a block's end."""
        text = "\n".join(blocks)
        ends = list(accumulate(len(block) + 1 for block in blocks))
        found: list[list[_Sign]] = [[] for _ in blocks]
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            words = self._patterns[index]
            if start and text[start - 1].isalnum() and words[0].isascii():
                continue
            inside = end < len(text) and text[end].isalnum() and words[-1].isalnum()
            found[bisect_right(ends, start)] += [sign for sign in self._signs[words] if sign.free or not inside]
        return [tuple(signs) for signs in found]


def _reason(reasons: list[str]) -> str:
    return "; ".join(list(dict.fromkeys(reasons))[:4])


def role_reader(knowledge: Knowledge) -> RoleReader:
    made = knowledge.compiled.get("roles")
    if not isinstance(made, RoleReader):
        made = knowledge.compiled["roles"] = RoleReader(knowledge)
    return made
