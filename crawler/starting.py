"""A new source: its card, the folder for its fixture, and a test that fails until both are filled."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from crawler.fixtures import TO_FILL
from crawler.run import NotStartedError
from crawler.source import CARDS

READERS = ("feed", "html_list", "json_table", "csv_table", "wp_json")
_FILES = {
    "feed": ("list.xml", "application/rss+xml"),
    "html_list": ("list.html", "text/html; charset=utf-8"),
    "json_table": ("list.json", "application/json"),
    "csv_table": ("list.csv", "text/csv"),
    "wp_json": ("list.json", "application/json; charset=UTF-8"),
}
_OPTIONS = {
    "feed": """\
  # Read the page of each entry too, and keep what names a product there: needs terms.
  # follow: true
""",
    "html_list": f"""\
  # CSS of each entry, and what is on the page whether it lists anything or not.
  row: "{TO_FILL}: such as li.news"
  sentinel: "{TO_FILL}: such as main"
  # date: "time"
""",
    "json_table": f"""\
  # Dotted paths: to the rows, and within a row.
  rows: {TO_FILL}
  fields: {{key: {TO_FILL}, title: {TO_FILL}}}
""",
    "csv_table": f"""\
  # Names of columns.
  fields: {{key: {TO_FILL}, title: {TO_FILL}}}
""",
    "wp_json": """\
  # Words that the site is asked for; left out: its newest posts.
  # search: [exosome]
  per_page: 100
""",
}
_TEST = '''\
"""Each card of this folder reads its fixture as expected; it fails until card and fixture are filled."""

from pathlib import Path

import pytest

from crawler.fixtures import differences
from crawler.source import load_cards

HERE = Path(__file__).parent
CARDS = load_cards(HERE)


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_a_card_reads_its_fixture(card):
    assert differences(card, HERE / "fixtures" / card.id) == []
'''


@dataclass(frozen=True)
class Started:
    """What was written, and what is to be done next."""

    files: tuple[Path, ...]
    next: tuple[str, ...]


def reader_for(url: str) -> str:
    """The reader that an address looks like."""
    parts = urlsplit(url)
    path, whole = parts.path.lower(), f"{parts.path}?{parts.query}".lower()
    if "/wp-json/" in path:
        return "wp_json"
    if path.endswith(".csv"):
        return "csv_table"
    if path.endswith((".json", "/records")) or "format=json" in whole:
        return "json_table"
    if path.endswith((".xml", ".rdf", ".rss", ".atom")) or re.search(r"(?:^|[/_.=-])(?:rss|feed|atom)", whole):
        return "feed"
    return "html_list"


def start(source: str, url: str, *, reader: str = "", module: bool = False, cards: Path | None = None) -> Started:
    """Write the files of a new source. Raises NotStartedError where it cannot, and overwrites nothing."""
    reader = reader or reader_for(url)
    _must_be_possible(source, url, module=module, cards=cards)
    folder, fixture, more = _places(source, cards)
    texts = {
        folder / f"{source}.yaml": _card(source, url, f"sources.{source}" if module else f"generic.{reader}", reader),
        fixture / "about.json": _about(url, reader),
        **more,
    }
    if module:
        texts[folder / f"{source}.py"] = _module(reader)
    if there := [path for path in texts if path.exists() and path not in more]:
        raise NotStartedError(f"{there[0]} is there already; choose another id, or take it away")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text, encoding="utf-8")
    return Started(tuple(texts), tuple(_next(source, url, reader, folder, fixture, cards)))


def _must_be_possible(source: str, url: str, *, module: bool, cards: Path | None) -> None:
    if not re.fullmatch(r"[a-z]{2}(?:_[a-z0-9]+){1,8}", source):
        raise NotStartedError(f"{source!r} is no id; write <cc>_<authority>_<list>, such as us_fda_press_releases")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise NotStartedError(f"{url!r} is no address of the web; give the list's own, beginning with https://")
    if module and cards is not None:
        raise NotStartedError("a module lies in the crawler's own package; leave out --cards, or --module")


def _places(source: str, cards: Path | None) -> tuple[Path, Path, dict[Path, str]]:
    if cards is not None:
        return cards, cards / "fixtures" / source, {cards / "test_cards.py": _TEST}
    tests = CARDS.parents[1] / "tests" / "crawler" / "sources"
    if not tests.is_dir():
        raise NotStartedError("this is no checkout, so there is no folder for fixtures; give a folder with --cards")
    return CARDS, tests / source, {}


def _card(source: str, url: str, spider: str, reader: str) -> str:
    host = urlsplit(url).hostname or ""
    return f"""\
id: {source}
title: "{TO_FILL}: the list's name"
authority:
  name: "{TO_FILL}: who publishes it"
  url: https://{host}/
jurisdiction: {source[:2]}
language: en
kind: notice
means: >-
  {TO_FILL}: in plain words, what it means for a product or firm to be on this list, and what it does not mean.
start: {json.dumps(url)}
spider: {spider}
frequency: daily
pace:
  # Seconds between two requests; robots.txt's Crawl-delay counts beside it.
  delay: 3
  daily_requests: 200
expect:
  # What a healthy reading shows, and why.
  listed: {{min: 1, max: 500}}
  filled: {{title: 1.0}}
options:
  notice_type: news
  # Languages of crawler/generic/terms.yaml by whose words entries are kept; left out: every entry is.
  # terms: [en]
{_OPTIONS[reader]}terms_of_use: "{TO_FILL}: under which terms the texts may be kept"
# The markup was not seen yet: the first live run decides.
unverified: true
"""


def _about(url: str, reader: str) -> str:
    name, kind = _FILES[reader]
    return json.dumps([{"file": name, "url": url, "content_type": kind}], indent=1) + "\n"


def _module(reader: str) -> str:
    return f'''\
"""{TO_FILL}: what this source does that the generic reader does not."""

from __future__ import annotations

from scrapy.http import Response

from crawler.generic import {reader}
from crawler.source import Records
from monitor.records import SourceCard


class Options({reader}.Options):
    """The card's `options`."""


def read(response: Response, card: SourceCard) -> Records:
    """The records in one answer of the source."""
    return {reader}.read(response, card)


class Spider({reader}.Spider):
    """Reads the source as the generic reader does."""

    options_model = Options
'''


def _next(source: str, url: str, reader: str, folder: Path, fixture: Path, cards: Path | None) -> list[str]:
    name, kind = _FILES[reader]
    steps = [
        f"fill in {folder / source}.yaml where it says {TO_FILL!r}",
        f"save what {url} answers as {fixture / name}, shortened, with invented names",
        f"python -m crawler read {source} {fixture / name} --url '{url}' --content-type '{kind}' "
        f"> {fixture / 'expected.jsonl'}, and read what it says",
    ]
    if cards is not None:
        steps.insert(1, f"add to config.yaml:  cards: [{cards}]")
        return [*steps, f"python -m pytest {cards}", f"python -m crawler check {source}"]
    return [*steps, f"python -m pytest tests/crawler/test_sources.py -k {source}", f"python -m crawler check {source}"]
