"""What every command needs: the configuration, the database, and a way to say what is wrong in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from monitor.config import Config, Vocabulary
    from monitor.knowledge import Knowledge

OK, FAILED, MISUSED = 0, 1, 2
"""Exit codes: all well; something failed or was found wrong; a wrong configuration, argument or input line."""


class UserError(Exception):
    """Something the user can put right: what, where, what to do, in one line."""

    def __init__(self, message: str, code: int = MISUSED) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class State:
    """What the options before the command say."""

    config_option: Path | None = None
    _config: Config | None = None

    @property
    def file(self) -> Path:
        from monitor.config import config_path

        return config_path(self.config_option)

    @property
    def config(self) -> Config:
        """The configuration, checked against every name it may use. Raises ConfigError."""
        if self._config is None:
            from monitor.config import ConfigError, load

            if not self.file.exists():
                raise ConfigError(str(self.file), flaws_of_missing(self.config_option))
            self._config = load(self.file, vocabulary())
        return self._config


def flaws_of_missing(option: Path | None) -> list[Any]:
    from monitor.config import CONFIG_VARIABLE
    from monitor.config.file import Flaw

    advice = f"no such file; give another with --config, or in {CONFIG_VARIABLE}"
    if option is None:
        advice = f"no such file here; go to the folder that has it, give it with --config, or set {CONFIG_VARIABLE}"
    return [Flaw(0, "", advice)]


def vocabulary() -> Vocabulary:
    """Every name that a configuration may use."""
    from monitor.config import Vocabulary, installed_sources
    from monitor.tables.models import EventKind

    return Vocabulary(installed_sources(), categories(), frozenset(str(kind) for kind in EventKind))


def categories() -> frozenset[str]:
    """Ids of the claim categories. The vocabulary alone is read: the whole knowledge takes its time."""
    from monitor.knowledge import HERE
    from monitor.knowledge.law import Vocabulary as Words
    from monitor.knowledge.yaml_rows import parse_row, read_yaml

    file = HERE / "law" / "vocabulary.yaml"
    return frozenset(category.id for category in parse_row(Words, read_yaml(file), file, 1).categories)


def knowledge() -> Knowledge:
    """The reviewed knowledge that judging rests on. Raises UserError if its files are not sound."""
    from monitor.knowledge import KnowledgeError
    from monitor.knowledge import load as load_knowledge

    try:
        return load_knowledge()
    except KnowledgeError as error:
        raise UserError(f"the knowledge cannot be used: {error}", FAILED) from error


def state_of(context: typer.Context) -> State:
    found: State = context.find_object(State) or State()
    return found


@contextmanager
def database(config: Config) -> Iterator[Engine]:
    """The database, brought up to date. Raises UserError if it cannot be reached."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import OperationalError as Unreachable

    from monitor.migrations import upgrade
    from monitor.tables.db import open_engine

    try:
        engine = open_engine(config.database_url)
        try:
            is_new = not inspect(engine).has_table("run")
            upgrade(engine)
            if is_new:
                _with_history(engine, config)
        except BaseException:
            engine.dispose()
            raise
    except (Unreachable, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        first = str(cause).strip().splitlines()[0]
        raise UserError(
            f"the database cannot be opened: {first}; see `database:` and EXOWATCH_DATABASE_URL", FAILED
        ) from error
    try:
        yield engine
    finally:
        engine.dispose()


def _with_history(engine: Engine, config: Config) -> None:
    """A database that was just made begins with what shipped; a rehearsal's holds invented things alone."""
    from monitor.config import now
    from monitor.intake.shipped import load_history

    if config.rehearsal is None:
        load_history(engine, config, knowledge(), now=now(config))


def choose(name: str, valid: Iterable[str], noun: str, where: str) -> str:
    """The name, if it is one of those. Raises UserError with the nearest."""
    names = list(valid)
    if name not in names:
        from monitor.config.file import nearest

        listed = f"; {where} has: {', '.join(sorted(names)[:20])}" if names else f"; {where} has none"
        raise UserError(f"no such {noun}: {name}{nearest(name, names) or listed}")
    return name


def day(text: str, option: str) -> Any:
    """A calendar date such as 2026-11-16. Raises UserError."""
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"{option}: {text} is no date; write it as 2026-11-16") from error


def screen() -> Console:
    """Where output goes. In a pipe or a file nothing is cut to the width of a terminal that is not there."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 240)


def say(console: Console, text: str) -> None:
    """One line, as it is: no markup, no colours of its own, not wrapped."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def clean(text: str) -> str:
    """Scraped text for a terminal: what could move the cursor or ring the bell is a blank."""
    return "".join(char if char.isprintable() else " " for char in text)


def plain(value: Any) -> Any:
    """What `dataclasses.asdict` gives, fit for JSON: keys as text, moments in ISO 8601."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def counted(number: int, noun: str) -> str:
    """`1 page`, `1,200 pages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def counts(events: Mapping[str, int]) -> str:
    """`2 claims appeared, 1 notice published`."""
    return ", ".join(_told(kind, number) for kind, number in sorted(events.items()) if number)


def _told(kind: str, number: int) -> str:
    what, _, happened = kind.partition("_")
    return f"{counted(number, what)} {happened.replace('_', ' ')}"
