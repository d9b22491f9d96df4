"""`python -m reports digest | landscape | export | feed | evaluation | serve | post`: what `exowatch` starts."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from monitor.config import Config, ConfigError, jurisdiction_codes, load, now
from monitor.db import open_engine
from monitor.migrations import upgrade
from reports import downloads, period
from reports.landscape_command import add_options, landscape

FAILED, MISUSED = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when done, 2 when what was asked cannot be understood."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "evaluation":
            return _evaluation(given.figures, given.out)
        config = load(given.config)
        if given.command in downloads.COMMANDS:
            return downloads.run(config, given)
        makers = {"serve": _serve, "post": _post, "landscape": landscape, "digest": _digest}
        return makers[given.command](config, given)
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
    digest.add_argument("--watchlist", action="append", default=[], help="only what this one matched; likewise")
    digest.add_argument("--language", default="", help="en, de or fr; left out: the configuration's")
    digest.add_argument("--format", dest="formats", default="", help="html, txt, pdf, json, eml, with commas between")
    serve = commands.add_parser("serve", help="serve the site on this machine until stopped")
    serve.add_argument("--port", type=int, default=8017)
    post = commands.add_parser("post", help="put what is due into the outbox and send what waits there")
    post.add_argument("--week", default="", help="that week's digest for everyone, whatever their time")
    post.add_argument("--dry", action="store_true", help="write files instead, and change nothing")
    post.add_argument("--test", default="", metavar="TO", help="send one test to this address, channel or webhook")
    evaluation = commands.add_parser("evaluation", help="write the figures of an evaluation as one page of HTML")
    evaluation.add_argument("figures", type=Path, help="what `exowatch evaluate --json` prints")
    evaluation.add_argument("--out", type=Path, required=True, help="the file to write")
    picture = commands.add_parser("landscape", help="write the landscape of a period, and print where it lies")
    add_options(picture)
    downloads.add_parsers(commands)
    for command in (digest, serve, post, picture):
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
    from reports.languages import speech
    from reports.law import law_of_knowledge
    from reports.pdf import PdfError

    asked, formats = _period(config, given), _formats(given.formats)
    if given.language:
        speech(given.language)  # one that there is not stops here
    for code in given.jurisdiction:
        if code not in jurisdiction_codes():
            raise ValueError(f"no jurisdiction {code!r}; write an ISO 3166 code in lower case, uk or eu")
    engine = open_engine(config.database_url)
    try:
        upgrade(engine)
        written = write(
            engine,
            config,
            asked,
            now(config),
            law=law_of_knowledge(),
            jurisdictions=tuple(given.jurisdiction),
            watchlists=tuple(given.watchlist),
            language=given.language,
            formats=formats,
        )
    except PdfError as error:
        print(error, file=sys.stderr)
        return FAILED
    finally:
        engine.dispose()
    for form in formats:
        print(written.files[form])
    return 0


def _formats(asked: str) -> tuple[str, ...]:
    from reports.digest import FORMATS, USUAL

    formats = tuple(dict.fromkeys(form.strip() for form in asked.split(",") if form.strip())) or USUAL
    for form in formats:
        if form not in FORMATS:
            raise ValueError(f"no format {form!r}; write one or more of {', '.join(FORMATS)}, with commas between")
    return formats


def _evaluation(figures: Path, out: Path) -> int:
    from reports.evaluation import write

    try:
        print(write(figures, out))
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}; give another file") from error
    return 0


def _post(config: Config, given: argparse.Namespace) -> int:
    from reports.law import law_of_knowledge
    from reports.post import Round, trial

    if given.test:
        outcome = trial(config, given.test, now=datetime.now(UTC))
        if outcome.state != "sent":
            print(outcome.told, file=sys.stderr)
            return FAILED
        print(f"{given.test}: it was taken")
        return 0
    if given.week and period.week(given.week, config.digest.timezone).end > now(config):
        raise ValueError(f"--week: {given.week} is not over; its digest is sent when it is, and once only")
    engine = open_engine(config.database_url)
    try:
        upgrade(engine)
        post = Round(engine, config, now(config), law_of_knowledge())
        for number in (signal.SIGTERM, signal.SIGINT):  # the letter in hand is finished: a cut would leave it in doubt
            signal.signal(number, lambda *_: post.stopping.set())
        if given.dry:
            for path in post.write_dry(given.week):
                print(path)
            return 0
        done = post.run(given.week)
    finally:
        engine.dispose()
    for trouble in done.troubles:
        print(trouble, file=sys.stderr)
    print(done.told)
    return FAILED if done.failed else 0


def _serve(config: Config, given: argparse.Namespace) -> int:
    from reports.site.app import serve

    port: int = given.port
    print(f"http://127.0.0.1:{port}/ (stop with Ctrl-C)", flush=True)
    serve(config, port=port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
