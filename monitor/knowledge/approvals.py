"""What is authorised where, for judging: plain values, looked up by whole names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from monitor.folding import fold

if TYPE_CHECKING:
    from monitor.knowledge.law import Law

_SHORTEST = 4
"""Letters of a name that may be met in running text: shorter ones are words."""
_LONGEST = 8
"""Words of one."""


@dataclass(frozen=True)
class Approval:
    """One product that an authority's register shows as authorised."""

    product: str
    jurisdiction: str
    number: str
    authority: str
    seen_on: date
    """When the register was read last."""
    conditional: bool = False

    def told(self) -> str:
        """`Vesimed (BL 900001), Office of Tests, in its register on 2026-11-25`."""
        number = f" ({self.number})" if self.number else ""
        kind = ", under conditions" if self.conditional else ""
        return f"{self.product}{number}, {self.authority}{kind}, in its register on {self.seen_on}"


class Register:
    """Approvals by jurisdiction and name. Case, accents, look-alikes and punctuation are evened out."""

    def __init__(self, approvals: Iterable[Approval] = ()) -> None:
        self._by_name: dict[tuple[str, tuple[str, ...]], list[Approval]] = {}
        for one in approvals:
            if name := _words(one.product):
                self._by_name.setdefault((one.jurisdiction, name), []).append(one)

    def __len__(self) -> int:
        return sum(map(len, self._by_name.values()))

    def authorised(self, terms: Iterable[str], jurisdiction: str) -> tuple[Approval, ...]:
        """Approvals of products that bear one of these names there."""
        found: dict[Approval, None] = {}
        for term in terms:
            found.update(dict.fromkeys(self._by_name.get((jurisdiction, _words(term)), ())))
        return tuple(found)

    def named_in(self, text: str, jurisdiction: str) -> tuple[Approval, ...]:
        """Approvals whose product's whole name stands in the text, in its order."""
        if not self._by_name:
            return ()
        found: dict[Approval, None] = {}
        for name in _runs(_words(text)):
            if len("".join(name)) >= _SHORTEST:
                found.update(dict.fromkeys(self._by_name.get((jurisdiction, name), ())))
        return tuple(found)


def _words(text: str) -> tuple[str, ...]:
    return tuple("".join(c if c.isalnum() else " " for c in fold(text).text).split())


def _runs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            yield words[start:end]


def approvals_of(law: Law) -> Iterator[Approval]:
    """What the table that lawyers edit has in force, under each of its names."""
    for one in law.authorisations:
        if one.status == "in_force":
            for name in (one.product, *one.aliases):
                yield Approval(name, one.jurisdiction, one.number, one.source.title, one.checked_on)
