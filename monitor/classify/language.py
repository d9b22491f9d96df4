"""Which language a page speaks: told, by script, by its function words, else by py3langid (half a second to load)."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Any

from monitor.text import Document

LATIN = ("en", "es", "de", "fr", "pt", "it", "tr", "pl", "vi", "id", "nl")
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("he", re.compile("[\u0590-\u05ff]")),
)
_SAMPLE = 3000
_WORDS_NEEDED = 12


_FUNCTION_WORDS = {
    "en": (
        "the of and to is that for with are you your we our not this as it be on by from or have they can "
        "which their has"
    ),
    "es": ("el la los las de que y en un una para con por es se su sus del al como mas lo nuestro tu sin son esta hay"),
    "de": (
        "der die das und ist nicht mit ein eine den von zu fur auf im dem sich des auch wird sie durch bei "
        "oder sind was wir"
    ),
    "fr": (
        "le la les des et est une un que pour dans qui sur avec pas du par au aux ce sont nos vous notre plus "
        "ne votre c"
    ),
    "pt": (
        "o a os as de que e em um uma para com nao por se do da dos das no na ao mais sao sua seu pelo pela nosso voce"
    ),
    "it": (
        "il lo la gli le di che e in un una per con non si del della dei delle nel sono piu alla al i nostro come da"
    ),
    "tr": ("ve bir bu icin ile da de olarak en daha cok veya gibi olan ne kadar sonra hem mi tarafindan degil ise her"),
    "pl": "i w na z do nie sie jest to ze o od przez dla jak oraz sa po za co a tym ktore twoja nasze lub",
    "nl": "de het een van en is dat te in met voor zijn niet op aan wij ons deze ook door bij of uw worden",
    "vi": "va cua la cac co cho nhung mot khong duoc trong voi de nay tai nguoi",
    "id": "yang dan di untuk dengan ini dari pada adalah tidak itu dalam kami anda bisa dapat atau oleh",
}
_WORD_LANGS: dict[str, list[str]] = {}
for _lang, _words in _FUNCTION_WORDS.items():
    for _word in _words.split():
        _WORD_LANGS.setdefault(_word, []).append(_lang)


_PRODUCT_SPELLINGS = {
    "exosomas": "es",
    "exossomos": "pt",
    "exossomas": "pt",
    "esosomi": "it",
    "exosomen": "de",
    "egzosomy": "pl",
    "eksozom": "tr",
    "eksosom": "id",
}


_USUAL = ("en", "es", "de", "fr", "pt", "it", "tr", "pl")
_WORDS_TOLD_APART = 15  # in fewer words English is easily taken for Dutch: only the usual languages are thought of

_LATIN_WORD = re.compile("[a-z]+")


def _by_function_words(sample: str) -> str:
    """The language with clearly the most function words; empty where none leads."""
    counts: Counter[str] = Counter()
    for word, times in Counter(_LATIN_WORD.findall(sample)).items():
        for lang in _WORD_LANGS.get(word, ()):
            counts[lang] += times
        if spelt := _PRODUCT_SPELLINGS.get(word):
            counts[spelt] += 2 * times
    ranked = counts.most_common(2)
    if not ranked or ranked[0][1] < 2:
        return ""
    runner_up = ranked[1][1] if len(ranked) > 1 else 0
    return ranked[0][0] if ranked[0][1] >= runner_up + 1 else ""


@lru_cache(maxsize=2)
def _identifier(among: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    made = LanguageIdentifier.from_model_file(MODEL_FILE)
    made.set_languages(list(among))
    return made


def language(document: Document, folded: str, told: str = "") -> str:
    """A two-letter code. What is told goes first, then another script, then function words, then the declaration."""
    if told:
        return _code(told)
    sample = folded[:_SAMPLE]
    declared = _code((document.marks.get("html_lang") or [""])[0])
    words = sample.split()
    enough = len(words) >= _WORDS_NEEDED or not declared
    found = "" if sample.isascii() else _by_script(sample)
    found = found or (_by_function_words(sample) if enough else "") or declared
    if found or not words:
        return found or "und"
    among = tuple(LATIN) if len(words) >= _WORDS_TOLD_APART else _USUAL
    return str(_identifier(among).classify(sample)[0])


def _code(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()


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


def languages(spoken: str, folded: str) -> frozenset[str]:
    """Languages whose words are looked for: the page's own, English, and those that another script on it may be."""
    found = frozenset({spoken, "en"})
    return found | _BY_SCRIPT if not folded.isascii() and _OTHER_SCRIPT.search(folded) else found
