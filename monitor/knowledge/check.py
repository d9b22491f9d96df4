"""Is an edited knowledge folder fit for use? Everything that is wrong with it, at once. Only reads the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import BaseModel

from monitor.knowledge import Knowledge, KnowledgeError, products, signoffs, wordlists
from monitor.knowledge import read as read_knowledge
from monitor.knowledge.check_law import LawRows
from monitor.knowledge.check_products import ProductRows
from monitor.knowledge.check_words import WordRows
from monitor.knowledge.files import Level, Loc, Problem, RowFile, fit
from monitor.knowledge.files import read as read_file
from monitor.knowledge.lint import AmbiguityFile, lint
from monitor.knowledge.precedents import PrecedentsFile
from monitor.knowledge.shapes import (
    ClaimRule,
    ClaimsFile,
    ContextFile,
    Example,
    LexiconFile,
    RolesFile,
    Scoring,
    well_written,
)
from monitor.knowledge.signoffs import Signature
from monitor.knowledge.yaml_rows import nearest

Shape = TypeVar("Shape", bound=BaseModel)
_NEEDED = (
    "authorisations.yaml", "scoring.yaml", "relevance.yaml", "law/vocabulary.yaml", *wordlists.LISTS,
    *(f"{products.FOLDER}/{name}" for name in products.SHAPES),
)  # fmt: skip


class Found(Protocol):
    """What judging says of one statement."""

    @property
    def category(self) -> str: ...
    @property
    def rule_id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def decision(self) -> str: ...
    @property
    def quote(self) -> str: ...
    @property
    def why(self) -> str: ...


class Reading(Protocol):
    @property
    def findings(self) -> Sequence[Found]: ...
    @property
    def dropped(self) -> Sequence[Found]: ...


Judge = Callable[[Example, Knowledge], Reading]
"""Judges an example under a knowledge. Given from outside: judging stands above the knowledge."""


@dataclass(frozen=True)
class Checked:
    """What was found. `judged`: how many examples were tried; 0 where errors came before."""

    problems: tuple[Problem, ...]
    signatures: tuple[Signature, ...]
    files: int
    rows: int
    unnamed: int
    """Rows of law that bear no lawyer's name, or one that no longer holds."""
    judged: int

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(one for one in self.problems if one.level == "error")


def check(folder: Path, judge: Judge, today: date) -> Checked:
    """Everything that is wrong with a folder laid out like `monitor/knowledge`."""
    seen = _Folder(folder, today)
    seen.read()
    judged = 0
    if not any(one.level == "error" for one in seen.problems):
        try:
            knowledge = read_knowledge(folder)
        except KnowledgeError as error:
            message = str(error).replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")
            seen.problems.append(Problem("error", "", 0, "", message))
        else:
            judged = seen.try_examples(knowledge, judge)
    order = {"error": 0, "warning": 1}
    problems = sorted(dict.fromkeys(seen.problems), key=lambda one: (order[one.level], one.file, one.line, one.message))
    return Checked(
        tuple(problems), tuple(seen.signatures.values()), len(seen.files), seen.rows, seen.law.unnamed, judged
    )


