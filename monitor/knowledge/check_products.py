"""What is wrong with the words by which facts about products are read, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from gettext import find

import pycountry

from monitor.folding import fold
from monitor.knowledge.files import Loc, Problem, RowFile, fit
from monitor.knowledge.products import (
    FOLDER,
    SHAPES,
    CountriesFile,
    CuesFile,
    DosesFile,
    PagesFile,
    Terms,
    ValuesFile,
    spellings,
)
from monitor.knowledge.shapes import expand
from monitor.knowledge.yaml_rows import nearest

_SHOWN = 6


class ProductRows:
    """The files of `products/`, read one after the other."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._values: list[tuple[RowFile, ValuesFile]] = []
        self.problems: list[Problem] = []
        self.count = 0
        """Rows: values, cues, units and scales, countries."""

    def read(self, files: Mapping[str, RowFile]) -> None:
        known = {f"{FOLDER}/{name}": shape for name, shape in SHAPES.items()}
        for name, file in files.items():
            if not name.startswith(f"{FOLDER}/"):
                continue
            if name not in known:
                advice = nearest(name, known)
                self.problems.append(file.problem((), f"no file of this name is read{advice}; rename or remove it"))
                continue
            page, problems = fit(known[name], file)
            self.problems += problems
            if page is None:
                continue
            if page.read_on > self._today:
                told = f"read_on {page.read_on} lies in the future; correct it"
                self.problems.append(file.problem(("read_on",), told))
            self.problems += self._page(file, page)

    def _page(
        self, file: RowFile, page: ValuesFile | CuesFile | DosesFile | CountriesFile | PagesFile
    ) -> Iterator[Problem]:
        match page:
            case ValuesFile():
                self.count += len(page.values)
                self._values.append((file, page))
                yield from _values(file, page)
            case CuesFile():
                self.count += len(page.cues)
                for name, row in page.cues.items():
                    yield from _doubles(file, ("cues", name), row.terms)
            case DosesFile():
                self.count += len(page.units) + len(page.scales)
                yield from _doses(file, page)
            case CountriesFile():
                self.count += len(page.names)
                yield from _countries(file, page)
            case PagesFile():
                for kind in ("articles", "about", "offers"):
                    self.count += 1
                    yield from _doubles(file, (kind,), getattr(page, kind))

    def lacking(self, languages: Sequence[str]) -> Iterator[Problem]:
        """Languages of level A or B in which a kind has no word at all."""
        for file, page in self._values:
            held = {lang for value in page.values for lang in (*value.terms, *value.beside)}
            for code in languages:
                if code not in held:
                    message = f"no value has words in {code}, a language above level C; add them, or lower the language"
                    yield file.problem(("values",), message, "warning")


def _values(file: RowFile, page: ValuesFile) -> Iterator[Problem]:
    if file.name != f"{FOLDER}/{page.kind}.yaml":
        yield file.problem(("kind",), f"kind {page.kind} does not belong here; a file holds the kind it is named for")
    seen: dict[str, int] = {}
    meant: dict[tuple[str, str, str], str] = {}
    for number, value in enumerate(page.values):
        place: Loc = ("values", number)
        if value.value in seen:
            yield file.problem(place, f"{value.value} stands in row {seen[value.value] + 1} already; join the two")
        seen[value.value] = number
        yield from _doubles(file, place, value.terms)
        both = sorted({words for _, words in _folded(value.terms)} & {words for _, words in _folded(value.beside)})
        if both:
            message = (
                f"under terms and beside: {_listed(both)}; under terms they count everywhere, so remove them below"
            )
            yield file.problem(place, message, "warning")
        for lang, words in {*_folded(value.terms), *_folded(value.beside)}:
            other = meant.setdefault((value.group, lang, words), value.value)
            if other != value.value:
                message = f"“{words}” also means {other}, of the same group; keep it in one of them"
                yield file.problem(place, message, "warning")


def _doses(file: RowFile, page: DosesFile) -> Iterator[Problem]:
    meant: dict[tuple[str, str], str] = {}
    for number, unit in enumerate(page.units):
        for lang, words in _folded(unit.terms):
            other = meant.setdefault((lang, words), unit.unit)
            if other != unit.unit:
                told = f"“{words}” also means {other}, which stands above and is taken; remove one"
                yield file.problem(("units", number), told, "warning")
    factors: dict[tuple[str, str], int] = {}
    for number, scale in enumerate(page.scales):
        for key in _folded(scale.terms):
            if factors.setdefault(key, scale.factor) != scale.factor:
                yield file.problem(("scales", number), f"“{key[1]}” is {factors[key]} already; remove one")


def _countries(file: RowFile, page: CountriesFile) -> Iterator[Problem]:
    for code in page.names:
        known = code in ("uk", "eu") or pycountry.countries.get(alpha_2=code.upper()) is not None
        if not known or code == "gb":
            advice = "; write uk" if code == "gb" else ""
            yield file.problem(("names", code), f"{code} is no country of ISO 3166-1{advice}; correct it")
    for number, lang in enumerate(page.languages):
        if lang != "en" and not find("iso3166-1", pycountry.LOCALES_DIR, languages=[lang]):
            told = f"pycountry has no names of countries in {lang}; correct it, or write them under names"
            yield file.problem(("languages", number), told)


def _doubles(file: RowFile, place: Loc, terms: Terms) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    twice = []
    for lang, written in terms.items():
        for words in expand(written):
            key = (lang, fold(words).text)
            if key in seen:
                twice.append(key[1])
            seen.add(key)
    if twice:
        message = f"stands twice, accents and case apart: {_listed(twice)}; remove one of each"
        yield file.problem(place, message, "warning")


def _folded(terms: Terms) -> Iterator[tuple[str, str]]:
    for lang, words in spellings(terms):
        yield lang, fold(words).text


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(f"“{word}”" for word in words[:_SHOWN])
    return shown + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
