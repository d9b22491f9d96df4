"""The words by which facts about products are read: shapes and reading of the folder `products/`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import AfterValidator, Field, ValidationError, field_validator

from monitor.knowledge.shapes import expand, well_written
from monitor.knowledge.sound import Files, Written
from monitor.knowledge.yaml_rows import KnowledgeError, Row

FOLDER = "products"
ValueKind = Literal["form", "source_material", "route"]
VALUE_KINDS: tuple[ValueKind, ...] = get_args(ValueKind)
CueName = Literal[
    "product", "deriving", "denied_before", "denied_after", "denied_right_before", "not_denied", "contrast", "related",
    "brand_label",
]  # fmt: skip
UnitKind = Literal["count", "volume", "mass", "share", "piece"]

Lang = Annotated[str, Field(pattern=r"^(any|[a-z]{2})$")]
Terms = dict[Lang, Annotated[str, AfterValidator(well_written)]]
"""Language → words, written as in the lexicon: `a | b{,s} | c*`."""


class Value(Row):
    """One value of a controlled vocabulary.

    `beside`: words that count only near the product or a word of deriving; `anywhere`: a form that holds wherever it is
    said of the product, whatever form its name has.
    """

    value: str = Field(pattern=r"^[a-z][a-z_]*$")
    means: str = Field(min_length=3)
    group: str = Field(pattern=r"^[a-z][a-z_]*$")
    terms: Terms
    beside: Terms = Field(default_factory=dict)
    anywhere: bool = False


class ValuesFile(Row):
    """One kind of fact with its values. `unless`: wider phrases in which the words mean something else."""

    kind: ValueKind
    source: str = Field(min_length=5)
    read_on: date
    values: Annotated[tuple[Value, ...], Field(min_length=1)]
    unless: Terms = Field(default_factory=dict)


class CueRow(Row):
    note: str = Field(min_length=5)
    terms: Terms


class CuesFile(Row):
    source: str = Field(min_length=5)
    read_on: date
    cues: dict[CueName, CueRow]

    @field_validator("cues")
    @classmethod
    def _whole(cls, cues: dict[CueName, CueRow]) -> dict[CueName, CueRow]:
        for name in get_args(CueName):
            if name not in cues:
                raise ValueError(f"{name} is missing; put it back")
        return cues


class Scale(Row):
    """A word that multiplies the number before it."""

    factor: int = Field(gt=1)
    terms: Terms


class Unit(Row):
    unit: str = Field(min_length=1)
    kind: UnitKind
    terms: Terms


class DosesFile(Row):
    source: str = Field(min_length=5)
    read_on: date
    scales: Annotated[tuple[Scale, ...], Field(min_length=1)]
    units: Annotated[tuple[Unit, ...], Field(min_length=1)]
    boxed: Terms
    """Words before the number of things in a box, where no unit follows it: `pack of 5`."""
    of: Terms
    """What follows these is what the amount is of."""
    per: Terms


class CountriesFile(Row):
    """`languages`: those of pycountry's translations, whose names of countries are known too."""

    source: str = Field(min_length=5)
    read_on: date
    languages: tuple[str, ...]
    names: dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], str]
    worldwide: Terms
    serves: Terms
    excluded: Terms


class PagesFile(Row):
    """Which pages offer what their heading names. `articles`, `about`, `offers`: whole parts of an address."""

    source: str = Field(min_length=5)
    read_on: date
    article_types: Annotated[tuple[str, ...], Field(min_length=1)]
    articles: Terms
    about: Terms
    offers: Terms


@dataclass(frozen=True, eq=False)
class ProductWords:
    """All of the folder. Compared by identity; two of the same `version` read alike."""

    version: str
    values: tuple[ValuesFile, ...]
    cues: CuesFile
    doses: DosesFile
    countries: CountriesFile
    pages: PagesFile

    def of(self, kind: str) -> tuple[Value, ...]:
        """The vocabulary of one kind, in its order."""
        return next((page.values for page in self.values if page.kind == kind), ())


SHAPES: dict[str, type[ValuesFile] | type[CuesFile] | type[DosesFile] | type[CountriesFile] | type[PagesFile]] = {
    **{f"{kind}.yaml": ValuesFile for kind in VALUE_KINDS},
    "cues.yaml": CuesFile,
    "doses.yaml": DosesFile,
    "countries.yaml": CountriesFile,
    "pages.yaml": PagesFile,
}
"""File → its shape: the folder holds these and no others."""
Shape = TypeVar("Shape", bound=Row)


def load(folder: Path, files: Files | None = None) -> ProductWords:
    """Reads the folder. Raises KnowledgeError with file and place."""
    files = files or Written()
    pages = tuple(_page(files, folder / f"{kind}.yaml", ValuesFile) for kind in VALUE_KINDS)
    for kind, page in zip(VALUE_KINDS, pages, strict=True):
        if page.kind != kind:
            raise KnowledgeError(
                f"{folder / f'{kind}.yaml'}: kind is {page.kind}; a file holds the kind it is named for"
            )
    cues, doses = _page(files, folder / "cues.yaml", CuesFile), _page(files, folder / "doses.yaml", DosesFile)
    countries = _page(files, folder / "countries.yaml", CountriesFile)
    asked = _page(files, folder / "pages.yaml", PagesFile)
    return ProductWords(files.version(folder, sorted(SHAPES)), pages, cues, doses, countries, asked)


def _page(files: Files, path: Path, shape: type[Shape]) -> Shape:
    raw = files.read(path)
    try:
        return shape.model_validate(raw)
    except ValidationError as flaw:
        first = flaw.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise KnowledgeError(f"{path}: {place}: {first['msg']}. Correct that row.") from flaw


def spellings(terms: Terms) -> Iterator[tuple[str, str]]:
    """(language, spelling) of everything written in some terms."""
    for lang, written in terms.items():
        for words in dict.fromkeys(expand(written)):
            yield lang, words
