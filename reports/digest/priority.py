"""What matters most in a period: at most a handful of lines, by a stated rule, each with its reasons.

The weights are data (`priority.yaml`). Points are whole numbers and ties are broken by severity, time and number, so
that the same stored data give the same lines everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from monitor.queries.week_rows import ClaimChange, NoticeNews, RegisteredNews, Week
from reports.digest.sections import places, rank, severity
from reports.digest.view import PriorityLine, Weighed
from reports.render import language_tag, short

LONGEST_LABEL = 240
DISMISSED = "dismissed"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Each(_Data):
    """Points for each further one, up to the most."""

    each: int = Field(ge=0)
    most: int = Field(ge=0)

    def of(self, further: int) -> int:
        return min(self.most, self.each * max(further, 0))


class Weights(_Data):
    """`priority.yaml`."""

    schema_: Literal[1] = Field(alias="schema")
    date: date
    source: str = Field(min_length=20)
    lines: int = Field(ge=1, le=5)
    least: int
    lines_of_one: int = Field(ge=1)
    severity: Mapping[str, int]
    change: Mapping[str, int]
    notice: Mapping[str, int]
    notice_updated: int
    notice_type: Mapping[str, int]
    registered: Mapping[str, int]
    reach: Each
    places: Each
    watch: Each


@cache
def weights() -> Weights:
    """The weights that ship with the reports."""
    return Weights.model_validate(
        yaml.safe_load(files("reports.digest").joinpath("priority.yaml").read_text(encoding="utf-8"))
    )


@dataclass(frozen=True)
class _Candidate:
    line: PriorityLine
    one: str
    """Firm or authority: of one, few lines stand."""
    same: str
    """The same wording or document: told once."""
    order: tuple[int, int, float, str]


def priorities(week: Week, law: Weights | None = None) -> tuple[PriorityLine, ...]:
    """The lines, the weightiest first. `law`: left out, the weights that ship."""
    rule = law or weights()
    lists = {hit.event.id: set[str]() for hit in week.watch}
    for hit in week.watch:
        lists[hit.event.id].add(hit.watchlist)
    found = sorted(_candidates(week, rule, lists), key=lambda one: one.order)
    chosen: list[_Candidate] = []
    of_one: Counter[str] = Counter()
    further: Counter[str] = Counter()
    told: set[str] = set()
    for candidate in found:
        if candidate.line.points < rule.least or candidate.same in told:
            continue
        told.add(candidate.same)
        if of_one[candidate.one] < rule.lines_of_one and len(chosen) < rule.lines:
            of_one[candidate.one] += 1
            chosen.append(candidate)
        else:
            further[candidate.one] += 1
    return tuple(each.line.model_copy(update={"also": further[each.one]}) for each in chosen)


def _candidates(week: Week, rule: Weights, lists: Mapping[int, set[str]]) -> Iterator[_Candidate]:
    by_notice = {hit.event.object_id: lists[hit.event.id] for hit in week.watch if hit.event.object_kind == "notice"}
    for change in week.claims:
        if change.claim.review_state != DISMISSED:
            yield _claim(change, rule, lists.get(change.event.id, set()), week.reach.get(change.claim.id, 1))
    for news in (*week.notices_new, *week.notices_updated):
        if news.notice.tier in rule.notice:
            yield _notice(news, rule, by_notice.get(str(news.notice.id), set()))
    for one in week.registered:
        if one.tier != "other":
            yield _registered(one, rule, lists.get(one.event.id, set()))


def _claim(change: ClaimChange, rule: Weights, lists: Iterable[str], reach: int) -> _Candidate:
    claim, found = change.claim, severity(change, None)
    where = tuple(code for code in places(change) if code)
    because = (
        Weighed(what="severity", value=found, points=rule.severity.get(found, 0)),
        Weighed(what="change", value=change.event.kind, points=rule.change.get(change.event.kind, 0)),
        Weighed(what="reach", value=str(reach), points=rule.reach.of(reach - 1)),
        Weighed(what="places", value=str(len(where)), points=rule.places.of(len(where) - 1)),
        *_watched(lists, rule),
    )
    who = claim.organisation.name if claim.organisation else claim.host
    line = PriorityLine(
        kind="claim",
        event=change.event.kind,
        label=short(change.quote, LONGEST_LABEL),
        language=language_tag(claim.language),
        who=who,
        severity=found,
        category=claim.category,
        places=where,
        at=change.event.at,
        path=f"/claims/{claim.id}",
        url=claim.page_url,
        points=_sum(because),
        because=_counted(because),
        also=0,
    )
    return _Candidate(
        line, f"firm {who}", f"words {' '.join(change.quote.casefold().split())}", _order(line, change.event.at)
    )


def _notice(news: NoticeNews, rule: Weights, lists: Iterable[str]) -> _Candidate:
    notice = news.notice
    because = (
        Weighed(what="notice", value=notice.tier, points=rule.notice[notice.tier]),
        Weighed(what="kind", value=notice.notice_type, points=rule.notice_type.get(notice.notice_type, 0)),
        Weighed(what="change", value="notice_updated", points=rule.notice_updated if news.updated else 0),
        *_watched(lists, rule),
    )
    line = PriorityLine(
        kind="notice",
        event="notice_updated" if news.updated else "notice_published",
        label=short(notice.title, LONGEST_LABEL),
        language=language_tag(notice.language),
        who=notice.authority,
        severity="",
        category="",
        places=(notice.jurisdiction,),
        at=news.at,
        path=f"/notices/{notice.id}",
        url=notice.url,
        points=_sum(because),
        because=_counted(because),
        also=0,
    )
    # A letter stands for the firm it names: two letters of one office to two firms are two things.
    named = notice.organisations[0].name if notice.organisations else f"{notice.authority} {notice.id}"
    return _Candidate(line, f"firm {named}", f"notice {notice.id}", _order(line, news.at))


def _registered(one: RegisteredNews, rule: Weights, lists: Iterable[str]) -> _Candidate:
    event = one.event
    because = (
        Weighed(what="change", value=event.kind, points=rule.registered.get(event.kind, 0)),
        *_watched(lists, rule),
    )
    line = PriorityLine(
        kind="registered",
        event=event.kind,
        label=short(one.title, LONGEST_LABEL),
        language="",
        who=", ".join(one.organisations),
        severity="",
        category="",
        places=event.jurisdictions,
        at=event.at,
        path=f"/{event.object_kind}s/{event.object_id}",
        url=one.url,
        points=_sum(because),
        because=_counted(because),
        also=0,
    )
    key = f"{event.object_kind} {event.object_id}"
    return _Candidate(line, key, key, _order(line, event.at))


def _watched(lists: Iterable[str], rule: Weights) -> tuple[Weighed, ...]:
    names = sorted(lists)
    return (Weighed(what="watch", value=", ".join(names), points=rule.watch.of(len(names))),) if names else ()


def _sum(because: Iterable[Weighed]) -> int:
    return sum(one.points for one in because)


def _counted(because: Iterable[Weighed]) -> tuple[Weighed, ...]:
    return tuple(one for one in because if one.points)


def _order(line: PriorityLine, at: datetime) -> tuple[int, int, float, str]:
    kind, number = line.path.strip("/").split("/")
    return -line.points, rank(line.severity), at.timestamp(), f"{kind} {int(number):020}"
