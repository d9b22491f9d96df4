"""Which language a page speaks: told, by script, by its function words, else by py3langid (half a second to load).

Function words and own letters are data: `knowledge/languages/latin.yaml`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import copy
from functools import lru_cache
from typing import Any, NamedTuple

from monitor.classify.tongues import shared_scripts, tongue
from monitor.folding import fold
from monitor.kept import code_of, kept
from monitor.knowledge.wordlists import LATIN as LATIN_WORDS
from monitor.knowledge.wordlists import Terms, any_of, by_words, in_use, words_of
from monitor.reading.text import Document

LATIN = tuple("en es de fr pt it tr pl vi id nl sv da no cs sk ro hu fi hr sl lt lv et ca tl ms".split())
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("bn", re.compile("[\u0980-\u09ff]")),
)
_SAMPLE = 3000
_WORDS_NEEDED = 12


class _Told(NamedTuple):
    """How languages in Latin letters are told apart; a word that several share has each of them."""

    words: Mapping[str, tuple[str, ...]]
    products: Mapping[str, str]
    letters: Mapping[str, tuple[str, ...]]
    letter: re.Pattern[str]
    dutch: frozenset[str]
    """Beside one of these the plural that German and Dutch share may be Dutch."""


@lru_cache(maxsize=1)
def _told() -> _Told:
    lists = in_use(LATIN_WORDS)
    letters = _shared(lists["own_letter"])
    return _Told(
        words=_shared(lists["word"], plainly=True),
        products={_plain(words): lang for words, lang in by_words(lists["product"]).items()},
        letters=letters,
        letter=re.compile(any_of(letters)),
        dutch=frozenset(map(_plain, words_of(lists["beside_exosomen"], "nl"))),
    )


def _shared(terms: Terms, plainly: bool = False) -> dict[str, tuple[str, ...]]:
    """Spelling → its languages."""
    found: dict[str, tuple[str, ...]] = {}
    for lang in terms:
        for words in dict.fromkeys(map(_plain, words_of(terms, lang)) if plainly else words_of(terms, lang)):
            found[words] = (*found.get(words, ()), lang)
    return found


def _plain(words: str) -> str:
    return fold(words).text


_USUAL = ("en", "es", "de", "fr", "pt", "it", "tr", "pl")
_WORDS_TOLD_APART = 15  # in fewer words English is easily taken for Dutch: only the usual languages are thought of

_LATIN_WORD = re.compile("[a-z]+")


def _by_function_words(sample: str, written: str) -> str:
    """The language with clearly the most function words and own letters; empty where none leads."""
    told = _told()
    counts: Counter[str] = Counter()
    for letter in () if written.isascii() else told.letter.findall(written.lower()):
        for lang in told.letters[letter]:
            counts[lang] += 1
    words = Counter(_LATIN_WORD.findall(sample))
    if told.dutch & words.keys():
        counts["nl"] += 2 * words["exosomen"]
    for word in words.keys() & told.words.keys():
        for lang in told.words[word]:
            counts[lang] += words[word]
    for word in words.keys() & told.products.keys():
        counts[told.products[word]] += 2 * words[word]
    ranked = counts.most_common(2)
    if not ranked or ranked[0][1] < 2:
        return ""
    runner_up = ranked[1][1] if len(ranked) > 1 else 0
    return ranked[0][0] if ranked[0][1] >= runner_up + 1 else ""


@lru_cache(maxsize=1)
def _loaded() -> Any:
    """Of the languages in Latin letters. Unpacked and sorted out it is kept: that is most of its half second."""
    import numpy as np
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

    from monitor.classify import laid

    def arrays() -> Iterator[bytes]:
        made = _unpacked()
        return laid.laid_out((part, np.asarray(getattr(made, part))) for part in _PARTS)

    found = kept("languages", (code_of(MODEL_DIR / MODEL_FILE, __file__, laid.__file__), np.__version__), arrays)
    if found is None:
        return _unpacked()
    held = laid.arrays_of(found)
    classes, outputs, rows = (held[part].tolist() for part in ("nb_classes", "tk_output", "tk_row"))
    steps = held["tk_nextmove"].data  # which gives Python's numbers: numpy's are slow one by one
    return LanguageIdentifier(held["nb_ptc"], held["nb_pc"], classes, steps, outputs, tk_row=rows)


_PARTS = ("nb_ptc", "nb_pc", "nb_classes", "tk_nextmove", "tk_output", "tk_row")


def _unpacked() -> Any:
    """The columns of all other languages, most of what is read, are let go."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    whole.set_languages(list(LATIN))
    return LanguageIdentifier(
        whole.nb_ptc, whole.nb_pc, whole.nb_classes, whole.tk_nextmove, whole.tk_output, tk_row=whole.tk_row
    )


