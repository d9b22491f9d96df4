"""Full-text search over claims, notices, products and organisations.

SQLite looks through an FTS5 table, PostgreSQL through a generated tsvector column. Both are given words that
were already folded and cut apart here, so that both find the same: look-alikes, accents and case are gone, and
scripts written without spaces are cut into single characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, func, or_, text
from sqlmodel import Session, col, select

from monitor.reading.text import fold
from monitor.tables.db import UtcDateTime, id_of, reading
from monitor.tables.models import Organisation, OrganisationAlias, SearchDocument

BOUND = 1000
"""Above it, matches are neither counted nor ranked: the most recently recorded ones are shown, and "1,000+"."""
LONGEST_DOCUMENT = 300_000
"""Characters looked through. A tsvector holds 1 MB of distinct words; no notice comes near with this."""
LONGEST_WORD = 64
MOST_WORDS = 32
SNIPPET = 240

_UNSPACED = "\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')

_SQLITE = (
    """CREATE VIEW search_fts_source AS SELECT id, folded,
        'k' || kind || ' s' || lower(severity) || replace(rtrim(jurisdictions, ','), ',', ' j') AS tags
        FROM search_document""",
    """CREATE VIRTUAL TABLE search_fts USING fts5(folded, tags, content='search_fts_source', content_rowid='id',
        tokenize="unicode61 remove_diacritics 0", prefix='2 3')""",
    """CREATE TRIGGER search_document_added AFTER INSERT ON search_document BEGIN
        INSERT INTO search_fts(rowid, folded, tags) SELECT id, folded, tags FROM search_fts_source WHERE id = new.id;
        END""",
    """CREATE TRIGGER search_document_changing BEFORE UPDATE ON search_document BEGIN
        INSERT INTO search_fts(search_fts, rowid, folded, tags)
        SELECT 'delete', id, folded, tags FROM search_fts_source WHERE id = old.id; END""",
    """CREATE TRIGGER search_document_changed AFTER UPDATE ON search_document BEGIN
        INSERT INTO search_fts(rowid, folded, tags) SELECT id, folded, tags FROM search_fts_source WHERE id = new.id;
        END""",
    """CREATE TRIGGER search_document_removing BEFORE DELETE ON search_document BEGIN
        INSERT INTO search_fts(search_fts, rowid, folded, tags)
        SELECT 'delete', id, folded, tags FROM search_fts_source WHERE id = old.id; END""",
)
_POSTGRESQL = (
    """ALTER TABLE search_document ADD COLUMN search_fts tsvector
        GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, folded)) STORED""",
    "CREATE INDEX search_fts_words ON search_document USING gin (search_fts)",
)


@dataclass(frozen=True)
class Piece:
    """A stretch of text that the query met, or one between two such."""

    text: str
    marked: bool = False


@dataclass(frozen=True)
class SearchHit:
    """Something found. `kind` and `object_id` say what."""

    kind: str
    object_id: int
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]
    jurisdictions: tuple[str, ...]
    severity: str
    seen_at: datetime


@dataclass(frozen=True)
class SearchPage:
    """One page of hits. Facets count all matches or, where there are more than `BOUND`, the newest of them."""

    hits: tuple[SearchHit, ...] = ()
    total: int = 0
    bounded: bool = False
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    @property
    def total_text(self) -> str:
        return f"{self.total:,}+" if self.bounded else f"{self.total:,}"


@dataclass(frozen=True)
class Term:
    """Words that must follow each other; the last may be the beginning of a word."""

    words: tuple[str, ...]
    prefix: bool = False


def install(connection: Connection) -> None:
    """Make the index on a database that has the table `search_document`, and fill it."""
    if connection.dialect.name == "sqlite":
        for statement in _SQLITE:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("INSERT INTO search_fts(search_fts) VALUES ('rebuild')")
    else:
        for statement in _POSTGRESQL:
            connection.exec_driver_sql(statement)


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    # Only letters of alphabets with accents: taking the marks off kana or Indic letters changes what they say.
    if character < "\u00c0" or not (character < "\u0530" or "\u1e00" <= character <= "\u1fff"):
        return character
    return "".join(c for c in unicodedata.normalize("NFD", character) if not unicodedata.combining(c))


def _words(original: str) -> list[tuple[str, int, int]]:
    """Folded words with the place each has in the text as given."""
    folded = fold(original)
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(folded.text):
        for letter in _plain(character):
            letters.append(letter)
            places.append(place)
    found = []
    for match in _WORD.finditer("".join(letters)):
        start, end = folded.span(places[match.start()], places[match.end() - 1] + 1)
        found.append((match.group()[:LONGEST_WORD], start, end))
    return found


def fold_query(query: str) -> str:
    """The words of a text as the index holds them, with single spaces between."""
    return " ".join(word for word, _, _ in _words(query))


def parse(query: str) -> tuple[Term, ...]:
    """What a query asks for: words, "phrases in quotes" and beginnings* of words, all of which must be met."""
    terms: list[Term] = []
    room = MOST_WORDS
    for match in _PART.finditer(query[:1000]):
        phrase, word = match.groups()
        words = tuple(fold_query(phrase if phrase is not None else word).split())[:room]
        if words:
            # One letter's beginnings are nearly all words: not worth the time.
            prefix = phrase is None and word.endswith("*") and len(words[-1]) > 1
            terms.append(Term(words, prefix))
            room -= len(words)
    return tuple(terms)


def index(
    session: Session,
    kind: str,
    object_id: int,
    *,
    title: str,
    body: str,
    seen_at: datetime,
    jurisdictions: Iterable[str] = (),
    severity: str = "",
) -> None:
    """Let something be found, or found by its new words. Part of the session's transaction."""
    session.flush()
    found = session.exec(
        select(SearchDocument).where(SearchDocument.kind == kind, SearchDocument.object_id == object_id)
    ).first()
    codes = sorted(set(jurisdictions))
    values: dict[str, Any] = {
        "title": title.replace("\0", ""),
        "body": body[:LONGEST_DOCUMENT].replace("\0", ""),
        "folded": fold_query(f"{title}\n{body[:LONGEST_DOCUMENT]}"),
        "jurisdictions": f",{','.join(codes)}," if codes else "",
        "severity": severity,
        "seen_at": seen_at,
    }
    if found is None:
        session.add(SearchDocument(kind=kind, object_id=object_id, **values))
    else:
        for name, value in values.items():
            setattr(found, name, value)
    session.flush()


