"""The crawler as a program: `python -m crawler list | run | read | replay | check | new | commoncrawl`."""

from __future__ import annotations

import argparse
import json
import mimetypes
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from crawler.fixtures import saved_response
from crawler.replay import replay
from crawler.run import CutShortError, Finished, NotStartedError, card_of, run_source
from crawler.source import BlockedError, LayoutChangedError, check_options, load_cards, spider_module
from crawler.starting import READERS, start
from monitor.config import Config, ConfigError, config_path, load
from monitor.records import EXIT_CODES, KnownItem, Outcome, RunRequest, SourceCard

_EXIT_HELP = """\
exit codes: 0 read; 1 nothing was found, neither records nor list entries; 2 parts could not be read or understood;
3 not started; 4 stopped by a signal; 5 blocked by the server. The folder's run.json says what happened."""


class _Parser(argparse.ArgumentParser):
    """argparse's own exit code for a wrong argument means "parts could not be read" here."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_CODES[Outcome.NOT_STARTED], f"not started: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m crawler",
        description="Reads sources, one run folder a reading.",
        epilog=_EXIT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_list(commands)
    _add_run(commands)
    _add_read(commands)
    _add_replay(commands)
    _add_check(commands)
    _add_look(commands)
    _add_new(commands)
    _add_commoncrawl(commands)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, folder: bool) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: ./config.yaml)")
    if folder:
        parser.add_argument("--runs", type=Path, metavar="DIR", help="where run folders go (default: <data>/runs)")
        parser.add_argument("--progress", action="store_true", help="one line of JSON a second to stderr")


def _add_list(commands: Any) -> None:
    parser = commands.add_parser("list", help="the sources", description="Shows the sources' cards.")
    parser.add_argument("--json", action="store_true", help="whole cards, as one JSON array")
    parser.add_argument("--cards", type=Path, action="append", metavar="DIR", help="a folder of further cards")
    _add_common(parser, folder=False)
    parser.set_defaults(do=_list)


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="read one source",
        description="Reads one source into a new run folder and prints the folder's path.",
        epilog=_EXIT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="a source's id, or site_<host> for a configured site")
    _add_common(parser, folder=True)
    parser.add_argument("--known", type=Path, metavar="FILE", help="JSON lines of what is held already")
    parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="nothing published before YYYY-MM-DD")
    parser.add_argument("--pages", type=Path, metavar="FILE", help="read just these addresses, one a line")
    parser.add_argument("--full", action="store_true", help="read everything again, known or not")
    parser.add_argument("--limit", type=_positive, metavar="N", help="stop after so many records")
    parser.add_argument("--requests", type=_positive, metavar="N", help="stop after so many requests")
    parser.add_argument("--sweep", action="store_true", help="the whole list back to --since, known or not")
    parser.set_defaults(do=_run)


def _add_read(commands: Any) -> None:
    parser = commands.add_parser(
        "read",
        help="read one saved response",
        description="Gives one saved response to a source's reader and prints its records as JSON lines.",
    )
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("file", type=Path, metavar="FILE", help="the response's body, decoded")
    parser.add_argument("--url", required=True, help="the address that it came from")
    parser.add_argument("--content-type", metavar="T", default="", help="as sent (default: by the file's name)")
    _add_common(parser, folder=False)
    parser.set_defaults(do=_read)


def _add_replay(commands: Any) -> None:
    parser = commands.add_parser(
        "replay",
        help="read a run's recording again",
        description="Reads a finished run once more from its own WARC, offline, into a new run folder.",
    )
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    _add_common(parser, folder=True)
    parser.set_defaults(do=_replay)


def _add_check(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="does the source still fit its card",
        description="Reads one page of a source live and says, point by point, what still fits its card.",
        epilog="exit codes: 0 everything that can be told fits; 1 something differs; 3 not started.",
    )
    parser.add_argument("source", metavar="SOURCE")
    _add_common(parser, folder=False)
    parser.set_defaults(do=_check)


def _add_look(commands: Any) -> None:
    parser = commands.add_parser(
        "look",
        help="what a site is built with",
        description="Reads robots.txt and the front page of a site that need not be configured, and says in one line "
        "of JSON what it is built with. Keeps nothing.",
        epilog="exit codes: 0 the front page was read; 1 it was not, and `problem` says why; 3 not started.",
    )
    parser.add_argument("url", metavar="URL", help="the site's address")
    _add_common(parser, folder=False)
    parser.set_defaults(do=_look)


def _add_new(commands: Any) -> None:
    parser = commands.add_parser(
        "new",
        help="begin a new source",
        description="Writes a new source's card and the folder for its fixture; a test fails until both are filled.",
    )
    parser.add_argument("source", metavar="SOURCE", help="its id: <cc>_<authority>_<list>")
    parser.add_argument("url", metavar="URL", help="the list's address")
    parser.add_argument("--reader", choices=READERS, help="the generic reader (default: by the address)")
    parser.add_argument("--module", action="store_true", help="a module of its own, built on the generic reader")
    parser.add_argument("--cards", type=Path, metavar="DIR", help="a folder of your own (default: the shipped cards)")
    parser.set_defaults(do=_new)


def _add_commoncrawl(commands: Any) -> None:
    from crawler.market.ask import add_arguments

    parser = commands.add_parser(
        "commoncrawl",
        help="what Common Crawl holds of a site",
        description="Asks Common Crawl's index for telling addresses of sites; the sites themselves are not touched.",
        epilog=_EXIT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    _add_common(parser, folder=True)
    parser.set_defaults(do=_commoncrawl)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _config(options: argparse.Namespace, *, needed: bool) -> Config:
    """The configuration; commands that ask no server do without one if none is there."""
    if not needed and options.config is None and not config_path().is_file():
        return Config()
    return load(options.config)


def _cards(own: Iterable[Path]) -> dict[str, SourceCard]:
    """The shipped cards and those in folders of one's own."""
    try:
        cards = load_cards()
        for folder in own:
            found = load_cards(folder)
            if twice := sorted(set(found) & set(cards)):
                raise ValueError(
                    f"{folder / twice[0]}.yaml: there is a source {twice[0]} already; give yours another id"
                )
            for card in found.values():
                check_options(card)
            cards |= found
    except ValueError as error:
        raise NotStartedError(f"a source's card cannot be used: {error}") from error
    return cards


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotStartedError(f"{path} cannot be read: {error}") from error


