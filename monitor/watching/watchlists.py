"""Watchlists: which events a team asked to be told of, and why each of them.

Matching is pure, and one scan serves all lists. A list matches an event that meets every criterion it gives.
Live matching and the trial over past days are the same code.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from ahocorasick_rs import AhoCorasick
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.config import Watchlist
from monitor.folding import Folded, fold
from monitor.tables.db import reading
from monitor.tables.models import Event, WatchMatch
from monitor.watching.views import EventView, Passage, views

SEVERITY_RANK = {"Low": 1, "Medium": 2, "High": 3}
ABOUT_SOURCES = frozenset({"source_blind", "source_recovered", "baseline_read"})
"""Events about our reading, not about sellers or regulators: met only by lists that name them under `events`."""
MANY_A_WEEK = 25
"""Above this, people stop reading (five for each working day)."""
BATCH = 500
_SPACE = re.compile(r"\s+")
_SPACE_TO_EVEN = re.compile(r" \s+|[^\S ]\s*")
"""Every run of white space but a single space, which is most of them and stays as it is."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uac00-\ud7a3\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, kana, Han and Hangul: written without spaces, or with endings joined on."""


@dataclass(frozen=True)
class Reason:
    """One criterion that was met: `quote` is what stands at `start:end` of the text in `place`."""

    criterion: str
    term: str
    quote: str
    start: int = 0
    end: int = 0
    place: str = ""

    def to_json(self) -> dict[str, str | int]:
        return {
            "criterion": self.criterion,
            "term": self.term,
            "quote": self.quote,
            "start": self.start,
            "end": self.end,
            "place": self.place,
        }


@dataclass(frozen=True)
class Match:
    """A watchlist that an event met, and why."""

    watchlist: str
    event_id: int
    why: tuple[Reason, ...]


def folded_term(term: str) -> str:
    """A term as it is looked for: look-alikes, case, accents and runs of white space evened out."""
    return _SPACE.sub(" ", fold(term).text).strip()


def folded_domain(domain: str) -> str:
    """`follica.example` for `https://www.Follica.example/shop`; international names in their ASCII form."""
    host = domain.strip().lower().partition("://")[2] or domain.strip().lower()
    host = re.split(r"[/:?#]", host, maxsplit=1)[0].removeprefix("*.").removeprefix("www.").strip(".")
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host


class _Evened:
    """Folded text with every run of white space as one space, and the way back to the offsets of the original."""

    def __init__(self, text: str) -> None:
        self.original = text
        self._folded: Folded = fold(text)
        parts: list[str] = []
        self._starts, self._removed = [0], [0]
        done = length = removed = 0
        for match in _SPACE_TO_EVEN.finditer(self._folded.text):
            piece = self._folded.text[done : match.start()]
            parts += (piece, " ")
            length += len(piece) + 1
            done = match.end()
            removed += len(match.group()) - 1
            self._starts.append(length)
            self._removed.append(removed)
        self.text = "".join(parts) + self._folded.text[done:] if parts else self._folded.text

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self._folded.span(self._at(start), self._at(end - 1) + 1)

    def _at(self, index: int) -> int:
        return index + self._removed[bisect_right(self._starts, index) - 1]


@dataclass(frozen=True)
class _Hit:
    """A term found whole in a passage."""

    passage: int
    start: int
    end: int


