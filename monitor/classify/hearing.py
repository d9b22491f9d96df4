"""Who speaks on a whole page, as the model hears it: all of its longer blocks at first sight, and some of them read.

Signs in the words alone mislead: a clinic that writes of placebos is taken for a journal, a report that names prices
for a shop. What is heard all over a page is firmer than any of its sentences.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.classify.compose import Page, Part
from monitor.classify.model import SELLING_VOICES, Model, model
from monitor.classify.pieces import Floats
from monitor.classify.role import PageRole
from monitor.classify.shapes import SELLING_ROLES
from monitor.classify.windows import READ_KINDS, under
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import Fusion

_LONG = 40  # characters of a block that tells who speaks
_ENOUGH = 5  # such blocks, all different: fewer make no page
_READ = 16  # of them are read, from all over the page


@dataclass(frozen=True)
class Heard:
    """`sells`: how much of what the page says is a seller's, or a patient's. `reporter`: the likeliest other voice."""

    sells: float
    reporter: str


def hear(page: Page, knowledge: Knowledge) -> Heard | None:
    """None for a passage: too little to hear who speaks."""
    parts: dict[str, Part] = {}
    for part in page.parts:
        if part.block.kind in READ_KINDS and part.end - part.start >= _LONG:
            parts.setdefault(page.folded.accented[part.start : part.end], part)
    if len(parts) < _ENOUGH:
        return None
    texts, reader, scoring = list(parts), model(knowledge), knowledge.scoring.fusion
    first = _heard(reader.sift(texts).voices, reader)
    if first.sells >= scoring.sells_at_sight:
        return first
    some = texts[:: max(1, len(texts) // _READ)][:_READ]
    return _heard(reader.voices([(under(page, parts[text]), text) for text in some]), reader)


def _heard(voices: Floats, reader: Model) -> Heard:
    shares = dict(zip(reader.heads.voices, voices.mean(axis=0).tolist(), strict=True))
    reporter = max((voice for voice in shares if voice not in SELLING_VOICES), key=lambda voice: shares[voice])
    return Heard(float(reader.selling(voices).mean()), reporter)


def settled(role: PageRole, heard: Heard | None, statuses: dict[str, str], scoring: Fusion) -> PageRole:
    """The role that signs gave, unless the page is clearly heard otherwise. A known publisher stays what it is."""
    if heard is None or role.known:
        return role
    said = f"{heard.sells:.0%} of what it says is heard as a seller's"
    if role.role not in SELLING_ROLES and heard.sells >= scoring.heard_seller:
        return PageRole("seller", f"{said} ({role.why})", "")
    if not role.status and heard.sells < scoring.heard_reporter:
        return PageRole(heard.reporter, f"{said} ({role.why})", statuses.get(heard.reporter, ""))
    doubtful = scoring.heard_doubtful_seller if role.role in SELLING_ROLES else scoring.heard_doubtful
    return replace(role, doubtful=heard.sells < doubtful)
