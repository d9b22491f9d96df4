"""What is wrong with the lists of words by language or country, row by row (see `wordlists`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from monitor.knowledge import check_signs
from monitor.knowledge.files import Problem, RowFile, fit
from monitor.knowledge.shapes import expand, well_written
from monitor.knowledge.wordlists import BANNERS, LISTS, NAMES, Terms, written_wrong
from monitor.knowledge.yaml_rows import Row, nearest

_FOLDERS = tuple({f"{name.partition('/')[0]}/": None for name in LISTS if "/" in name})
_SHOWN = 6
_EITHER = {"month_beside_year": ("month",), "visitors": ("people",)}
"""List → those of its file that take what stands in both. In generic names each list takes from those below it."""
_IN_EVERY_LANGUAGE = {NAMES: ("exosome", "cell", "thing", "form"), BANNERS: ("asks", "buttons")}
"""Lists that need words in every language that is read well: without them kinds pass for names, banners for changes."""


def _written(terms: str) -> str:
    if flaw := written_wrong(well_written(terms)):
        raise ValueError(flaw)
    return terms


class _List(Row):
    note: str = Field(min_length=5)
    terms: Annotated[
        dict[Annotated[str, Field(pattern=r"^(any|[a-z]{2})$")], Annotated[str, AfterValidator(_written)]],
        Field(min_length=1),
    ]


class _ListsFile(Row):
    source: str = Field(min_length=5)
    read_on: date
    words: dict[str, _List]


class WordRows:
    """The files, read one after the other."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._held: list[tuple[RowFile, _ListsFile]] = []
        self.problems: list[Problem] = []
        self.count = 0
        """Lists."""

    def read(self, files: Mapping[str, RowFile]) -> None:
        for name, file in files.items():
            if name in LISTS:
                if no := list(check_signs.unquoted(file)):
                    self.problems += no
                    continue
                page, problems = fit(_ListsFile, file)
                self.problems += problems
                if page is not None:
                    self.problems += self._page(file, page)
            elif name.startswith(_FOLDERS):
                advice = nearest(name, LISTS)
                self.problems.append(file.problem((), f"no file of this name is read{advice}; rename or remove it"))

    def _page(self, file: RowFile, page: _ListsFile) -> Iterator[Problem]:
        self.count += len(page.words)
        if page.read_on > self._today:
            yield file.problem(("read_on",), f"read_on {page.read_on} lies in the future; correct it")
        self._held.append((file, page))
        known = LISTS[file.name]
        for name in known:
            if name not in page.words:
                yield file.problem(("words",), f"{name} is missing; put it back")
        for name, row in page.words.items():
            if name not in known:
                yield file.problem(
                    ("words", name), f"there is no list {name}{nearest(name, known)}; correct or remove it"
                )
            yield from _doubles(file, name, row.terms)
        if file.name in check_signs.FILES:
            yield from check_signs.signs(file, {name: row.terms for name, row in page.words.items()})
        if file.name == NAMES:
            yield from _starred(file, page)
        for name, row in page.words.items():
            above = known[: known.index(name)] if file.name == NAMES and name in known else _EITHER.get(name, ())
            yield from _taken(file, page, name, row.terms, above)

    def lacking(self, languages: Sequence[str]) -> Iterator[Problem]:
        """Languages of level A or B without words that they need."""
        for file, page in self._held:
            for name in _IN_EVERY_LANGUAGE.get(file.name, ()):
                for code in languages:
                    if name in page.words and code not in page.words[name].terms:
                        message = f"no words in {code}, a language above level C; add them, or lower the language"
                        yield file.problem(("words", name), message, "warning")


def _doubles(file: RowFile, name: str, terms: Terms) -> Iterator[Problem]:
    for lang, written in terms.items():
        spelt = [words.casefold() for words in expand(written)]
        if twice := [words for words in dict.fromkeys(spelt) if spelt.count(words) > 1]:
            message = f"stands twice in {lang}, case apart: {_listed(twice)}; remove one of each"
            yield file.problem(("words", name, "terms", lang), message, "warning")


def _starred(file: RowFile, page: _ListsFile) -> Iterator[Problem]:
    for name, row in page.words.items():
        for lang, written in row.terms.items():
            if "*" in written:
                message = "a star is not read here, for brands begin with these words, too; write every form"
                yield file.problem(("words", name, "terms", lang), message)


def _taken(file: RowFile, page: _ListsFile, name: str, terms: Terms, above: Sequence[str]) -> Iterator[Problem]:
    """Words that another list of the file takes."""
    for first in (one for one in above if one in page.words):
        for lang, written in terms.items():
            held = {words.casefold() for words in expand(page.words[first].terms.get(lang, ""))}
            if both := [words for words in dict.fromkeys(expand(written)) if words.casefold() in held]:
                message = f"stands under {first} too, which takes it: {_listed(both)}; keep it in one of them"
                yield file.problem(("words", name, "terms", lang), message, "warning")


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(f"“{word}”" for word in words[:_SHOWN])
    return shown + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