def newest_alias(session: Session) -> int:
    """What `index_organisations` is told to go on after."""
    return session.exec(select(func.max(OrganisationAlias.id))).one() or 0


def index_organisations(session: Session, after: int) -> None:
    """Let organisations be found by each of their names and hosts.

    Those that got one since `after`, and those that were never let be found.
    """
    held = select(SearchDocument.object_id).where(SearchDocument.kind == "organisation")
    tied = select(OrganisationAlias.organisation_id).where(col(OrganisationAlias.id) > after)
    wanted = or_(col(Organisation.id).in_(tied), col(Organisation.id).not_in(held))
    for one in session.exec(select(Organisation).where(wanted).order_by(col(Organisation.id))).all():
        called = select(OrganisationAlias.value).where(
            OrganisationAlias.organisation_id == one.id, col(OrganisationAlias.kind).in_(("name", "host"))
        )
        names = session.exec(called.order_by(col(OrganisationAlias.id))).all()
        index(
            session,
            "organisation",
            id_of(one),
            title=one.name,
            body="\n".join(dict.fromkeys(names)),
            seen_at=one.first_seen,
        )


def search(
    engine: Engine,
    query: str,
    *,
    jurisdiction: str = "",
    kind: str = "",
    category: str = "",
    severity: str = "",
    since: datetime | None = None,
    limit: int = 20,
    offset: int = 0,
) -> SearchPage:
    """What meets every word of the query and every filter given; an empty query meets everything.

    Never raises for what a person typed: a query without a single letter or digit finds nothing.
    """
    terms = parse(query)
    if query.strip() and not terms:
        return SearchPage()
    tags = {"k": kind, "s": severity.lower(), "j": jurisdiction}
    tags = {letter: value for letter, value in tags.items() if value}
    if any(not re.fullmatch(r"[a-z_]+", value) for value in tags.values()):
        return SearchPage()
    with reading(engine) as session:
        ids, bounded = _matches(session, terms, tags, category, since)
        if not ids:
            return SearchPage()
        shown = session.execute(
            text("SELECT kind, object_id, title, body, jurisdictions, severity, seen_at, id FROM search_document "
                 "WHERE id IN :ids").bindparams(bindparam("ids", expanding=True)).columns(seen_at=UtcDateTime()),
            {"ids": ids[offset : offset + limit] or [-1]},
        ).all()  # fmt: skip
        place = {key: number for number, key in enumerate(ids)}
        hits = tuple(_hit(row, terms) for row in sorted(shown, key=lambda row: place[row.id]))
        return SearchPage(hits, len(ids), bounded, _facets(session, ids))


