"""Which language a page speaks: told, by script, by its function words, else by py3langid (half a second to load)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from copy import copy
from functools import lru_cache
from typing import Any

from monitor.classify.tongues import SHARED_SCRIPTS, tongue
from monitor.kept import code_of, kept
from monitor.reading.text import Document

LATIN = ("en", "es", "de", "fr", "pt", "it", "tr", "pl", "vi", "id", "nl", "sv", "da", "no", "cs", "sk", "ro", "hu")
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
    "nl": (
        "de het een van en is dat te in met voor zijn niet op aan wij ons deze ook door bij of uw worden heeft geen "
        "tegen zonder wordt naar maar jouw onze hun zich tussen jullie vanaf laten kunnen hebben"
    ),
    "vi": "va cua la cac co cho nhung mot khong duoc trong voi de nay tai nguoi",
    "id": (
        "yang dan di untuk dengan ini dari pada adalah tidak itu dalam kami anda bisa dapat atau oleh akan sudah juga "
        "belum karena bagi seperti lebih kita jika setelah hanya saya agar bukan sampai saat daripada boleh"
    ),
    "sv": (
        "och att inte som till av fran ett eller har vid efter mot utan ocksa hos kan nar ditt dina mycket sedan under "
        "blir deras"
    ),
    "da": (
        "og ikke som til fra eller har ved efter mod uden ogsa hos kan dit dine meget under bliver deres vores af hvad "
        "jeg etter uten noe deg hva"
    ),
    "cs": (
        "jsou nebo pri ktere ktery ktera take muze neni vam vase nase ve podle jen uz vas jejich mezi pred jsme "
        "ktereho kterych jiz behem diky proto nez pokud alebo pre vsetko"
    ),
    "ro": (
        "si cu pe pentru sunt sau mai prin fi dupa fara poate noastra acest aceasta cele ale lor cand fost noastre iar "
        "dumneavoastra"
    ),
    "hu": "az hogy nem egy vagy csak mint ez meg lesz kell utan altal amely minden pedig lehet nincs ezert mar ellen",
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


_OWN_LETTERS = {
    **dict.fromkeys("ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹđơư", ("vi",)),
    **dict.fromkeys("őű", ("hu",)),
    **dict.fromkeys("řěů", ("cs",)),
    **dict.fromkeys("ľĺŕ", ("cs",)),  # Slovak; told from Czech afterwards
    **dict.fromkeys("șțţ", ("ro",)),
    "å": ("sv", "da"),
    "æ": ("da",),
    "ø": ("da",),
}
"""Letters that no other language written in Latin ones and told here has."""
_OWN_LETTER = re.compile(f"[{''.join(_OWN_LETTERS)}]")

_DUTCH = frozenset("de het een van voor niet geen aan naar uit bij wordt zijn haar uw tegen zonder".split())
"""Beside one of these the plural that German and Dutch share may be Dutch."""

_USUAL = ("en", "es", "de", "fr", "pt", "it", "tr", "pl")
_WORDS_TOLD_APART = 15  # in fewer words English is easily taken for Dutch: only the usual languages are thought of

_LATIN_WORD = re.compile("[a-z]+")


def _by_function_words(sample: str, written: str) -> str:
    """The language with clearly the most function words and own letters; empty where none leads."""
    counts: Counter[str] = Counter()
    for letter in () if written.isascii() else _OWN_LETTER.findall(written.lower()):
        for lang in _OWN_LETTERS[letter]:
            counts[lang] += 1
    words = Counter(_LATIN_WORD.findall(sample))
    if _DUTCH & words.keys():
        counts["nl"] += 2 * words["exosomen"]
    for word in words.keys() & _WORD_LANGS.keys():
        for lang in _WORD_LANGS[word]:
            counts[lang] += words[word]
    for word in words.keys() & _PRODUCT_SPELLINGS.keys():
        counts[_PRODUCT_SPELLINGS[word]] += 2 * words[word]
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
    found = tongue(found, written, declared) if found in SHARED_SCRIPTS else found
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
