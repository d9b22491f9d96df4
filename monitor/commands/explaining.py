"""`explain`: how a statement was read, step by step, in plain words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.commands.common import FAILED, UserError, clean, database, knowledge, say, screen, state_of

if TYPE_CHECKING:
    from monitor.classify import JudgedClaim, Judgement
    from monitor.classify.account import Account, Cited, Excuse, Word
    from monitor.config import Config
    from monitor.knowledge import Knowledge
    from monitor.knowledge.precedents import Near, Precedents

_PAGES = (".html", ".htm", ".xhtml")
_LONGEST = 400


@dataclass(frozen=True)
class _Told:
    """A judgement and which of its statements are to be explained. `held`: the claim as the database has it."""

    judgement: Judgement
    kept: Sequence[JudgedClaim]
    dropped: Sequence[JudgedClaim]
    held: dict[str, Any] | None = None


def explain(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="CLAIM|FILE", help="Number of a held claim; or a file with a text or page; or -.")
    ] = "",
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="A text to be judged and explained.")] = "",
    html: Annotated[bool, typer.Option("--html", help="What is read is a page (.html files are).")] = False,
    product_context: Annotated[
        bool, typer.Option("--product-context", help="The text stands on a page about the product, named or not.")
    ] = False,
    lang: Annotated[str, typer.Option(metavar="CODE", help="Its language; left out: found out.")] = "",
    url: Annotated[str, typer.Option(metavar="URL", help="Address that the text is from.")] = "",
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Statements to explain of each kind; 0: all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain step by step how a held claim, a text or a page was read.

    Words and their classes, the rule, the excuses looked for, the score, the law, and what regulators have cited.
    """
    from monitor.knowledge import HERE, KnowledgeError
    from monitor.knowledge.precedents import load

    if bool(what) == bool(text):
        raise UserError('give one of these: the number of a claim, a file, - for what is piped in, or --text "…"')
    rules = knowledge()
    try:
        precedents = load(HERE)
    except KnowledgeError as error:
        raise UserError(str(error), FAILED) from error
    if what.isdecimal():
        told = _held_claim(state_of(context).config, int(what), rules)
    else:
        page, body = (html, text) if text else _read(what, html)
        told = _judged(what or "text", page, body, rules, url=url, lang=lang, product_context=product_context)
    if as_json:
        typer.echo(json.dumps(_json(told, rules, precedents, limit), indent=2, ensure_ascii=False))
        return
    console = screen()
    for line in _lines(told, rules, precedents, limit):
        say(console, clean(line))


def _judged(
    name: str, page: bool, body: str | bytes, rules: Knowledge, *, url: str, lang: str, product_context: bool
) -> _Told:
    from monitor.classify import Query, judge

    query = Query(
        id=name,
        html=body if page else None,
        text=None if page or isinstance(body, bytes) else body,
        url=url,
        lang=lang,
        product_context=product_context,
    )
    judgement = judge(query, rules)
    return _Told(judgement, judgement.findings, judgement.dropped)


def _read(what: str, html: bool) -> tuple[bool, str | bytes]:
    """Whether it is a page, and its content: bytes of a page, for it says itself how it is written."""
    try:
        body = sys.stdin.buffer.read() if what == "-" else Path(what).read_bytes()
    except OSError as error:
        raise UserError(f"{what}: {error.strerror or error}; give the number of a claim, a file, or -") from error
    if html or Path(what).suffix.lower() in _PAGES:
        return True, body
    try:
        return False, body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{what}: not UTF-8 at byte {error.start}; save it as UTF-8, or say --html for a page"
        ) from error


