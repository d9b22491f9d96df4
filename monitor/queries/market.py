"""The sites that are read: what each is built with, what was found on it, and what of it was not read."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.queries.facts import chunks, organisations_named, rehearsal_runs
from monitor.queries.reach import STANDING
from monitor.queries.rows import Named, SourceRow
from monitor.queries.sources import source_rows
from monitor.tables.db import reading
from monitor.tables.models import Claim, Page, PageVersion, Product, Run, RunState

_RUNS_BACK = 6
"""Runs in which the last one is looked for that read the site as a whole: a second look reads some pages alone."""
_UNREAD = "unread"
_ON_PAGES = "unread on pages: "
"""What a run says before what stands on pages and was not read."""
_NUMBER = re.compile(r"(\d+) ")
_ONE = re.compile(r"\b(image|script)\b")
_LISTED = 200
"""Pages and products that one site's account shows."""


@dataclass(frozen=True)
class SiteRow:
    """A site and how it stands. `flagged`, `for_review`: standing claims."""

    id: str
    title: str
    url: str
    configured: bool
    """False for a site that was taken out of the configuration; what was read of it stays."""
    state: str
    """`ok`, `quiet`, `stale`, `blind` or `off`; `new` if it was never read."""
    reason: str
    last_run_at: datetime | None
    last_read_at: datetime | None
    platforms: tuple[str, ...] = ()
    catalogues: Mapping[str, str] = field(default_factory=dict)
    """What each catalogue gave in the last whole reading: `catalog`, `empty`, `rate_limited` …"""
    pages: int = 0
    pages_gone: int = 0
    products: int = 0
    flagged: int = 0
    for_review: int = 0
    jurisdictions: tuple[str, ...] = ()
    """Those that its pages address, the most pages first."""
    unread: Mapping[str, int] = field(default_factory=dict)
    """What was not read in the last whole reading, and how much of it."""
    rehearsal: bool = False
    """Its last whole reading read no web."""


@dataclass(frozen=True)
class SitePage:
    """A page of a site, with its standing claims and its versions."""

    id: int
    url: str
    title: str
    state: str
    role: str
    versions: int
    claims: int
    last_read: datetime


@dataclass(frozen=True)
class SiteAccount:
    """Everything about one site. `addressed`: jurisdiction → pages, and one page's reason."""

    site: SiteRow
    organisations: tuple[Named, ...]
    addressed: tuple[tuple[str, int, str], ...]
    products: tuple[tuple[Named, int], ...]
    """Each with its standing claims, the most first."""
    pages: tuple[SitePage, ...]
    """The most claims first; at most 200."""
    pages_in_all: int
    left_out: Mapping[str, int]
    """What the last whole reading left out, by reason."""
    unread: Mapping[str, int]
    """What stands on its pages and was not read (pictures that may hold text …), and how much of it."""


def market(engine: Engine | None, config: Config, now: datetime) -> tuple[SiteRow, ...]:
    """Every site that is configured or was read, in the configuration's order. `engine` None: none was read yet."""
    rows = [row for row in source_rows(engine, config, (), now) if row.kind == "page"]
    if engine is None:
        return tuple(_row(row, config, SiteCounts()) for row in rows)
    with reading(engine) as session:
        counts = site_counts(session, [row.id for row in rows])
    return tuple(_row(row, config, counts.get(row.id, SiteCounts())) for row in rows)


def site(engine: Engine, config: Config, site_id: str, now: datetime) -> SiteAccount | None:
    """Everything about one site; None if it is neither configured nor was read."""
    row = next((one for one in market(engine, config, now) if one.id == site_id), None)
    if row is None:
        return None
    with reading(engine) as session:
        pages = session.exec(select(Page).where(Page.source_id == site_id)).all()
        named = organisations_named(session, (page.organisation_id for page in pages))
        on_page = _claims_by(session, site_id, Claim.page_id)
        shown = sorted(pages, key=lambda page: (-on_page.get(page.id, 0), page.state != "live", page.url))[:_LISTED]
        return SiteAccount(
            site=row,
            organisations=tuple(sorted(named.values(), key=lambda one: one.name)),
            addressed=_addressed(pages),
            products=_products(session, pages, _claims_by(session, site_id, Claim.product_id)),
            pages=_pages(session, shown, on_page),
            pages_in_all=len(pages),
            left_out=_last_whole(session, [site_id]).get(site_id, _Whole()).left_out,
            unread=_unread_on(session, site_id),
        )


@dataclass
class _Whole:
    """What the last reading of a whole site told."""

    platforms: tuple[str, ...] = ()
    catalogues: Mapping[str, str] = field(default_factory=dict)
    not_kept: Mapping[str, int] = field(default_factory=dict)
    rehearsal: bool = False

    @property
    def unread(self) -> dict[str, int]:
        """What is there and was not read; the rest was left out because it is no page of interest."""
        told = {why: number for why, number in self.not_kept.items() if _UNREAD in why or "beyond" in why}
        return {why.removeprefix(_ON_PAGES): number for why, number in told.items()}

    @property
    def left_out(self) -> dict[str, int]:
        """Without what was not read on pages that were kept: those are asked themselves."""
        return {why: number for why, number in self.not_kept.items() if not why.startswith(_ON_PAGES)}


@dataclass
class SiteCounts:
    """What was found on one site. `flagged`, `for_review`: standing claims."""

    whole: _Whole = field(default_factory=_Whole)
    pages: int = 0
    gone: int = 0
    products: int = 0
    flagged: int = 0
    for_review: int = 0
    addressed: Counter[str] = field(default_factory=Counter)


