"""What Exowatch knows, as data: words, context cues, claim rules, roles, law. Read once, checked, frozen.

`load()` reads the folder beside this file; its `version` is the digest of every file read, the model's by its card.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, cast

from pydantic import BaseModel, ValidationError

from monitor.kept import kept
from monitor.knowledge.approvals import Register, approvals_of
from monitor.knowledge.conditions import ConditionNames
from monitor.knowledge.conditions import load as load_conditions
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
from monitor.knowledge.signoffs import signed_files, without_stale_names
from monitor.knowledge.sound import Files, Kept, Written, rests_on
from monitor.knowledge.yaml_rows import KnowledgeError

if TYPE_CHECKING:
    from monitor.knowledge.law import Law
    from monitor.knowledge.products import ProductWords
    from monitor.knowledge.relevance import Relevance

__all__ = ["Category", "Cue", "Knowledge", "KnowledgeError", "Rule", "Term", "load", "read"]

HERE = Path(__file__).parent
_NOT_JUDGED_BY = frozenset({"precedents.yaml", "ambiguous.yaml", "us_fda_regenerative_letters.csv"})
"""Files that no judgement rests on: a change to them makes no other version."""
Shape = TypeVar("Shape", bound=BaseModel)
Part = TypeVar("Part")


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


class Page(Generic[Shape]):
    """A file of rows, with its `values` as they were written. Raises KnowledgeError when its rows are asked for."""

    def __init__(self, path: Path, shape: type[Shape], values: Any) -> None:
        self._path = path
        self._shape = shape
        self.values = values

    @cached_property
    def rows(self) -> Shape:
        try:
            return self._shape.model_validate(self.values)
        except ValidationError as flaw:
            first = min(flaw.errors(), key=lambda one: one["type"] != "extra_forbidden")
            place = ".".join(str(part) for part in first["loc"])
            raise KnowledgeError(f"{self._path}: {place}: {first['msg']}. Correct that row.") from flaw


class Lexicon:
    """Every term, by file, class and place. Spelt out when asked for: a page is read by the words of few languages."""

    def __init__(self, pages: Sequence[Page[LexiconFile]]) -> None:
        self.pages = pages

    def __iter__(self) -> Iterator[Term]:
        return self._of(self.pages)

    def spoken(self, langs: Container[str]) -> Iterator[Term]:
        """Those of some languages, in the same order."""
        return self._of(page for page in self.pages if page.values["lang"] in langs)

    def named(self, names: Container[str]) -> Iterator[Term]:
        """Those of some classes, in the same order."""
        return self._of((page for page in self.pages if any(name in names for name in page.values["classes"])), names)

    def names(self) -> frozenset[str]:
        """Classes that hold a term."""
        return frozenset(
            name for page in self.pages for name, terms in page.rows.classes.items() if any(True for _ in expand(terms))
        )

    @staticmethod
    def _of(pages: Iterable[Page[LexiconFile]], names: Container[str] | None = None) -> Iterator[Term]:
        return (
            Term(words, name, page.rows.lang)
            for page in pages
            for name, terms in page.rows.classes.items()
            if names is None or name in names
            for words in dict.fromkeys(expand(terms))
        )


class Context:
    """Every cue, by file and place; spelt out when asked for."""

    def __init__(self, pages: Sequence[Page[ContextFile]]) -> None:
        self.pages = pages

    def __iter__(self) -> Iterator[Cue]:
        return self._of(self.pages)

    def spoken(self, langs: Container[str]) -> Iterator[Cue]:
        """Those of some languages, in the same order."""
        return self._of(page for page in self.pages if page.values["lang"] in langs)

    @staticmethod
    def _of(pages: Iterable[Page[ContextFile]]) -> Iterator[Cue]:
        return (
            Cue(words, page.rows.lang, group)
            for page in pages
            for group in page.rows.cues
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


class _Later:
    """A part that is made when it is first asked for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


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
    register: Register
    """What is authorised where; more is put in from the registers that were read."""
    folder: Path = HERE
    """Where it was read from: the model lies there too."""
    compiled: dict[Any, Any] = field(default_factory=dict)  # automata, made when first asked for

    def __post_init__(self) -> None:
        parts = vars(self)
        later = {name: part for name, part in parts.items() if isinstance(part, _Later)}
        for name in later:
            del parts[name]
        parts["_later"] = later

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            part = vars(self).get("_later", {}).get(name)
            if part is None:
                raise AttributeError(f"Knowledge has no {name}")
            return vars(self).setdefault(name, part.make())  # of two that ask at once, both get the first


