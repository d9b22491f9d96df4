"""The law table's rows, each looked at by itself, so that every mistake in it is told at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from pydantic import BaseModel

from monitor.knowledge.files import Loc, Problem, RowFile, fit
from monitor.knowledge.law import Authorisation, Provision, Rule, RuleSet, Statement, Vocabulary
from monitor.knowledge.yaml_rows import nearest

_OLD = timedelta(days=365)


@dataclass
class LawRows:
    """What could be read of the law table, with what is wrong with it."""

    today: date
    categories: dict[str, bool] = field(default_factory=dict)
    """Category → whether it gives a verdict."""
    concerns: tuple[str, ...] = ()
    provisions: dict[str, str] = field(default_factory=dict)
    """Provision id → jurisdiction."""
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    named: list[tuple[RowFile, Loc, str]] = field(default_factory=list)
    """Rows that bear a lawyer's name."""
    unnamed: int = 0

    def read(self, files: Mapping[str, RowFile]) -> None:
        """Read every file of the law table; vocabulary first, then provisions, then what cites them."""
        if vocabulary := files.get("law/vocabulary.yaml"):
            self._vocabulary(vocabulary)
        for folder, reader in (("law/provisions/", self._provisions), ("law/rules/", self._rules)):
            for name, file in files.items():
                if name.startswith(folder):
                    reader(file)
        if approvals := files.get("authorisations.yaml"):
            self._dated(approvals, "authorisations", Authorisation)
            self._dated(approvals, "statements", Statement)

    def _vocabulary(self, file: RowFile) -> None:
        made, problems = fit(Vocabulary, file)
        self.problems += problems
        if made:
            self.categories = {one.id: one.verdict for one in made.categories}
            self.concerns = made.concerns

    def _provisions(self, file: RowFile) -> None:
        if not isinstance(file.raw, list):
            self.problems.append(file.problem((), "expected a list of rows; begin each with `- id:`"))
        for number in range(len(file.rows())):
            made, problems = fit(Provision, file, (number,))
            self.problems += problems
            self.count += 1
            if made:
                self._provision(file, number, made)

    def _provision(self, file: RowFile, number: int, made: Provision) -> None:
        if made.id in self.provisions:
            self._wrong(file, (number,), "this id is taken; give every provision its own")
        self.provisions[made.id] = made.jurisdiction
        if f"law/provisions/{made.jurisdiction}.yaml" != file.name:
            self._wrong(file, (number, "jurisdiction"), f"{made.jurisdiction} belongs in {made.jurisdiction}.yaml")
        self._known(file, (number, "categories"), "category", made.categories, self.categories)
        self._known(file, (number, "concerns"), "concern", made.concerns, self.concerns)
        if made.source is None:
            self._warn(file, (number,), "has no source, so no finding may cite it; add where it was read")
        self._day(file, (number, "read_on"), made.read_on)
        self._signed(file, (number,), made.signed_by)

    def _rules(self, file: RowFile) -> None:
        made: list[Rule] = []
        whole = True
        for number in range(len(file.rows("rules"))):
            rule, problems = fit(Rule, file, ("rules", number))
            self.problems += problems
            self.count += 1
            whole = whole and rule is not None
            if rule:
                made.append(rule)
                self._known(file, ("rules", number, "categories"), "category", rule.categories, self.categories)
                self._basis(file, number, rule)
                self._signed(file, ("rules", number), rule.signed_by)
        if not whole:
            return
        rules, problems = fit(RuleSet, file)
        self.problems += problems
        if rules:
            self._known(file, ("no_rule",), "category", rules.no_rule, self.categories)
            self.problems += _order(file, made, rules)
            self.problems += self._cover(file, rules)

    def _basis(self, file: RowFile, number: int, rule: Rule) -> None:
        place = ("rules", number, "legal_basis")
        self._known(file, place, "provision", rule.legal_basis, self.provisions)
        code = file.name.removeprefix("law/rules/").removesuffix(".yaml")
        for one in rule.legal_basis:
            if self.provisions.get(one, code) != code:
                self._wrong(file, place, f"{one} is a provision of another jurisdiction; cite one of {code}")

    def _cover(self, file: RowFile, rules: RuleSet) -> Iterator[Problem]:
        for category, verdict in self.categories.items():
            last = any(rule.when.anything and category in rule.categories for rule in rules.rules)
            if verdict and not last and category not in rules.no_rule:
                yield file.problem(
                    ("rules",),
                    f"{category} has no rule without `when` as its last one; add it, or name the category under "
                    "no_rule with the reason",
                )
            if not verdict and (last or category in rules.no_rule):
                yield file.problem(
                    ("rules",), f"{category} gives no verdict (vocabulary.yaml); remove it from the rules"
                )

    def _dated(self, file: RowFile, key: str, shape: type[BaseModel]) -> None:
        for number in range(len(file.rows(key))):
            made, problems = fit(shape, file, (key, number))
            self.problems += problems
            self.count += 1
            if isinstance(made, Authorisation | Statement):
                self._day(file, (key, number, "checked_on"), made.checked_on)

    def _day(self, file: RowFile, loc: Loc, day: date | None) -> None:
        what = str(loc[-1])
        if day is None:
            self._warn(file, loc, f"{what} is empty: nobody knows in which state it was read; read it and add the day")
        elif day > self.today:
            self._wrong(file, loc, f"{what} {day} lies in the future; correct it")
        elif self.today - day > _OLD:
            self._warn(file, loc, f"{what} {day} is more than a year ago; read it again")

    def _signed(self, file: RowFile, loc: Loc, name: str | None) -> None:
        if name:
            self.named.append((file, loc, name))
        else:
            self.unnamed += 1

    def _known(self, file: RowFile, loc: Loc, noun: str, values: Iterable[str], known: Iterable[str]) -> None:
        known = list(known)
        for value in values if known else ():
            if value not in known:
                advice = nearest(value, known)
                self._wrong(file, loc, f"there is no {noun} {value!r}{advice}; correct it, or add the missing row")

    def _wrong(self, file: RowFile, loc: Loc, message: str) -> None:
        self.problems.append(file.problem(loc, message))

    def _warn(self, file: RowFile, loc: Loc, message: str) -> None:
        self.problems.append(file.problem(loc, message, "warning"))


def _order(file: RowFile, made: Iterable[Rule], rules: RuleSet) -> Iterator[Problem]:
    """Ids once, and every rule can be reached."""
    if f"law/rules/{rules.jurisdiction}.yaml" != file.name:
        yield file.problem(("jurisdiction",), f"{rules.jurisdiction} belongs in {rules.jurisdiction}.yaml")
    ids: set[str] = set()
    closed: dict[str, str] = {}
    for number, rule in enumerate(made):
        if rule.id in ids:
            yield file.problem(("rules", number), "this id is taken; give every rule its own")
        ids.add(rule.id)
        for category in rule.categories:
            if category in rules.no_rule:
                yield file.problem(
                    ("rules", number), f"{category} is also under no_rule; remove it from one of the two"
                )
            if category in closed:
                message = f"never reached for {category}, because {closed[category]} above it takes every case"
                yield file.problem(("rules", number), f"{message}; move it up")
            elif rule.when.anything:
                closed[category] = rule.id
