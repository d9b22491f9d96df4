"""Stand-ins for the programs that Exowatch starts: real processes, with runs and digests made to order.

`python -m crawler` finds the package in the working folder first, so a test that works in a folder with these
packages gets them, and so does every process that it starts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

CRAWLER = '''
"""Makes the run that plan.json orders; notes in calls.jsonl what it was asked and when."""
import json, os, signal, sys, time
from datetime import UTC, datetime
from pathlib import Path

here = Path(__file__).parents[1]


def note(**facts):
    with (here / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({**facts, "pid": os.getpid(), "time": time.time()}) + "\\n")


def option(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else ""


if sys.argv[1] == "list":
    cards = [card.stem for card in sorted((here / "crawler" / "sources").glob("*.yaml"))]
    print(json.dumps([{"id": card, "title": card.title(), "jurisdiction": "us"} for card in cards]))
    raise SystemExit(0)

if sys.argv[1] == "check":
    order = json.loads((here / "plan.json").read_text()).get(sys.argv[2], {})
    note(source=sys.argv[2], what="start", arguments=sys.argv[3:])
    print("list: " + order.get("list", "fits"))
    if "list" in order:
        print("one point does not fit", file=sys.stderr)
    raise SystemExit(1 if "list" in order else 0)

source = sys.argv[2]
order = json.loads((here / "plan.json").read_text()).get(source, {})
known = Path(option("--known")).read_text().splitlines()
pages = Path(option("--pages")).read_text().split() if "--pages" in sys.argv else []
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))

from monitor.records import EXIT_CODES, Outcome, RunRequest
from tests.runs import RunMaker, notice_card, page_card

print("a line of the log", file=sys.stderr)
print(json.dumps({"requests": 1, "responses": 1, "records": 0, "elapsed": 11.0}), file=sys.stderr, flush=True)
note(source=source, what="start", known=len(known), pages=pages, since=option("--since"), full="--full" in sys.argv)
until = time.monotonic() + order.get("seconds", 0)
while time.monotonic() < until and not stop:
    time.sleep(0.02)
if order.get("no_folder"):
    print("Traceback: the spider broke", file=sys.stderr)
    note(source=source, what="end")
    raise SystemExit(2)
outcome = Outcome.STOPPED if stop else Outcome(order.get("outcome", "ok"))
card = page_card(source) if order.get("pages") else notice_card(source)
at = datetime.fromisoformat(order["at"]) if "at" in order else datetime.now(UTC).replace(microsecond=0)
maker = RunMaker(card, at, Path(option("--runs")), outcome=outcome, request=RunRequest(pages=tuple(pages)))
maker.run_id = maker.run_id[:-4] + f"{os.getpid() % 65536:04x}"
if outcome is Outcome.OK:
    held = {json.loads(line)["key"] for line in known}
    for key, title in order.get("notices", {}).items():
        if key not in held or "--full" in sys.argv:
            maker.notice(key, title, f"{title} sells exosomes.", issued=at.date(), posted=at.date())
        else:
            maker.known += 1
            maker.listed = (maker.listed or 0) + 1
    for url, html in order.get("pages", {}).items():
        if not pages or url in pages:
            maker.page(url, html)
folder = maker.write()
note(source=source, what="end")
print(folder)
raise SystemExit(EXIT_CODES[outcome])
'''

REPORTS = '''
"""Notes that a digest was asked for, and prints where it would lie."""
import json, sys
from pathlib import Path

here = Path(__file__).parents[1]
order = json.loads((here / "plan.json").read_text()).get("digest", {})
with (here / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps({"source": "digest", "what": "start", "arguments": sys.argv[1:]}) + "\\n")
if order.get("fails"):
    print("the digest broke", file=sys.stderr)
    raise SystemExit(1)
print("var/digests/2026-W48.html")
'''


class Rooms:
    """A folder with a configuration, and stand-ins for the crawler and the reports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, program in (("crawler", CRAWLER), ("reports", REPORTS)):
            (folder / name).mkdir()
            (folder / name / "__init__.py").touch()
            (folder / name / "__main__.py").write_text(program, encoding="utf-8")
        (folder / "crawler" / "sources").mkdir()
        self.plan({})

    def card(self, *sources: str, frequency: str = "daily") -> None:
        for source in sources:
            (self.folder / "crawler" / "sources" / f"{source}.yaml").write_text(f"frequency: {frequency}\n")

    def configure(self, text: str) -> Path:
        file = self.folder / "config.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    def plan(self, orders: dict[str, Any]) -> None:
        (self.folder / "plan.json").write_text(json.dumps(orders), encoding="utf-8")

    def calls(self, what: str = "start") -> list[dict[str, Any]]:
        """What the stand-ins were asked, in order."""
        file = self.folder / "calls.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [call for line in lines if (call := json.loads(line))["what"] == what]

    def forget_calls(self) -> None:
        (self.folder / "calls.jsonl").unlink(missing_ok=True)


def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rooms:
    """Work in a fresh folder with stand-ins; everything started from here finds them."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Rooms(folder)
