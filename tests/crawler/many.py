"""Many crawls, each in a process of its own that is forked from one that has loaded everything.

As a program: reads one JSON object (`configs`, `runs`, `cards`, `requests`) from stdin and prints one line a crawl.
With `--serve` it goes on reading, one such object a line with the names of its crawls, until stdin ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).parents[2]))

from scrapy.settings import default_settings
from scrapy.utils.misc import load_object

from monitor.config import Config
from monitor.records import RECORD, AnyRecord, KnownItem, RunRecord, RunRequest, SourceCard
from tests.programs import Stage

AT_ONCE = 4


class Crawled:
    """A crawl that left a whole folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = RunRecord.model_validate_json((folder / "run.json").read_bytes())
        lines = (folder / "items.jsonl").read_text(encoding="utf-8").splitlines()
        self.records: list[AnyRecord] = [RECORD.validate_json(line) for line in lines]

    @property
    def kinds(self) -> set[str]:
        return {problem.kind for problem in self.run.problems}


def crawl_all(
    stage: Stage, cards: Sequence[SourceCard], config: Mapping[str, Any], runs: Path, request: RunRequest | None = None
) -> dict[str, Crawled]:
    """Each source read once, by its id. A crawl that leaves no folder fails the test with what it wrote."""
    asked = {
        "config": config,
        "runs": str(runs),
        "cards": [card.model_dump(mode="json") for card in cards],
        "request": (request or RunRequest()).model_dump(mode="json"),
    }
    done = stage.run(__file__, input=json.dumps(asked))
    assert done.returncode == 0, done.stderr
    ended = [json.loads(line) for line in done.stdout.splitlines()]
    failed = [one for one in ended if not one["folder"]]
    assert not failed, f"{failed[0]['id']} was not read: {failed[0]['error']}"
    return {one["id"]: Crawled(Path(one["folder"])) for one in ended}


class Standing:
    """The same program left running: any thread may ask it for a crawl at any time."""

    def __init__(self) -> None:
        self._program = subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._waiting: dict[str, Future[dict[str, str]]] = {}
        self._guard = threading.Lock()
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._program.stdin
        assert self._program.stdout
        self._program.stdin.close()
        self._program.wait(timeout=60)
        self._listener.join()
        self._program.stdout.close()

    def crawl(
        self, card: SourceCard, config: Config, runs: Path, request: RunRequest, known: Iterable[KnownItem] = ()
    ) -> Path:
        """One run to its end; gives its folder. A crawl that leaves none fails the test with what it wrote."""
        asked = {
            "card": card.model_dump(mode="json"),
            "config": config.model_dump(mode="json"),
            "runs": str(runs),
            "request": request.model_dump(mode="json"),
            "known": [item.model_dump(mode="json") for item in known],
        }
        assert self._program.stdin
        with self._guard:
            ended = self._waiting.setdefault(card.id, Future())
            self._program.stdin.write(json.dumps(asked) + "\n")
            self._program.stdin.flush()
        told = ended.result(timeout=240)
        assert told["folder"], f"{card.id} was not read: {told['error']}"
        return Path(told["folder"])

    def _listen(self) -> None:
        for line in self._program.stdout or ():
            told = json.loads(line)
            with self._guard:
                ended = self._waiting.pop(told["id"])
            ended.set_result(told)


def _crawl(card: SourceCard, asked: dict[str, Any]) -> dict[str, str]:
    from crawler.run import run_source

    config = Config.model_validate(asked["config"])
    request = RunRequest.model_validate(asked["request"])
    known = [KnownItem.model_validate(item) for item in asked.get("known", ())]
    finished = run_source(config, card, Path(asked["runs"]), request=request, known=known)
    return {"id": card.id, "folder": str(finished.folder), "error": ""}


def _child(card: SourceCard, asked: dict[str, Any], out: int) -> None:
    try:
        told = _crawl(card, asked)
    except BaseException:  # whatever it is, the parent must hear of it, and the child must end here
        told = {"id": card.id, "folder": "", "error": traceback.format_exc()}
    os.write(out, json.dumps(told).encode() + b"\n")
    os._exit(0)


def preload(cards: Sequence[SourceCard] = ()) -> None:
    """Everything that a crawl imports, without the reactor: that one must be each child's own."""
    import crawler.archive
    import crawler.decoding
    import crawler.fixtures
    import crawler.manners
    import crawler.output
    import crawler.rehearsal
    import crawler.replay
    import crawler.run  # noqa: F401
    from crawler.source import spider_module

    for card in cards:
        spider_module(card)
    for name, value in vars(default_settings).items():
        for path in value if name.endswith("_BASE") and isinstance(value, dict) else ():
            if isinstance(path, str) and "." in path:
                load_object(path)
    for path in ("scrapy.core.engine.ExecutionEngine", "scrapy.core.scraper.Scraper"):
        load_object(path)
    assert "twisted.internet.reactor" not in sys.modules


def serve() -> None:
    """Each line of stdin is one crawl; they run side by side."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: they tell of themselves
    loaded: set[str] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        card = SourceCard.model_validate(asked["card"])
        if card.spider not in loaded:
            preload([card])
            loaded.add(card.spider)
        if os.fork() == 0:
            _child(card, asked, sys.stdout.fileno())


def main() -> None:
    asked = json.loads(sys.stdin.read())
    cards = [SourceCard.model_validate(card) for card in asked["cards"]]
    preload(cards)
    under_way = 0
    for card in cards:
        if under_way == AT_ONCE:
            os.wait()
            under_way -= 1
        if os.fork() == 0:
            _child(card, asked, sys.stdout.fileno())
        under_way += 1
    for _ in range(under_way):
        os.wait()


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