def _row(source: SourceRow, config: Config, counts: SiteCounts) -> SiteRow:
    never = source.state != "off" and source.last_run_at is None
    return SiteRow(
        id=source.id,
        title=source.title,
        url=source.address,
        configured=config.site_of(source.id) is not None,
        state="new" if never else source.state,
        reason="" if never or source.state == "off" else source.reason,
        last_run_at=source.last_run_at,
        last_read_at=source.last_success_at,
        platforms=counts.whole.platforms,
        catalogues=counts.whole.catalogues,
        pages=counts.pages,
        pages_gone=counts.gone,
        products=counts.products,
        flagged=counts.flagged,
        for_review=counts.for_review,
        jurisdictions=tuple(code for code, _ in counts.addressed.most_common()),
        unread=counts.whole.unread,
        rehearsal=counts.whole.rehearsal,
    )


def site_counts(session: Session, site_ids: list[str]) -> dict[str, SiteCounts]:
    found: dict[str, SiteCounts] = defaultdict(SiteCounts)
    for name, whole in _last_whole(session, site_ids).items():
        found[name].whole = whole
    for some in chunks(site_ids):
        for name, state, places in session.exec(
            select(Page.source_id, Page.state, Page.jurisdictions).where(col(Page.source_id).in_(some))
        ):
            found[name].pages += state == "live"
            found[name].gone += state != "live"
            found[name].addressed.update(one["code"] for one in places if state == "live")
        for name, decision, number in session.exec(
            select(Claim.source_id, Claim.decision, func.count())
            .where(col(Claim.source_id).in_(some), col(Claim.state).in_(STANDING))
            .group_by(Claim.source_id, Claim.decision)
        ):
            found[name].flagged += number if decision == "flag" else 0
            found[name].for_review += number if decision == "review" else 0
        for name, number in session.exec(
            select(Page.source_id, func.count(func.distinct(col(Product.id))))
            .join(Product, col(Product.host) == Page.host)
            .where(col(Page.source_id).in_(some))
            .group_by(Page.source_id)
        ):
            found[name].products = number
    return found


def _last_whole(session: Session, site_ids: Iterable[str]) -> dict[str, _Whole]:
    """Of each site, what its last good reading told that was no second look at some pages."""
    place = func.row_number().over(partition_by=Run.source_id, order_by=col(Run.finished_at).desc()).label("place")
    record = col(Run.record)
    told = (record["request"]["pages"], record["platforms"], record["catalogues"], record["not_kept"])
    rehearsed = rehearsal_runs(session)
    found: dict[str, _Whole] = {}
    for some in chunks(site_ids):
        latest = select(Run.id, place).where(col(Run.source_id).in_(some), Run.state == RunState.TAKEN_IN).subquery()
        rows = session.execute(
            sa_select(col(Run.source_id), col(Run.id), *told)
            .join(latest, latest.c.id == Run.id)
            .where(latest.c.place <= _RUNS_BACK)
            .order_by(col(Run.finished_at).desc())
        )
        for name, run, pages, platforms, catalogues, not_kept in rows:
            if not pages and name not in found:
                found[name] = _Whole(
                    tuple(platforms or ()), dict(catalogues or {}), dict(not_kept or {}), run in rehearsed
                )
    return found


def _claims_by(session: Session, site_id: str, column: Any) -> dict[Any, int]:
    statement = select(column, func.count()).where(Claim.source_id == site_id, col(Claim.state).in_(STANDING))
    return dict(session.exec(statement.group_by(column)).all())


def _unread_on(session: Session, site_id: str) -> dict[str, int]:
    """“the text in 3 images” and “the text in 1 image” are four; what has no number is one."""
    counted: Counter[str] = Counter()
    found = session.exec(
        select(col(PageVersion.document)["unread"])
        .join(Page, col(Page.current_version_id) == PageVersion.id)
        .where(Page.source_id == site_id, Page.state == "live")
    )
    for said in found:
        for words in said or ():
            number = _NUMBER.search(str(words))
            kind = _ONE.sub(r"\1s", _NUMBER.sub("", str(words), count=1))
            counted[kind] += int(number[1]) if number else 1
    return dict(counted)


def _addressed(pages: Iterable[Page]) -> tuple[tuple[str, int, str], ...]:
    counted: Counter[str] = Counter()
    why: dict[str, str] = {}
    for page in pages:
        for one in page.jurisdictions if page.state == "live" else ():
            counted[one["code"]] += 1
            why.setdefault(one["code"], str(one.get("why", "")))
    return tuple((code, number, why[code]) for code, number in counted.most_common())


def _products(session: Session, pages: Iterable[Page], claims: Mapping[Any, int]) -> tuple[tuple[Named, int], ...]:
    found: list[tuple[Named, int]] = []
    for some in chunks({page.host for page in pages}):
        for product, name in session.exec(select(Product.id, Product.name).where(col(Product.host).in_(some))):
            found.append((Named(product or 0, name), claims.get(product, 0)))
    return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0].name))[:_LISTED])


def _pages(session: Session, pages: Iterable[Page], claims: Mapping[Any, int]) -> tuple[SitePage, ...]:
    listed = list(pages)
    versions: dict[int, int] = {}
    for some in chunks(page.id for page in listed):
        counted = select(PageVersion.page_id, func.count()).where(col(PageVersion.page_id).in_(some))
        versions |= dict(session.exec(counted.group_by(col(PageVersion.page_id))).all())
    return tuple(
        SitePage(
            id=page.id or 0,
            url=page.url,
            title=page.title,
            state=page.state,
            role=page.role,
            versions=versions.get(page.id or 0, 0),
            claims=claims.get(page.id, 0),
            last_read=page.last_read,
        )
        for page in listed
    )
