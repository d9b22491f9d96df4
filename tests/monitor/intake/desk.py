"""A desk at which a site and a regulator are read week after week and taken in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import col, select

from monitor.config import Config
from monitor.intake.runs import TakenIn, take_in
from monitor.knowledge import Knowledge
from monitor.tables.db import reading
from monitor.tables.models import (
    Claim,
    Event,
)
from tests.runs import RunMaker, notice_card, page_card

MONDAY = datetime(2026, 11, 9, 6, tzinfo=UTC)
CURE = "Our exosome therapy treats arthritis."
CURE_AGAIN = "Our exosome therapy treats arthritis in older adults."
HAIR = "The exosome serum regrows hair on bald scalps."
SAFE = "The exosome serum has no side effects."
HOME = "http://kelda.example/"


class Desk:
    """Makes runs week after week and takes them in."""

    def __init__(self, engine: Engine, config: Config, knowledge: Knowledge) -> None:
        self.engine, self.config, self.knowledge = engine, config, knowledge
        self.at = MONDAY

    def site(self, *claims: str, url: str = HOME, noise: str = "", **changes: object) -> RunMaker:
        self.at += timedelta(hours=1)
        maker = RunMaker(page_card(), self.at, self.config.runs_folder, **changes)  # type: ignore[arg-type]
        maker.page(url, shop_page(claims, noise))
        return maker

    def letters(self, **changes: object) -> RunMaker:
        self.at += timedelta(hours=1)
        return RunMaker(notice_card(), self.at, self.config.runs_folder, **changes)  # type: ignore[arg-type]

    def take(self, maker: RunMaker, **kwargs: object) -> TakenIn:
        return take_in(self.engine, maker.write(), self.config, self.knowledge, **kwargs)  # type: ignore[arg-type]

    def events(self, *, baseline: bool = False) -> list[tuple[str, str]]:
        with reading(self.engine) as session:
            rows = session.exec(select(Event).where(Event.baseline == baseline).order_by(col(Event.id)))
            return [(row.kind, row.cause) for row in rows]


def shop_page(claims: Sequence[str], noise: str = "") -> str:
    paragraphs = "".join(f"<p>{claim}</p>" for claim in claims)
    return (
        f'<html lang="en"><head><title>Kelda exosome therapy</title></head><body><div class="cookies">{noise}</div>'
        f"<h1>Exosome therapy</h1>{paragraphs}<p>Book your appointment now: $450 a session.</p></body></html>"
    )


def live_quotes(engine: Engine) -> set[str]:
    with reading(engine) as session:
        return {claim.quote for claim in session.exec(select(Claim).where(Claim.state == "live"))}
