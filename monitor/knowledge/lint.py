"""Words of the lexicon that will be misread: ambiguous ones that stand alone, opposites, doubles. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from pydantic import Field

from monitor.folding import fold
from monitor.knowledge.files import Problem, RowFile
from monitor.knowledge.shapes import ClaimRule, LexiconFile, expand
from monitor.knowledge.yaml_rows import Row

FILE = "ambiguous.yaml"
_NEIGHBOURS = frozenset({"product_exosome", "product_cell", "treatment", "act_for"})
"""Classes that any page about the product is full of: beside them alone a word is as good as alone."""
_SHOWN = 8


class Ambiguous(Row):
    word: str = Field(min_length=1)
    means: str = Field(min_length=3)


class Opposites(Row):
    classes: tuple[str, str]
    why: str = Field(min_length=3)


class AmbiguityFile(Row):
    source: str = Field(min_length=5)
    short: int = Field(ge=1, le=5)
    words: tuple[Ambiguous, ...]
    opposites: tuple[Opposites, ...]


Lexicon = Sequence[tuple[RowFile, LexiconFile]]


def lint(lexicon: Lexicon, rules: Sequence[ClaimRule], ambiguity: AmbiguityFile) -> Iterator[Problem]:
    """Warnings, by file and class."""
    alone = _taken_alone(rules)
    for file, page in lexicon:
        for name, terms in page.classes.items():
            spellings = [_plain(one) for one in expand(terms)]
            yield from _doubles(file, name, spellings)
            if name in alone:
                yield from _lonely(file, name, dict.fromkeys(spellings), alone[name], ambiguity)
    yield from _contradictions(lexicon, rules, ambiguity)


@lru_cache(maxsize=200_000)
def _plain(words: str) -> str:
    """A spelling as it is looked for; stars stay, for `burn` and `burn*` are two terms."""
    return fold(words).text


def _taken_alone(rules: Sequence[ClaimRule]) -> dict[str, str]:
    """Classes that some rule takes with no other word than the product's, and that rule's id."""
    found: dict[str, str] = {}
    for rule in rules:
        slots = [set(slot) for slot in rule.needs]
        weighty = [slot for slot in slots if not slot & _NEIGHBOURS]
        if len(weighty) == 1 and not rule.number:
            for name in sorted(weighty[0]):
                found.setdefault(name, rule.id)
    return found


def _doubles(file: RowFile, name: str, spellings: Sequence[str]) -> Iterator[Problem]:
    twice = [word for word, count in Counter(spellings).items() if count > 1]
    if twice:
        yield file.problem(
            ("classes", name), f"stands twice, accents and case apart: {_listed(twice)}; remove one of each", "warning"
        )


def _lonely(
    file: RowFile, name: str, spellings: Mapping[str, None], rule: str, ambiguity: AmbiguityFile
) -> Iterator[Problem]:
    known = {_plain(one.word): one.means for one in ambiguity.words}
    meant = [f"“{word}” (may mean {known[word]})" for word in spellings if word in known]
    short = [
        f"“{word}” (short)"
        for word in spellings
        if word not in known and word.isascii() and word.isalpha() and len(word) <= ambiguity.short
    ]
    if found := [*meant, *short]:
        message = (
            f"rule {rule} takes these with no neighbour but the product: {', '.join(found)}; write each with a word "
            "beside it, or move it to a class that is asked for only together with a verb"
        )
        yield file.problem(("classes", name), message, "warning")


def _contradictions(lexicon: Lexicon, rules: Sequence[ClaimRule], ambiguity: AmbiguityFile) -> Iterator[Problem]:
    for file, page in lexicon:
        words = {name: {_plain(one) for one in expand(terms)} for name, terms in page.classes.items()}
        for pair in ambiguity.opposites:
            first, second = pair.classes
            if both := sorted(words.get(first, set()) & words.get(second, set())):
                message = f"also in class {second}, its opposite ({pair.why}): {_listed(both)}; keep it in one of them"
                yield file.problem(("classes", first), message, "warning")
        for (needed, barred), rule in _vetoes(rules).items():
            if both := sorted(words.get(needed, set()) & words.get(barred, set())):
                message = f"also in class {barred}, which rule {rule} forbids: by these words it can never be met: "
                yield file.problem(("classes", needed), f"{message}{_listed(both)}; keep them in one class", "warning")


def _vetoes(rules: Sequence[ClaimRule]) -> dict[tuple[str, str], str]:
    """Pairs of a class that a rule needs and one that the same rule forbids."""
    found: dict[tuple[str, str], str] = {}
    for rule in rules:
        for slot in rule.needs:
            for needed in slot:
                for barred in rule.veto:
                    found.setdefault((needed, barred), rule.id)
    return found


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(f"“{word}”" for word in words[:_SHOWN])
    return shown + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
