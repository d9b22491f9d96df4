"""With Hyperscan or without: the same hits. Collected where the extra `[fast]` is installed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify import hyperscanned
from monitor.classify.automaton import Presence, Term, Terms, automaton, spaced
from monitor.classify.gate import Gate
from monitor.classify.language import LATIN
from monitor.classify.scan import Hit, Scanner
from monitor.folding import fold
from monitor.knowledge import HERE, Knowledge, read

from .scanning import PIECES, TEXTS, WORDS, plainly

ALL = frozenset({*LATIN, "ja", "ko", "zh", "ar", "ru", "el", "th", "he"})
JOINTS = (" ", "-", ".", ", ", "", "x", "é", "字", "ñ", "ا", "\n", "_", "1", "한", "ก", "😀", "्")


def _compiled(choice: str) -> tuple[Knowledge, Scanner, Gate]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXOWATCH_SCAN", choice)
        patch.setenv("XDG_CACHE_HOME", tempfile.mkdtemp(prefix="exowatch-cache-"))
        knowledge = read(HERE)
        scanner = Scanner(knowledge, ALL)
        scanner.hits("exosome")  # the names of diseases are compiled when first asked for
        return knowledge, scanner, Gate(knowledge)


KNOWLEDGE, FAST, FAST_GATE = _compiled("hyperscan")
_, PLAIN, PLAIN_GATE = _compiled("aho")
WORDINGS = sorted(
    {fold(one.words.strip("*")).text for one in (*KNOWLEDGE.lexicon, *KNOWLEDGE.context)}
    | {name.words for name in KNOWLEDGE.conditions.names()}
)


def _told(hits: list[Hit]) -> list[tuple[int, int, str, str]]:
    return [(hit.start, hit.end, hit.name, hit.cue.words if hit.cue else "") for hit in hits]


def _same(text: str) -> int:
    folded = fold(text).text
    found = _told(FAST.hits(folded))
    assert found == _told(PLAIN.hits(folded))
    assert FAST_GATE.names_product(folded) == PLAIN_GATE.names_product(folded)
    return len(found)


@given(TEXTS)
def test_the_definition_holds(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXOWATCH_SCAN", "hyperscan")
        assert Terms(WORDS).find(text, spaced(text)) == plainly(WORDS, text)
        assert Presence(PIECES[:8]).in_text(text) == any(words in text for words in PIECES[:8])


@given(st.text())
def test_any_text_of_any_script(text: str) -> None:
    _same(text)


@given(st.lists(st.tuples(st.sampled_from(WORDINGS), st.sampled_from(JOINTS)), min_size=1, max_size=20))
def test_terms_in_any_company(pieces: list[tuple[str, str]]) -> None:
    _same("".join(words + joint for words, joint in pieces))


def test_every_term_by_itself_and_inside_words() -> None:
    found = 0
    for first in range(0, len(WORDINGS), 500):
        some = WORDINGS[first : first + 500]
        found += sum(_same(joint.join(some)) for joint in ("\n", " x ", "字", "é", "-"))
    assert found > len(WORDINGS)


def test_the_gold_texts() -> None:
    lines = (HERE / "gold" / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum(_same(json.loads(line).get("text") or "") for line in lines) > len(lines)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("EXOWATCH_SCAN", "hyperscan")
    monkeypatch.setattr(hyperscanned, "_MANY", 1)
    return tmp_path / "exowatch"


def test_many_words_are_kept_compiled(cache: Path) -> None:
    first = automaton(["exosome", "serum"]).find("an exosome serum")
    (kept,) = cache.iterdir()
    made = kept.stat().st_mtime_ns
    assert automaton(["exosome", "serum"]).find("an exosome serum") == first
    assert kept.stat().st_mtime_ns == made
    automaton(["exosome", "serums"])
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("flaw", [b"", b"not a database", None])
def test_a_spoilt_copy_is_made_anew(cache: Path, flaw: bytes | None) -> None:
    automaton(["exosome", "serum"])
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if flaw is None else flaw)
    assert sorted(automaton(["exosome", "serum"]).find("exosome")) == [(0, 0, 7)]
    assert kept.read_bytes() == whole


def test_a_folder_that_cannot_be_written_stops_nothing(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert sorted(automaton(["exosome", "serum"]).find("exosome")) == [(0, 0, 7)]


def test_one_term_scanned_by_many_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    words = Terms([Term("exosome", False, False)])
    texts = [f"{'x ' * number}exosome" for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: words.find(text, spaced(text)), texts))
    assert found == [[(2 * number, -2 * number - 7, 0)] for number in range(200)]