def _list(options: argparse.Namespace) -> int:
    config = _config(options, needed=False)
    cards = _cards((*config.cards, *(options.cards or ())))
    found = [*cards.values(), *(card_of(site.source_id, cards, config) for site in config.sites)]
    if options.json:
        print(json.dumps([card.model_dump(mode="json") for card in found], ensure_ascii=False, indent=1))
        return 0
    width = max((len(card.id) for card in found), default=0)
    for card in found:
        marks = [mark for mark, holds in (("demo", card.demo), ("unverified", card.unverified)) if holds]
        tail = f" [{', '.join(marks)}]" if marks else ""
        print(f"{card.id:<{width}}  {card.jurisdiction}  {card.frequency:<7}  {card.title}{tail}")
    return 0


def _run(options: argparse.Namespace) -> int:
    config = _config(options, needed=True)
    card = _usable(card_of(options.source, _cards(config.cards), config))
    request = RunRequest(
        since=options.since,
        pages=_lines(options.pages),
        full=options.full,
        limit=options.limit,
        most_requests=options.requests,
        sweep=options.sweep,
    )
    runs = options.runs or config.runs_folder
    known = _known(options.known)
    return _ended(run_source(config, card, runs, request=request, known=known, progress=options.progress))


def _replay(options: argparse.Namespace) -> int:
    config = _config(options, needed=False)
    runs = options.runs or options.folder.resolve().parent
    return _ended(replay(options.folder, runs, config=config, progress=options.progress))


def _commoncrawl(options: argparse.Namespace) -> int:
    from crawler.market.ask import ask

    return _ended(ask(options, _config(options, needed=True)))


def _ended(finished: Finished) -> int:
    print(finished.folder)
    record = finished.record
    for problem in record.problems:
        print(f"{problem.kind}: {problem.message} {problem.url}".rstrip(), file=sys.stderr)
    return finished.exit_code


def _read(options: argparse.Namespace) -> int:
    config = _config(options, needed=False)
    card = _usable(card_of(options.source, _cards(config.cards), config))
    try:
        body = options.file.read_bytes()
    except OSError as error:
        raise NotStartedError(f"{options.file} cannot be read: {error}") from error
    content_type = options.content_type or mimetypes.guess_type(options.file.name)[0] or "text/html"
    response = saved_response(options.url, body, content_type)
    try:
        for record in spider_module(card).read(response, card):
            print(record.model_dump_json())
    except (LayoutChangedError, BlockedError, ValidationError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_CODES[Outcome.BLOCKED if isinstance(error, BlockedError) else Outcome.ERRORS]
    return 0


def _check(options: argparse.Namespace) -> int:
    from crawler.checking import check

    config = _config(options, needed=True)
    points = check(config, _usable(card_of(options.source, _cards(config.cards), config)))
    for point in points:
        print(point)
    return 1 if any(point.verdict == "differs" for point in points) else 0


def _look(options: argparse.Namespace) -> int:
    from crawler.market.look import look

    seen = look(_config(options, needed=True), options.url)
    print(json.dumps(seen, ensure_ascii=False))
    return 1 if seen["problem"] else 0


def _new(options: argparse.Namespace) -> int:
    made = start(options.source, options.url, reader=options.reader or "", module=options.module, cards=options.cards)
    for path in made.files:
        print(f"wrote {path}")
    print("\nNext:")
    for number, step in enumerate(made.next, start=1):
        print(f"{number}. {step}")
    return 0


def _usable(card: SourceCard) -> SourceCard:
    """The card, if its reader understands its options."""
    try:
        check_options(card)
    except ValueError as error:
        raise NotStartedError(f"a source's card cannot be used: {error}") from error
    return card


def _lines(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    pages = tuple(line.strip() for line in _text(path).splitlines() if line.strip())
    if not pages:
        raise NotStartedError(f"{path} names no page; give one address a line, or leave --pages out")
    return pages


def _known(path: Path | None) -> list[KnownItem]:
    if path is None:
        return []
    known = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        try:
            known.append(KnownItem.model_validate_json(line))
        except ValidationError as error:
            raise NotStartedError(f"{path} line {number} is no known item: {error}") from error
    return known


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.do(options)
    except CutShortError as error:
        print(f"stopped: {error}", file=sys.stderr)
        return EXIT_CODES[Outcome.STOPPED]
    except (NotStartedError, ConfigError) as error:
        print(f"not started: {error}", file=sys.stderr)
        return EXIT_CODES[Outcome.NOT_STARTED]
    except OSError as error:
        print(f"failed: {error}; a run folder that was begun stays a .part", file=sys.stderr)
        return EXIT_CODES[Outcome.ERRORS]
    return code