class Terms:
    """Many terms, looked for whole and all at once."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._terms = sorted({term for term in terms if term})
        self._automaton = AhoCorasick(self._terms, store_patterns=False) if self._terms else None

    def first_in(self, texts: Sequence[_Evened]) -> dict[str, _Hit]:
        """The first place of each term that stands somewhere in the texts."""
        found: dict[str, _Hit] = {}
        if self._automaton is None:
            return found
        for number, evened in enumerate(texts):
            text = evened.text
            for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
                term = self._terms[index]
                if term not in found and is_whole(text, start, end):
                    found[term] = _Hit(number, *evened.span(start, end))
        return found


def is_whole(text: str, start: int, end: int) -> bool:
    """True if no word goes on beyond either end. Scripts written without spaces have no such ends."""
    return not (
        (start > 0 and _joined(text[start - 1], text[start])) or (end < len(text) and _joined(text[end], text[end - 1]))
    )


def _joined(outside: str, inside: str) -> bool:
    if not _in_word(inside) or _UNSPACED.match(inside):
        return False
    return _in_word(outside) and not _UNSPACED.match(outside)


def _in_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


@dataclass(frozen=True)
class _Compiled:
    """A watchlist with its terms as they are looked for; each maps to the term as it was written."""

    watchlist: Watchlist
    terms: Mapping[str, str]
    exclude: Mapping[str, str]
    names: Mapping[str, str]
    domains: Mapping[str, str]

    @property
    def is_found_by_words(self) -> bool:
        return bool(self.watchlist.terms)


@dataclass
class Index:
    """Watchlists, made ready for matching. Make it once and use it for many events."""

    watchlists: Sequence[Watchlist]
    _by_term: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._compiled = [_compile(watchlist) for watchlist in self.watchlists]
        for number, each in enumerate(self._compiled):
            for term in each.terms:
                self._by_term[term].append(number)
        self._always = [number for number, each in enumerate(self._compiled) if not each.is_found_by_words]

    @cached_property
    def _words(self) -> Terms:
        return Terms(term for each in self._compiled for term in (*each.terms, *each.exclude))

    @cached_property
    def _names(self) -> Terms:
        return Terms(name for each in self._compiled for name in each.names)

    def match(self, event: EventView) -> list[Match]:
        """Every list that the event meets, in the lists' order, each with a reason for every criterion it gives."""
        texts = [_Evened(passage.text) for passage in event.passages]
        words = self._words.first_in(texts)
        names = self._names.first_in([_Evened(name) for name in event.names])
        candidates = {number for term in words for number in self._by_term.get(term, ())}
        matches = []
        for number in sorted(candidates.union(self._always)):
            each = self._compiled[number]
            why = _why(each, event, words, names)
            if why is not None:
                matches.append(Match(each.watchlist.name, event.id, tuple(why)))
        return matches


def match(event: EventView, watchlists: Sequence[Watchlist]) -> list[Match]:
    """The lists that one event meets. For many events make one `Index`."""
    return Index(watchlists).match(event)


def _compile(watchlist: Watchlist) -> _Compiled:
    return _Compiled(
        watchlist,
        {folded_term(term): term for term in watchlist.terms},
        {folded_term(term): term for term in watchlist.exclude},
        {folded_term(name): name for name in watchlist.names},
        {folded_domain(domain): domain for domain in watchlist.domains},
    )


def _why(
    each: _Compiled, event: EventView, words: Mapping[str, _Hit], names: Mapping[str, _Hit]
) -> list[Reason] | None:
    """Reasons, or None if a criterion is not met."""
    watchlist = each.watchlist
    if watchlist.until and event.at.date() > watchlist.until:
        return None
    if event.kind in ABOUT_SOURCES and event.kind not in watchlist.events:
        return None
    if any(term in words for term in each.exclude):
        return None
    checks: tuple[tuple[bool, list[Reason]], ...] = (
        (bool(each.terms), _word_reasons("term", each.terms, words, event.passages)),
        (bool(each.names), _word_reasons("name", each.names, names, [Passage("organisation", n) for n in event.names])),
        (bool(each.domains), _domain_reasons(each.domains, event.hosts)),
        (bool(watchlist.categories), _fact("category", [event.category], watchlist.categories)),
        (bool(watchlist.jurisdictions), _fact("jurisdiction", sorted(event.jurisdictions), watchlist.jurisdictions)),
        (watchlist.min_severity is not None, _severity_reason(watchlist.min_severity, event.severity)),
        (bool(watchlist.events), _fact("event", [event.kind], watchlist.events)),
    )
    if any(asked and not reasons for asked, reasons in checks):
        return None
    return [reason for asked, reasons in checks if asked for reason in reasons]


