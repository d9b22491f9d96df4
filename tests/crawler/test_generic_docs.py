"""Every example of docs/adding-a-source.md, read as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from crawler.source import check_options, spider_module
from monitor.records import NoticeRecord, SourceCard
from tests.crawler.responses import response_of

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-source.md"
EXAMPLES = re.findall(
    r"^```yaml card\n(.*?)^```\n+^```(\w+) answer\n(.*?)^```\n+^```text records\n(.*?)^```",
    PAGE.read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)
TYPES = {
    "xml": "application/rss+xml",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv",
}


def test_there_is_an_example_of_every_reader() -> None:
    readers = {yaml.safe_load(card)["spider"] for card, *_ in EXAMPLES}

    assert readers == {f"generic.{name}" for name in ("feed", "html_list", "json_table", "csv_table", "wp_json")}


@pytest.mark.parametrize(("card", "kind", "answer", "records"), EXAMPLES, ids=[kind for _, kind, *_ in EXAMPLES])
def test_an_example_gives_the_records_that_the_page_shows(card: str, kind: str, answer: str, records: str) -> None:
    made = SourceCard.model_validate(yaml.safe_load(card))
    check_options(made)
    body = answer.encode(made.options.get("encoding", "utf-8"))

    found = spider_module(made).read(response_of(made.start, body, TYPES[kind]), made)

    shown = [
        f"{record.key} | {record.posted} | {record.notice_type} | {record.title}"
        for record in found
        if isinstance(record, NoticeRecord)
    ]
    assert shown == records.splitlines()