@dataclass
class _Folder:
    folder: Path
    today: date
    files: dict[str, RowFile] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    signatures: dict[str, Signature] = field(default_factory=dict)
    rows: int = 0
    claims: list[tuple[RowFile, ClaimsFile]] = field(default_factory=list)
    lexicon: list[tuple[RowFile, LexiconFile]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.law = LawRows(self.today)
        self.products = ProductRows(self.today)
        self.words = WordRows(self.today)

    def read(self) -> None:
        for path in sorted(self.folder.rglob("*.yaml")):
            found = read_file(path, self.folder)
            if isinstance(found, Problem):
                self.problems.append(found)
            else:
                self.files[found.name] = found
        for name in _NEEDED:
            if not (self.folder / name).exists():
                self.problems.append(Problem("error", name, 0, "", "there is no such file; put it back"))
        self.law.read(self.files)
        self.problems += self.law.problems
        self.products.read(self.files)
        self.problems += self.products.problems
        self.words.read(self.files)
        self.problems += self.words.problems
        self.lexicon = self._pages("lexicon", LexiconFile)
        self.claims = self._pages("claims", ClaimsFile)
        contexts, roles = self._pages("context", ContextFile), self._pages("roles", RolesFile)
        self.rows = self.law.count + self.products.count + self.words.count
        self.rows += sum(len(page.classes) for _, page in self.lexicon)
        self.rows += sum(len(page.rules) for _, page in self.claims)
        self.rows += sum(len(page.cues) for _, page in contexts) + sum(len(page.roles) for _, page in roles)
        self.problems += self._references()
        self.problems += self._precedents()
        self.problems += self._levels()
        self._lint()
        self._sign()

    def _fit(self, shape: type[Shape], file: RowFile) -> Shape | None:
        made, problems = fit(shape, file)
        # The shape knows only that some class is badly written; a person wants to know which.
        by_class = [] if made else list(_badly_written(file))
        self.problems += [one for one in problems if not (by_class and one.message.startswith("classes:"))] + by_class
        return made

    def _pages(self, kind: str, shape: type[Shape]) -> list[tuple[RowFile, Shape]]:
        files = [file for name, file in self.files.items() if name.startswith(f"{kind}/")]
        if not files and not any(one.file.startswith(f"{kind}/") for one in self.problems):
            self.problems.append(Problem("error", f"{kind}/", 0, "", "holds no .yaml file; put them back"))
        made = ((file, self._fit(shape, file)) for file in files)
        return [(file, page) for file, page in made if page is not None]

    def _references(self) -> Iterator[Problem]:
        """Classes and categories that rules name, and ids given twice."""
        classes = {name for _, page in self.lexicon for name in page.classes}
        rules: dict[str, str] = {}
        categories: dict[str, str] = {}
        for file, page in self.claims:
            if page.category in categories:
                yield file.problem(("category",), f"{page.category} is also in {categories[page.category]}; join them")
            categories[page.category] = file.name
            if self.law.categories and page.category not in self.law.categories:
                advice = nearest(page.category, self.law.categories)
                yield file.problem(
                    ("category",), f"law/vocabulary.yaml has no category {page.category!r}{advice}; add it there first"
                )
            for number, rule in enumerate(page.rules):
                place = ("rules", number)
                if rule.id in rules:
                    yield file.problem(place, f"this id is taken in {rules[rule.id]}; give every rule its own")
                rules[rule.id] = file.name
                yield from self._classes(file, number, rule, classes)
        vocabulary = self.files.get("law/vocabulary.yaml")
        for category in self.law.categories if vocabulary and self.claims else ():
            if vocabulary and category not in categories:
                message = f"no file under claims/ finds {category}; write its rules, or remove it"
                yield vocabulary.problem(("categories", list(self.law.categories).index(category)), message, "warning")

    def _classes(self, file: RowFile, number: int, rule: ClaimRule, classes: set[str]) -> Iterator[Problem]:
        for key, slots in (("needs", rule.needs), ("lead", rule.lead), ("veto", (rule.veto,))):
            for name in (name for slot in slots for name in slot):
                if classes and name not in classes:
                    message = f"{key} asks for class {name!r}, which no lexicon file has{nearest(name, classes)}"
                    yield file.problem(("rules", number, key), f"{message}; correct it, or add the class")

    def _precedents(self) -> Iterator[Problem]:
        file = self.files.get("precedents.yaml")
        page = self._fit(PrecedentsFile, file) if file else None
        if file is None or page is None:
            return
        letters, ids = {one.reference for one in page.letters}, set()
        if page.read_on > self.today:
            yield file.problem(("read_on",), f"read_on {page.read_on} lies in the future; correct it")
        for number, one in enumerate(page.statements):
            place = ("statements", number)
            if one.id in ids:
                yield file.problem(place, "this id is taken; give every statement its own")
            ids.add(one.id)
            for letter in one.letters:
                if letter not in letters:
                    yield file.problem(
                        place, f"names letter {letter!r}, which is not listed{nearest(letter, letters)}; add it"
                    )
            if self.law.categories and one.category not in self.law.categories:
                advice = nearest(one.category, self.law.categories)
                yield file.problem(place, f"there is no category {one.category!r}{advice}; correct it")

    def _levels(self) -> Iterator[Problem]:
        """A language may stand above C only with words of its own."""
        file = self.files.get("scoring.yaml")
        scoring = self._fit(Scoring, file) if file else None
        held = {page.lang for _, page in self.lexicon}
        raised = [code for level in scoring.languages.values() for code in level.codes] if scoring else []
        self.problems += [*self.products.lacking(raised), *self.words.lacking(raised)]
        for name, level in scoring.languages.items() if file and scoring and held else ():
            for code in level.codes:
                if file and code not in held:
                    message = f"{code} has no words: there is no lexicon file of that lang; add lexicon/{code}.yaml"
                    yield file.problem(("languages", name, "codes"), f"{message}, or take it out of {name}")

    def _lint(self) -> None:
        file = self.files.get("ambiguous.yaml")
        ambiguity = self._fit(AmbiguityFile, file) if file else None
        if ambiguity:
            self.problems += lint(self.lexicon, [rule for _, page in self.claims for rule in page.rules], ambiguity)

    def _sign(self) -> None:
        held, problems = signoffs.read(self.folder)
        self.problems += problems
        for one in held:
            if one.date > self.today:
                message = f"signed on {one.date}, which lies in the future; correct it"
                self.problems.append(Problem("error", signoffs.FILE, one.line, one.file, message))
        self.signatures = signoffs.signatures(self.folder, held)
        for file, signature in self.signatures.items():
            if signature.state == "stale":
                message = (
                    f"changed since {signature.reviewer} signed it on {signature.date}: it counts as unsigned; "
                    "have it signed again"
                )
                self.problems.append(Problem("warning", file, 0, "", message))
        for row_file, loc, name in self.law.named:
            if self.signatures[row_file.name].state != "signed":
                self.law.unnamed += 1
                message = f"bears the name of {name}, but the file is not signed as it stands: it counts as unsigned"
                self.problems.append(row_file.problem(loc, message, "warning"))

    def try_examples(self, knowledge: Knowledge, judge: Judge) -> int:
        """Judge every example of every rule; those that do not judge as they say are problems."""
        judged = 0
        rules = frozenset(rule.id for _, page in self.claims for rule in page.rules)
        for file, page in self.claims:
            for loc, example in _examples(page):
                wanted = _Wanted(example, page.category, str(loc[3]) == "positive", rules)
                level, wrong = wanted.compare(judge(example, knowledge))
                judged += 1
                if wrong:
                    said = f"{loc[3]} example {int(loc[4]) + 1} “{_short(example.text)}” {wrong}"
                    self.problems.append(file.problem(loc, said, level))
        return judged


def _badly_written(file: RowFile) -> Iterator[Problem]:
    classes = file.raw.get("classes") if isinstance(file.raw, dict) else None
    for name, terms in classes.items() if isinstance(classes, dict) else ():
        try:
            well_written(str(terms))
        except ValueError as error:
            yield file.problem(("classes", str(name)), f"{error}; correct it")


def _examples(page: ClaimsFile) -> Iterator[tuple[Loc, Example]]:
    for number, rule in enumerate(page.rules):
        for sign in ("positive", "negative"):
            written: list[Example | str] = getattr(rule.examples, sign)
            for place, one in enumerate(written):
                yield ("rules", number, "examples", sign, place), Example(text=one) if isinstance(one, str) else one


@dataclass(frozen=True)
class _Wanted:
    """What an example says of itself."""

    example: Example
    category: str
    positive: bool
    rules: frozenset[str]

    def compare(self, reading: Reading) -> tuple[Level, str]:
        """What judging does not say, and how bad that is; empty if they agree."""
        found = [one for one in reading.findings if one.category == self.category]
        dropped = [one for one in reading.dropped if one.category == self.category]
        status = self.example.status
        if status and status != "affirmed":
            seen = [one.status for one in dropped]
            told = f"is read as {', '.join(seen) or 'nothing'}, not {status}; correct the rule, or the example"
            return "error", "" if status in seen else told
        by_rule = [one for one in found if one.rule_id in self.rules]
        if not self.positive:
            return self._unwanted(by_rule, found)
        if not by_rule:
            why = dropped[0].why if dropped else f"no rule of {self.category} is met."
            return "error", f"is not found: {why} Correct the rule, or the example"
        quote = self.example.quote
        if quote and not any(agrees(one.quote, quote) for one in found):
            told = f"quotes “{_short(by_rule[0].quote)}”, not “{_short(quote)}”; correct the rule, or the example"
            return "error", told
        return "error", ""

    def _unwanted(self, by_rule: Sequence[Found], found: Sequence[Found]) -> tuple[Level, str]:
        if by_rule:
            return "error", f"is found all the same: {by_rule[0].why} Correct the rule, or the example"
        if found:
            return "warning", f"no rule finds it, but the model does: {found[0].why} Tell who trains the model"
        return "error", ""


def _short(text: str) -> str:
    return text if len(text) <= 90 else text[:89] + "…"


def agrees(found: str, told: str) -> bool:
    """Is what is quoted what the example says? Either may have a few words more: which of them are marked is the
    model's say, and changes with it.
    """
    short, long = sorted((found, told), key=len)
    return short in long and 2 * len(short) >= len(long)
