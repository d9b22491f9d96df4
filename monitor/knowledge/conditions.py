"""Names of diseases as data: a packed list made by `conditions_build`, and what people decided about single names.

The list is unpacked only when a page is read that names the product: most pages never ask for it.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from monitor.folding import fold
from monitor.knowledge.shapes import expand, well_written
from monitor.knowledge.sound import Files, Written
from monitor.knowledge.yaml_rows import KnowledgeError, Row, parse_row

FORMAT = "exowatch-conditions 1"
ConditionClass = Literal["condition", "condition_skin", "condition_hair"]
_CLASSES = frozenset({"condition", "condition_skin", "condition_hair"})


def plain(folded: str) -> str:
    """Hyphens and apostrophes as blanks, one for one: `graft-versus-host` and `graft versus host` are one name."""
    return folded.replace("-", " ").replace("'", " ")


class Left(Row):
    """Names that are never a disease here: everyday words, or words that a class of the lexicon owns."""

    why: str = Field(min_length=10)
    names: str

    _closed = field_validator("names")(well_written)


class Ambiguous(Row):
    """A name that is a disease only beside other words. `beside`: within `reach` characters, one of these;
    `or_condition`: or any other disease."""

    names: str
    cls: ConditionClass = Field(default="condition", alias="class")
    beside: str
    reach: int = Field(default=120, ge=10, le=500)
    or_condition: bool = True
    why: str = Field(min_length=10)

    _closed = field_validator("names", "beside")(well_written)


class Added(Row):
    """Names that no source has."""

    cls: ConditionClass = Field(default="condition", alias="class")
    lang: str = Field(default="en", pattern=r"^[a-z]{2}$")
    names: str
    source: str = Field(min_length=5)

    _closed = field_validator("names")(well_written)


class Review(Row):
    """What people decided. `shortest_abroad`: letters that a single English word needs to count in other languages."""

    shortest_abroad: int = Field(ge=4, le=20)
    leave: tuple[Left, ...]
    ambiguous: tuple[Ambiguous, ...]
    added: tuple[Added, ...]


class Manifest(Row):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    text_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    diseases: int = Field(ge=1)
    names: int = Field(ge=1)
    sources: dict[str, str]


class NameGroup(NamedTuple):
    """Spellings of one disease in one language, folded and plain."""

    words: list[str]
    cls: str
    lang: str
    id: str


class ConditionName(NamedTuple):
    """One spelling, folded and plain; `id` is the heading it goes under, `lay: …` or `own`."""

    words: str
    cls: str
    lang: str
    id: str


@dataclass(frozen=True, eq=False)
class ConditionNames:
    """The packed list with its review."""

    path: Path
    packed: bytes
    manifest: Manifest
    review: Review

    @property
    def digest(self) -> str:
        """Of the list and of what people decided."""
        told = f"{self.manifest.sha256} {self.review.model_dump_json()}"
        return hashlib.sha256(told.encode()).hexdigest()

    def names(self) -> Iterator[ConditionName]:
        """Every name in use, those left out left out. Raises KnowledgeError as `groups` does."""
        for words, *rest in self.groups():
            for one in words:
                yield ConditionName(one, *rest)

    def groups(self) -> Iterator[NameGroup]:
        """The same by groups. Raises KnowledgeError where a line is no group of names."""
        left = {words for group in self.review.leave for words in spellings(group.names)}
        left |= {words for group in self.review.ambiguous for words in spellings(group.names)}
        for number, line in enumerate(self._lines(), 2):
            cells = line.split("\t")
            if len(cells) != 4 or cells[1] not in _CLASSES or not cells[3]:
                raise KnowledgeError(f"{self.path}: line {number} is no group of names. Build the file again.")
            identity, cls, lang, names = cells
            yield NameGroup([words for words in names.split("|") if words not in left], cls, lang, identity)
        for added in self.review.added:
            yield NameGroup(list(spellings(added.names)), added.cls, added.lang, "own")

    def _lines(self) -> list[str]:
        try:
            lines = gzip.decompress(self.packed).decode("utf-8").splitlines()
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise KnowledgeError(f"{self.path}: cannot be unpacked ({error}). Build the file again.") from error
        if not lines or lines[0] != FORMAT:
            raise KnowledgeError(f"{self.path}: does not begin with {FORMAT!r}. Build it with this version's command.")
        return lines[1:]


def spellings(terms: str) -> Iterator[str]:
    """Each spelling of a row, folded as a page is."""
    return (plain(fold(words).text) for words in expand(terms))


def load(folder: Path, files: Files | None = None) -> ConditionNames:
    """The list of a folder laid out like `conditions`. Raises KnowledgeError: a file missing, wrong, or another one."""
    files = files or Written()
    path = folder / "names.txt.gz"
    manifest = parse_row(Manifest, files.read(folder / "manifest.yaml"), folder / "manifest.yaml", 1)
    review = parse_row(Review, files.read(folder / "review.yaml"), folder / "review.yaml", 1)
    try:
        packed = path.read_bytes()
    except FileNotFoundError as error:
        raise KnowledgeError(
            f"{path}: there is no such file; put it back or build it (conditions/README.md)"
        ) from error
    found = hashlib.sha256(packed).hexdigest()
    if found != manifest.sha256:
        raise KnowledgeError(
            f"{path}: its sha256 is {found[:16]}…, manifest.yaml says {manifest.sha256[:16]}…. "
            "Put the file back, or build both again."
        )
    return ConditionNames(path, packed, manifest, review)
