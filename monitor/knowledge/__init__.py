"""What Exowatch knows, as data: words, context cues, claim rules, roles, law. Read once, checked, frozen.

`load()` reads the folder beside this file; its `version` is the digest of every file read, the model's by its card.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from monitor.knowledge.approvals import Register, approvals_of
from monitor.knowledge.conditions import ConditionNames
from monitor.knowledge.conditions import load as load_conditions
from monitor.knowledge.law import Law
from monitor.knowledge.law import load as load_law
from monitor.knowledge.products import ProductWords
from monitor.knowledge.products import load as load_products
from monitor.knowledge.relevance import Relevance
from monitor.knowledge.relevance import load as load_relevance
from monitor.knowledge.shapes import (
    ClaimRule,
    ClaimsFile,
    ContextFile,
    CueGroup,
    LexiconFile,
    RoleRow,
    RolesFile,
    Scoring,
    expand,
)
from monitor.knowledge.signoffs import without_stale_names
from monitor.knowledge.yaml_rows import KnowledgeError, read_yaml

__all__ = ["Category", "Cue", "Knowledge", "KnowledgeError", "Rule", "Term", "load", "read"]

HERE = Path(__file__).parent
_NOT_JUDGED_BY = frozenset({"precedents.yaml", "ambiguous.yaml", "us_fda_regenerative_letters.csv"})
"""Files that no judgement rests on: a change to them makes no other version."""
Shape = TypeVar("Shape", bound=BaseModel)


class Term(NamedTuple):
    """One spelling. A leading or trailing `*` in `words` frees that side from the word boundary."""

    words: str
    name: str
    lang: str


class Cue(NamedTuple):
    """One context cue: `group` says kind, direction, reach and weight."""

    words: str
    lang: str
    group: CueGroup


class Lexicon:
    """Every term, by file, class and place. Spelt out when asked for: a page is read by the words of few languages."""

    def __init__(self, pages: Sequence[LexiconFile]) -> None:
        self._pages = pages

    def __iter__(self) -> Iterator[Term]:
        return self._of(self._pages)

    def spoken(self, langs: Container[str]) -> Iterator[Term]:
        """Those of some languages, in the same order."""
        return self._of(page for page in self._pages if page.lang in langs)

    def named(self, names: Container[str]) -> Iterator[Term]:
        """Those of some classes, in the same order."""
        return self._of(self._pages, names)

    def names(self) -> frozenset[str]:
        """Classes that hold a term."""
        return frozenset(
            name for page in self._pages for name, terms in page.classes.items() if any(True for _ in expand(terms))
        )

    @staticmethod
    def _of(pages: Iterable[LexiconFile], names: Container[str] | None = None) -> Iterator[Term]:
        return (
            Term(words, name, page.lang)
            for page in pages
            for name, terms in page.classes.items()
            if names is None or name in names
            for words in dict.fromkeys(expand(terms))
        )


class Context:
    """Every cue, by file and place; spelt out when asked for."""

    def __init__(self, pages: Sequence[ContextFile]) -> None:
        self._pages = pages

    def __iter__(self) -> Iterator[Cue]:
        return self._of(self._pages)

    def spoken(self, langs: Container[str]) -> Iterator[Cue]:
        """Those of some languages, in the same order."""
        return self._of(page for page in self._pages if page.lang in langs)

    @staticmethod
    def _of(pages: Iterable[ContextFile]) -> Iterator[Cue]:
        return (
            Cue(words, page.lang, group)
            for page in pages
            for group in page.cues
            for words in dict.fromkeys(expand(group.terms))
        )


@dataclass(frozen=True)
class Rule:
    """A claim rule with the category of its file."""

    category: str
    row: ClaimRule

    @property
    def id(self) -> str:
        return self.row.id


@dataclass(frozen=True)
class Category:
    name: str
    meaning: str
    severity: str


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Everything that judging needs. Compared by identity; two with the same `version` judge alike."""

    version: str
    lexicon: Lexicon
    context: Context
    claims: tuple[Rule, ...]
    categories: dict[str, Category]
    roles: tuple[RoleRow, ...]
    scoring: Scoring
    law: Law
    relevance: Relevance
    conditions: ConditionNames
    products: ProductWords
    register: Register = field(default_factory=Register)
    """What is authorised where; more is put in from the registers that were read."""
    folder: Path = HERE
    """Where it was read from: the model lies there too."""
    compiled: dict[Any, Any] = field(default_factory=dict)  # automata, made when first asked for


def load(folder: Path | None = None) -> Knowledge:
    """The knowledge of a folder laid out like this one. Raises `KnowledgeError`."""
    return _load((folder or HERE).resolve())


def read(folder: Path) -> Knowledge:
    """The same, read anew: for a folder that somebody is editing."""
    lexicon = Lexicon(_pages(folder / "lexicon", LexiconFile))
    context = Context(_pages(folder / "context", ContextFile))
    claims = _pages(folder / "claims", ClaimsFile)
    rules = tuple(Rule(page.category, row) for page in claims for row in page.rules)
    law = without_stale_names(load_law(folder), folder)
    _check_rules(rules, lexicon.names(), folder)
    return Knowledge(
        version=_digest(folder),
        lexicon=lexicon,
        context=context,
        claims=rules,
        categories={page.category: Category(page.category, page.meaning, page.severity) for page in claims},
        roles=tuple(role for page in _pages(folder / "roles", RolesFile) for role in page.roles),
        scoring=_page(folder / "scoring.yaml", Scoring),
        law=law,
        relevance=load_relevance(folder / "relevance.yaml"),
        conditions=load_conditions(folder / "conditions"),
        products=load_products(folder / "products"),
        register=Register(approvals_of(law)),
        folder=folder,
    )


# The shipped and a few of one's own: each may hold a model and its automata, hundreds of megabytes.
_load = lru_cache(maxsize=3)(read)


def _pages(folder: Path, shape: type[Shape]) -> list[Shape]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise KnowledgeError(f"{folder}: no .yaml file; the knowledge folder is not whole. Install Exowatch again.")
    return [_page(path, shape) for path in files]


def _page(path: Path, shape: type[Shape]) -> Shape:
    raw = read_yaml(path)
    try:
        return shape.model_validate(raw)
    except ValidationError as flaw:
        first = min(flaw.errors(), key=lambda one: one["type"] != "extra_forbidden")
        place = ".".join(str(part) for part in first["loc"])
        raise KnowledgeError(f"{path}: {place}: {first['msg']}. Correct that row.") from flaw


def _check_rules(rules: tuple[Rule, ...], known: frozenset[str], folder: Path) -> None:
    seen: set[str] = set()
    for rule in rules:
        row = rule.row
        if row.id in seen:
            raise KnowledgeError(f"{folder / 'claims'}: rule {row.id} is there twice. Rename one.")
        seen.add(row.id)
        asked = {name for slot in [*row.needs, *row.lead, row.veto] for name in slot}
        if unknown := sorted(asked - known):
            raise KnowledgeError(
                f"{folder / 'claims'}: rule {row.id} asks for {unknown[0]}, which no lexicon file has."
            )


def _digest(folder: Path) -> str:
    """sha256 over names and bytes of every file, shortened to 16 hex digits. The model's are held by their card."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".yaml", ".csv", ".json", ".gz") and path.name not in _NOT_JUDGED_BY:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
