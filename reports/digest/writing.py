"""The digest of a period: gathered once from what is stored, then written in the forms that are asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor import queries
from monitor.config import Config
from reports.digest.assemble import build
from reports.digest.formats import as_html, as_json, as_mail, as_pdf, as_text
from reports.digest.headline import lead
from reports.digest.view import Digest
from reports.files import write_whole
from reports.law import Law
from reports.period import Period

__all__ = ["FORMATS", "USUAL", "Written", "as_html", "as_text", "build", "gather", "lead", "name_of", "write"]

FORMATS = ("html", "txt", "pdf", "json", "eml")
USUAL = ("html", "txt", "json")
"""What is written where nothing is asked for. JSON is always written: the site shows digests from it."""


@dataclass(frozen=True)
class Written:
    """The files of a digest by their form, and what they say."""

    files: Mapping[str, Path]
    digest: Digest

    @property
    def html(self) -> Path:
        return self.files["html"]

    @property
    def text(self) -> Path:
        return self.files["txt"]

    @property
    def json(self) -> Path:
        return self.files["json"]


def gather(
    engine: queries.Engine,
    config: Config,
    period: Period,
    now: datetime,
    *,
    law: Law,
    jurisdictions: tuple[str, ...] = (),
    watchlists: tuple[str, ...] = (),
    language: str = "",
) -> Digest:
    """The digest of a period from what is stored. What is asked for goes before the configuration.

    It tells what was known at the period's end, or by the last reading where the period is not over: `now` decides
    no more than which of the two it is. Raises ValueError for a watchlist that the configuration does not have.
    """
    _known_watchlists(config, watchlists)
    wanted = jurisdictions or config.digest.jurisdictions
    spoken = language or config.digest.language
    found = queries.week(engine, period.start, period.end, wanted or None, period.timezone, watchlists or None)
    known = period.end if now >= period.end else queries.last_learnt(engine, period.end) or period.start
    return build(
        found,
        period,
        config,
        law=law,
        known=known,
        name=name_of(period, config, jurisdictions, watchlists, spoken),
        wanted=wanted,
        asked=jurisdictions,
        watchlists=watchlists,
        language=spoken,
    )


def name_of(
    period: Period, config: Config, jurisdictions: Sequence[str], watchlists: Sequence[str], language: str
) -> str:
    """`2026-W47`, `2026-W47-uk`, `2026-W47-watch-hair-growth-3f2a`, `2026-W47.de`: no part takes the whole's place."""
    parts = [period.name, *jurisdictions, *(f"watch-{_slug(name)}" for name in watchlists)]
    return "-".join(parts) + (f".{language}" if language != config.digest.language else "")


def _slug(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40]
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:4]}".strip("-")


def _known_watchlists(config: Config, names: Sequence[str]) -> None:
    held = [watchlist.name for watchlist in config.watchlists]
    for name in names:
        if name not in held:
            there = f"there are: {', '.join(held)}" if held else "the configuration has none"
            raise ValueError(f"no watchlist {name!r}; {there}")


def write(
    engine: queries.Engine,
    config: Config,
    period: Period,
    now: datetime,
    *,
    law: Law,
    jurisdictions: tuple[str, ...] = (),
    watchlists: tuple[str, ...] = (),
    language: str = "",
    formats: Sequence[str] = USUAL,
) -> Written:
    """Write the digest's files, each whole or not at all, and note it as written."""
    digest = gather(
        engine, config, period, now, law=law, jurisdictions=jurisdictions, watchlists=watchlists, language=language
    )
    forms: Mapping[str, Callable[[], bytes]] = {
        "json": lambda: as_json(digest).encode(),
        "txt": lambda: as_text(digest).encode(),
        "html": lambda: as_html(digest).encode(),
        "pdf": lambda: as_pdf(digest),
        "eml": lambda: as_mail(digest, config),
    }
    # What cannot be made stops before anything is written.
    made = {form: make() for form, make in forms.items() if form in formats or form == "json"}
    folder = config.digests_folder
    folder.mkdir(parents=True, exist_ok=True)
    files = {form: folder / f"{digest.name}.{form}" for form in made}
    for form, content in made.items():
        write_whole(files[form], content)
    queries.remember_digest(
        engine,
        digest.name,
        period_from=period.start,
        period_to=period.end,
        written_at=now,
        sha256=hashlib.sha256(made["json"]).hexdigest(),
        counts=digest.counts,
    )
    return Written({form: files[form] for form in FORMATS if form in files}, digest)
