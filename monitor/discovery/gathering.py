"""Leads written down: links on known sellers' pages, candidates of a sweep, addresses that Common Crawl has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine
from sqlmodel import Session, select

from monitor.classify.gate import gate
from monitor.config import Config
from monitor.discovery.screening import Candidate
from monitor.evidence.recomputed import payload_of
from monitor.evidence.runfolder import EvidenceError
from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.reading.text import source_of
from monitor.records import UtcDatetime
from monitor.tables.db import id_of, transaction
from monitor.tables.leads import LeadKind, LinksRead, SiteLead
from monitor.tables.models import Capture, Page, PageVersion
from monitor.webname import may_be_seller, site_name, site_of

_VERSIONS_A_STEP = 200
_LINKS_READ = 3_000
"""Links of one page that are looked at."""
_TEXT_KEPT = 120


class LinesError(Exception):
    """A file of leads cannot be taken in; the message names file and line."""


class SweptLine(BaseModel):
    """A line of a sweep's output."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str
    seen_at: UtcDatetime
    tier: Literal["core", "adjacent"]
    role: str
    names: tuple[str, ...] = ()
    why: tuple[str, ...] = Field(min_length=1)
    archive: str = ""


class CapturedLine(BaseModel):
    """A line of `addresses.jsonl`, as `python -m crawler commoncrawl` writes it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str
    seen_at: UtcDatetime
    crawl: str
    telling: int = Field(ge=-1, le=3)


@dataclass(frozen=True)
class Gathered:
    """What came of gathering: leads that are new, versions looked at, and what could not be read."""

    new: int
    looked_at: int
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A link to another site. `names_product`: its words or its address name exosomes or stem cells."""

    url: str
    site: str
    text: str
    names_product: bool


def links_in(html: bytes, content_type: str, page_url: str, knowledge: Knowledge) -> Iterator[Link]:
    """The links of a page to sites that may be sellers', each address once."""
    own = site_of(page_url)
    names = gate(knowledge)
    seen: set[str] = set()
    for node in LexborHTMLParser(source_of(html, content_type)).css("a[href]")[:_LINKS_READ]:
        try:
            url = urljoin(page_url, (node.attributes.get("href") or "").strip())
            parts = urlsplit(url)
        except ValueError:  # a broken address on the page leads nowhere
            continue
        site = site_of(url) if parts.scheme in ("http", "https") else ""
        if url in seen or site == own or not may_be_seller(site):
            continue
        seen.add(url)
        text = " ".join(node.text().split())[:_TEXT_KEPT]
        said = f"{text} {unquote(parts.path)} {parts.hostname}".replace("-", " ").replace("_", " ")
        yield Link(url[:2000], site, text, names.names_product(fold(said).text))


def gather_links(
    engine: Engine, config: Config, knowledge: Knowledge, *, told: Callable[[int], None] | None = None
) -> Gathered:
    """Look at the links of every page version that was not looked at yet. What cannot be read is tried again later."""
    new = looked_at = last = 0
    unread: list[str] = []
    while True:
        with transaction(engine) as session:
            versions = _versions(session, last)
            for version, page, capture in versions:
                last = id_of(version)
                try:
                    payload = payload_of(session, capture, config)
                    body = payload.body()
                except EvidenceError as error:
                    unread.append(f"{page.url}: {error}")
                    continue
                if "html" in payload.content_type.lower() or not payload.content_type:
                    for link in links_in(body, payload.content_type, page.url, knowledge):
                        new += _add(session, _linked(link, page, version.read_at))
                session.add(LinksRead(version_id=last))
                looked_at += 1
        if not versions:
            return Gathered(new, looked_at, tuple(unread))
        if told:
            told(looked_at)


