"""What the tests of FDA's sources share: fixtures' texts, and records of one kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crawler.source import load_cards, spider_module
from monitor.records import AnyRecord, AuthorisationRecord, NoticeRecord
from tests.crawler.conftest import Crawls

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
FDA = "https://www.fda.gov"
NOW = "2026-10-12T06:00:00Z"


def at_a_set_time(crawls: Crawls) -> Crawls:
    """The same crawls, to which it is the twelfth of October 2026."""
    crawls.config["rehearsal"]["now"] = NOW
    return crawls


def fixture(source: str, name: str) -> str:
    return (FIXTURES / source / name).read_text(encoding="utf-8")


def read(source: str, response: Any) -> list[AnyRecord]:
    return list(spider_module(CARDS[source]).read(response, CARDS[source]))


def read_notices(source: str, response: Any) -> list[NoticeRecord]:
    found = read(source, response)
    assert all(isinstance(record, NoticeRecord) for record in found)
    return [record for record in found if isinstance(record, NoticeRecord)]


def authorisations(records: list[AnyRecord]) -> list[AuthorisationRecord]:
    assert all(isinstance(record, AuthorisationRecord) for record in records)
    return [record for record in records if isinstance(record, AuthorisationRecord)]