def _held_claim(config: Config, claim_id: int, rules: Knowledge) -> _Told:
    """A held claim, its text read again under the rules in use."""
    from monitor.approved import informed
    from monitor.classify import judge_document
    from monitor.reading.text import Document
    from monitor.tables.db import reading
    from monitor.tables.models import Claim, Page, PageVersion

    with database(config) as engine, reading(engine) as session:
        claim = session.get(Claim, claim_id)
        if claim is None:
            raise UserError(f"no such claim: {claim_id}; `exowatch search` shows the numbers", FAILED)
        page = session.get_one(Page, claim.page_id)
        version = session.get_one(PageVersion, claim.version_id)
        document = Document.from_json(version.text, version.document)
        rules = informed(session, rules)
    judgement = judge_document(document, rules, url=page.url)
    held = {
        "claim": claim_id,
        "quote": claim.quote,
        "category": claim.category,
        "decision": claim.decision,
        "severity": claim.severity,
        "state": str(claim.state),
        "first_seen": claim.first_seen.isoformat(),
        "last_seen": claim.last_seen.isoformat(),
        "review_state": claim.review_state,
        "url": page.url,
        "capture": version.capture_id,
        "knowledge_version": version.knowledge_version,
    }
    same = _at(judgement.findings, claim.start, claim.end)
    same = [one for one in same if one.category == claim.category] or same
    return _Told(judgement, same, _at(judgement.dropped, claim.start, claim.end), held)


def _at(claims: Sequence[JudgedClaim], start: int, end: int) -> list[JudgedClaim]:
    return [one for one in claims if one.start < end and start < one.end]


def _json(told: _Told, rules: Knowledge, precedents: Precedents, limit: int) -> dict[str, Any]:
    from monitor.classify.account import accounts

    made, kept, dropped = told.judgement, _first(told.kept, limit), _first(told.dropped, limit)
    return {
        "held": told.held,
        "decision": made.decision,
        "lang": made.lang,
        "role": made.role,
        "role_why": made.role_why,
        "addressed": [{"code": one.code, "why": one.why} for one in made.addressed],
        "knowledge_version": made.knowledge_version,
        "counts": {"findings": len(told.kept), "dropped": len(told.dropped)},
        "findings": [one.to_json() for one in accounts(made, kept, rules, precedents)],
        "dropped": [one.to_json() for one in accounts(made, dropped, rules, precedents)],
    }


def _first(claims: Sequence[JudgedClaim], limit: int) -> Sequence[JudgedClaim]:
    return claims[:limit] if limit else claims


def _lines(told: _Told, rules: Knowledge, precedents: Precedents, limit: int) -> Iterator[str]:
    from monitor.classify.account import accounts

    made = told.judgement
    if told.held:
        yield from _held_lines(told.held, made, bool(told.kept))
    yield f"Page: {made.decision}. Language {made.lang}. Speaker: {made.role} ({made.role_why or 'no sign'})."
    for one in made.addressed:
        yield f"It addresses {one.code}: {one.why}"
    if not made.addressed:
        yield "It shows no sign of whom it addresses; the jurisdictions that are assessed by default are used."
    for name, claims in (("Found", told.kept), ("Not flagged", told.dropped)):
        shown = _first(claims, limit)
        cut = "" if len(shown) == len(claims) else f", the first {len(shown)} explained (--limit 0: all)"
        yield ""
        yield f"{name}: {len(claims):,}{cut}"
        for number, account in enumerate(accounts(made, shown, rules, precedents), 1):
            yield ""
            yield from _account(number, account)


def _held_lines(held: dict[str, Any], made: Judgement, found: bool) -> Iterator[str]:
    yield f"Claim {held['claim']} on {held['url']}: “{_one_line(held['quote'])}”"
    yield (
        f"Held as {held['category']}, {held['decision']}, {held['severity'] or 'not assessed'}; {held['state']}, "
        f"{held['review_state']}; seen {held['first_seen'][:10]} to {held['last_seen'][:10]}, "
        f"last in capture {held['capture']}"
    )
    if held["knowledge_version"] != made.knowledge_version:
        yield (
            f"It was judged under rules {held['knowledge_version']}; what follows is how the rules in use "
            f"({made.knowledge_version}) read the same text."
        )
    if not found:
        yield "The rules in use find no claim in these words."