def _versions(session: Session, after: int) -> list[tuple[PageVersion, Page, Capture]]:
    statement = (
        select(PageVersion, Page, Capture)
        .join(Page, Page.id == PageVersion.page_id)  # type: ignore[arg-type]
        .join(Capture, Capture.id == PageVersion.capture_id)  # type: ignore[arg-type]
        .outerjoin(LinksRead, LinksRead.version_id == PageVersion.id)  # type: ignore[arg-type]
        .where(LinksRead.version_id.is_(None), PageVersion.id > after)  # type: ignore[attr-defined, operator]
        .order_by(PageVersion.id)  # type: ignore[arg-type]
        .limit(_VERSIONS_A_STEP)
    )
    return [(version, page, capture) for version, page, capture in session.exec(statement)]


def _linked(link: Link, page: Page, at: datetime) -> SiteLead:
    seller = site_name(page.host)
    return SiteLead(
        site=link.site,
        kind=LeadKind.LINKED,
        key=_key(seller, link.url),  # a link in a seller's footer stands on all its pages: it is one lead
        url=link.url,
        found_on=page.url,
        strong=link.names_product,
        detail={"text": link.text, "seller": seller},
        seen_at=at,
    )


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _add(session: Session, lead: SiteLead) -> bool:
    """True if it is new."""
    same = select(SiteLead.id).where(SiteLead.site == lead.site, SiteLead.kind == lead.kind, SiteLead.key == lead.key)
    if session.exec(same).first() is not None:
        return False
    session.add(lead)
    session.flush()
    return True


def add_candidates(engine: Engine, candidates: Iterable[Candidate]) -> Gathered:
    """Take candidates of a sweep up that lie in memory."""
    rows = [SweptLine.model_validate(vars(candidate)) for candidate in candidates]
    return _add_all(engine, [lead for row in rows if (lead := _swept(row)) is not None])


def add_file(engine: Engine, file: Path) -> Gathered:
    """Take up a sweep's output or a Common Crawl run's `addresses.jsonl`: all of it or nothing. Raises LinesError."""
    return _add_all(engine, list(_leads_of(file)))


def _add_all(engine: Engine, leads: list[SiteLead]) -> Gathered:
    with transaction(engine) as session:
        return Gathered(sum(_add(session, lead) for lead in leads), len(leads))


def _leads_of(file: Path) -> Iterator[SiteLead]:
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                lead = _lead_of(line, f"{file}:{number}")
                if lead is not None:
                    yield lead
    except (OSError, UnicodeDecodeError) as error:
        raise LinesError(f"{file}: cannot be read: {error}") from error


def _lead_of(line: str, where: str) -> SiteLead | None:
    try:
        told: Mapping[str, Any] = json.loads(line)
        if "telling" in told:
            return _captured(CapturedLine.model_validate(told))
        return _swept(SweptLine.model_validate(told))
    except ValidationError as error:
        flaws = "; ".join(f"{'.'.join(map(str, flaw['loc']))}: {flaw['msg']}" for flaw in error.errors())
        raise LinesError(f"{where}: neither a sweep's candidate nor an address of Common Crawl: {flaws}") from error
    except (ValueError, TypeError) as error:
        raise LinesError(f"{where}: no line of JSON: {error}") from error


def _swept(row: SweptLine) -> SiteLead | None:
    detail = {"tier": row.tier, "role": row.role, "names": list(row.names), "why": list(row.why)}
    return _lead(LeadKind.SWEPT, row.url, row.archive, row.seen_at, strong=row.tier == "core", detail=detail)


def _captured(row: CapturedLine) -> SiteLead | None:
    if row.telling < 2:
        return None
    return _lead(LeadKind.CAPTURED, row.url, row.crawl, row.seen_at, strong=row.telling == 3, detail={})


def _lead(
    kind: LeadKind, url: str, found_on: str, at: datetime, *, strong: bool, detail: dict[str, Any]
) -> SiteLead | None:
    site = site_of(url)
    if not may_be_seller(site):
        return None
    return SiteLead(
        site=site, kind=kind, key=_key(url), url=url[:2000], found_on=found_on, strong=strong, detail=detail, seen_at=at
    )
