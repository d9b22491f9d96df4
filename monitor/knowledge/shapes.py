"""The rows of the knowledge folder as they are written, checked by pydantic. Unknown keys stop the load."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from monitor.knowledge.yaml_rows import Row

Kind = Literal[
    "negation",
    "denial",
    "attribution",
    "quoted",
    "scientific",
    "hedge",
    "terminator",
    "contrast",
    "concessive",
    "affirming",
    "denying",
    "question",
    "seller",
]
Direction = Literal["forward", "backward", "both", "next", "sentence"]
Structure = Literal["sentence", "list"]
ProductNear = Literal["sentence", "near"]


def expand(terms: str) -> Iterator[str]:
    """`treat{,s,ed} | cur{e,es}` → each spelling. One level of braces, any number of groups."""
    for term in terms.split("|"):
        word = " ".join(term.split())
        if word:
            yield from _braces(word)


def _braces(word: str) -> Iterator[str]:
    opening = word.find("{")
    if opening < 0:
        yield word
        return
    closing = word.index("}", opening)
    for choice in word[opening + 1 : closing].split(","):
        yield from _braces(word[:opening] + choice + word[closing + 1 :])


_CLOSED = re.compile(r"[^{}*=]+(?:\{[^{}*=]*\}[^{}*=]*)*")
"""A term that begins with a letter and has no sign but whole braces: none of its spellings can be wrong."""


def bare(words: str) -> str:
    """A spelling without the signs that say where it may stand."""
    return words.strip("*=")


def well_written(terms: str) -> str:
    if terms.count("{") != terms.count("}"):
        raise ValueError("a brace is opened and not closed, or the other way round")
    for words in expand("|".join(term for term in terms.split("|") if not _CLOSED.fullmatch(term.strip()))):
        if "*" in words.strip("*") or not words.strip("* "):
            raise ValueError(f"{words!r}: a star may only stand at the beginning or the end of a term")
        if words.startswith("=") and not any("\u0590" <= char <= "\u06ff" for char in words):
            raise ValueError(f"{words!r}: an equals sign stands only before a word of Hebrew or Arabic letters")
    return terms


class LexiconFile(Row):
    """One language's words by class."""

    lang: str = Field(pattern=r"^(any|[a-z]{2})$")
    source: str = Field(min_length=5)
    classes: dict[str, str]

    @field_validator("classes")
    @classmethod
    def _closed(cls, classes: dict[str, str]) -> dict[str, str]:
        return {name: well_written(terms) for name, terms in classes.items()}


class CueGroup(Row):
    """Cue words of one kind. `reach`: characters it acts over; `weight`: how much it says of the voice.

    A `next` cue (no, kein) denies whatever deciding word follows before a comma; a `forward` one the verb.
    """

    kind: Kind
    terms: str
    direction: Direction = "sentence"
    reach: int = Field(default=60, ge=1, le=500)
    weight: float = Field(default=1.0, ge=0, le=5)

    _closed = field_validator("terms")(well_written)


class ContextFile(Row):
    lang: str = Field(pattern=r"^(any|[a-z]{2})$")
    source: str = Field(min_length=5)
    cues: list[CueGroup]


class Example(Row):
    """A text the rule must (or must not) find. `quote`: what it must quote; `html`: read as a page."""

    text: str = Field(min_length=1)
    quote: str = ""
    lang: str = ""
    html: bool = False
    status: str = ""


class Examples(Row):
    """A plain string is an example with nothing but its text."""

    positive: Annotated[list[Example | str], Field(min_length=3)]
    negative: Annotated[list[Example | str], Field(min_length=3)]


class ClaimRule(Row):
    """Classes that must meet. Each of `needs` is a choice of classes; all must stand within `within` characters."""

    id: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$")
    needs: Annotated[list[list[str]], Field(min_length=1, max_length=4)]
    lead: tuple[tuple[str, ...], ...] = ()
    within: int = Field(default=110, ge=5, le=400)
    ordered: bool = False
    number: bool = False  # a number must stand right before the first hit
    veto: tuple[str, ...] = ()
    structure: Structure = "sentence"
    product: ProductNear = "near"
    fallback: bool = False  # only where no other rule uses the words that it names after the first
    negation_is_claim: bool = False  # "no side effects": the negation is the claim
    weight: float = Field(ge=-2, le=4)
    note: str = Field(min_length=5)
    source: str = Field(min_length=5)
    examples: Examples


class ClaimsFile(Row):
    """One category: what it means, its rules, how heavy it is by itself."""

    category: str = Field(pattern=r"^[a-z_]+$")
    meaning: str = Field(min_length=10)
    severity: Literal["High", "Medium", "Low"]
    rules: Annotated[list[ClaimRule], Field(min_length=1)]


class RoleCues(Row):
    terms: str
    weight: float = Field(default=1.0, ge=-3, le=5)
    lang: str = "any"

    _closed = field_validator("terms")(well_written)


