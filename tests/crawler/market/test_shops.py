"""The market of invented sites, read by the crawler as a program: outcome, records and manners of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crawler.market.site import card_of
from monitor.config import Site
from monitor.records import PageRecord
from tests.crawler.conftest import Crawls, Ended
from tests.crawler.market.building import Built
from tests.crawler.market.shops import BUILDERS
from tests.loopback import Loopback


def read_shop(built: Built, web: Loopback, crawls: Crawls) -> Ended:
    for path, reply in built.routes.items():
        web.routes[f"{built.host}{path}"] = reply
    site: dict[str, Any] = {"url": built.home, "country": "us", **built.site}
    crawls.card = card_of(Site(**site)).model_dump(mode="json")
    crawls.config["network"] = built.network
    return crawls.run()


def paths_of(ended: Ended, home: str) -> list[str]:
    return [record.url.removeprefix(home.rstrip("/")) for record in ended.records if isinstance(record, PageRecord)]


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
def test_a_site_of_the_market(builder: Callable[[], Built], web: Loopback, crawls: Crawls) -> None:
    built = builder()

    ended = read_shop(built, web, crawls)

    run = ended.run
    found = paths_of(ended, built.home)
    assert set(found) == built.pages
    assert len(found) == len(set(found)), "one page, one record"
    assert (run.outcome, run.platforms, run.catalogues) == (built.outcome, built.platforms, built.catalogues)
    assert {problem.kind for problem in run.problems} == built.problems
    assert all(run.not_kept.get(reason, 0) >= count for reason, count in built.not_kept.items()), run.not_kept
    asked = web.paths(built.host)
    assert not [path for path in asked if built.never_asked and path.startswith(built.never_asked)]
    assert len(asked) <= built.most_requests
    assert {record.capture for record in ended.records if isinstance(record, PageRecord)} <= {
        capture.id for capture in ended.captures
    }
