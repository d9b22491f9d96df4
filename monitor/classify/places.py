"""Countries as pages name them: what `addressed` and `postal` look for.

Their codes are ISO 3166-1 alpha-2 in lower case, `uk` for Britain. The words are data:
`knowledge/places/`. How numbers stand beside them is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

from monitor.knowledge.wordlists import (
    COUNTRIES,
    POSTCODES,
    SIGNS,
    any_of,
    by_words,
    in_use,
    words_of,
    written,
)


class Places:
    """The lists in use, each made when it is first asked for."""

    @cached_property
    def member_states(self) -> Mapping[str, str]:
        """Members of the European Union; pages that address one of them are read under `eu` too."""
        return in_use(COUNTRIES)["member_state"]

    @cached_property
    def general_endings(self) -> frozenset[str]:
        """Country suffixes sold as general ones: the ending says nothing about whom the page addresses."""
        return frozenset(written(in_use(SIGNS)["general_ending"]))

    @cached_property
    def currencies(self) -> Mapping[str, str]:
        """By code of ISO 4217."""
        return by_words(in_use(SIGNS)["currency"])

    @cached_property
    def currency_signs(self) -> Mapping[str, str]:
        """Signs that belong to one jurisdiction. The bare "$" and "¥" belong to several and are handled apart."""
        return by_words(in_use(SIGNS)["currency_sign"])

    @cached_property
    def bare_dollar(self) -> frozenset[str]:
        """Countries that write their own money with a bare "$"."""
        return frozenset(written(in_use(SIGNS)["bare_dollar"]))

    @cached_property
    def homes(self) -> Mapping[str, str]:
        """Languages written mainly for one jurisdiction."""
        return in_use(SIGNS)["home"]

    @cached_property
    def shared_by(self) -> Mapping[str, tuple[str, ...]]:
        """Countries for which a language speaks weakly, because others share it."""
        terms = in_use(SIGNS)["shared_by"]
        return {lang: words_of(terms, lang) for lang in terms}

    @cached_property
    def countries(self) -> frozenset[str]:
        """Those that have a name."""
        return frozenset(in_use(COUNTRIES)["name"])

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Name → country."""
        return by_words(in_use(COUNTRIES)["name"])

    @cached_property
    def cities(self) -> Mapping[str, str]:
        """City → country."""
        return by_words(in_use(COUNTRIES)["city"])


@lru_cache(maxsize=1)
def places() -> Places:
    return Places()


class AddressShape(NamedTuple):
    """What stands before, or after, one of the words where it is part of a postal address of the country."""

    country: str
    before: str
    after: str
    words: tuple[str, ...]


def address_shapes() -> Iterator[AddressShape]:
    """How addresses are written; expressions are those of `re`."""
    cities, districts, codes = in_use(COUNTRIES)["city"], in_use(COUNTRIES)["district"], in_use(POSTCODES)["state_code"]
    for country, before, after in _BESIDE_A_CITY:
        behind = after.replace("<state>", any_of(words_of(codes, country)))
        yield AddressShape(country, before, behind, words_of(cities, country))
    for country, before, after in _BESIDE_A_DISTRICT:
        yield AddressShape(country, before, after, words_of(districts, country))
    for country, after, sign in _BEHIND_A_SIGN:
        yield AddressShape(country, "", after, (sign,))


_FIVE_BEFORE = r"(?<![\w.,-])\d{5}[ ,]{1,2}"
_FOUR_BEFORE = r"[,;|\n] ?\d{4} "
_FIVE_AFTER = r"[ ,]{1,2}\d{5}(?![\w-])"
_CITY_AFTER = r"(?= [A-ZÄÖÜÉ])"
_BOX = r"P\.? ?O\.? ?Box:? ?\d{2,6}[,.]? "
_BESIDE_A_CITY = (
    *((code, _FIVE_BEFORE, "") for code in ("de", "fr", "es", "it", "mx", "my")),
    *((code, _FOUR_BEFORE, "") for code in ("at", "ch", "be", "dk", "no", "hu")),
    *((code, r"(?<![\w-])\d{3} \d{2} {1,2}", "") for code in ("cz", "se", "sk")),
    *((code, "", _FIVE_AFTER) for code in ("th", "sa")),
    ("nl", r"(?<![\w-])\d{4} ?[A-Z]{2},? ", ""),
    ("pl", r"(?<![\w-])\d{2}-\d{3} ", ""),
    ("pt", r"(?<![\w-])\d{4}-\d{3} ", ""),
    ("tr", r"(?<![\w.,-])\d{5} (?:\w{3,12} ?/ ?)?", _FIVE_AFTER),
    ("au", "", r",? (?:<state>)[ ,]{1,2}\d{4}(?![\w-])"),
    ("in", "", r"[ ,\u2013-]{1,3}\d{3} ?\d{3}(?![\w-])"),
    ("id", "", r"(?: [A-Z][a-z]+)?[ ,]{1,2}\d{5}(?![\w-])"),
    ("ae", _BOX, ""),
    ("br", "", r"(?: ?[-\u2013,/] ?[A-Z]{2})?,? (?:CEP:? )?\d{5}-\d{3}(?![\w-])"),
)
_BESIDE_A_DISTRICT = (
    ("au", "", r"[ ,]{1,2}\d{4}(?![\w-])"),
    ("sg", "", r"[ ,]{1,2}\(?\d{6}\)?(?![\w-])"),
    ("ae", _BOX, ""),
    ("jp", "", r"[一-龥ぁ-んァ-ヶ]{1,6}[市区郡]"),
    ("kr", "", r"(?:특별시|광역시|시|도)? [가-힣]{1,4}[구군시](?= [가-힣])"),
    ("tw", "", r"市[一-龥]{1,3}區"),
    ("cn", "", r"市[一-龥]{1,5}[区县]"),
)
_BEHIND_A_SIGN = (
    *((country, rf"\d{{5}}{_CITY_AFTER}", sign) for country, sign in (("de", "D-"), ("fr", "F-"), ("it", "I-"))),
    ("ch", rf"\d{{4}}{_CITY_AFTER}", "CH-"),
    ("br", r":? ?\d{5}-?\d{3}(?![\w-])", "CEP"),
    ("jp", r" ?\d{3}-\d{4}(?!\d)", "〒"),
)
