"""Texts to scan: terms and letters of every script, with everything that may stand between them."""

from __future__ import annotations

from hypothesis import strategies as st

from monitor.classify.automaton import Term, joins

ALPHABET = "aábcßxI1_ -.,'’\n\t|·の療幹한글ไทยاعשלअ्αяі😀𝒜\u0301"
WORDS = [
    Term("exosome", False, False),
    Term("exosom", True, True),
    Term("stem cell", False, False),
    Term("stem-cell", False, True),
    Term("no", False, False),
    Term("no.", False, True),
    Term("cell", True, False),
    Term("幹細胞", True, True),
    Term("엑소솜", True, True),
    Term("экзосом", False, True),
    Term("(x)", True, True),
    Term("कोशिका", False, False),
    Term("a", False, False),
    Term("aa", False, True),
    Term("לא", True, True, alone=True),
    Term("لا", True, True, alone=True),
]
PIECES = [term.words for term in WORDS] + ["exosomes", "stem  cell", "non", "i.e.", "幹", "स", "ולא", "ללא", "علاج"]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(ALPHABET, max_size=4)), max_size=14).map("".join)


def plainly(terms: list[Term], text: str) -> list[tuple[int, int, int]]:
    """What `Terms.find` must answer, by its definition: slow and obvious."""
    found = []
    for number, term in enumerate(terms):
        at = text.find(term.words)
        while at >= 0:
            end = at + len(term.words)
            left = term.free_left or at == 0 or not joins(text[at - 1])
            right = term.free_right or end == len(text) or not joins(text[end])
            if term.alone and term.free_left and term.free_right and not term.words.isascii():
                before = text[:at]
                before = before[:-1] if before[-1:] in ("ו", "ש", "و", "ف") else before
                left = not before[-1:].isalpha()
                right = not text[end : end + 1].isalpha()
            if left and right:
                found.append((at, -end, number))
            at = text.find(term.words, at + 1)
    return sorted(found)
