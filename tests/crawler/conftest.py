from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import yaml

from monitor.records import RECORD, AnyRecord, CaptureRecord, RunRecord
from tests.loopback import Loopback, Reply, loopback
from tests.programs import DRIVER, Stage

START = "https://alerts.example/list"
CARD: dict[str, Any] = {
    "id": "xx_test_alerts",
    "title": "Alerts for tests",
    "authority": {"name": "Office of Invented Alerts"},
    "jurisdiction": "us",
    "kind": "notice",
    "means": "Every entry is an alert that this test wrote.",
    "start": START,
    "spider": "sources.for_tests",
}


@dataclass
class Ended:
    """A crawl that ended: what it printed, and the folder if it left a whole one."""

    code: int
    out: str
    err: str
    runs: Path

    @property
    def folder(self) -> Path:
        assert self.out.strip(), f"no folder was printed; stderr: {self.err}"
        return Path(self.out.strip())

    @property
    def run(self) -> RunRecord:
        return RunRecord.model_validate_json((self.folder / "run.json").read_bytes())

    @property
    def records(self) -> list[AnyRecord]:
        return [RECORD.validate_json(line) for line in (self.folder / "items.jsonl").read_text().splitlines()]

    @property
    def captures(self) -> list[CaptureRecord]:
        lines = (self.folder / "captures.jsonl").read_text().splitlines()
        return [CaptureRecord.model_validate_json(line) for line in lines]

    @property
    def problems(self) -> dict[str, str]:
        """Kind → message of the last problem of that kind."""
        return {problem.kind: problem.message for problem in self.run.problems}


@dataclass
class Crawls:
    """Runs crawls as programs, against one loopback server."""

    web: Loopback
    home: Path
    stage: Stage
    card: dict[str, Any] = field(default_factory=lambda: dict(CARD))
    config: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    def arguments(self, *arguments: str | Path) -> list[str]:
        (self.home / "cards.yaml").write_text(yaml.safe_dump([self.card]))
        (self.home / "config.yaml").write_text(json.dumps(self.config))
        return [str(self.home / "cards.yaml"), *map(str, arguments)]

    def to_run(self, *arguments: str | Path) -> list[str]:
        configured = ("--config", self.home / "config.yaml", "--runs", self.runs)
        return self.arguments("run", self.card["id"], *configured, *arguments)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """A program started anew, for a test that looks at it or ends it while it runs."""
        return subprocess.Popen(
            [sys.executable, str(DRIVER), *self.to_run(*arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "default", **self.environment},
        )

    def ended(self, process: subprocess.Popen[str]) -> Ended:
        out, err = process.communicate(timeout=120)
        return Ended(process.returncode, out, err, self.runs)

    def run(self, *arguments: str | Path) -> Ended:
        if self.environment:  # what is read while modules are loaded would come too late
            return self.ended(self.start(*arguments))
        return self._forked(self.to_run(*arguments))

    def run_measured(self, *arguments: str | Path) -> tuple[Ended, int]:
        """The same, with the most memory that the crawl held, in bytes."""
        process = self.start(*arguments)
        peak = 0
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                peak = max(peak, psutil.Process(process.pid).memory_info().rss)
            sleep(0.01)
        return self.ended(process), peak

    def replay(self, folder: Path) -> Ended:
        return self.tell("replay", folder, "--runs", self.runs)

    def tell(self, *arguments: str | Path) -> Ended:
        """Another command of the crawler's, with the test's card in place of the shipped ones."""
        return self._forked(self.arguments(*arguments))

    def _forked(self, arguments: list[str]) -> Ended:
        done = self.stage.run(str(DRIVER), *arguments)
        return Ended(done.returncode, done.stdout, done.stderr, self.runs)


@pytest.fixture
def web() -> Iterator[Loopback]:
    with loopback() as server:
        yield server


@pytest.fixture
def crawls(web: Loopback, tmp_path: Path, stage: Stage) -> Crawls:
    """Crawls in rehearsal: every host is the loopback server."""
    return Crawls(web, tmp_path, stage, config={"data": str(tmp_path), "rehearsal": {"address": web.address}})


def list_page(*links: str) -> Reply:
    return Reply("<h1>Alerts</h1>" + "".join(f'<a class="notice" href="{link}">{link}</a>' for link in links))


def notice_page(title: str, text: str = "What the office has to say about it.") -> Reply:
    return Reply(f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>")


def three_notices(web: Loopback) -> None:
    web.routes["alerts.example/list"] = list_page("/1", "/2", "/3")
    for number in (1, 2, 3):
        web.routes[f"alerts.example/{number}"] = notice_page(f"Alert {number}")
