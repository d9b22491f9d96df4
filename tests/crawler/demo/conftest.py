from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawler.demo.loopback import Running
from crawler.demo.web import DemoWeb
from tests.crawler.demo.asking import Asker


@pytest.fixture(scope="session")
def web() -> DemoWeb:
    return DemoWeb()


@pytest.fixture(scope="session")
def address(web: DemoWeb) -> Iterator[str]:
    with Running(web) as running:
        yield running.address


@pytest.fixture
def ask(address: str) -> Iterator[Asker]:
    asker = Asker(address)
    yield asker
    asker.close()
