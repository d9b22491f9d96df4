"""The law table: provisions with their sources, and which of them a claim touches.

Data, not judgement: rows under `law/` and `authorisations.yaml` are edited and signed by lawyers. Loading
checks every reference; nothing here decides about a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from monitor.codes import JurisdictionCode
from monitor.config.parts import WebAddress
from monitor.folding import fold
from monitor.knowledge.sound import Files, Written
from monitor.knowledge.yaml_rows import KnowledgeError, Row, nearest, parse_row, parse_rows

Severity = Literal["High", "Medium", "Low"]
SourceMaterial = Literal["human", "animal", "plant", "synthetic", "unstated"]
Route = Literal["topical", "needling", "injection", "iv", "inhaled", "oral", "unstated"]
Role = Literal[
    "seller", "clinic", "supplier", "marketplace", "news", "regulator", "science", "education", "reagent", "legal",
    "unknown",
]  # fmt: skip
RowId = Annotated[str, Field(pattern=r"^[a-z]{2}-[A-Za-z0-9.-]+$")]


class Source(Row):
    """Where a row was read. `kind`: the text itself, an authority's page, or somebody else's account or reprint."""

    title: str = Field(min_length=3)
    url: WebAddress
    kind: Literal["primary", "regulator", "secondary"]


class Provision(Row):
    """One provision in our own words. Without a source or a reading day it is unverified."""

    id: RowId
    jurisdiction: JurisdictionCode
    instrument: str = Field(min_length=2)
    provision: str = Field(min_length=2)
    summary: str = Field(min_length=20)
    concerns: tuple[str, ...]
    categories: tuple[str, ...]
    source: Source | None
    text_as_of: Annotated[str, Field(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$")] = ""
    """State of the text that was read; empty where the source bears no date."""
    read_on: date | None
    status: Literal["verified", "partly", "unverified"]
    signed_by: str | None
    note: str = ""

    @property
    def unsigned(self) -> bool:
        return self.signed_by is None

    @model_validator(mode="after")
    def _sourced(self) -> Provision:
        if self.status != "unverified" and (self.source is None or self.read_on is None):
            raise ValueError(f"status {self.status} needs a source and read_on; without them it is unverified")
        if not self.id.startswith(f"{self.jurisdiction}-"):
            raise ValueError(f"the id must begin with the jurisdiction: {self.jurisdiction}-")
        return self


class When(Row):
    """What must hold for a rule. Left out: anything."""

    source_material: tuple[SourceMaterial, ...] = ()
    route: tuple[Route, ...] = ()
    role: tuple[Role, ...] = ()

    def fits(self, source_material: str, route: str, role: str) -> bool:
        return all(
            not wanted or found in wanted
            for wanted, found in (
                (self.source_material, source_material),
                (self.route, route),
                (self.role, role),
            )
        )

    @property
    def anything(self) -> bool:
        return not (self.source_material or self.route or self.role)


class Rule(Row):
    """Which provisions a category of claim touches, and how severely, under `when`."""

    id: RowId
    categories: tuple[str, ...] = Field(min_length=1)
    when: When = When()
    severity: Severity
    legal_basis: tuple[str, ...] = Field(min_length=1)
    why: str = Field(min_length=20)
    conditions: str = ""
    """What a person has to look at: facts that would change the answer."""
    disputed: tuple[str, ...] = ()
    """Provisions of `legal_basis` whose sources contradict each other; the answer is then left to a person."""
    signed_by: str | None

    @property
    def unsigned(self) -> bool:
        return self.signed_by is None

    @model_validator(mode="after")
    def _contradicted(self) -> Rule:
        strange = [one for one in self.disputed if one not in self.legal_basis]
        if strange:
            raise ValueError(f"disputed names {strange[0]}, which legal_basis does not; cite it there or remove it")
        if self.disputed and len(set(self.disputed)) < 2:
            raise ValueError("disputed names one provision; a contradiction needs two, or none")
        return self


class RuleSet(Row):
    """One jurisdiction's rules, in order: the first that fits is the answer."""

    jurisdiction: JurisdictionCode
    no_rule: dict[str, str]
    """Categories for which the table holds nothing, each with the reason. They are not assessed."""
    rules: tuple[Rule, ...]

    def rule(self, category: str, source_material: str, route: str, role: str) -> Rule | None:
        for one in self.rules:
            if category in one.categories and one.when.fits(source_material, route, role):
                return one
        return None


