"""A page's elements by their names, found in one walk: each question of its own would walk the whole tree again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from scrapy.http import TextResponse

_ASKED_FOR = ("title", "h1", "a", "area", "link", "base", "input", "script", "img", "meta")
_SAME_AS = {"area": "a"}
"""Both lead on, and are wanted in the page's order."""
_FOUND: WeakKeyDictionary[TextResponse, dict[str, list[Any]]] = WeakKeyDictionary()


def elements(response: TextResponse) -> Mapping[str, Sequence[Any]]:
    """Name → elements of lxml in the page's order; `a` has those of `area` among them."""
    if (found := _FOUND.get(response)) is None:
        found = _FOUND[response] = {name: [] for name in _ASKED_FOR}
        for element in response.selector.root.iter(*_ASKED_FOR):
            found[_SAME_AS.get(element.tag, element.tag)].append(element)
    return found
