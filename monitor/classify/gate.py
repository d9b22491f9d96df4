"""The product gate: a page that names no exosome or stem-cell product has nothing to judge."""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser

from monitor.classify.automaton import Presence
from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import bare
from monitor.reading.text import decode, source_of

_NAMES = ("product_exosome", "product_cell")
_BEGINNING = 4_000
_ENTITY = re.compile(r"&#x?[0-9a-fA-F]+;")


class Gate:
    """Compiled product terms. Screening is generous: what passes is scanned again with word boundaries."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._terms = Presence(fold(bare(term.words)).text for term in knowledge.lexicon.named(_NAMES))

    def names_product(self, folded: str) -> bool:
        """Most pages that name a product do so at their beginning, which is looked at first."""
        beginning = len(folded) > 4 * _BEGINNING and self._terms.in_text(folded[:_BEGINNING])
        return beginning or self._terms.in_text(folded)

    def screen(self, html: str | bytes, content_type: str = "") -> bool:
        """Could this page name a product? Fast, and never False for a page on which `judge` would find one."""
        source = decode(html, content_type) if isinstance(html, bytes) else html
        if self.names_product(fold(source).text):
            return True
        if "<" not in source and "&" not in source:
            return False
        root = LexborHTMLParser(source_of(source)).root
        words = "" if root is None else root.text()
        return self.names_product(fold(words).text) or (
            "&#" in source and bool(_ENTITY.search(source)) and self.names_product(fold(unescape(source)).text)
        )


def gate(knowledge: Knowledge) -> Gate:
    made = knowledge.compiled.get("gate")
    if not isinstance(made, Gate):
        made = knowledge.compiled["gate"] = Gate(knowledge)
    return made
