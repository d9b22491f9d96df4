"""From a page to a judgement: read, scan, compose, context, role, score, law. Pure, deterministic, thread-safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.classify.approvals import matched
from monitor.classify.compose import Candidate, Page, candidates, cut
from monitor.classify.context import Reading, read
from monitor.classify.explain import why
from monitor.classify.facts import product_facts, product_names
from monitor.classify.gate import gate
from monitor.classify.language import language, languages
from monitor.classify.role import PageRole, role_reader
from monitor.classify.said import blocks
from monitor.classify.scan import Hit, between
from monitor.classify.score import confidence, decide, features
from monitor.classify.shapes import SELLING_ROLES, Cue, JudgedClaim, Judgement, ProductFacts, Query, Statement, Verdict
from monitor.classify.spans import word_end
from monitor.classify.verdict import Verdicts
from monitor.classify.windows import Reader, Window
from monitor.folding import Folded, fold
from monitor.knowledge import Knowledge
from monitor.reading.text import Document, read_html, read_text

if TYPE_CHECKING:
    from monitor.classify.fuse import ModelClaim

ASSESSED_BY_DEFAULT = ("us", "uk", "eu", "ca")
_COSMETIC = "cosmetic_appearance"
_PRODUCTS = ("product_exosome", "product_cell")
_LONGEST_QUOTE = 320
_OPENING = 25  # characters in which an answer says yes or no


def judge(query: Query, knowledge: Knowledge) -> Judgement:
    """Judges one page or text. Raises ValueError when the query holds neither or both."""
    if (query.html is None) == (query.text is None):
        raise ValueError(f"query {query.id!r}: give either html or text; it has {'both' if query.html else 'neither'}")
    document = read_html(query.html) if query.html is not None else read_text(query.text or "")
    made = judge_document(
        document,
        knowledge,
        url=query.url,
        lang=query.lang,
        jurisdictions=query.jurisdictions,
        product_context=query.product_context,
    )
    return replace(made, id=query.id)


def judge_document(
    document: Document,
    knowledge: Knowledge,
    *,
    url: str = "",
    lang: str = "",
    jurisdictions: Sequence[str] | None = None,
    product_context: bool = False,
) -> Judgement:
    """Judges a document that has been read. `jurisdictions` None: those it addresses, else us, uk, eu and ca."""
    folded = fold(document.text)
    spoken = language(document, folded.text, lang)
    empty = Judgement(
        document=document,
        decision="clear",
        role="unknown",
        role_why="the page names no exosome or stem-cell product",
        lang=spoken,
        text_sha256=document.sha256,
        knowledge_version=knowledge.version,
        addressed=(),
        product_names=(),
        findings=(),
        dropped=(),
    )
    if not product_context and not gate(knowledge).names_product(folded.text):
        return empty
    langs = languages(spoken, folded.text)
    page = cut(document, folded, blocks(knowledge, langs), product_context)
    if not product_context and not page.products:
        return empty
    return _of_product(empty, page, knowledge, url=url, langs=langs, jurisdictions=jurisdictions)


def _of_product(
    empty: Judgement,
    page: Page,
    knowledge: Knowledge,
    *,
    url: str,
    langs: frozenset[str],
    jurisdictions: Sequence[str] | None,
) -> Judgement:
    """The judgement of a page that names a product. `empty`: what is known of any page."""
    # Loaded for the first such page: they bring numpy and the tables of all countries.
    from monitor.classify.addressed import addressed
    from monitor.classify.fuse import fuse
    from monitor.classify.hearing import hear, settled

    spoke_to = tuple(addressed(page.document, url, empty.lang))
    codes = tuple(jurisdictions) if jurisdictions else tuple(one.code for one in spoke_to) or ASSESSED_BY_DEFAULT
    signs = role_reader(knowledge)
    role = signs.read(page.document, page.words, url, langs, page.voice())
    role = settled(role, hear(page, knowledge), signs.statuses, knowledge.scoring.fusion)
    ruled = _Claims(page, knowledge, role, empty.lang, product_facts(page), codes)
    reader = Reader(page, ruled.judged(), role.role, role.status, role.doubtful)
    fused = fuse(reader, ruled.of_model, knowledge, empty.lang)
    claims = matched(fused.claims, knowledge.register)
    findings = tuple(claim for claim in claims if claim.decision != "drop")
    decision = "clear"
    if findings:
        decision = "flag" if any(claim.decision == "flag" for claim in findings) else "review"
    return replace(
        empty,
        decision=decision,
        role=role.role,
        role_why=role.why,
        addressed=spoke_to,
        product_names=product_names(page),
        findings=findings,
        dropped=tuple(claim for claim in claims if claim.decision == "drop"),
        names_product=True,
        whole_page=fused.whole_page,
    )


def windows_of(query: Query, knowledge: Knowledge) -> tuple[Reader, list[Window]]:
    """What the model would be shown of a text if its page named the product: training reads this."""
    document = read_html(query.html) if query.html is not None else read_text(query.text or "")
    folded = fold(document.text)
    spoken = language(document, folded.text, query.lang)
    langs = languages(spoken, folded.text)
    page = cut(document, folded, blocks(knowledge, langs), True)
    role = role_reader(knowledge).read(document, page.words, query.url, langs, page.voice())
    ruled = _Claims(page, knowledge, role, spoken, product_facts(page), ASSESSED_BY_DEFAULT)
    reader = Reader(page, ruled.judged(), role.role, role.status)
    return reader, list(reader.windows())


class _Claims:
    """Turns the candidates of one page into judged claims, one for a sentence and category."""

    def __init__(
        self,
        page: Page,
        knowledge: Knowledge,
        role: PageRole,
        lang: str,
        facts: ProductFacts,
        codes: tuple[str, ...],
    ) -> None:
        self.page = page
        self.knowledge = knowledge
        self.role = role
        self.lang = lang
        self.facts = facts
        self.codes = codes
        self.by_category: dict[str, tuple[Verdict, ...]] = {}

    def judged(self) -> list[JudgedClaim]:
        best: dict[tuple[int, int, str], JudgedClaim] = {}
        for candidate in candidates(self.page, self.knowledge):
            claim = self._claim(candidate)
            place = (claim.start, claim.end, claim.category)
            held = best.get(place)
            if held is None or _rank(claim) > _rank(held):
                best[place] = claim
        return sorted(best.values(), key=lambda claim: (claim.start, claim.end, claim.category))

    def _claim(self, candidate: Candidate) -> JudgedClaim:
        folded, scoring = self.page.folded, self.knowledge.scoring
        reading = self._reading(candidate)
        start, end = self._quote(candidate, folded)
        obfuscated = folded.obfuscated(start, end)
        found = features(candidate, reading, self.role.role, obfuscated)
        sure = confidence(candidate.rule.row.weight, found, scoring)
        decision = decide(sure, self.lang, scoring) if reading.status == "affirmed" else "drop"
        category = candidate.rule.category
        return JudgedClaim(
            quote=folded.original[start:end],
            start=start,
            end=end,
            statement=Statement(folded.original[start:end], start, end),
            category=category,
            status=reading.status,
            rule_id=candidate.rule.id,
            confidence=sure,
            decision=decision,
            obfuscated=obfuscated,
            hedged=bool(reading.hedges),
            why=why(
                candidate,
                reading,
                folded,
                self.role.why,
                sure,
                decision,
                person_only=self.lang in scoring.review_only,
            ),
            block_id=candidate.part.block.id,
            heading_path=candidate.part.block.heading_path,
            product=self._product(candidate),
            cues=tuple(sorted(self._cues(candidate, reading), key=lambda cue: (cue.start, cue.end, cue.kind))),
            jurisdictions=() if decision == "drop" else self._verdicts(category),
        )

    def of_model(self, found: ModelClaim) -> JudgedClaim:
        """A claim that the model alone read."""
        folded, window = self.page.folded, found.window
        quote = found.quote
        start, end = self._trimmed(quote.start, quote.end)
        since, until = self._trimmed(quote.since, quote.until)
        hits = between(window.part.hits, [hit.start for hit in window.part.hits], quote.start, quote.end)
        products = [hit for hit in (*hits, *window.part.hits) if hit.name in _PRODUCTS]
        return JudgedClaim(
            quote=folded.original[start:end],
            start=start,
            end=end,
            statement=Statement(folded.original[since:until], since, until),
            category=found.category,
            status=found.status,
            rule_id=f"model.{found.category}",
            confidence=round(found.sure, 4),
            decision=found.decision,
            obfuscated=folded.obfuscated(start, end),
            hedged=any(hit.name == "cue:hedge" for hit in hits),
            why=found.why,
            block_id=window.part.block.id,
            heading_path=window.part.block.heading_path,
            product=self._words(products[0]) if products else "",
            cues=(),
            jurisdictions=() if found.decision == "drop" else self._verdicts(found.category),
        )

    def _words(self, hit: Hit) -> str:
        folded = self.page.folded
        start, end = folded.span(hit.start, word_end(folded.text, hit.end))
        return folded.original[start:end]

    def _verdicts(self, category: str) -> tuple[Verdict, ...]:
        """The same for every claim of a category on one page."""
        if category not in self.by_category:
            asked = _law(self.knowledge)
            self.by_category[category] = asked.of(category, self.facts, self.codes, self.role.role)
        return self.by_category[category]

    def _reading(self, candidate: Candidate) -> Reading:
        answered = candidate.answered or _affirmed_next(candidate)
        reading = read(
            candidate.key,
            candidate.sentence.hits,
            candidate.part.voice,
            self.page.folded.text,
            (candidate.sentence.span.start, candidate.sentence.span.end),
            negation_is_claim=candidate.rule.row.negation_is_claim,
            question=candidate.sentence.span.question and not answered,
            needs=self.knowledge.scoring.voice_needs,
            carry=self._carry(candidate),
        )
        if reading.status == "affirmed" and candidate.lead:
            reading = self._lead_reading(candidate, reading)
        if reading.status == "affirmed" and self.role.status:
            return Reading(self.role.status, (), reading.hedges)
        if reading.status == "affirmed" and candidate.rule.category == _COSMETIC:
            return Reading("cosmetic", (), reading.hedges)
        return reading

    def _carry(self, candidate: Candidate) -> float:
        """A seller who cites a study beside a claim still claims; where nobody sells, a paragraph has one voice."""
        scoring = self.knowledge.scoring
        if self.role.role in SELLING_ROLES:
            return scoring.carry_selling
        return scoring.carry_selling if candidate.part.voice.seller else scoring.carry_unknown

    def _lead_reading(self, candidate: Candidate, reading: Reading) -> Reading:
        """A list under a heading that is negated or attributed is so itself."""
        for index in candidate.lead:
            part = self.page.parts[index]
            acts = [hit for hit in part.hits if hit.name.startswith(("act_", "lead_"))]
            for sentence in part.sentences:
                own = [hit for hit in acts if hit in sentence.hits] or sentence.hits[:1]
                found = read(
                    own,
                    sentence.hits,
                    part.voice,
                    self.page.folded.text,
                    (sentence.span.start, sentence.span.end),
                    negation_is_claim=False,
                    question=False,
                    needs=self.knowledge.scoring.voice_needs,
                    carry=0.0,
                )
                if found.status != "affirmed":
                    return Reading(found.status, found.cues, reading.hedges)
        return reading

    def _quote(self, candidate: Candidate, folded: Folded) -> tuple[int, int]:
        start, end = candidate.start, candidate.end
        if end - start > _LONGEST_QUOTE and candidate.key:
            start, end = _narrow(folded.text, candidate, start, end)
        return self._trimmed(start, end)

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        """Folded offsets to offsets in the text, without blanks at either end."""
        folded = self.page.folded
        first, last = folded.span(start, end)
        while first < last and folded.original[first].isspace():
            first += 1
        while last > first and folded.original[last - 1].isspace():
            last -= 1
        return first, last

    def _product(self, candidate: Candidate) -> str:
        order = (candidate.sentence.hits, candidate.part.hits)
        for hits in order:
            for hit in hits:
                if hit.name in _PRODUCTS:
                    return self._words(hit)
        return ""

    def _cues(self, candidate: Candidate, reading: Reading) -> list[Cue]:
        return [self._cue(hit) for hit in (*candidate.key, *reading.cues, *reading.hedges)]

    def _cue(self, hit: Hit) -> Cue:
        start, end = self.page.folded.span(hit.start, hit.end)
        return Cue(start, end, hit.name.removeprefix("cue:"))


def _law(knowledge: Knowledge) -> Verdicts:
    made = knowledge.compiled.get("verdicts")
    if not isinstance(made, Verdicts):
        made = knowledge.compiled["verdicts"] = Verdicts(knowledge.law)
    return made


def _rank(claim: JudgedClaim) -> tuple[bool, float, str]:
    return claim.decision != "drop", claim.confidence, claim.rule_id


def _affirmed_next(candidate: Candidate) -> bool:
    """A question that the next sentence of its block answers with yes."""
    for sentence in candidate.part.sentences:
        if 0 <= sentence.span.start - candidate.sentence.span.end <= 3:
            opening = [hit for hit in sentence.hits if hit.start <= sentence.span.start + _OPENING]
            if any(hit.name in ("cue:denying", "cue:denial", "cue:negation") for hit in opening):
                return False
            return any(hit.name == "cue:affirming" and hit.start == sentence.span.start for hit in opening)
    return False


def _narrow(text: str, candidate: Candidate, start: int, end: int) -> tuple[int, int]:
    """The part of a long sentence, between commas, that holds the deciding words."""
    first = min(hit.start for hit in candidate.key)
    last = max(hit.end for hit in candidate.key)
    marks = (", ", "; ", ": ", "、", "，")
    begin = max((at + 1 for at in (text.rfind(mark, start, first) for mark in marks) if at >= 0), default=start)
    stop = min((at for at in (text.find(mark, last, end) for mark in marks) if at >= 0), default=end)
    return begin, stop
