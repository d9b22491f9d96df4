"""What a judgement is made of. Frozen values; `to_json` is the contract of `exowatch judge`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitor.reading.text import Document

SELLING_ROLES = ("seller", "clinic", "supplier", "marketplace")
EXCUSED_STATUSES = ("negated", "attributed", "quoted", "scientific", "question", "cosmetic")
STATUSES = ("affirmed", *EXCUSED_STATUSES)


@dataclass(frozen=True)
class ProductFacts:
    """What the page says of the product: the facts that law asks for beside the claim.

    `source_material`: human animal plant synthetic unstated.
    `route`: topical needling injection iv inhaled oral unstated.
    """

    source_material: str = "unstated"
    route: str = "unstated"
    form: str = ""


@dataclass(frozen=True)
class Verdict:
    """One jurisdiction's reading of one claim. `severity` is High, Medium or Low; empty legal basis = not assessed.

    `disputed`: provisions of `legal_basis` whose sources contradict each other, so that a person has to decide.
    """

    code: str
    severity: str
    legal_basis: tuple[str, ...]
    assessed: bool
    why: str
    disputed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "legal_basis": list(self.legal_basis),
            "assessed": self.assessed,
            "why": self.why,
            "disputed": list(self.disputed),
        }


@dataclass(frozen=True)
class Addressed:
    """A jurisdiction that the page speaks to, and by what sign."""

    code: str
    why: str


@dataclass(frozen=True)
class Cue:
    """Words (offsets in the canonical text) that decided something, and what: act, object, product, negation, …"""

    start: int
    end: int
    kind: str

    def to_json(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "kind": self.kind}


@dataclass(frozen=True)
class Statement:
    """`text` is exactly `document.text[start:end]`."""

    text: str
    start: int
    end: int

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, "start": self.start, "end": self.end}


@dataclass(frozen=True)
class JudgedClaim:
    """A candidate statement with its verdict. `quote` is exactly `document.text[start:end]`: the words that claim.

    `statement`: the whole clauses they stand in. It hangs on its own words alone, and a claim is known again by it.
    """

    quote: str
    start: int
    end: int
    statement: Statement
    category: str
    status: str
    rule_id: str
    confidence: float
    decision: str  # flag | review | drop
    obfuscated: bool
    hedged: bool
    why: str
    block_id: int
    heading_path: tuple[str, ...]
    product: str
    cues: tuple[Cue, ...]
    jurisdictions: tuple[Verdict, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "quote": self.quote,
            "start": self.start,
            "end": self.end,
            "statement": self.statement.to_json(),
            "category": self.category,
            "status": self.status,
            "rule_id": self.rule_id,
            "confidence": self.confidence,
            "decision": self.decision,
            "obfuscated": self.obfuscated,
            "hedged": self.hedged,
            "jurisdictions": [verdict.to_json() for verdict in self.jurisdictions],
            "why": self.why,
            "block_id": self.block_id,
            "heading_path": list(self.heading_path),
            "product": self.product,
            "cues": [cue.to_json() for cue in self.cues],
        }


@dataclass(frozen=True)
class Query:
    """A page or text to judge. `jurisdictions` None: those the page addresses. `product_context`: the gate is open."""

    id: str
    html: str | bytes | None = None
    text: str | None = None
    url: str = ""
    lang: str = ""
    jurisdictions: tuple[str, ...] | None = None
    product_context: bool = False


@dataclass(frozen=True)
class Judgement:
    """All that was decided about one document. `decision`: flag, review or clear."""

    document: Document
    decision: str
    role: str
    role_why: str
    lang: str
    text_sha256: str
    knowledge_version: str
    addressed: tuple[Addressed, ...]
    product_names: tuple[str, ...]
    findings: tuple[JudgedClaim, ...]
    dropped: tuple[JudgedClaim, ...]
    id: str = ""
    names_product: bool = False
    """True if it names an exosome or stem-cell product, or was judged as a page that does."""
    whole_page: bool = False
    """Was it judged as a page, by the levels of pages, and no passage?"""

    def to_json(self, with_text: bool = False) -> dict[str, Any]:
        out: dict[str, Any] = {
            "id": self.id,
            "decision": self.decision,
            "role": self.role,
            "role_why": self.role_why,
            "lang": self.lang,
            "text_sha256": self.text_sha256,
            "knowledge_version": self.knowledge_version,
            "addressed": [{"code": one.code, "why": one.why} for one in self.addressed],
            "product_names": list(self.product_names),
            "findings": [claim.to_json() for claim in self.findings],
            "dropped": [claim.to_json() for claim in self.dropped],
        }
        if with_text:
            out["text"] = self.document.text
        return out
