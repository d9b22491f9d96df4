"""Languages that share a script, told apart by the letters that not all of them have, and by small words."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from monitor.folding import fold


class _Tongue(NamedTuple):
    """`letters`: those of its script that others lack; `words`: frequent small ones."""

    lang: str
    letters: frozenset[str]
    words: frozenset[str]


def _tongue(lang: str, letters: str, words: str) -> _Tongue:
    return _Tongue(lang, frozenset(letters), frozenset(fold(words).text.split()))


_LETTER, _WORD = 3, 2  # a letter is surer than a word, of which many are shared

SHARED_SCRIPTS = {
    "ru": (
        _tongue(
            "ru", "ыэё",
            "и в не на с что как это для или при от до мы вы наш все также после если может только чтобы есть их об "
            "под из нет был были она они который которые по за у без",
        ),
        _tongue(
            "uk", "іїєґ",
            "і та що це як для або від при після якщо може екзосоми екзосом екзосомами екзосомам тільки щоб є їх "
            "з із зі й ми ви наш не немає також лише вже без через під до був були вона вони який які в на за по",
        ),
        _tongue(
            "bg", "",
            "и в не на с се са ще че от със във които което който това след чрез как или при за ви си бъде има няма "
            "може само както също без под да до е още към по",
        ),
        _tongue("sr", "јљњћђџ", "је се су да за који која које али или од са ће што како није само на у и"),
        _tongue("be", "ўіыэё", "і што гэта як для або пры ад не на з мы вы ваш ёсць няма"),
        _tongue("kk", "әғқңөұүһіы", "және бұл үшін мен бар жоқ бір де да"),
    ),
    "ar": (
        _tongue(
            "ar", "ةىإ",
            "في من على إلى هذا هذه التي الذي عن مع أن أو لا كل بعد قبل كما لم لن هو هي تم قد لدى ولا بين خلال عند",
        ),
        _tongue(
            "fa", "پژگچیک",
            "است این که از به در را با برای یا هم شما ما هر نیست بود شد شود های می آن اگر تا دارد کنید",
        ),
        _tongue("ur", "ٹڈڑںےہیک", "ہے کے کی کا میں سے اور کو نے پر یہ ہیں بھی جو"),
    ),
    "hi": (
        _tongue("hi", "", "है हैं के की का में से और को ने पर यह नहीं भी जो लिए हम आप कर था थी ये एक तक ही तो या"),
        _tongue("mr", "ळ", "आहे आहेत आणि च्या चे ची मध्ये साठी नाही हे ही हा आपण आम्ही करा"),
        _tongue("ne", "", "छ छन् र को मा लाई हुन्छ गर्न छैन यो हामी तपाईं पनि"),
    ),
    "da": (
        _tongue("da", "", "af efter uden også hvad noget nogle meget mellem bliver vores mod gennem end deres jer ud"),
        _tongue("no", "", "av etter uten hva noe noen mye mellom blir våre deg mot gjennom enn deres dere ut opp"),
    ),
    "cs": (
        _tongue("cs", "řěů", "že při nebo jsou které který která pro jak není může bez jako vám také když byl být"),
        _tongue("sk", "ľĺŕôä", "že pri alebo sú ktoré ktorý ktorá pre ako nie môže bez vám aj keď bol bolo byť"),
    ),
    "id": (
        _tongue("id", "", "bisa karena bahwa saja kalau nggak dari tetapi obat pengobatan perawatan kesehatan pasien"),
        _tongue("ms", "", "kerana bahawa sahaja ialah adakah tiada daripada rawatan ubat kesihatan pesakit awak"),
    ),
}  # fmt: skip
"""By the language that is meant where nothing tells; it stands first."""

_WORDS = re.compile(r"[^\s!-/:-@\[-`{-~«»“”„…–—،؛؟।]+")


def tongue(script: str, text: str, declared: str) -> str:
    """Which language of a shared script a text speaks; where that is open, the declared one if it is of that script."""
    letters, words = Counter(text.lower()), Counter(_WORDS.findall(fold(text).text))

    def weight(one: _Tongue) -> tuple[int, bool]:
        own, small = sum(letters[char] for char in one.letters), sum(words[word] for word in one.words)
        return _LETTER * own + _WORD * small, one.lang == declared

    return max(SHARED_SCRIPTS[script], key=weight).lang
