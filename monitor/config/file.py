"""Reads a YAML file so that every value still knows its line, and nothing in it is reinterpreted.

The reading is YAML 1.2's core schema: YAML 1.1 would read the key `on` as true, Norway's `no` as false
and `at: 12:30` as the number 750.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Key = str | int
KeyPath = tuple[Key, ...]
M = TypeVar("M", bound=BaseModel)
_MAX_DEPTH = 40


@dataclass(frozen=True)
class Flaw:
    """Something wrong in a file: where it stands, which key, and what to do about it."""

    line: int
    key: str
    message: str

    def text(self, file: str) -> str:
        where = f"{file}:{self.line}: " if self.line else f"{file}: "
        return where + (f"{self.key}: " if self.key else "") + self.message


@dataclass
class Marked:
    """A file's values, JSON-like, with the line of each key path (counted from 1)."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def line_of(self, path: KeyPath) -> int:
        """Line of the path, or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def dotted(path: KeyPath) -> str:
    """`watchlists[2].terms` for ("watchlists", 2, "terms")."""
    written = ""
    for part in path:
        written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
    return written


class _CoreLoader(yaml.SafeLoader):
    """YAML 1.2 core schema: true and false, decimal numbers, null; dates and times stay text."""


_CoreLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))


def read_marked(text: str) -> Marked:
    """Read YAML text. What is wrong with it as YAML, and every key given twice, is in `flaws`."""
    marked = Marked()
    try:
        root = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        marked.flaws.append(Flaw(mark.line + 1 if mark else 0, "", f"not valid YAML: {what}{_remedy(what)}"))
        return marked
    except (yaml.YAMLError, RecursionError) as error:
        marked.flaws.append(Flaw(0, "", f"not valid YAML: {str(error).splitlines()[0]}"))
        return marked
    if root is None or (isinstance(root, yaml.ScalarNode) and _scalar(root) is None):
        return marked
    if not isinstance(root, yaml.MappingNode):
        marked.flaws.append(Flaw(root.start_mark.line + 1, "", "must be a mapping of keys to values"))
        return marked
    marked.values = _mapping(root, (), marked)
    return marked


def _remedy(what: str) -> str:
    """What to do about the two slips that YAML's own words do not explain."""
    if r"'\t'" in what:
        return "; indent with blanks, not with tabs"
    if "mapping values are not allowed" in what:
        return '; put a value with a colon in it in quotes: title: "Exosomes: weekly"'
    return ""


