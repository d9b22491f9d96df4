"""What short texts were found to hold, remembered for a while: pages of a site repeat menus, footers and headings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Found = TypeVar("Found")

_LONGEST = 600  # characters of a text that is remembered: what is longer hardly stands on two pages
_MOST = 4_096  # texts; together some megabytes


class Remembered(Generic[Found]):
    """`find` gives one answer a text, which must depend on that text alone, and is asked for all new ones at once.

    Safe in threads: what is remembered is only added to, or emptied.
    """

    def __init__(self, find: Callable[[list[str]], Sequence[Found]]) -> None:
        self._find = find
        self._known: dict[str, Found] = {}

    def of(self, texts: Sequence[str]) -> list[Found]:
        """In the order of the texts."""
        known = list(map(self._known.get, texts))
        new = list(dict.fromkeys(text for text, found in zip(texts, known, strict=True) if found is None))
        if not new:
            return [found for found in known if found is not None]
        made = dict(zip(new, self._find(new), strict=True))
        self._keep(made)
        return [made[text] if found is None else found for text, found in zip(texts, known, strict=True)]

    def _keep(self, made: dict[str, Found]) -> None:
        short = [(text, found) for text, found in made.items() if len(text) <= _LONGEST][:_MOST]
        if len(self._known) + len(short) > _MOST:
            self._known.clear()
        self._known.update(short)
