"""Records of invented trials, papers and register entries, and runs that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col, select

from monitor.config import Config
from monitor.intake.runs import TakenIn, take_in
from monitor.knowledge import Knowledge, load
from monitor.records import (
    AuthorisationRecord,
    Authority,
    Expectation,
    PublicationRecord,
    SourceCard,
    TrialRecord,
)
from monitor.tables.db import reading
from monitor.tables.models import Event
from tests.runs import RunMaker

MONDAY = datetime(2026, 11, 9, 6, tzinfo=UTC)


def card_of(source: str, kind: str, **changes: Any) -> SourceCard:
    values: dict[str, Any] = {
        "id": source,
        "title": f"Test source {source}",
        "authority": Authority(name="Registry of Tests"),
        "jurisdiction": "us",
        "kind": kind,
        "means": "An entry of an invented register, written for tests.",
        "start": f"http://{source.replace('_', '-')}.example/list",
        "spider": "sources.test",
        "expect": Expectation(),
    }
    return SourceCard(**{**values, **changes})


def trial(maker: RunMaker, key: str = "NCT09000001", **changes: Any) -> TrialRecord:
    values: dict[str, Any] = {
        "source": maker.card.id,
        "key": key,
        "title": "Exosomes for knee pain, an invented trial",
        "url": f"http://registry.example/{key}",
        "jurisdiction": "us",
        "status": "RECRUITING",
        "sponsor": "Kelda Labs",
        "interventions": ("Kelda vesicle injection",),
        "summary": "Does an invented vesicle help an invented knee?",
        "captures": (maker.capture(f"http://registry.example/{key}", key.encode()),),
    }
    record = TrialRecord(**{**values, **changes})
    maker.records.append(record)
    return record


def paper(maker: RunMaker, key: str = "doi:10.5555/kelda.1", **changes: Any) -> PublicationRecord:
    values: dict[str, Any] = {
        "source": maker.card.id,
        "key": key,
        "title": "Exosomes of invented cells",
        "url": f"http://index.example/{key}",
        "journal": "Journal of Invented Results",
        "authors": ("Ada Kelda",),
        "abstract": "We made all of it up.",
        "captures": (maker.capture(f"http://index.example/{key}", key.encode()),),
    }
    record = PublicationRecord(**{**values, **changes})
    maker.records.append(record)
    return record


def entry(maker: RunMaker, key: str = "BL 900001", **changes: Any) -> AuthorisationRecord:
    values: dict[str, Any] = {
        "source": maker.card.id,
        "key": key,
        "product": "Vesimed",
        "url": f"http://register.example/{key}",
        "authority": "Office of Tests",
        "jurisdiction": "us",
        "number": key,
        "substance": "keldacel",
        "holder": "Kelda Labs",
        "status": "authorised",
        "indication": "an invented disease",
        "captures": (maker.capture(f"http://register.example/{key}", key.encode()),),
    }
    record = AuthorisationRecord(**{**values, **changes})
    maker.records.append(record)
    return record


@dataclass
class Registry:
    """Takes runs in, an hour apart."""

    engine: Engine
    config: Config
    knowledge: Knowledge = field(default_factory=load)
    at: datetime = MONDAY

    def maker(self, card: SourceCard, **changes: Any) -> RunMaker:
        self.at += timedelta(hours=1)
        return RunMaker(card, self.at, self.config.runs_folder, **changes)

    def take(self, maker: RunMaker) -> TakenIn:
        return take_in(self.engine, maker.write(), self.config, self.knowledge)

    def baseline(self, *cards: SourceCard) -> None:
        """A first reading that brings nothing, so that what follows is news."""
        for card in cards:
            self.take(self.maker(card))

    def events(self, *, baseline: bool | None = None) -> list[str]:
        with reading(self.engine) as session:
            rows = session.exec(select(Event).where(Event.kind != "baseline_read").order_by(col(Event.id)))
            return [row.kind for row in rows if baseline is None or row.baseline == baseline]

    def details(self, kind: str) -> list[dict[str, Any]]:
        with reading(self.engine) as session:
            return [row.detail for row in session.exec(select(Event).where(Event.kind == kind).order_by(col(Event.id)))]


def registry(engine: Engine, folder: Path, watchlists: Sequence[Any] = ()) -> Registry:
    return Registry(engine, Config(data=folder / "var", watchlists=tuple(watchlists)))
