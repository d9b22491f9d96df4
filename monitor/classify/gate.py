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
_WORDS_IN_ATTRIBUTES = "meta[content], [alt], input[value]"
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")  # as JSON writes a letter (RFC 8259, section 7)
_RUN = re.compile("  +")


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
        if len(source) > 4 * _BEGINNING and self._terms.in_text(fold(source[:_BEGINNING]).text):
            return True
        tree = LexborHTMLParser(source_of(source))
        root = tree.root
        if root is None:
            return False
        words = [root.text()]
        for node in tree.css(_WORDS_IN_ATTRIBUTES):
            words += filter(None, (node.attributes.get(name) for name in ("content", "alt", "value")))
        return self.screen_text("\n".join(words))

    def screen_text(self, text: str) -> bool:
        """The same of text, in which data of a script may stand with its letters escaped."""
        if "&" in text:
            text = unescape(text)
        if "\\u" in text:
            text = _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text)
        return self.names_product(_one_spaced(fold(text).text))


def _one_spaced(text: str) -> str:
    """With single blanks for runs of blanks, tabs and ends of lines: three times as fast as to split and to join."""
    for mark in "\n\r\t\f":
        text = text.replace(mark, " ")
    return _RUN.sub(" ", text)


def gate(knowledge: Knowledge) -> Gate:
    made = knowledge.compiled.get("gate")
    if not isinstance(made, Gate):
        made = knowledge.compiled["gate"] = Gate(knowledge)
    return made