@lru_cache(maxsize=3)
def _identifier(among: tuple[str, ...]) -> Any:
    """`among`: some of the languages in Latin letters. What it walks through is shared by all."""
    made = copy(_loaded())
    made.set_languages(list(among))
    return made


_LETTERS_SEEN = {
    ("cs", "sk"): re.compile("[čšžňťďřěůýľĺŕ]"),
    ("sv", "da", "no"): re.compile("[åæø]"),
    ("ro",): re.compile("[ășț]"),
    ("hu",): re.compile("[őű]"),
}
"""Letters by which a short text may be of these languages, beside the usual ones."""


def _identified(sample: str, written: str, count: int) -> str:
    """By py3langid, of a text of `count` words."""
    seen = [langs for langs, letters in _LETTERS_SEEN.items() if letters.search(written.lower())]
    if count >= _WORDS_TOLD_APART or not seen:
        among = LATIN if count >= _WORDS_TOLD_APART else _USUAL
        return str(_identifier(among).classify(sample)[0])
    likely = {*_USUAL, *(lang for langs in seen for lang in langs)}
    return next(str(lang) for lang, _ in _identifier(LATIN).rank(written) if lang in likely)


def language(document: Document, folded: str, told: str = "") -> str:
    """A two-letter code. What is told goes first, then another script, then function words, then the declaration."""
    if told:
        return _code(told)
    sample = folded[:_SAMPLE]
    declared = _code((document.marks.get("html_lang") or [""])[0])
    words = sample.split()
    enough = len(words) >= _WORDS_NEEDED or not declared
    found = "" if sample.isascii() else _by_script(sample)
    written = document.text[:_SAMPLE]
    found = found or (_by_function_words(sample, written) if enough else "")
    found = tongue(found, written, declared) if found in shared_scripts() else found
    found = found or declared
    if found or not words:
        return found or "und"
    return _identified(sample, written, len(words))


def _code(tag: str) -> str:
    code = tag.replace("_", "-").partition("-")[0].lower()
    return _SAME.get(code, code)


_SAME = {"nb": "no", "nn": "no", "iw": "he", "in": "id"}
"""Written Norwegian, and the codes that ISO 639 withdrew but that pages still bear."""


def _by_script(sample: str) -> str:
    """A language that its script tells, where a quarter of the letters are in it; a little kana is Japanese."""
    scripts = {lang: len(pattern.findall(sample)) for lang, pattern in _SCRIPTS}
    letters = sum(char.isalpha() for char in sample) or 1
    if scripts["ja"] * 20 > letters:
        return "ja"
    lang, count = max(scripts.items(), key=lambda pair: pair[1])
    return lang if count * 4 > letters else ""


_BY_SCRIPT = frozenset({"ja", "ko", "zh", "ar", "ru"})
_OTHER_SCRIPT = re.compile("[\u0400-\u04ff\u0600-\u06ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_ANOTHER_SCRIPT = re.compile("[\u0370-\u06ff\u0900-\u097f\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_ALONE_IN_SCRIPT = (  # words of some letters: a single one is a formula's
    ("el", re.compile("[\u0370-\u03ff]{4}")),
    ("he", re.compile("[\u05d0-\u05ea]{3}")),
    ("hi", re.compile("[\u0900-\u097f]{4}")),
    ("th", re.compile("[\u0e00-\u0e7f]{4}")),
)


_READ_AS = {"no": "da", "sk": "cs", "ms": "id"}
"""Languages without a lexicon of their own, read by the words of a close one that holds their spellings, too."""


def languages(spoken: str, folded: str) -> frozenset[str]:
    """Languages whose words are looked for: the page's own, English, and those that another script on it may be."""
    found = frozenset({spoken, "en", _READ_AS.get(spoken, "en")})
    if folded.isascii():
        return found
    if not _ANOTHER_SCRIPT.search(folded):
        return found
    found |= {lang for lang, letters in _ALONE_IN_SCRIPT if lang != spoken and letters.search(folded)}
    if _OTHER_SCRIPT.search(folded):
        found |= _BY_SCRIPT - {"ar"} if spoken == "fa" else _BY_SCRIPT  # Persian is read by its own words
    return found
