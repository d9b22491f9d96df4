"""A claim of approval about a product that is approved: not called false, and left to a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from monitor.classify.places import places
from monitor.classify.shapes import JudgedClaim, Verdict
from monitor.knowledge.approvals import Approval, Register

CATEGORY = "approval_misrep"
MATCHES = "Matches an authorisation:"


def matched(claims: Iterable[JudgedClaim], register: Register) -> list[JudgedClaim]:
    """The claims, those of approval compared with the register; nothing is dropped for it."""
    return [_compared(claim, register) if claim.category == CATEGORY else claim for claim in claims]


def _compared(claim: JudgedClaim, register: Register) -> JudgedClaim:
    if claim.decision == "drop":
        return claim
    found = authorised(claim.statement.text, [one.code for one in claim.jurisdictions], register)
    if not found:
        return claim
    verdicts = tuple(_verdict(one, found[one.code]) if one.code in found else one for one in claim.jurisdictions)
    told = f"{MATCHES} {'; '.join(dict.fromkeys(one.told() for held in found.values() for one in held))}."
    return replace(claim, jurisdictions=verdicts, decision="review", why=f"{claim.why} {told}")


def authorised(quote: str, codes: Iterable[str], register: Register) -> dict[str, tuple[Approval, ...]]:
    """For each jurisdiction what is authorised there of the products that the quote names; none: no entry."""
    return {code: held for code in codes if (held := _held(quote, code, register))}


def _held(quote: str, code: str, register: Register) -> tuple[Approval, ...]:
    """What the Union has authorised may be sold in each of its states."""
    held = register.named_in(quote, code)
    return held or (register.named_in(quote, "eu") if code in places().member_states else ())


def _verdict(verdict: Verdict, held: Sequence[Approval]) -> Verdict:
    told = "; ".join(one.told() for one in held)
    return Verdict(verdict.code, "", (), False, f"{MATCHES} {told}. No provision is asserted for it; a person decides.")
