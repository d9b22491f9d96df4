"""Six weeks of a market, from real servers to real events: what each site's edits must come to, and nothing besides.

Each site is crawled over HTTP, weekly, as `exowatch run` does it: a pass, its second looks, its rules. The events
that a week must give stand in `weeks/<site>.yaml`, word for word.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from crawler.market.site import card_of
from monitor import knowledge
from monitor.config import Config, Network, Rehearsal, Site
from monitor.evidence import recomputed as evidence
from monitor.knowledge import Knowledge
from monitor.lives import ClaimState
from monitor.records import RunRequest
from monitor.running.cycle import Cycle, Order
from monitor.running.programs import Children, Crawled, CrawlRequest, Progress
from monitor.tables.db import open_engine
from monitor.tables.models import Claim, Event
from tests.crawler.many import Standing
from tests.crawler.market.weeks.sites import SITES, WEEKS
from tests.loopback import Loopback, loopback
from tests.monitor.edited import with_rules
from tests.monitor.running.test_cycle import Told

pytestmark = pytest.mark.timeout(900)  # its weeks are read before the first test
EXPECTED = Path(__file__).with_name("weeks")
FIRST = datetime(2026, 10, 12, 8, tzinfo=UTC)
SECOND_LOOK = timedelta(minutes=30)
"""After the first look of the same pass, so that an event's time tells which of the two it comes from."""
RULES_CHANGE = 4
"""The week from which misleading names are judged, and endorsements no longer."""


def rules_of(week: int) -> Knowledge:
    """The shipped rules without one category: another one from `RULES_CHANGE` on."""
    left_out = "stem_cell_misnomer" if week < RULES_CHANGE else "endorsement"
    shipped = knowledge.load()
    claims = tuple(rule for rule in shipped.claims if rule.category != left_out)
    return with_rules(shipped, f"without {left_out}", claims=claims)


@dataclass
class Market:
    """The sites on one loopback server, and a desk that reads them."""

    web: Loopback
    crawls: Standing
    home: Path
    engine: Engine

    def config(self, week: int) -> Config:
        now = FIRST + timedelta(weeks=week - 1)
        sites = tuple(Site.model_validate({"url": one.home, "country": "us", **one.options}) for one in SITES)
        return Config(
            data=self.home, sites=sites, parallel_runs=3, rehearsal=Rehearsal(address=self.web.address, now=now)
        )

    def read(self, week: int) -> None:
        """One week: every site answers as its script says, and is read in one pass."""
        self.web.routes = {f"{one.host}{path}": reply for one in SITES for path, reply in one.routes(week).items()}
        config = self.config(week)

        def crawl(asked: CrawlRequest, *_: Path | Children | Progress | int | None) -> Crawled:
            return Crawled(self._crawl(config, week, asked))

        told = Told()
        cycle = Cycle(config, self.home / "config.yaml", rules_of(week), told, crawler=crawl)
        order = Order(tuple(site.source_id for site in config.sites), digest=False)
        assert not cycle.run(order).stopped
        assert {reading.state for reading in told.readings} <= {"taken_in", "quarantined"}, told.readings

    def _crawl(self, config: Config, week: int, asked: CrawlRequest) -> Path:
        site = config.site_of(asked.source_id)
        script = next(one for one in SITES if Site(url=one.home).source_id == asked.source_id)
        assert site is not None
        if asked.pages:
            later = config.rehearsal.now + SECOND_LOOK if config.rehearsal and config.rehearsal.now else None
            config = config.model_copy(update={"rehearsal": Rehearsal(address=self.web.address, now=later)})
        if week in script.impatient:
            config = config.model_copy(update={"network": Network(timeout_seconds=0.4, retries=0)})
        request = RunRequest(pages=asked.pages, most_requests=asked.most_requests)
        return self.crawls.crawl(card_of(site), config, asked.runs, request, asked.known)

    def standing(self, source_id: str) -> list[str]:
        """Words of the claims that stand on a site now."""
        over = (ClaimState.WITHDRAWN, ClaimState.SUPERSEDED)
        with Session(self.engine) as session:
            claims = select(Claim.quote).where(Claim.source_id == source_id, col(Claim.state).not_in(over))
            return sorted(session.exec(claims))


@pytest.fixture(scope="module")
def market(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    home = tmp_path_factory.mktemp("market")
    shutil.copy(sqlite_template, home / "exowatch.db")
    engine = open_engine(f"sqlite:///{home / 'exowatch.db'}")
    with loopback() as web, Standing() as crawls:
        yield Market(web, crawls, home, engine)
    engine.dispose()


@pytest.fixture(scope="module")
def weeks(market: Market) -> dict[str, dict[str, Any]]:
    """What came of each site in each week: site → ISO week → events and standing claims."""
    came: dict[str, dict[str, Any]] = {one.name: {} for one in SITES}
    last = 0
    for week in range(1, WEEKS + 1):
        market.read(week)
        with Session(market.engine) as session:
            events = session.exec(select(Event).where(col(Event.id) > last).order_by(col(Event.id))).all()
        last = max((event.id or 0 for event in events), default=last)
        for one in SITES:
            source = Site(url=one.home).source_id
            of_site = [as_line(event, one.home) for event in events if event.source_id == source]
            came[one.name][f"{FIRST + timedelta(weeks=week - 1):%G-W%V}"] = {
                "events": sorted(of_site, key=str),
                "standing": market.standing(source),
            }
    return came


def as_line(event: Event, home: str) -> dict[str, Any]:
    """An event as the YAML files have it. Times to the minute: a run takes seconds."""
    told = event.detail
    line: dict[str, Any] = {"kind": str(event.kind), "cause": event.cause, "at": f"{event.at:%Y-%m-%d %H:%M}"}
    if event.object_kind == "claim":
        line["quote"] = told["quote"]
    if "before" in told and event.kind == "claim_reworded":
        line["before"] = told["before"]
    if event.object_kind == "page":
        line["page"] = told["url"].removeprefix(home)
    if event.kind == "page_gone":
        line["claims"] = sorted(told["claims"])
    if event.kind == "source_blind":
        line["code"] = told["code"]
    if event.baseline:
        line["history"] = True
    return line


def expected(name: str) -> dict[str, Any]:
    weeks: dict[str, Any] = yaml.safe_load((EXPECTED / f"{name}.yaml").read_text(encoding="utf-8"))
    for week in weeks.values():
        week.pop("script")
        week["events"].sort(key=str)
        week["standing"].sort()
    return weeks


@pytest.mark.parametrize("name", [one.name for one in SITES])
def test_a_site_gives_just_the_events_of_its_script(name: str, weeks: dict[str, dict[str, Any]]) -> None:
    assert weeks[name] == expected(name)


def test_after_all_of_it_every_quote_is_the_text_that_was_received(
    weeks: dict[str, dict[str, Any]], market: Market
) -> None:
    assert len(weeks) == len(SITES)
    checked = evidence.verify(market.engine, market.config(WEEKS))
    assert checked.broken == ()
    assert checked.runs > len(SITES) * WEEKS
    assert checked.quotes > len(SITES)