def load(folder: Path | None = None) -> Knowledge:
    """The knowledge of a folder laid out like this one. Raises `KnowledgeError`."""
    return _load((folder or HERE).resolve())


def read(folder: Path) -> Knowledge:
    """The same, read anew and whole: for a folder that somebody is editing."""
    return _read(folder, Written())


# The shipped and a few of one's own: each may hold a model and its automata, hundreds of megabytes.
@lru_cache(maxsize=3)
def _load(folder: Path) -> Knowledge:
    """Read whole once; as long as nothing in the folder changes, each part is then made when it is asked for."""
    version = _version(folder)
    fresh: list[Knowledge] = []

    def make() -> list[bytes] | None:
        files = Written()
        fresh.append(_read(folder, files))
        return files.packed(folder) if _version(folder) == version else None  # else somebody is editing

    held = kept("knowledge", (version, *rests_on()), make)
    if fresh or held is None:
        return fresh[0] if fresh else read(folder)
    return _made(folder, version, Kept(folder, held), _later)


def _read(folder: Path, files: Files) -> Knowledge:
    """All of it, and all of it checked."""
    knowledge = _made(folder, _version(folder), files, _now)
    spelt: list[Page[Any]] = [*knowledge.lexicon.pages, *knowledge.context.pages]
    for page in spelt:
        _ = page.rows
    _check_rules(knowledge.claims, knowledge.lexicon.names(), folder)
    return knowledge


class _When(Protocol):
    """Makes what not every page needs, now or later."""

    def __call__(self, make: Callable[[], Part]) -> Part: ...


def _now(make: Callable[[], Part]) -> Part:
    return make()


def _later(make: Callable[[], Part]) -> Part:
    return cast(Part, _Later(make))


def _made(folder: Path, version: str, files: Files, when: _When) -> Knowledge:
    """All of it; what the parts that come later need of the folder itself is read now."""
    claims = [page.rows for page in _pages(files, folder / "claims", ClaimsFile)]
    signed = signed_files(folder)
    law = cache(lambda: _law(folder, files, signed))
    return Knowledge(
        version=version[:16],
        lexicon=Lexicon(_pages(files, folder / "lexicon", LexiconFile)),
        context=Context(_pages(files, folder / "context", ContextFile)),
        claims=tuple(Rule(page.category, row) for page in claims for row in page.rules),
        categories={page.category: Category(page.category, page.meaning, page.severity) for page in claims},
        roles=tuple(role for page in _pages(files, folder / "roles", RolesFile) for role in page.rows.roles),
        scoring=_page(files, folder / "scoring.yaml", Scoring).rows,
        law=when(law),
        relevance=when(lambda: _relevance(folder, files)),
        conditions=load_conditions(folder / "conditions", files),
        products=when(lambda: _products(folder, files)),
        register=when(lambda: Register(approvals_of(law()))),
        folder=folder,
    )


def _law(folder: Path, files: Files, signed: Container[str]) -> Law:
    from monitor.knowledge.law import load as load_law  # each of these three shapes takes its time to load

    return without_stale_names(load_law(folder, files), signed)


def _relevance(folder: Path, files: Files) -> Relevance:
    from monitor.knowledge.relevance import load as load_relevance

    return load_relevance(folder / "relevance.yaml", files)


def _products(folder: Path, files: Files) -> ProductWords:
    from monitor.knowledge.products import load as load_products

    return load_products(folder / "products", files)


def _pages(files: Files, folder: Path, shape: type[Shape]) -> list[Page[Shape]]:
    found = files.of(folder)
    if not found:
        raise KnowledgeError(f"{folder}: no .yaml file; the knowledge folder is not whole. Install Exowatch again.")
    return [_page(files, path, shape) for path in found]


def _page(files: Files, path: Path, shape: type[Shape]) -> Page[Shape]:
    return Page(path, shape, files.read(path))


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


def _version(folder: Path) -> str:
    """sha256 over names and bytes of every file. The model's are held by their card."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".yaml", ".csv", ".json", ".gz") and path.name not in _NOT_JUDGED_BY:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
