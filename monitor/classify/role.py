"""Who speaks on a page: by its address, by what it shows of itself, by its words. Says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ahocorasick_rs import AhoCorasick

from monitor.classify.context import Voice
from monitor.classify.shapes import SELLING_ROLES
from monitor.folding import fold_words
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import bare, expand
from monitor.text import Document

_KNOWN_PUBLISHER = 8.0
_VOICE_ROLES = {"attributed": "news", "quoted": "regulator", "scientific": "science"}


Add = Callable[[str, float, str], None]


@dataclass(frozen=True)
class PageRole:
    role: str
    why: str
    status: str  # what candidates on this page become; empty for sellers


class RoleReader:
    """The compiled signs of every role."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._roles = knowledge.roles
        self._needs = knowledge.scoring.role_needs
        self._words: dict[str, list[tuple[str, str, float, str]]] = {}
        written = [(words, row.role, cue) for row in knowledge.roles for cue in row.cues for words in expand(cue.terms)]
        folded = fold_words(bare(words) for words, _, _ in written)
        for plain, (words, role, cue) in zip(folded, written, strict=True):
            free = "*" if words.endswith("*") or not plain.isascii() else ""
            self._words.setdefault(plain, []).append((role, cue.lang, cue.weight, free))
        self._patterns = list(self._words)
        self._automaton = AhoCorasick(self._patterns)
        self._status = {row.role: row.status for row in knowledge.roles}

    def read(self, document: Document, folded: str, url: str, langs: frozenset[str], spoken: Voice) -> PageRole:
        scores: dict[str, float] = {}
        reasons: dict[str, list[str]] = {}

        def add(role: str, weight: float, why: str) -> None:
            scores[role] = scores.get(role, 0.0) + weight
            reasons.setdefault(role, []).append(why)

        self._address(url, add)
        self._marks(document, add)
        for role, weight, words in self._cues(folded, langs):
            add(role, weight, f"“{words}”")
        for status, weight in spoken.weights.items():
            add(_VOICE_ROLES[status], min(0.5 * weight, 3.0), "wording of its sentences")
        return self._choose(scores, reasons)

    def _choose(self, scores: dict[str, float], reasons: dict[str, list[str]]) -> PageRole:
        selling = sum(scores.get(role, 0.0) for role in SELLING_ROLES)
        seller = max(SELLING_ROLES, key=lambda role: scores.get(role, 0.0))
        others = [role for role in scores if role not in SELLING_ROLES]
        reporter = max(others, key=lambda role: scores[role], default="")
        if reporter and scores[reporter] >= self._needs and scores[reporter] > 1.2 * selling:
            return PageRole(reporter, _reason(reasons[reporter]), self._status.get(reporter, ""))
        if selling >= 1.5:
            return PageRole(seller, _reason(reasons.get(seller, [])), "")
        return PageRole("unknown", "no sign of who speaks was strong enough", "")

    def _address(self, url: str, add: Add) -> None:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "").removeprefix("www.")
        for row in self._roles:
            if host and any(host == known or host.endswith(f".{known}") for known in row.hosts):
                add(row.role, _KNOWN_PUBLISHER, f"host {host} is a known publisher")
            for path in row.paths:
                if path in parts.path.lower():
                    add(row.role, 1.0, f"address holds {path}")

    def _marks(self, document: Document, add: Add) -> None:
        for row in self._roles:
            for mark, weight in row.marks.items():
                kind, _, value = mark.partition(":")
                values = document.marks.get(kind, [])
                if values and (not value or value in values):
                    add(row.role, weight, f"shows {kind.replace('_', ' ')}")

    def _cues(self, folded: str, langs: frozenset[str]) -> list[tuple[str, float, str]]:
        found: dict[tuple[str, str], float] = {}
        for index, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            words = self._patterns[index]
            if start and folded[start - 1].isalnum() and words[0].isascii():
                continue
            for role, lang, weight, free in self._words[words]:
                if not free and end < len(folded) and folded[end].isalnum() and words[-1].isalnum():
                    continue
                if lang == "any" or lang in langs:
                    found[(role, words)] = weight
        return [(role, weight, words) for (role, words), weight in found.items()]


def _reason(reasons: list[str]) -> str:
    return "; ".join(list(dict.fromkeys(reasons))[:4])


def role_reader(knowledge: Knowledge) -> RoleReader:
    made = knowledge.compiled.get("roles")
    if not isinstance(made, RoleReader):
        made = knowledge.compiled["roles"] = RoleReader(knowledge)
    return made
