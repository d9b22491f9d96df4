"""`make demo-real`: the real spiders over recorded responses, into a database and a digest.

Only part of what the lists name was recorded, so each source is read with an envelope of its own that says what the
recordings hold; with its card's the run would rightly be refused, as a list cut short is.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from crawler.demo import configs
from crawler.demo.play import summary
from crawler.demo.stage import StageError, clear, exowatch, say, server
from crawler.run import run_source
from crawler.source import load_cards
from monitor.config import load
from monitor.records import Expectation, Range, RunRecord

DATA = Path("var/demo-real")
NOW = datetime(2026, 3, 24, 6, tzinfo=UTC)
"""The day after FDA's list was recorded."""
FIRST_DAY, LAST_DAY = "2021-01-01", "2026-12-31"
_ONE_REPORT = Expectation(listed=Range(min=1, max=1), filled={"title": 1.0, "text": 1.0})
# openFDA recorded one example report of each kind, none about our products: these words ask for just those reports,
# so that its pages are read and not only its way of saying that nothing was found.
ASKED_FOR = {
    "us_openfda_drug_enforcement": "terbinafine",
    "us_openfda_food_enforcement": "lecithin",
    "us_openfda_device_enforcement": "screw",
}
RECORDED: dict[str, Expectation] = {
    "us_fda_warning_letters": Expectation(
        listed=Range(min=3374, max=3374), filled={"title": 1.0, "issued": 0.98, "posted": 0.98, "summary": 0.95}
    ),
    "us_openfda_drug_enforcement": _ONE_REPORT,
    "us_openfda_food_enforcement": _ONE_REPORT,
    "us_openfda_device_enforcement": _ONE_REPORT,
    "ca_hc_recalls": Expectation(listed=Range(min=17, max=17), filled={"title": 1.0}),
}
"""What the recordings hold of each source: the whole of FDA's list with 82 of its pages, 17 Canadian records."""


def play_real(samples: Path, data: Path = DATA) -> int:
    """Exit code: 0 also where there are no recordings, with a line that says so."""
    if not samples.is_dir():
        say(f"demo-real is skipped: there are no recordings at {samples}.")
        return 0
    began = time.monotonic()
    config = data / "config.yaml"
    try:
        clear(data)
        with server(["recordings", "--samples", str(samples)]) as address:
            say(f"The recordings are served at http://{address}; nothing leaves this machine.")
            configs.write(configs.REAL_CONFIG, address, NOW, data, config)
            for source in RECORDED:
                _read(source, config)
        for run in sorted((data / "runs").glob("*/run.json")):
            _take_in(run.parent, config)
        if code := exowatch(config, "digest", "--from", FIRST_DAY, "--to", LAST_DAY):
            raise StageError(f"`exowatch --config {config} digest` ended with exit code {code}")
    except StageError as error:
        say(f"demo-real stopped: {error}")
        return 1
    for digest in sorted((data / "digests").glob("*.json")):
        say(f"The digest: {digest.with_suffix('.html')}")
        for line in summary(digest):
            say(line)
    say(f"Done in {time.monotonic() - began:.0f} seconds.")
    return 0


def _read(source: str, config: Path) -> None:
    """One source in a process of its own: Scrapy's reactor starts only once in each."""
    command = [sys.executable, "-m", "crawler.demo", "read-recorded", source, "--config", str(config)]
    code = subprocess.run(command, check=False).returncode
    if code:
        raise StageError(f"{source} could not be read: exit code {code}; see crawl.log in its run folder")


def _take_in(folder: Path, config: Path) -> None:
    code = exowatch(config, "intake", str(folder))
    if code not in (0, 1):
        raise StageError(f"`exowatch --config {config} intake {folder}` ended with exit code {code}")


def read_recorded(source: str, config_file: Path) -> int:
    """Read one source with the envelope of the recordings; say what came of it."""
    config = load(config_file)
    card = load_cards()[source].model_copy(update={"expect": RECORDED[source]})
    if source in ASKED_FOR:
        card = card.model_copy(update={"options": {**card.options, "terms": [ASKED_FOR[source]]}})
    say(what_was_read(run_source(config, card, config.runs_folder).record))
    return 0


def what_was_read(run: RunRecord) -> str:
    """One line: listed, records, what was left out and what could not be read, with reasons."""
    kinds = Counter(problem.kind for problem in run.problems)
    left_out = ", ".join(f"{reason}: {count}" for reason, count in run.not_kept.items()) or "nothing"
    problems = ", ".join(f"{kind}: {count}" for kind, count in kinds.items()) or "none"
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(run.responses.items())) or "none"
    seconds = (run.finished_at - run.started_at).total_seconds()
    return (
        f"{run.source}: {run.outcome.value} in {seconds:.0f} s; listed {run.listed or 0}, "
        f"records {sum(run.items.values())}; answers: {answers}; left out: {left_out}; problems: {problems}"
    )