class RoleRow(Row):
    """Signs of one page role: words, structure marks, hosts."""

    role: str = Field(pattern=r"^[a-z]+$")
    status: str = ""  # what candidates on such a page become
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    marks: dict[str, float] = Field(default_factory=dict)
    cues: tuple[RoleCues, ...] = ()


class RolesFile(Row):
    source: str = Field(min_length=5)
    roles: list[RoleRow]


_NEAR = frozenset({"sentence", "block", "heading", "neighbour", "title", "page"})


class Standing(Row):
    """How a stretch of a whole page is judged: weights that add up to the log odds of its being a claim.

    `near`: by where the product is named. `product_share`: times ln of blocks about the product to those about others.
    """

    base: float
    wording: float = Field(gt=0)  # times the model's log odds
    rule: float = Field(ge=0)  # times the log odds of a rule that met it
    near: dict[str, float]
    telling_word: float
    heading: float
    product_share: float
    flag: float = Field(gt=0, lt=1)  # probability from which on it is flagged, if the page speaks of claims at all
    review: float = Field(gt=0, lt=1)
    speaks: float  # log odds that the two likeliest stretches must reach in the mean for anything to be flagged
    alone: float  # or the likeliest by itself
    spoken: float  # added to the log odds of each on a page that does: who makes claims makes many

    @field_validator("near")
    @classmethod
    def _every_place(cls, near: dict[str, float]) -> dict[str, float]:
        if set(near) != _NEAR:
            raise ValueError(f"give a weight for each of {', '.join(sorted(_NEAR))}")
        return near


class Fusion(Row):
    """How rules and model are joined. `rules_share`: of a rule's confidence in a claim that both read."""

    flag: float = Field(gt=0, lt=1)
    review: float = Field(gt=0, lt=1)
    rules_share: float = Field(ge=0, le=1)
    sift: float = Field(ge=0, lt=1)  # least probability at first sight for which a stretch of a page is read
    own: float = Field(gt=0, le=2)  # least probability of a claim that the model alone reads
    rules_share_structure: float = Field(ge=0, le=1)  # the same for items under a heading and questions answered
    rules_share_denial: float = Field(ge=0, le=1)  # the same for claims that deny: "no side effects"
    product_far: float = Field(le=0)  # added to the log odds where the product is named elsewhere on the page only
    crowd: float = Field(ge=0, le=1)  # times ln(stretches) is taken off the log odds before flagging
    crowd_ruled: float = Field(ge=0, le=1)  # the same, where a rule was met
    on_a_page: Standing
    sells_at_sight: float = Field(gt=0, le=1)  # share of selling voices at first sight that needs no second look
    heard_seller: float = Field(gt=0, le=1)  # from this share on a page is a seller's, whatever its words seem
    heard_reporter: float = Field(ge=0, lt=1)  # below it a page reports
    heard_doubtful: float = Field(ge=0, le=1)  # below it nothing on the page is flagged without a person
    heard_doubtful_seller: float = Field(ge=0, le=1)  # the same for a page that shows signs of a seller

    def levels(self, whole_page: bool) -> Fusion | Standing:
        """Whose `flag` and `review` a text is judged by."""
        return self.on_a_page if whole_page else self


class Level(Row):
    """Languages read equally well. `flags`: may a finding in them be flagged, or does a person decide every one?"""

    codes: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...]
    flags: bool
    means: str = Field(min_length=10)


LevelName = Literal["A", "B", "C"]


class PersonOnly(Container[str]):
    """The languages in which a person decides every finding: `lang in person_only`."""

    def __init__(self, levels: Mapping[LevelName, Level]) -> None:
        self._flagged = frozenset(code for one in levels.values() if one.flags for code in one.codes)
        self._decided = frozenset(code for one in levels.values() if not one.flags for code in one.codes)
        self._others = not levels["C"].flags

    def __contains__(self, lang: object) -> bool:
        return lang in self._decided or (self._others and lang not in self._flagged)


class Scoring(Row):
    """Additive weights and thresholds; confidence = 1 / (1 + e^-sum)."""

    flag: float = Field(gt=0, lt=1)
    review: float = Field(gt=0, lt=1)
    role_needs: float
    voice_needs: float
    carry_selling: float = Field(ge=0, le=1)
    carry_unknown: float = Field(ge=0, le=1)
    weights: dict[str, float]
    languages: dict[LevelName, Level]
    fusion: Fusion
    source: str = Field(min_length=5)

    @field_validator("languages")
    @classmethod
    def _once(cls, languages: dict[LevelName, Level]) -> dict[LevelName, Level]:
        for name in get_args(LevelName):
            if name not in languages:
                raise ValueError(f"level {name} is missing; put it back")
        if languages["C"].codes:
            raise ValueError("level C is every language not named elsewhere, and names none; leave its codes empty")
        twice = set(languages["A"].codes) & set(languages["B"].codes)
        if twice:
            raise ValueError(f"{min(twice)} stands under A and under B; take it out of one")
        return languages

    def level(self, lang: str) -> LevelName:
        return next((name for name, one in self.languages.items() if lang in one.codes), "C")

    @cached_property
    def review_only(self) -> PersonOnly:
        return PersonOnly(self.languages)