def _matches(
    session: Session, terms: Sequence[Term], tags: Mapping[str, str], category: str, since: datetime | None
) -> tuple[list[int], bool]:
    """Ids, best first; and whether there are more than are given."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    tables, conditions, values = ["search_document d"], ["TRUE"], dict[str, Any]()
    if sqlite and (terms or tags):
        tables.append("JOIN search_fts ON search_fts.rowid = d.id")
        conditions.append("search_fts MATCH :match")
        values["match"] = _fts5(terms, tags)
    if not sqlite:
        if terms:
            conditions.append("d.search_fts @@ to_tsquery('simple', :match)")
            values["match"] = " & ".join(_tsquery(term) for term in terms)
        columns = {"k": "d.kind = :k", "s": "lower(d.severity) = :s", "j": "d.jurisdictions LIKE :j"}
        conditions += [columns[letter] for letter in tags]
        values |= {letter: f"%,{value},%" if letter == "j" else value for letter, value in tags.items()}
    if category:
        conditions.append("d.kind = 'claim' AND d.object_id IN (SELECT id FROM claim WHERE category = :category)")
        values["category"] = category.replace("\0", "")
    if since:
        conditions.append("d.seen_at >= :since")
        values["since"] = since
    newest = "search_fts.rowid" if len(tables) > 1 else "d.id"
    ranked = "bm25(search_fts, 1.0, 0.0)" if sqlite else "-ts_rank_cd(d.search_fts, to_tsquery('simple', :match), 1)"
    statement = f"SELECT {newest} FROM {' '.join(tables)} WHERE {' AND '.join(conditions)}"  # noqa: S608
    found = _ids(session, f"{statement} ORDER BY {newest} DESC LIMIT {BOUND + 1}", values)
    if len(found) > BOUND:
        return found[:BOUND], True
    if terms and found:
        return _ids(session, f"{statement} ORDER BY {ranked}, {newest} DESC", values), False
    return found, False


def _ids(session: Session, statement: str, values: Mapping[str, Any]) -> list[int]:
    prepared = text(statement)
    if "since" in values:
        prepared = prepared.bindparams(bindparam("since", type_=UtcDateTime()))
    return [row[0] for row in session.execute(prepared, dict(values))]


def _fts5(terms: Sequence[Term], tags: Mapping[str, str]) -> str:
    # Words hold letters and digits alone, so that nothing in them can be read as syntax.
    parts = [f'folded : "{" ".join(term.words)}"{" *" if term.prefix else ""}' for term in terms]
    parts += [f'tags : "{letter}{value}"' for letter, value in tags.items()]
    return " AND ".join(parts)


def _tsquery(term: Term) -> str:
    words = [f"'{word}'" for word in term.words]
    if term.prefix:
        words[-1] += ":*"
    return f"({' <-> '.join(words)})"


def _facets(session: Session, ids: Sequence[int]) -> dict[str, tuple[tuple[str, int], ...]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("kind", "jurisdiction", "severity", "category")}
    statement = text(
        "SELECT d.kind, d.jurisdictions, d.severity, c.category FROM search_document d "
        "LEFT JOIN claim c ON d.kind = 'claim' AND c.id = d.object_id WHERE d.id IN :ids"
    ).bindparams(bindparam("ids", expanding=True))
    for kind, jurisdictions, severity, category in session.execute(statement, {"ids": list(ids)}):
        counts["kind"][kind] += 1
        counts["jurisdiction"].update(code for code in jurisdictions.split(",") if code)
        counts["severity"].update([severity] if severity else [])
        counts["category"].update([category] if category else [])
    return {name: tuple(sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))) for name, count in counts.items()}


def _hit(row: Row[Any], terms: Sequence[Term]) -> SearchHit:
    return SearchHit(
        kind=row.kind,
        object_id=row.object_id,
        title=mark(row.title, terms),
        snippet=mark(_window(row.body, terms), terms),
        jurisdictions=tuple(code for code in row.jurisdictions.split(",") if code),
        severity=row.severity,
        seen_at=row.seen_at,
    )


def _window(body: str, terms: Sequence[Term]) -> str:
    """The part of a text to show: around the first word met, or its beginning."""
    if len(body) <= SNIPPET:
        return body
    at = _first_place(body, terms)
    start = max(0, at - SNIPPET // 3)
    if start:
        start = body.find(" ", start, at) + 1 or start
    end = min(len(body), start + SNIPPET)
    if end < len(body):
        end = max(body.rfind(" ", start + SNIPPET // 2, end), start + SNIPPET // 2)
    return f"{'…' if start else ''}{body[start:end].strip()}{'…' if end < len(body) else ''}"


def _first_place(body: str, terms: Sequence[Term]) -> int:
    # Folding a long text takes long: a plain look first, then folded, a stretch at a time.
    lowered = body.lower()
    plain = [place for term in terms if (place := lowered.find(" ".join(term.words))) >= 0]
    if plain and len(lowered) == len(body):
        return min(plain)
    for begin in range(0, min(len(body), 20_000), 2000):
        spans = _spans(_words(body[begin : begin + 2200]), terms)
        if spans:
            return begin + spans[0][0]
    return 0


def mark(original: str, terms: Sequence[Term]) -> tuple[Piece, ...]:
    """A text in pieces, those marked that the query meets."""
    pieces: list[Piece] = []
    done = 0
    for start, end in _spans(_words(original), terms) if terms else ():
        if start > done:
            pieces.append(Piece(original[done:start]))
        if end > max(start, done):
            pieces.append(Piece(original[max(start, done) : end], marked=True))
            done = end
    if done < len(original):
        pieces.append(Piece(original[done:]))
    return tuple(pieces)


def _spans(words: Sequence[tuple[str, int, int]], terms: Sequence[Term]) -> list[tuple[int, int]]:
    found = set()
    for term in terms:
        length = len(term.words)
        for number in range(len(words) - length + 1):
            run = [word for word, _, _ in words[number : number + length]]
            last = run[-1].startswith(term.words[-1]) if term.prefix else run[-1] == term.words[-1]
            if last and tuple(run[:-1]) == term.words[:-1]:
                found.add((words[number][1], words[number + length - 1][2]))
    return sorted(found)
