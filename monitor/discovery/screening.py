"""Is an archived page one that sells exosome products? By gate, words and who speaks; no claim is judged. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.classify.compose import Page, cut
from monitor.classify.facts import product_names
from monitor.classify.gate import gate
from monitor.classify.language import language, languages
from monitor.classify.relevance import OTHER, Tier, tier
from monitor.classify.role import PageRole, role_reader
from monitor.classify.said import blocks
from monitor.classify.shapes import SELLING_ROLES
from monitor.evidence.warcs import ArchivedPage
from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.reading.text import Document, read_html, read_text, source_of
from monitor.webname import may_be_seller, site_name, site_of

_SELLING_MARKS = {"prices": "shows a price", "cart": "has a cart", "booking": "takes appointments"}
_NO_PRODUCT = "names no product"
_TERMS_SHOWN = 3
_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Candidate:
    """A page that may sell exosome products, and why. `tier`: `core` or `adjacent`, as for notices."""

    url: str
    site: str
    seen_at: str
    tier: str
    role: str
    language: str
    title: str
    names: tuple[str, ...]
    """Names that it gives its products."""
    why: tuple[str, ...]
    cut: bool = False
    archive: str = field(default="", compare=False)
    """Where it was found: file and the record's offset in it."""
    offset: int = field(default=0, compare=False)


def look(page: ArchivedPage, knowledge: Knowledge) -> Candidate | str:
    """The page as a candidate, or in a few words why it is none."""
    site = site_of(page.url)
    if not may_be_seller(site) or site in publishers(knowledge):
        return "no seller's address"
    source = source_of(page.body, page.content_type)
    passes = gate(knowledge)
    if not (passes.screen_text(source) if page.plain else passes.screen(source)):
        return _NO_PRODUCT
    document = read_text(source) if page.plain else read_html(source)
    folded = fold(document.text)
    found = tier("", "", document.text, knowledge.relevance) if gate(knowledge).names_product(folded.text) else None
    if found is None or found.tier == OTHER:
        return _NO_PRODUCT
    spoken = language(document, folded.text)
    langs = languages(spoken, folded.text)
    read = cut(document, folded, blocks(knowledge, langs), False)
    if not read.products:  # the gate is generous: here with the bounds of words
        return _NO_PRODUCT
    role = role_reader(knowledge).read(document, read.words, page.url, langs, read.voice())
    selling = _selling_marks(document)
    return _objection(role, found, selling) or _candidate(page, site, spoken, read, found, role, selling)


def publishers(knowledge: Knowledge) -> frozenset[str]:
    """Sites of known newspapers, regulators, journals and marketplaces: none of them is one seller's."""
    made = knowledge.compiled.get("publishers")
    if not isinstance(made, frozenset):
        made = frozenset(site_name(host) for role in knowledge.roles for host in role.hosts)
        knowledge.compiled["publishers"] = made
    return made


def _objection(role: PageRole, found: Tier, selling: list[str]) -> str:
    if role.role in SELLING_ROLES:
        return ""
    if role.role != "unknown":
        return f"speaks as {role.role}"
    return "" if found.tier == "core" and selling else "no sign that it sells"


def _selling_marks(document: Document) -> list[str]:
    return [words for mark, words in _SELLING_MARKS.items() if document.marks.get(mark)]


def _candidate(
    page: ArchivedPage, site: str, spoken: str, read: Page, found: Tier, role: PageRole, selling: Iterable[str]
) -> Candidate:
    document = read.document
    names = product_names(read)
    quotes = list(dict.fromkeys(hit["quote"] for hit in found.terms))[:_TERMS_SHOWN]
    why = ["names " + ", ".join(f"“{quote}”" for quote in quotes)]
    if role.role in SELLING_ROLES:
        why.append(f"speaks as {role.role}: {role.why}")
    why += selling
    if names:
        why.append(f"product names: {', '.join(names[:_NAMES_SHOWN])}")
    title = next((document.text[one.start : one.end] for one in document.blocks if one.kind == "title"), "")
    return Candidate(
        url=page.url,
        site=site,
        seen_at=page.seen_at,
        tier=found.tier,
        role=role.role,
        language=spoken,
        title=title[:200],
        names=names,
        why=tuple(why),
        cut=page.cut,
    )