def read_marked_file(path: Path) -> Marked:
    """Read a YAML file; see `read_marked`. An unreadable file is a flaw too."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = "no such file; give its path with --config, or in the environment variable EXOWATCH_CONFIG"
        return Marked(flaws=[Flaw(0, "", message)])
    except UnicodeDecodeError as error:
        return Marked(flaws=[Flaw(0, "", f"not UTF-8 text (byte {error.start}); save it as UTF-8")])
    except OSError as error:
        return Marked(flaws=[Flaw(0, "", f"cannot be read: {error.strerror}")])
    return read_marked(text)


def _mapping(node: yaml.MappingNode, path: KeyPath, marked: Marked) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            marked.flaws.append(Flaw(line, dotted(path), "a key must be plain text"))
            continue
        key = str(key_node.value)
        if key in values:
            first = marked.lines[(*path, key)]
            message = f"given twice, first in line {first}; keep one"
            marked.flaws.append(Flaw(line, dotted((*path, key)), message))
            continue
        marked.lines[(*path, key)] = line
        values[key] = _value(value_node, (*path, key), marked)
    return values


def _value(node: yaml.Node, path: KeyPath, marked: Marked) -> Any:
    if len(path) > _MAX_DEPTH:
        marked.flaws.append(Flaw(node.start_mark.line + 1, dotted(path[:3]), "nested too deeply"))
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, marked)
    if isinstance(node, yaml.SequenceNode):
        values = []
        for number, item in enumerate(node.value):
            marked.lines[(*path, number)] = item.start_mark.line + 1
            values.append(_value(item, (*path, number), marked))
        return values
    return _scalar(node) if isinstance(node, yaml.ScalarNode) else None


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    match node.tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            number = float(text)
            return number if math.isfinite(number) else text
    return text


def without_nothing(values: Any, keep: frozenset[KeyPath] = frozenset(), path: KeyPath = ()) -> Any:
    """A key left empty counts as left out; below the mappings named in `keep` it counts as `{}`."""
    if isinstance(values, dict):
        kept: dict[str, Any] = {}
        for key, value in values.items():
            if value is None and path in keep:
                kept[key] = {}
            elif value is not None:
                kept[key] = without_nothing(value, keep, (*path, key))
        return kept
    if isinstance(values, list):
        return [without_nothing(value, keep, (*path, number)) for number, value in enumerate(values)]
    return values


def validate(model: type[M], values: dict[str, Any], marked: Marked) -> tuple[M | None, list[Flaw]]:
    """Fit values to a model, without bending types; each misfit comes back with its line.

    `values` are the file's `without_nothing`; a key that is unknown and left empty is a misfit all the same.
    """
    made, misfits = _fit(model, values)
    unknown = [misfit for misfit in _fit(model, marked.values)[1] if misfit["type"] == "extra_forbidden"]
    places = {misfit["loc"] for misfit in misfits}
    misfits += [misfit for misfit in unknown if misfit["loc"] not in places]
    return made, [_flaw(model, misfit, values, marked) for misfit in misfits]


def _fit(model: type[M], values: dict[str, Any]) -> tuple[M | None, list[ErrorDetails]]:
    try:
        # In JSON, a strict reading still takes a time or a path from text, and a tuple from a list.
        return model.model_validate_json(json.dumps(values), strict=True), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing if no valid name is near."""
    found = difflib.get_close_matches(wrong.lower(), sorted(valid), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _flaw(model: type[BaseModel], found: ErrorDetails, values: dict[str, Any], marked: Marked) -> Flaw:
    path: KeyPath = tuple(part for part in found["loc"] if part != "[key]")
    line = marked.line_of(path)
    match found["type"]:
        case "extra_forbidden":
            valid = _fields_at(model, path[:-1])
            message = f"no such key{nearest(str(path[-1]), valid) or '; valid here: ' + ', '.join(sorted(valid))}"
        case "missing":
            message = "is missing; add it"
        case "value_error":
            message = str(found["ctx"]["error"]) if "ctx" in found else found["msg"]
        case "literal_error":
            got = _value_at(values, path)
            expected = found["ctx"]["expected"] if "ctx" in found else "another value"
            words = re.findall(r"'([^']*)'", expected)
            message = f"{_shown(got)} is none of {', '.join(words)}{nearest(str(got), words)}"
        case "bool_type":
            message = f"must be true or false, not {_shown(_value_at(values, path))}"
        case "tuple_type" | "list_type":
            got = _shown(_value_at(values, path))
            message = f"must be a list, even of one: in [ ], or a line for each with a dash; not {got}"
        case "dict_type" | "model_type" | "model_attributes_type":
            message = f"must be keys with their values, not {_shown(_value_at(values, path))}"
        case "date_from_datetime_parsing" | "date_parsing" | "date_from_datetime_inexact":
            message = f"must be a date such as 2026-11-16, not {_shown(_value_at(values, path))}"
        case "time_parsing":
            message = f'must be a time of day such as "06:30", not {_shown(_value_at(values, path))}'
        case _:
            got = _value_at(values, path)
            message = f"{found['msg'].replace('Input should', 'should')}, not {_shown(got)}"
    return Flaw(line, dotted(path), message)


def _fields_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Keys that may stand in the mapping at `path`."""
    at: type[BaseModel] | None = model
    annotation: Any = model
    for part in path:
        if at is not None and part in at.model_fields:
            annotation = at.model_fields[str(part)].annotation
        at = _model_in(annotation)
    return list(at.model_fields) if at else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _value_at(values: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return part  # a key that is itself wrong
    return values


def _shown(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 60 else written[:57] + "…"
