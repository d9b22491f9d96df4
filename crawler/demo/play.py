"""`make demo`: two successive weeks of the demo web, read, judged and reported."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crawler.demo import configs
from crawler.demo.stage import StageError, clear, exowatch, say, server

DATA = Path("var/demo")


@dataclass(frozen=True)
class Stop:
    """A moment at which the demo web is read, and the ISO week whose digest tells of it."""

    week: str
    now: datetime
    codes: tuple[int, ...] = (0,)
    """How `exowatch run` may end: with 1 where a source is meant to be blind."""


STOPS = (
    Stop("2026-W46", datetime(2026, 11, 11, 6, tzinfo=UTC)),
    Stop("2026-W47", datetime(2026, 11, 18, 6, tzinfo=UTC), codes=(0, 1)),
)


def play(data: Path = DATA) -> int:
    """Exit code: 0 if both weeks were read and both digests lie there."""
    began = time.monotonic()
    try:
        clear(data)
        with server(["serve"]) as address:
            say(f"The demo web is served at http://{address}; nothing leaves this machine.")
            for number, stop in enumerate(STOPS, start=1):
                say(f"Week {number} of {len(STOPS)}: {stop.week}, read as of {stop.now:%Y-%m-%d %H:%M} UTC")
                _read(data, address, stop)
    except StageError as error:
        say(f"demo stopped: {error}")
        return 1
    say(f"Done in {time.monotonic() - began:.0f} seconds.")
    say(f"The second week's digest: {_digest(data, STOPS[-1].week)}")
    for line in summary(_digest(data, STOPS[-1].week).with_suffix(".json")):
        say(line)
    program = Path(sys.executable).with_name("exowatch")
    shown = program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program
    say(f"Look around: {shown} --config {data / f'config-{STOPS[-1].week}.yaml'} serve")
    return 0


def _read(data: Path, address: str, stop: Stop) -> None:
    config = data / f"config-{stop.week}.yaml"
    configs.write(configs.DEMO_CONFIG, address, stop.now, data, config)
    code = exowatch(config, "run")
    if not _digest(data, stop.week).exists():
        raise StageError(f"`exowatch --config {config} run` ended with exit code {code} and wrote no digest")
    if code not in stop.codes:
        raise StageError(f"`exowatch --config {config} run` ended with exit code {code}")


def _digest(data: Path, week: str) -> Path:
    return data / "digests" / f"{week}.html"


def summary(file: Path) -> list[str]:
    """What a digest's JSON form counts, one line each; nothing if there is no such file."""
    if not file.exists():
        return []
    digest = json.loads(file.read_text(encoding="utf-8"))
    lines = [f"  {name.replace('_', ' ')}: {count:,}" for name, count in digest["tally"].items()]
    lines.append(f"  sources read: {digest['sources_read']} of {digest['sources_total']}")
    return lines + [f"  blind: {source['title']}" for source in digest["blind"]]
