"""Lists of words by language that stand beside the rules: what flickers, and names that are nobody's own.

Read when first asked for, and looked at only as far as reading needs it: `check` says what else is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from monitor.knowledge.shapes import expand
from monitor.knowledge.yaml_rows import KnowledgeError, read_yaml

HERE = Path(__file__).parent
BANNERS, DATES, COUNTERS, NAMES = (
    "passing/banners.yaml",
    "passing/dates.yaml",
    "passing/counters.yaml",
    "generic_names.yaml",
)
LISTS: dict[str, tuple[str, ...]] = {
    BANNERS: ("asks", "buttons", "elsewhere"),
    DATES: (
        "month", "month_beside_year", "ordinal", "of", "unit", "one", "ago_after", "ago_before", "ends", "year_sign",
        "month_sign", "day_sign",
    ),
    COUNTERS: (
        "counted", "people", "visitors", "helping", "lately", "looking", "looked", "looked_last", "looked_by", "by",
        "left", "cart",
    ),
    NAMES: ("exosome", "cell", "thing", "form", "part", "little", "unit"),
}  # fmt: skip
"""File below the knowledge folder → its lists; it has these and no others."""
GAP = re.compile(r" *<(\d{1,2})> *")
"""`<24>`: up to 24 characters, whatever they are."""
Terms = Mapping[str, str]
"""Language → words, written as in the lexicon."""


@cache
def in_use(file: str) -> Mapping[str, Terms]:
    """The lists of a file of the knowledge in use. Raises KnowledgeError."""
    return read(HERE, file)


def read(folder: Path, file: str) -> Mapping[str, Terms]:
    """The lists of a file below a folder. Raises KnowledgeError where one cannot be used as it is written."""
    raw, path = read_yaml(folder / file), folder / file
    rows = raw.get("words") if isinstance(raw, dict) else None
    if not isinstance(rows, dict):
        raise KnowledgeError(f"{path}: expected `words`, with a list of words by language under each name")
    found = {}
    for name in LISTS[file]:
        terms = rows[name].get("terms") if isinstance(rows.get(name), dict) else None
        if not isinstance(terms, dict) or not all(isinstance(one, str) for one in terms.values()):
            raise KnowledgeError(f"{path}: words.{name}: expected `terms`, with words by language; put them back")
        if flaw := next((one for one in map(written_wrong, terms.values()) if one), ""):
            raise KnowledgeError(f"{path}: words.{name}: {flaw}; correct it")
        found[name] = terms
    return found


def written_wrong(terms: str) -> str:
    """What is wrong with the gaps and braces of some terms; empty if nothing is."""
    if terms.count("{") != terms.count("}"):
        return "a brace is opened and not closed, or the other way round"
    for words in expand(terms):
        pieces = GAP.split(words)[::2]
        if not all(pieces) or any(sign in piece for piece in pieces for sign in "<>"):
            return f"{words!r}: a gap is written <24>, and has words on both sides"
    return ""


def spelt(terms: Terms, langs: Collection[str] | None = None, but: Collection[str] = ()) -> list[str]:
    """Every spelling once, without case, the longest first. `langs`: of these languages alone; `but`: not of these."""
    found = (
        words.casefold()
        for lang, written in terms.items()
        if lang not in but and (langs is None or lang in langs)
        for words in expand(written)
    )
    return sorted(dict.fromkeys(found), key=len, reverse=True)


def pattern(words: str) -> str:
    """A spelling as a regular expression: its gaps, and any ending where it ends with a star."""
    pieces = GAP.split(words.removesuffix("*"))
    ending = r"\w*" if words.endswith("*") else ""
    return "".join(f".{{0,{one}}}" if number % 2 else re.escape(one) for number, one in enumerate(pieces)) + ending
