"""Which entries of a list are worth reading, by words of a dozen languages: `terms.yaml`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from crawler.sources.reading import clean, digest_of

FILE = Path(__file__).with_name("terms.yaml")
EVERY = "any"
"""The language of words that go with every list."""


class TermList(BaseModel):
    """Words of one language and one level."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lang: str = Field(pattern=r"^[a-z]{2,3}$")
    level: Literal["product", "context"]
    within: bool = False
    note: str = Field(min_length=10)
    words: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Terms:
    """What meets the words of some languages, in folded text."""

    product: re.Pattern[str]
    wide: re.Pattern[str]
    """Product and context words together."""
    fingerprint: str
    """Changes with the words: what was left out under other words is looked at again."""

    def is_near(self, *texts: str) -> bool:
        """True if any product or context word stands in the texts."""
        return bool(self.wide.search(fold("\n".join(texts))))

    def names_a_product(self, *texts: str) -> bool:
        return bool(self.product.search(fold("\n".join(texts))))


def fold(text: str) -> str:
    """Width, case and the accents of Latin letters taken away; other scripts keep their marks."""
    plain = unicodedata.normalize("NFKC", clean(text)).casefold()
    if plain.isascii():
        return plain
    # NFD also parts Hangul and kana from their marks: put together again, they are compared as written
    parted = "".join(sign for sign in unicodedata.normalize("NFD", plain) if not "\u0300" <= sign <= "\u036f")
    return unicodedata.normalize("NFC", parted)


@lru_cache(maxsize=1)
def term_lists() -> tuple[TermList, ...]:
    """All lists. Raises ValueError naming the file."""
    try:
        lists = TypeAdapter(tuple[TermList, ...]).validate_python(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{FILE.name}: {error}") from error
    return lists


def languages() -> frozenset[str]:
    """Languages for which there are lists."""
    return frozenset(one.lang for one in term_lists()) - {EVERY}


@lru_cache(maxsize=64)
def terms_of(chosen: tuple[str, ...], own: tuple[str, ...] = ()) -> Terms:
    """The lists of these languages, with words of a card's own beside them.

    Raises ValueError for a language without a list.
    """
    if unknown := sorted(set(chosen) - languages()):
        raise ValueError(f"no term list for {', '.join(unknown)}; there are {', '.join(sorted(languages()))}")
    lists = [one for one in term_lists() if one.lang in (EVERY, *chosen)]
    product = [part for one in lists if one.level == "product" for part in _parts(one.words, one.within)]
    context = [part for one in lists if one.level == "context" for part in _parts(one.words, one.within)]
    wide = [*product, *context, *_parts(own, within=False)]
    return Terms(re.compile("|".join(product)), re.compile("|".join(wide)), digest_of(*wide))


def _parts(words: Iterable[str], within: bool) -> list[str]:
    """A word begins at a word's beginning; with `*` in front, or within scripts without spaces, anywhere."""
    return [
        re.escape(fold(word.removeprefix("*"))) if within or word.startswith("*") else rf"\b{re.escape(fold(word))}"
        for word in words
    ]
