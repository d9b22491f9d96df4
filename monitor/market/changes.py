"""What the readings of a site do to its claims: `lives` decides, this module carries it to the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, select

from monitor.classify import JudgedClaim
from monitor.history import Chronicle
from monitor.lives import ClaimState, Life, MoveKind, Wording, step
from monitor.market.claims import ClaimWriter, PageReading, folded_quote
from monitor.market.clusters import group
from monitor.market.review import reopen
from monitor.tables.db import id_of
from monitor.tables.models import Cause, Claim, ClaimPlace, EventKind, Page, PageVersion

_KINDS = {
    MoveKind.APPEARED: EventKind.CLAIM_APPEARED,
    MoveKind.REWORDED: EventKind.CLAIM_REWORDED,
    MoveKind.WITHDRAWN: EventKind.CLAIM_WITHDRAWN,
    MoveKind.REAPPEARED: EventKind.CLAIM_REAPPEARED,
}


def unsettled(session: Session, source_id: str) -> frozenset[int]:
    """Pages of a source with a claim that was lacked once and waits for a second reading, by id."""
    statement = select(ClaimPlace.page_id).join(Page, ClaimPlace.page_id == Page.id)  # type: ignore[arg-type]
    return frozenset(session.exec(statement.where(Page.source_id == source_id, ClaimPlace.lacking == 1)))


def follow(
    session: Session,
    readings: Sequence[PageReading],
    gone: Mapping[int, datetime],
    *,
    jurisdictions: Sequence[str],
    chronicle: Chronicle,
) -> list[str]:
    """Carry some good readings of one site to its claims. Gives the addresses of pages that need a second look.

    `gone`: pages (by id) that are confirmed to be no more, and when that was seen.
    """
    if not readings and not gone:
        return []
    return _Follower(session, chronicle, ClaimWriter(session, jurisdictions)).follow(readings, gone)


class _Follower:
    """One site's claims, loaded, moved on by one run's readings, and written back."""

    def __init__(self, session: Session, chronicle: Chronicle, writer: ClaimWriter) -> None:
        self._session = session
        self._chronicle = chronicle
        self._writer = writer
        self._claims: dict[int, Claim] = {}
        self._places: dict[tuple[int, int], ClaimPlace] = {}
        self._lives: list[Life] = []
        self._standing: dict[int, list[Life]] = {}
        """Page → claims that stood there before this run."""
        self._read: dict[int, PageReading] = {}
        self._gone: Mapping[int, datetime] = {}
        self._judged: dict[tuple[int, str, str], JudgedClaim] = {}
        self._text: tuple[int, str] | None = None

    def follow(self, readings: Sequence[PageReading], gone: Mapping[int, datetime]) -> list[str]:
        self._load()
        self._gone = gone
        self._read = {id_of(reading.page): reading for reading in readings}
        wordings = {page: self._wordings(page, reading) for page, reading in self._read.items()}
        moves = step(self._lives, wordings, gone)
        moved = {id(move.life) for move in moves}
        for life in self._lives:
            if id(life) in moved or any(page in self._read or page in gone for page in life.places) or life.pending:
                self._write_back(life)
        for move in moves:
            # A page that is gone tells of all its claims in one line: they get none of their own.
            if move.kind is MoveKind.REWORDED:
                reopen(self._session, self._claims[move.life.ref], self._chronicle)
            if move.kind is not MoveKind.WITHDRAWN or gone.keys().isdisjoint(move.life.places):
                self._tell(move.kind, self._claims[move.life.ref], move.before)
        fresh = {page for page, reading in self._read.items() if reading.findings is not None}
        group(self._session, self._claims.values(), fresh)
        return self._second_looks()

    def _load(self) -> None:
        statement = select(Claim).where(Claim.source_id == self._chronicle.source_id).order_by(Claim.id)  # type: ignore[arg-type]
        self._claims = {id_of(claim): claim for claim in self._session.exec(statement)}
        places: dict[int, dict[int, int]] = {}
        joined = select(ClaimPlace).join(Claim, ClaimPlace.claim_id == Claim.id)  # type: ignore[arg-type]
        for place in self._session.exec(joined.where(Claim.source_id == self._chronicle.source_id)):
            self._places[place.claim_id, place.page_id] = place
            places.setdefault(place.claim_id, {})[place.page_id] = place.lacking
        for key, claim in self._claims.items():
            pending = Wording(**claim.pending) if claim.pending else None
            state = ClaimState(claim.state)
            life = Life(claim.category, claim.folded, state, places.get(key, {}), pending, ref=key)
            self._lives.append(life)
            for page, lacking in life.places.items():
                if lacking == 0:
                    self._standing.setdefault(page, []).append(life)

    def _wordings(self, page: int, reading: PageReading) -> list[Wording]:
        """Every claim a page has now, each wording once."""
        if reading.findings is None:
            return [Wording(page, life.category, life.folded) for life in self._standing.get(page, ())]
        found: dict[tuple[str, str], Wording] = {}
        for claim in reading.findings:
            wording = Wording(page, claim.category, folded_quote(claim.statement.text))
            if wording.key not in found:
                found[wording.key] = wording
                self._judged[(page, *wording.key)] = claim
        return list(found.values())

    def _write_back(self, life: Life) -> None:
        claim = self._claims.get(life.ref) or self._new_claim(life)
        for page, lacking in life.places.items():
            self._write_place(claim, life, page, lacking)
        was_missing = claim.state in (ClaimState.MISSING, ClaimState.REWORDING)
        claim.state = life.state
        claim.pending = vars(life.pending).copy() if life.pending else {}
        shown = next((page for page in life.places if (page, *life.key) in self._judged), None)
        if shown is not None:
            self._writer.describe(claim, self._judged[(shown, *life.key)], self._read[shown])
        claim.category, claim.folded = life.key
        looks = [self._read[page].seen for page in life.places if page in self._read]
        looks += [self._gone[page] for page in life.places if page in self._gone]
        latest = max(looks, default=claim.last_seen)
        if life.stands:
            claim.last_seen, claim.missing_since, claim.ended_at = max(claim.last_seen, latest), None, None
            self._show_where_it_stands(claim, life, is_described=shown is not None)
        elif life.state is ClaimState.WITHDRAWN:
            claim.ended_at = claim.ended_at or claim.missing_since or latest
        elif not was_missing:
            claim.missing_since = latest
        self._session.add(claim)

    def _new_claim(self, life: Life) -> Claim:
        page = next(page for page in life.places if (page, *life.key) in self._judged)
        claim = self._writer.make(self._judged[(page, *life.key)], self._read[page], life.folded, self._chronicle)
        life.ref = id_of(claim)
        self._claims[life.ref] = claim
        return claim

    def _write_place(self, claim: Claim, life: Life, page: int, lacking: int) -> None:
        place = self._places.get((life.ref, page))
        judged = self._judged.get((page, *life.key))
        reading = self._read.get(page)
        if place is None:
            if judged is None or reading is None:
                raise LookupError(f"claim {life.ref} stands on page {page}, which was not read")
            place = ClaimPlace(
                claim_id=id_of(claim),
                page_id=page,
                version_id=reading.version_id,
                start=judged.statement.start,
                end=judged.statement.end,
                lacking=lacking,
                last_seen=reading.seen,
            )
            self._places[life.ref, page] = place
            self._session.add(place)
            return
        place.lacking = lacking
        if lacking == 0 and reading is not None:
            place.last_seen = reading.seen
            if judged is not None:
                place.version_id, place.start, place.end = (
                    reading.version_id,
                    judged.statement.start,
                    judged.statement.end,
                )
        self._session.add(place)

    def _show_where_it_stands(self, claim: Claim, life: Life, *, is_described: bool) -> None:
        """Point the claim at a page that has it now: it may have moved."""
        if life.places.get(claim.page_id) != 0:
            claim.page_id = next(page for page, lacking in life.places.items() if lacking == 0)
        place = self._places[life.ref, claim.page_id]
        shown = (claim.version_id, claim.start, claim.end)
        if shown == (place.version_id, place.start, place.end) and not is_described:
            return  # it is quoted from there already
        claim.version_id, claim.start, claim.end = place.version_id, place.start, place.end
        text = self._text_of(place.version_id)[place.start : place.end]
        if text != claim.quote:
            claim.quote, claim.words_start, claim.words_end = text, 0, len(text)

    def _text_of(self, version_id: int) -> str:
        """A version's text; the last one is kept, for the claims of a page come one after the other."""
        if self._text is None or self._text[0] != version_id:
            statement = select(PageVersion.text).where(PageVersion.id == version_id)
            with self._session.no_autoflush:  # versions are written as they are made
                text = self._session.exec(statement).first()
            if text is None:
                raise LookupError(f"page version {version_id} is gone; the database was altered by hand")
            self._text = (version_id, text)
        return self._text[1]

    def _tell(self, kind: MoveKind, claim: Claim, before: str) -> None:
        revisions = self._writer.revisions(claim)
        detail = self._writer.detail(claim)
        if kind is MoveKind.REWORDED and len(revisions) > 1:
            detail |= {"before": revisions[-2].quote, "after": revisions[-1].quote, "before_folded": before}
        at = claim.ended_at if kind is MoveKind.WITHDRAWN and claim.ended_at else claim.last_seen
        self._chronicle.write(
            _KINDS[kind],
            Cause.SOURCE,
            object_kind="claim",
            object_id=id_of(claim),
            at=at,
            jurisdictions=self._writer.codes(claim),
            severity=claim.severity,
            detail=detail,
        )

    def _second_looks(self) -> list[str]:
        unsettled = {page for life in self._lives for page, lacking in life.places.items() if lacking == 1}
        return [self._read[page].page.url for page in sorted(unsettled) if page in self._read]