class Category(Row):
    id: str
    meaning: str
    verdict: bool = True
    """False: the category touches no provision by itself."""


class Vocabulary(Row):
    categories: tuple[Category, ...]
    concerns: tuple[str, ...]


class Authorisation(Row):
    """What an official list says of one product. Only `in_force` is an approval; `listed` is a firm's own entry."""

    product: str = Field(min_length=2)
    aliases: tuple[str, ...] = ()
    jurisdiction: JurisdictionCode
    number: str = Field(min_length=2)
    status: Literal["in_force", "suspended", "withdrawn", "listed"]
    source: Source
    checked_on: date
    note: str = ""


class Statement(Row):
    """What an authority says of exosome products as a class."""

    id: RowId
    jurisdiction: JurisdictionCode
    authority: str
    summary: str
    none_authorised: bool
    source: Source
    issued: date
    checked_on: date


class _AuthorisationFile(Row):
    authorisations: tuple[Authorisation, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Law:
    """The whole table. Codes are lower case; provisions and rules are in the order of their files."""

    provisions: Mapping[str, Provision]
    rule_sets: Mapping[str, RuleSet]
    categories: Mapping[str, Category]
    authorisations: tuple[Authorisation, ...] = ()
    statements: tuple[Statement, ...] = ()

    def provision(self, provision_id: str) -> Provision:
        """Raises KeyError, with the nearest id, if there is none."""
        found = self.provisions.get(provision_id)
        if found is None:
            raise KeyError(f"no provision {provision_id!r}{nearest(provision_id, self.provisions)}")
        return found

    def sourced(self, rule: Rule) -> tuple[Provision, ...]:
        """The provisions of a rule that have a source: only these may be cited."""
        cited = (self.provision(one) for one in rule.legal_basis)
        return tuple(one for one in cited if one.source is not None)

    @property
    def assessed(self) -> frozenset[str]:
        """Jurisdictions for which at least one rule cites a provision with a source."""
        return frozenset(
            code for code, rules in self.rule_sets.items() if any(self.sourced(rule) for rule in rules.rules)
        )

    @property
    def unsigned(self) -> tuple[str, ...]:
        """Ids of provisions and rules that nobody has signed."""
        rows: list[Provision | Rule] = list(self.provisions.values())
        for rule_set in self.rule_sets.values():
            rows += rule_set.rules
        return tuple(row.id for row in rows if row.unsigned)

    def statement(self, code: str) -> Statement | None:
        """What the authority of a jurisdiction says of exosome products as a class, if it has spoken."""
        return next((one for one in self.statements if one.jurisdiction == code), None)


def is_authorised(law: Law, product_name: str, code: str) -> bool:
    """Whether the table holds an approval in force for a product of this name there. Whole names, case apart."""
    wanted = _name(product_name)
    return any(
        one.status == "in_force"
        and one.jurisdiction == code
        and wanted in {_name(name) for name in (one.product, *one.aliases)}
        for one in law.authorisations
    )


def _name(product: str) -> str:
    return " ".join(fold(product).text.split())


def load(folder: Path, files: Files | None = None) -> Law:
    """Reads the knowledge folder: `law/` and `authorisations.yaml`. Raises KnowledgeError with file and row."""
    files = files or Written()
    home = folder / "law"
    vocabulary_path = home / "vocabulary.yaml"
    vocabulary = parse_row(Vocabulary, files.read(vocabulary_path), vocabulary_path, 1)
    categories = {one.id: one for one in vocabulary.categories}
    provisions = _provisions(files, home / "provisions", categories, vocabulary.concerns)
    rule_sets: dict[str, RuleSet] = {}
    for path in files.of(home / "rules"):
        rule_set = _rule_set(path, files.read(path), provisions, categories)
        rule_sets[rule_set.jurisdiction] = rule_set
    path = folder / "authorisations.yaml"
    approvals = parse_row(_AuthorisationFile, files.read(path), path, 1)
    return Law(provisions, rule_sets, categories, approvals.authorisations, approvals.statements)


def _provisions(
    files: Files, folder: Path, categories: Mapping[str, Category], concerns: Iterable[str]
) -> dict[str, Provision]:
    found: dict[str, Provision] = {}
    for path in files.of(folder):
        for number, row in enumerate(parse_rows(Provision, files.read(path) or [], path), 1):
            where = f"{path}, row {number} ({row.id})"
            if row.id in found:
                raise KnowledgeError(f"{where}: this id is taken; give every provision its own")
            if row.jurisdiction != path.stem:
                raise KnowledgeError(f"{where}: jurisdiction {row.jurisdiction} belongs in {row.jurisdiction}.yaml")
            _known(where, "categories", row.categories, categories)
            _known(where, "concerns", row.concerns, list(concerns))
            found[row.id] = row
    if not found:
        raise KnowledgeError(f"{folder}: holds no provision; put the files back or reinstall")
    return found


def _rule_set(path: Path, raw: Any, provisions: Mapping[str, Provision], categories: Mapping[str, Category]) -> RuleSet:
    rows = raw.get("rules") if isinstance(raw, dict) else None
    rules = parse_rows(Rule, rows, path)
    rule_set = parse_row(RuleSet, {**raw, "rules": rules}, path, 1)
    if rule_set.jurisdiction != path.stem:
        raise KnowledgeError(f"{path}: jurisdiction {rule_set.jurisdiction} belongs in {rule_set.jurisdiction}.yaml")
    _known(f"{path}, no_rule", "categories", rule_set.no_rule, categories)
    _check_rules(path, rule_set, provisions, categories)
    _check_cover(path, rule_set, categories)
    return rule_set


def _check_rules(
    path: Path, rule_set: RuleSet, provisions: Mapping[str, Provision], categories: Mapping[str, Category]
) -> None:
    """Ids unique, everything named exists and belongs to the jurisdiction, and every rule can be reached."""
    ids: set[str] = set()
    closed: dict[str, str] = {}
    for number, rule in enumerate(rule_set.rules, 1):
        where = f"{path}, row {number} ({rule.id})"
        if rule.id in ids:
            raise KnowledgeError(f"{where}: this id is taken; give every rule its own")
        ids.add(rule.id)
        _known(where, "categories", rule.categories, categories)
        _known(where, "legal_basis", rule.legal_basis, provisions)
        foreign = [one for one in rule.legal_basis if provisions[one].jurisdiction != rule_set.jurisdiction]
        if foreign:
            raise KnowledgeError(f"{where}: legal_basis names {foreign[0]}, a provision of another jurisdiction")
        for category in rule.categories:
            if category in closed:
                raise KnowledgeError(
                    f"{where}: never reached for {category}, because {closed[category]} above it takes every case; "
                    "move it up"
                )
            if category in rule_set.no_rule:
                raise KnowledgeError(f"{where}: {category} is also under no_rule; remove it from one of the two")
            if rule.when.anything:
                closed[category] = rule.id


def _check_cover(path: Path, rule_set: RuleSet, categories: Mapping[str, Category]) -> None:
    """Every category ends in a rule without `when`, or is named under `no_rule`; silence is not an answer."""
    for category in categories.values():
        covered = category.id in rule_set.no_rule or any(
            rule.when.anything and category.id in rule.categories for rule in rule_set.rules
        )
        if category.verdict and not covered:
            raise KnowledgeError(
                f"{path}: {category.id} has no rule without `when` as its last one; add it, "
                "or name the category under no_rule with the reason"
            )
        if not category.verdict and covered:
            raise KnowledgeError(f"{path}: {category.id} gives no verdict (vocabulary.yaml); remove it from the rules")


def _known(where: str, field: str, values: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for value in values:
        if value not in known:
            raise KnowledgeError(
                f"{where}: {field} names {value!r}, which does not exist{nearest(value, known)}; "
                "correct it or add the missing row"
            )