def _account(number: int, one: Account) -> Iterator[str]:
    path = " > ".join(_one_line(part) for part in one.heading_path)
    yield f"{number}. “{_one_line(one.quote)}”"
    if one.statement != one.quote:
        yield f"   statement  “{_one_line(one.statement)}”"
    yield f"   decision   {_decision(one)}"
    yield f"   claim      {one.category}: {one.meaning}"
    yield f"   stands in  {one.block.replace('_', ' ')}{f' under {path}' if path else ''}"
    for word in one.words:
        yield f"   word       “{_one_line(word.text)}” is {word.meets}"
    yield f"   rule       {one.rule.id}: {one.rule.note}{f' (source: {one.rule.source})' if one.rule.source else ''}"
    if one.rule.needs:
        yield f"              asks for {_slots(one.rule.needs)}"
    if one.rule.lead:
        yield f"              under a heading or sentence with {_slots(one.rule.lead)}"
    for excuse in one.excuses:
        yield f"   excuse     {_excuse(excuse)}"
    if one.hedges:
        yield f"   hedge      {_words(one.hedges)}: recorded, does not cancel"
    if one.disguised_as:
        yield f"   disguise   the letters are disguised; read as “{_one_line(one.disguised_as)}”"
    yield f"   why        {_one_line(one.why)}"
    for law in one.law:
        yield f"   law {law.code:<6} {law.severity or 'not assessed'}: {law.why}"
        for cited in law.cited:
            yield from _provision(cited)
    for near in one.precedents:
        yield from _precedent(near)


def _slots(slots: Sequence[Sequence[str]]) -> str:
    return " and ".join(" or ".join(slot) for slot in slots)


def _decision(one: Account) -> str:
    if one.status != "affirmed":
        return f"not flagged: {one.status}"
    needed = f"flag from {one.flag_at:.2f}, review from {one.review_at:.2f}"
    person = "; in this language a person decides every finding" if one.person_only else ""
    words = {"flag": "flagged", "review": "for a person to review", "drop": "not flagged: too unsure"}
    held_back = one.confidence >= {"review": one.flag_at, "drop": one.review_at}.get(one.decision, 2.0)
    more = "; the page as a whole asks for more" if held_back and not one.person_only else ""
    return f"{words[one.decision]}, sure {one.confidence:.2f} ({needed}{person}{more})"


def _excuse(one: Excuse) -> str:
    weak = f"; {_words(one.weak)} stands there and does not suffice" if one.weak else ""
    if one.found:
        return f"{one.status}: FOUND {one.looked_for}{f' ({_words(one.acted)})' if one.acted else ''}"
    return f"{one.status}: looked for {one.looked_for}, not found{weak}"


def _provision(one: Cited) -> Iterator[str]:
    signed = f"signed by {one.signed_by}" if one.signed_by else "unsigned"
    yield f"              {one.id}: {one.provision}. {one.summary}"
    yield f"              {one.source} {one.url}, read on {one.read_on or 'no day given'}; {one.status}, {signed}"


def _precedent(near: Near) -> Iterator[str]:
    letters = near.letters
    several = f"one or more of {len(letters)} letters, which one was not recorded; among them " if letters[1:] else ""
    one = letters[0]
    yield f"   precedent  {near.precedent.statement} (our words; likeness {near.likeness:.2f})"
    yield (
        f"              {several}{one.authority} {one.reference} of {one.issued} to {one.firm}, "
        f"{one.url or 'address not on record'}; text read: {one.text_read}"
    )
    if near.precedent.note:
        yield f"              {near.precedent.note}"


def _words(words: Sequence[Word]) -> str:
    return ", ".join(dict.fromkeys(f"“{_one_line(word.text)}”" for word in words))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
