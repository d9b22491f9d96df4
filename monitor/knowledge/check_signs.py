"""What is wrong with the signs of countries and languages, beyond what any list may have wrong.

They are the files of `places/` and `languages/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pycountry

from monitor.folding import fold
from monitor.knowledge.files import Loc, Problem, RowFile
from monitor.knowledge.shapes import expand
from monitor.knowledge.wordlists import COUNTRIES, DELIVERY, GAP, LATIN, POSTCODES, SCRIPTS, SIGNS, Terms
from monitor.knowledge.yaml_rows import nearest

Lists = Mapping[str, Terms]
"""Name of a list → its terms."""
FILES = (COUNTRIES, POSTCODES, SIGNS, DELIVERY, SCRIPTS, LATIN)
_BY_LANGUAGE = frozenset({(SIGNS, "home"), (SIGNS, "shared_by")})
"""Lists of countries whose keys are languages."""
_OF_ANY = frozenset({(SIGNS, "bare_dollar"), (SIGNS, "general_ending")})
_OF_COUNTRIES = frozenset({*_BY_LANGUAGE, (SIGNS, "bare_dollar")})
_ONE_EACH = frozenset({(COUNTRIES, "member_state"), (SIGNS, "home")})
_ONE_MEANING = frozenset({
    (COUNTRIES, "name"), (COUNTRIES, "city"), (SIGNS, "currency"), (SIGNS, "currency_sign"), (LATIN, "product"),
})  # fmt: skip
"""Lists in which a word stands for one key: of two the lower would be taken."""
_READ_FOR = {
    (COUNTRIES, "district"): ("ae", "au", "cn", "jp", "kr", "sg", "tw"),
    (POSTCODES, "state_code"): ("au", "ca", "us"),
    (POSTCODES, "state"): ("ca", "us"),
    (POSTCODES, "area"): ("uk",),
    (LATIN, "beside_exosomen"): ("nl",),
}
"""Lists that the program asks for these keys alone, and for each of them."""


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    said: str


_LETTER = _Form(re.compile(r"."), "one letter stands between two bars")
_FORMS = {
    (SIGNS, "currency"): _Form(re.compile(r"[A-Z]{3}"), "a code of ISO 4217 has three capital letters"),
    (SIGNS, "currency_sign"): _Form(
        re.compile(r"(?![$¥]\Z).*\D"), "a bare $ or ¥ belongs to several countries, and a sign does not end in a digit"
    ),
    (SIGNS, "general_ending"): _Form(re.compile(r"[a-z]{2}"), "an ending has two small letters, without a point"),
    (POSTCODES, "state_code"): _Form(re.compile(r"[A-Z]{2,3}"), "a short form has two or three capital letters"),
    (POSTCODES, "area"): _Form(re.compile(r"[A-Z]{1,2}"), "an area has one or two capital letters"),
    (SCRIPTS, "letter"): _LETTER,
    (SCRIPTS, "word"): _Form(re.compile(r"\S+"), "one word stands between two bars"),
    (LATIN, "own_letter"): _LETTER,
}
_LATIN_WORDS = ("word", "product", "beside_exosomen")
_LATIN_WORD = re.compile("[a-z]+")
_LEAST_BEGINNING = 3
_BEGINNINGS = ("delivers", "delivers_loosely", "free", "premises")
"""Lists whose words are looked for by the letters before a brace."""


def unquoted(file: RowFile) -> Iterator[Problem]:
    """The country and the language `no`, which YAML reads as *false* without quotes."""
    rows = file.raw.get("words") if isinstance(file.raw, dict) else None
    for name, row in rows.items() if isinstance(rows, dict) else ():
        terms = row.get("terms") if isinstance(row, dict) else None
        for key, words in terms.items() if isinstance(terms, dict) else ():
            if isinstance(key, bool) or isinstance(words, bool):
                message = 'no, yes, on and off are no words to YAML; put quotes around it: "no"'
                yield file.problem(("words", name, "terms"), message)


def signs(file: RowFile, lists: Lists) -> Iterator[Problem]:
    """Everything that is wrong with one of `FILES` whose shape is right."""
    for name, terms in lists.items():
        for key, written in terms.items():
            place: Loc = ("words", name, "terms", key)
            if flaw := _key_flaw(file.name, name, key):
                yield file.problem(place, flaw)
            for flaw in _flaws(file.name, name, list(expand(written))):
                yield file.problem(place, flaw)
        yield from _two_meanings(file, name, terms)
        yield from _not_asked_for(file, name, terms)
    yield from _between(file, lists)


def _key_flaw(file: str, name: str, key: str) -> str:
    if (file, name) in _OF_ANY:
        return "" if key == "any" else f"this list holds for every country: its words stand under any, not {key}"
    if file in (COUNTRIES, POSTCODES, SIGNS) and (file, name) not in _BY_LANGUAGE:
        return _country_flaw(key)
    return "" if pycountry.languages.get(alpha_2=key) else f"{key} is no language of ISO 639-1; correct it"


def _country_flaw(code: str) -> str:
    if code in ("uk", "eu"):
        return ""
    if code == "gb":
        return "Britain is uk here; write uk"
    known = pycountry.countries.get(alpha_2=code.upper())
    return "" if known and code.islower() else f"{code} is no country of ISO 3166-1 in small letters; correct it"


def _flaws(file: str, name: str, words: list[str]) -> Iterator[str]:
    for one in words:
        if "*" in one or GAP.search(one) or one.startswith("="):
            yield f"{one!r}: stars, gaps and equals signs are not read here; write every form"
        if (form := _FORMS.get((file, name))) and not form.pattern.fullmatch(one):
            yield f"{one!r}: {form.said}; correct it"
        if (file, name) in _OF_COUNTRIES and (flaw := _country_flaw(one)):
            yield flaw
        if file == LATIN and name in _LATIN_WORDS and not _LATIN_WORD.fullmatch(fold(one).text):
            yield f"{one!r}: one word of Latin letters stands between two bars; correct it"
    if (file, name) in _ONE_EACH and len(words) != 1:
        yield f"has {len(words)}, and needs one alone; correct it"


def _two_meanings(file: RowFile, name: str, terms: Terms) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for key, written in terms.items() if (file.name, name) in _ONE_MEANING else ():
        for one in expand(written):
            if seen.setdefault(one, key) != key:
                message = f"“{one}” stands under {seen[one]} too, and means one of them alone; keep it there"
                yield file.problem(("words", name, "terms", key), message)


def _not_asked_for(file: RowFile, name: str, terms: Terms) -> Iterator[Problem]:
    asked = _READ_FOR.get((file.name, name), ())
    for key in asked:
        if key not in terms:
            yield file.problem(("words", name), f"{key} is missing; put it back")
    for key in terms:
        if asked and key not in asked:
            message = f"is read of {', '.join(asked)} alone, not of {key}{nearest(key, asked)}; remove it"
            yield file.problem(("words", name, "terms", key), message)


def _between(file: RowFile, lists: Lists) -> Iterator[Problem]:
    """What one list of a file needs of another."""
    if file.name == COUNTRIES:
        yield from _named(file, lists)
    elif file.name == DELIVERY:
        yield from _said(file, lists)
    elif file.name == SCRIPTS:
        yield from _together(file, lists)


def _named(file: RowFile, lists: Lists) -> Iterator[Problem]:
    for name in ("member_state", "city", "district"):
        for key in lists.get(name, {}):
            if key not in lists.get("name", {}):
                message = f"{key} has no words under name; add them there first"
                yield file.problem(("words", name, "terms", key), message)


def _said(file: RowFile, lists: Lists) -> Iterator[Problem]:
    for name in ("delivers", "delivers_loosely"):
        for lang in lists.get(name, {}):
            if lang not in lists.get("to", {}):
                message = f"{lang} has no words under to, so these are never met; add them there"
                yield file.problem(("words", name, "terms", lang), message)
    for name in _BEGINNINGS:
        for lang, written in lists.get(name, {}).items():
            for term in written.split("|"):
                beginning = " ".join(term.partition("{")[0].split())
                if term.strip() and len(beginning) < _LEAST_BEGINNING:
                    message = f"“{term.strip()}” begins with fewer than three letters before its brace; write it out"
                    yield file.problem(("words", name, "terms", lang), message)


def _together(file: RowFile, lists: Lists) -> Iterator[Problem]:
    held: dict[str, str] = {}
    for first, written in lists.get("together", {}).items():
        place: Loc = ("words", "together", "terms", first)
        langs = list(expand(written))
        if langs[:1] != [first]:
            yield file.problem(place, f"begins with {langs[0]}; begin with {first}, which is meant where nothing tells")
        for lang in langs:
            if held.setdefault(lang, first) != first:
                yield file.problem(place, f"{lang} stands with {held[lang]} already; keep it in one place")
            if not any(lang in lists.get(name, {}) for name in ("letter", "word")):
                yield file.problem(place, f"{lang} has neither letters nor words, so it is never told; add some")
    for name in ("letter", "word"):
        for lang in lists.get(name, {}):
            if lang not in held:
                message = f"{lang} stands with no language under together, so this is never read; add it there"
                yield file.problem(("words", name, "terms", lang), message)
