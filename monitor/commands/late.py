"""Commands that are loaded when they are asked for: one command needs a fifth of what all of them do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_group

Given = str | Callable[..., None]
"""`module.name` below this package, of a function or of a Typer with commands of its own; or the function itself."""


class LateCommands(Mapping[str, Any]):
    """Command line names with their commands, each made when it is first asked for."""

    def __init__(self, given: Mapping[str, Given]) -> None:
        self._given = dict(given)
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _command(name, self._given[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


def _command(name: str, given: Given) -> Any:
    part = typer.Typer(add_completion=False, rich_markup_mode=None)
    found: Any = given
    if isinstance(given, str):
        module, _, attribute = given.partition(".")
        found = getattr(import_module(f"{__package__}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        part.add_typer(found, name=name)
    else:
        part.command(name)(found)
    return get_group(part).commands[name]


def front_of(given: Mapping[str, Given]) -> type[TyperGroup]:
    """The class of a front door with these commands, for `typer.Typer(cls=…)`."""

    class Front(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes | {"commands": None})
            self.commands = cast(Any, LateCommands(given))

    return Front
