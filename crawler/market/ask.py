"""`python -m crawler commoncrawl`: its arguments, and one run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crawler.market.commoncrawl import SOURCE, Options, card_of
from crawler.run import Finished, NotStartedError, run_source
from monitor.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "patterns",
        nargs="+",
        metavar="PATTERN",
        help="clinic.example (with the hosts below it), shop.example/products/*, or one address",
    )
    parser.add_argument("--crawl", action="append", metavar="ID", help="such as CC-MAIN-2026-43; may be given again")
    parser.add_argument("--newest", type=int, metavar="N", default=1, help="the newest N crawls (default: 1)")
    parser.add_argument(
        "--rows", type=int, metavar="N", default=5_000, help="lines a pattern and crawl (default: 5000)"
    )
    parser.add_argument("--fetch", type=int, metavar="N", default=0, help="fetch the N most telling records")
    parser.add_argument("--all", action="store_true", help="keep every address, telling or not")


def ask(options: argparse.Namespace, config: Config) -> Finished:
    """One run. Raises NotStartedError."""
    told: dict[str, Any] = {"newest": options.newest, "rows": options.rows, "fetch": options.fetch}
    try:
        asked = Options(
            patterns=tuple(options.patterns),
            crawls=tuple(options.crawl or ()),
            **told,
            **({"least": -1} if options.all else {}),
        )
    except ValidationError as error:
        flaws = "; ".join(f"{'.'.join(map(str, flaw['loc'][:1]))}: {flaw['msg']}" for flaw in error.errors())
        raise NotStartedError(flaws) from error
    runs: Path = options.runs or config.data / SOURCE
    return run_source(config, card_of(asked), runs, progress=options.progress)
