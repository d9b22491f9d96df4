"""`python -m reports post`: what `exowatch outbox send` and `exowatch outbox test` start."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime

from monitor import queries
from monitor.config import Config, now
from reports import period
from reports.commands.common import FAILED, database
from reports.delivery.post import Round, trial
from reports.law import law_of_knowledge


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--week", default="", help="that week's digest for everyone, whatever their time")
    parser.add_argument("--dry", action="store_true", help="write files instead, and change nothing")
    parser.add_argument("--test", default="", metavar="TO", help="send one test to this address, channel or webhook")


def post(config: Config, given: argparse.Namespace) -> int:
    """One round, or one test; what came of it is printed."""
    return _test(config, given.test) if given.test else _round(config, given.week, dry=given.dry)


def _test(config: Config, to: str) -> int:
    outcome = trial(config, to, now=datetime.now(UTC))
    if outcome.state != "sent":
        print(outcome.told, file=sys.stderr)
        return FAILED
    print(f"{to}: it was taken")
    return 0


def _round(config: Config, week: str, *, dry: bool) -> int:
    asked = period.week(week, config.digest.timezone) if week else None
    if asked and asked.end > now(config):
        raise ValueError(f"--week: {week} is not over; its digest is sent when it is, and once only")
    with database(config) as engine:
        if asked and not queries.was_read(engine, asked.start, asked.end):
            raise ValueError(
                f"--week: nothing was read from {asked.first} to {asked.last}, so {week} has nothing to tell; "
                "exowatch export runs lists what was read when"
            )
        round_of_post = Round(engine, config, now(config), law_of_knowledge())
        for number in (signal.SIGTERM, signal.SIGINT):  # the letter in hand is finished: a cut would leave it in doubt
            signal.signal(number, lambda *_: round_of_post.stopping.set())
        if dry:
            for path in round_of_post.write_dry(week):
                print(path)
            return 0
        done = round_of_post.run(week)
    for trouble in done.troubles:
        print(trouble, file=sys.stderr)
    print(done.told)
    return FAILED if done.failed else 0