def _word_reasons(
    criterion: str, terms: Mapping[str, str], hits: Mapping[str, _Hit], passages: Sequence[Passage]
) -> list[Reason]:
    reasons = []
    for folded, written in terms.items():
        hit = hits.get(folded)
        if hit is not None:
            passage = passages[hit.passage]
            quote = passage.text[hit.start : hit.end]
            reasons.append(Reason(criterion, written, quote, hit.start, hit.end, passage.place))
    return reasons


def _domain_reasons(domains: Mapping[str, str], hosts: Sequence[str]) -> list[Reason]:
    reasons = []
    for host in hosts:
        name = folded_domain(host)
        for domain, written in domains.items():
            if name == domain or name.endswith(f".{domain}"):
                reasons.append(Reason("domain", written, host, 0, len(host), "host"))
    return reasons


def _fact(criterion: str, facts: Sequence[str], wanted: Sequence[str]) -> list[Reason]:
    return [Reason(criterion, fact, fact, 0, len(fact)) for fact in facts if fact and fact in wanted]


def _severity_reason(least: str | None, severity: str) -> list[Reason]:
    if least is None or SEVERITY_RANK.get(severity, 0) < SEVERITY_RANK[least]:
        return []
    return [Reason("severity", least, severity, 0, len(severity))]


def record_matches(session: Session, events: Sequence[Event], watchlists: Sequence[Watchlist], *, now: datetime) -> int:
    """Write down which of these events which list meets, and why, in the caller's transaction.

    Doing it again adds nothing. What a first reading brought is history and meets no list. Gives the number of
    matches that the events have now.
    """
    news = [event for event in events if not event.baseline]
    index = Index(watchlists)
    standing = _matches_of(session, [event.id for event in news if event.id is not None])
    count = 0
    for view in views(session, news) if watchlists else ():
        for match in index.match(view):
            count += 1
            if (match.watchlist, match.event_id) not in standing:
                why = [reason.to_json() for reason in match.why]
                session.add(WatchMatch(watchlist=match.watchlist, event_id=match.event_id, why=why, matched_at=now))
    session.flush()
    return count


def _matches_of(session: Session, events: Sequence[int]) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for start in range(0, len(events), 500):
        statement = select(WatchMatch.watchlist, WatchMatch.event_id)
        found |= set(session.exec(statement.where(col(WatchMatch.event_id).in_(events[start : start + 500]))).all())
    return found


@dataclass(frozen=True)
class Trial:
    """What a list would have caught in some days. `history`: of what first readings brought, which is never told."""

    since: datetime
    until: datetime
    caught: tuple[tuple[EventView, Match], ...]
    events: int
    history: int = 0

    @property
    def a_week(self) -> float:
        return len(self.caught) / max((self.until - self.since).days / 7, 1)

    @property
    def is_noisy(self) -> bool:
        return self.a_week > MANY_A_WEEK


def try_list(engine: Engine, watchlist: Watchlist, *, days: int, now: datetime) -> Trial:
    """What a list would have caught in the past days, by the same code that matches live."""
    index = Index([watchlist])
    caught: list[tuple[EventView, Match]] = []
    events = history = last = 0
    since = now - timedelta(days=days)
    with reading(engine) as session:
        while batch := _batch(session, since, last):
            last = batch[-1].id or 0
            for view in views(session, batch):
                found = index.match(view)
                if view.baseline:
                    history += len(found)
                else:
                    events += 1
                    caught += [(view, match) for match in found]
    return Trial(since, now, tuple(caught), events, history)


def _batch(session: Session, since: datetime, last: int) -> Sequence[Event]:
    statement = select(Event).where(Event.at >= since, col(Event.id) > last)
    return session.exec(statement.order_by(col(Event.id)).limit(BATCH)).all()
