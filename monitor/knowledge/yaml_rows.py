"""Reading YAML that people edit: errors name file and row, and a key given twice is an error."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from yaml.constructor import ConstructorError

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: several times as fast."""


class KnowledgeError(ValueError):
    """A file of the knowledge is wrong. The message says which file and row, what, and what to do."""


class Row(BaseModel):
    """Base of every row: frozen, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, defer_build=True)


class _Strict(LOADER):  # type: ignore[misc, valid-type]
    """Refuses a key that stands twice in one mapping, which YAML would let pass with the last one winning."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._open: set[int] = set()

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:
        if kind is yaml.ScalarNode and (not implicit[0] or value[:1] not in self.yaml_implicit_resolvers):
            return _TEXT
        return super().resolve(kind, value, implicit)

    def get_single_data(self) -> Any:
        node = self.get_single_node()
        return None if node is None else self._value(node)

    def _value(self, node: yaml.Node) -> Any:
        """What a node says. PyYAML's own way is made for anything; nine of ten nodes are text."""
        if node.tag == _TEXT and isinstance(node, yaml.ScalarNode):
            return node.value
        if isinstance(node, yaml.ScalarNode) or node.tag not in (_LIST, _MAPPING):
            return self.construct_object(node, deep=True)
        if id(node) in self._open:
            raise ConstructorError(None, None, "this holds itself; write it out", node.start_mark)
        self._open.add(id(node))
        inner = node.value
        made = self._mapping(inner) if isinstance(node, yaml.MappingNode) else [self._value(one) for one in inner]
        self._open.remove(id(node))
        return made

    def _mapping(self, pairs: Iterable[tuple[yaml.Node, yaml.Node]]) -> dict[Hashable, Any]:
        made: dict[Hashable, Any] = {}
        for key_node, value_node in pairs:
            key = self._value(key_node)
            if not isinstance(key, Hashable):
                raise ConstructorError(None, None, "a key is a word or a number; correct it", key_node.start_mark)
            if key in made:
                raise ConstructorError(None, None, f"the key {key!r} stands twice; remove one", key_node.start_mark)
            made[key] = self._value(value_node)
        return made


_TEXT, _LIST, _MAPPING = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


def read_yaml(path: Path) -> Any:
    """The file's content. Raises KnowledgeError where it is missing, is not UTF-8 or is no YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict)  # noqa: S506 - a SafeLoader
    except FileNotFoundError as error:
        raise KnowledgeError(f"{path}: there is no such file; put it back or reinstall") from error
    except UnicodeDecodeError as error:
        raise KnowledgeError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise KnowledgeError(f"{path}: no valid YAML: {error}") from error


RowType = TypeVar("RowType", bound=Row)


def parse_row(model: type[RowType], raw: Any, path: Path, number: int) -> RowType:
    """One row, checked. `number` counts from 1."""
    where = f"{path}, {row_name(raw, number)}"
    if not isinstance(raw, dict):
        raise KnowledgeError(f"{where}: a row is a mapping of keys to values, not {type(raw).__name__}")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise KnowledgeError("\n".join(f"{where}: {_problem(one, model)}" for one in error.errors())) from error


def parse_rows(model: type[RowType], raw: Any, path: Path) -> list[RowType]:
    """A list of rows, checked."""
    if not isinstance(raw, list):
        raise KnowledgeError(f"{path}: expected a list of rows, found {type(raw).__name__}")
    return [parse_row(model, one, path, number) for number, one in enumerate(raw, 1)]


def row_name(raw: Any, number: int) -> str:
    name = raw.get("id") or raw.get("product") or raw.get("term") if isinstance(raw, dict) else ""
    return f"row {number} ({name})" if name else f"row {number}"


def nearest(word: str, known: Iterable[str]) -> str:
    """ " (nearest: x)" if something is near, else nothing."""
    close = get_close_matches(word, list(known), n=1)
    return f" (nearest: {close[0]})" if close else ""


def _problem(one: Any, model: type[Row]) -> str:
    key = ".".join(str(part) for part in one["loc"]) or "the row"
    if one["type"] == "extra_forbidden":
        return f"unknown key {key}{nearest(key, model.model_fields)}; correct or remove it"
    return f"{key}: {one['msg']}"
