"""`python -m reports digest | evaluation | serve`: what `exowatch digest`, `evaluate --html` and `serve` start."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from monitor.config import Config, ConfigError, jurisdiction_codes, load, now
from monitor.db import open_engine
from monitor.migrations import upgrade
from reports import period

MISUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when done, 2 when what was asked cannot be understood."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "evaluation":
            return _evaluation(given.figures, given.out)
        config = load(given.config)
        if given.command == "serve":
            return _serve(config, given.port)
        return _digest(config, given)
    except (ConfigError, ValueError) as error:
        print(error, file=sys.stderr)
        return MISUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reports")
    commands = parser.add_subparsers(dest="command", required=True)
    digest = commands.add_parser("digest", help="write a digest as HTML, text and JSON, and print where they lie")
    digest.add_argument("--week", help="an ISO week such as 2026-W47; left out: the week of today")
    digest.add_argument("--from", dest="first", type=date.fromisoformat, help="first day of another period")
    digest.add_argument("--to", dest="last", type=date.fromisoformat, help="last day of it")
    digest.add_argument("--jurisdiction", action="append", default=[], help="only this one; may be given several times")
    serve = commands.add_parser("serve", help="serve the site on this machine until stopped")
    serve.add_argument("--port", type=int, default=8017)
    evaluation = commands.add_parser("evaluation", help="write the figures of an evaluation as one page of HTML")
    evaluation.add_argument("figures", type=Path, help="what `exowatch evaluate --json` prints")
    evaluation.add_argument("--out", type=Path, required=True, help="the file to write")
    for command in (digest, serve):
        command.add_argument("--config", type=Path, help="left out: config.yaml here")
    return parser


def _period(config: Config, given: argparse.Namespace) -> period.Period:
    timezone = config.digest.timezone
    if given.week and (given.first or given.last):
        raise ValueError("--week and --from/--to name two periods; give one")
    if bool(given.first) != bool(given.last):
        raise ValueError("--from and --to go together; give both, or --week")
    if given.first:
        return period.between(given.first, given.last, timezone)
    return period.week(given.week, timezone) if given.week else period.week_of(now(config), timezone)


def _digest(config: Config, given: argparse.Namespace) -> int:
    from reports.digest import write
    from reports.law import law_of_knowledge

    asked = _period(config, given)
    for code in given.jurisdiction:
        if code not in jurisdiction_codes():
            raise ValueError(f"no jurisdiction {code!r}; write an ISO 3166 code in lower case, uk or eu")
    engine = open_engine(config.database_url)
    try:
        upgrade(engine)
        written = write(
            engine, config, asked, now(config), law=law_of_knowledge(), jurisdictions=tuple(given.jurisdiction)
        )
    finally:
        engine.dispose()
    for path in (written.html, written.text, written.json):
        print(path)
    return 0


def _evaluation(figures: Path, out: Path) -> int:
    from reports.evaluation import write

    try:
        print(write(figures, out))
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}; give another file") from error
    return 0


def _serve(config: Config, port: int) -> int:
    from reports.site.app import serve

    print(f"http://127.0.0.1:{port}/ (stop with Ctrl-C)", flush=True)
    serve(config, port=port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
