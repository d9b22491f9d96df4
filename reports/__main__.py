"""`python -m reports digest | landscape | export | feed | evaluation | serve | post`: what `exowatch` starts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from monitor.config import Config, ConfigError, load
from reports.commands import digest, downloads, landscape, post
from reports.commands.common import MISUSED


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when done, 2 when what was asked cannot be understood."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "evaluation":
            return _evaluation(given.figures, given.out)
        config = load(given.config)
        if given.command in downloads.COMMANDS:
            return downloads.run(config, given)
        makers = {"serve": _serve, "post": post.post, "landscape": landscape.landscape, "digest": digest.digest}
        return makers[given.command](config, given)
    except (ConfigError, ValueError) as error:
        print(error, file=sys.stderr)
        return MISUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reports")
    commands = parser.add_subparsers(dest="command", required=True)
    week = commands.add_parser("digest", help="write a digest as HTML, text and JSON, and print where they lie")
    digest.add_options(week)
    picture = commands.add_parser("landscape", help="write the landscape of a period, and print where it lies")
    landscape.add_options(picture)
    sending = commands.add_parser("post", help="put what is due into the outbox and send what waits there")
    post.add_options(sending)
    serve = commands.add_parser("serve", help="serve the site on this machine until stopped")
    serve.add_argument("--port", type=int, default=8017)
    evaluation = commands.add_parser("evaluation", help="write the figures of an evaluation as one page of HTML")
    evaluation.add_argument("figures", type=Path, help="what `exowatch evaluate --json` prints")
    evaluation.add_argument("--out", type=Path, required=True, help="the file to write")
    downloads.add_parsers(commands)
    for command in (week, picture, sending, serve):
        command.add_argument("--config", type=Path, help="left out: config.yaml here")
    return parser


def _evaluation(figures: Path, out: Path) -> int:
    from reports.evaluation import write

    try:
        print(write(figures, out))
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}; give another file") from error
    return 0


def _serve(config: Config, given: argparse.Namespace) -> int:
    from reports.site.app import serve

    port: int = given.port
    print(f"http://127.0.0.1:{port}/ (stop with Ctrl-C)", flush=True)
    serve(config, port=port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
