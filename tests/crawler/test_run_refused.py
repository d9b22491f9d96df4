"""What no crawl is started for, and what is read without one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crawler.conftest import CARD, START, Crawls, three_notices
from tests.loopback import Loopback


def test_a_live_run_needs_a_contact(web: Loopback, crawls: Crawls) -> None:
    crawls.config = {"contact": "  "}

    ended = crawls.run()

    assert ended.code == 3
    assert "a live run needs `contact`" in ended.err
    assert not crawls.runs.exists()
    assert web.asked == []


def test_a_demo_source_is_not_read_live(web: Loopback, crawls: Crawls) -> None:
    crawls.config = {"contact": "mailto:watch@office.example"}
    crawls.card["demo"] = True

    ended = crawls.run()

    assert ended.code == 3
    assert "in a rehearsal only" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--known", "absent.jsonl"), "absent.jsonl cannot be read"),
        (("--pages", "absent.txt"), "absent.txt cannot be read"),
        (("--since", "16.11.2026"), "argument --since: invalid"),
        (("--limit", "0"), "must be 1 or more"),
    ],
)
def test_a_wrong_argument_starts_nothing(crawls: Crawls, arguments: tuple[str, ...], said: str) -> None:
    ended = crawls.run(*arguments)

    assert ended.code == 3
    assert said in ended.err
    assert not crawls.runs.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"kee": "x"}\n', "known.jsonl line 1 is no known item"), ("", None)],
    ids=["unknown key", "nothing known"],
)
def test_what_is_known_is_checked_before_the_start(web: Loopback, crawls: Crawls, text: str, said: str | None) -> None:
    three_notices(web)
    known = crawls.home / "known.jsonl"
    known.write_text(text)

    ended = crawls.run("--known", known)

    assert ended.code == (3 if said else 0)
    assert (said or "") in ended.err


def test_a_configuration_with_a_wrong_key_starts_nothing(web: Loopback, crawls: Crawls) -> None:
    crawls.config["netwerk"] = {}

    ended = crawls.run()

    assert ended.code == 3
    assert "netwerk" in ended.err
    assert web.asked == []


def test_an_unknown_source_starts_nothing_and_names_the_nearest(crawls: Crawls) -> None:
    ended = crawls.tell("run", "xx_test_alrts", "--config", crawls.home / "config.yaml")

    assert ended.code == 3, ended.err
    assert "no source named 'xx_test_alrts'; did you mean xx_test_alerts?" in ended.err


def test_the_shipped_program_lists_its_sources() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "crawler", "list", "--json"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)

    ids = {card["id"] for card in json.loads(done.stdout)}
    assert {path.stem for path in (root / "crawler" / "sources").glob("*.yaml")} <= ids


def test_a_saved_response_is_read_without_a_crawl(crawls: Crawls) -> None:
    saved = crawls.home / "saved.html"
    saved.write_text("<h1>Saved</h1>")

    ended = crawls.tell("read", CARD["id"], saved, "--url", START)

    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    assert (record["title"], record["captures"]) == ("Saved", ["read/00001"])


def test_a_saved_response_of_another_layout_says_so(crawls: Crawls) -> None:
    saved = crawls.home / "saved.html"
    saved.write_text("<h2>Saved</h2>")

    ended = crawls.tell("read", CARD["id"], saved, "--url", START)

    assert ended.code == 2
    assert "LayoutChangedError: no h1" in ended.err
