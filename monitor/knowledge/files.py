"""The files of a knowledge folder as people edit them: their values, the line of every row, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.knowledge.yaml_rows import LOADER, KnowledgeError, nearest, read_yaml

Level = Literal["error", "warning"]
Key = str | int
Loc = tuple[Key, ...]
Shape = TypeVar("Shape", bound=BaseModel)
_NAMES = ("id", "role", "kind", "product", "term", "tier", "reference", "word")


@dataclass(frozen=True)
class Problem:
    """What is wrong, in which row of which file, and what to do. `line` 0: the file as a whole."""

    level: Level
    file: str
    line: int
    row: str
    message: str

    def text(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.level}: {f'{self.row}: ' if self.row else ''}{self.message}"


@dataclass(frozen=True)
class RowFile:
    """One YAML file: its values, and the tree that knows their lines. `name` is its path below the folder."""

    name: str
    raw: Any
    text: str

    @cached_property
    def _tree(self) -> yaml.Node | None:
        """Made when first asked for: most files have nothing wrong."""
        made: yaml.Node | None = yaml.compose(self.text, Loader=LOADER)
        return made

    def line(self, loc: Loc) -> int:
        """Line of a place, or of the nearest thing around it."""
        node, line = self._tree, 1
        for part in loc:
            inner = _step(node, part)
            if inner is None:
                break
            line, node = inner
        return line

    def row(self, loc: Loc) -> str:
        """How a person would name the row: `row 3 (hair.loss)`, `class condition`."""
        value = self.raw
        for depth, part in enumerate(loc):
            value = _inner(value, part)
            if isinstance(part, int):
                named = next((str(value[name]) for name in _NAMES if name in value), "") if _mapping(value) else ""
                return f"row {part + 1}" + (f" ({named})" if named else "")
            if loc[0] == "classes" and depth == 1:
                return f"class {part}"
        return ""

    def problem(self, loc: Loc, message: str, level: Level = "error") -> Problem:
        return Problem(level, self.name, self.line(loc), self.row(loc), message)

    def rows(self, key: str = "") -> list[Any]:
        """The list of rows: the file itself, or what stands under `key`. Empty if there is none."""
        found = _inner(self.raw, key) if key else self.raw
        return found if isinstance(found, list) else []


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _inner(value: Any, part: Key) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _step(node: yaml.Node | None, part: Key) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        inner: yaml.Node = node.value[part]
        return inner.start_mark.line + 1, inner
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    return None


def read(path: Path, folder: Path) -> RowFile | Problem:
    """One YAML file, or why it cannot be read."""
    name = path.relative_to(folder).as_posix()
    try:
        raw = read_yaml(path)
    except KnowledgeError as error:
        return Problem("error", name, _line_in(error), "", str(error).removeprefix(f"{path}: "))
    return RowFile(name, raw, path.read_text(encoding="utf-8"))


def _line_in(error: KnowledgeError) -> int:
    cause = error.__cause__
    mark = cause.problem_mark if isinstance(cause, yaml.MarkedYAMLError) else None
    return mark.line + 1 if mark else 0


def fit(shape: type[Shape], file: RowFile, loc: Loc = ()) -> tuple[Shape | None, list[Problem]]:
    """The values at a place, fitted to their shape; else everything that does not fit."""
    value = file.raw
    for part in loc:
        value = _inner(value, part)
    try:
        return shape.model_validate(value), []
    except ValidationError as error:
        return None, [_misfit(file, loc, one, shape) for one in _telling(error.errors(include_url=False))]


def _telling(errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """A value of several possible shapes fails once for each; the failure as a mapping says most."""
    for one in errors:
        head = one["loc"][:-1]
        beside = [other["loc"] for other in errors if other["loc"] != one["loc"] and other["loc"][: len(head)] == head]
        if one["loc"] and one["loc"][-1] == "str" and any("Example" in map(str, other) for other in beside):
            continue
        yield one


def _misfit(file: RowFile, loc: Loc, one: ErrorDetails, shape: type[BaseModel]) -> Problem:
    inner = tuple(part for part in one["loc"] if part != "Example")
    row = file.row((*loc, *inner))
    shown = [str(part) for part in inner]
    if not loc and len(inner) > 1 and isinstance(inner[1], int):
        shown = shown[2:]
    elif inner and isinstance(inner[0], int):
        shown = shown[1:]
    key = ".".join(shown) or "the row"
    level: Level = "error"
    return Problem(level, file.name, file.line((*loc, *inner)), row, _told(one, key, inner, shape))


def _told(one: ErrorDetails, key: str, loc: Loc, shape: type[BaseModel]) -> str:
    match one["type"]:
        case "extra_forbidden":
            return f"unknown key {key}{nearest(str(loc[-1]), _fields(shape))}; correct or remove it"
        case "missing":
            return f"{key} is missing; add it"
        case "too_short":
            about = one.get("ctx", {})
            return f"{key} has {about.get('actual_length')}, and needs at least {about.get('min_length')}; add more"
        case "value_error":
            return f"{key}: {one.get('ctx', {}).get('error', one['msg'])}; correct it"
    return f"{key}: {one['msg'].replace('Input should', 'should')}; correct it"


def _fields(shape: type[BaseModel]) -> set[str]:
    """Every key that a shape or a shape inside it knows."""
    found = set(shape.model_fields)
    for field in shape.model_fields.values():
        found |= {name for inner in _shapes(field.annotation) for name in _fields(inner)}
    return found


def _shapes(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _shapes(part)
