"""Where words end, in scripts that part them by blanks and in those that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify.spans import word_end


@pytest.mark.parametrize(
    ("text", "end", "word"),
    [
        ("nuestros exosomas curan", 15, "nuestros exosomas"),
        ("exosomas", 8, "exosomas"),
        ("exosom-haltig", 6, "exosom"),
        ("exosomes treat", 9, "exosomes "),
        ("tế bào gốc", 1, "tế"),
        ("外泌体治疗关节炎", 3, "外泌体"),
        ("เอ็กโซโซมรักษา", 9, "เอ็กโซโซม"),
        ("", 0, ""),
    ],
)
def test_a_word_is_told_whole(text: str, end: int, word: str) -> None:
    assert text[: word_end(text, end)] == word


@given(st.text(max_size=20), st.integers(0, 20))
def test_only_letters_and_digits_are_added(text: str, end: int) -> None:
    end = min(end, len(text))
    found = word_end(text, end)
    assert end <= found <= len(text)
    assert all(char.isalnum() for char in text[end:found])
    assert word_end(text, found) == found
