"""The documents say what the program does: every key with its default, every command with its help, no dead link.

`python -m tests.test_docs` writes the help of the commands into docs/commands.md anew.
"""

from __future__ import annotations

import re
import shlex
from datetime import time
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.main import get_command

from monitor.cli import app
from monitor.config import (
    Channel,
    Config,
    DigestChoice,
    EvidenceChoice,
    Mail,
    Network,
    Recipient,
    Rehearsal,
    Schedule,
    Site,
    SourceChoice,
    Vocabulary,
    Watchlist,
    Webhook,
    load,
)
from monitor.tables.models import EventKind

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONFIGURATION, COMMANDS, OPERATIONS, KNOWLEDGE = (
    DOCS / f"{name}.md" for name in ("configuration", "commands", "operations", "knowledge")
)
SECTIONS: dict[str, type[BaseModel]] = {
    "At the top": Config,
    "`sources`": SourceChoice,
    "`schedule`": Schedule,
    "`sites`": Site,
    "`network`": Network,
    "`digest`": DigestChoice,
    "`evidence`": EvidenceChoice,
    "`watchlists`": Watchlist,
    "`mail`": Mail,
    "`recipients`": Recipient,
    "`channels`": Channel,
    "`webhooks`": Webhook,
    "`rehearsal`": Rehearsal,
}
IN_WORDS = {
    ("Config", "network"): "see below",
    ("Config", "digest"): "see below",
    ("Config", "evidence"): "see below",
    ("SourceChoice", "schedule"): "by its card",
    ("Site", "schedule"): "every day",
    ("DigestChoice", "jurisdictions"): "all",
    ("Rehearsal", "now"): "the clock",
}


def default_of(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    """The default as the tables write it."""
    if (model.__name__, name) in IN_WORDS:
        return IN_WORDS[model.__name__, name]
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "needed"
    if value is None or value in ((), {}):
        return "none"
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, time):
        return f"`{value:%H:%M}`"
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title}"
    return found[1]


def models_in(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Every model that a configuration can hold."""
    found: set[type[BaseModel]] = {model}

    def look(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.update(models_in(annotation))
        elif get_origin(annotation) in (dict, tuple, Union, UnionType):
            for part in get_args(annotation):
                look(part)

    for field in model.model_fields.values():
        look(field.annotation)
    return found


def test_every_model_of_the_configuration_has_a_section() -> None:
    assert models_in(Config) == set(SECTIONS.values())


@pytest.mark.parametrize(("title", "model"), SECTIONS.items(), ids=[model.__name__ for model in SECTIONS.values()])
def test_every_key_is_documented_with_its_default(title: str, model: type[BaseModel]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.+) \|$", section(CONFIGURATION.read_text(), title), re.MULTILINE)
    assert {key: default for key, default, _ in rows} == {
        name: default_of(model, name, field) for name, field in model.model_fields.items()
    }
    assert all(what for _, _, what in rows)


def test_every_kind_of_event_is_documented() -> None:
    text = section(CONFIGURATION.read_text(), "`watchlists`")
    assert [kind for kind in EventKind if f"`{kind}`" not in text] == []


def blocks(file: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    """YAML in the documents that is configuration."""
    files = [CONFIGURATION, COMMANDS, OPERATIONS, ROOT / "README.md"]
    found = [(file.name, block) for file in files if file.exists() for block in blocks(file, "yaml")]
    return [(name, block) for name, block in found if set(yaml.safe_load(block) or {}) & set(Config.model_fields)]


@pytest.mark.parametrize(("name", "text"), examples(), ids=lambda value: value if value.endswith(".md") else "")
def test_every_example_loads(name: str, text: str, tmp_path: Path) -> None:
    from monitor.commands.common import vocabulary

    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    config = load(file, vocabulary())
    assert config != Config(), name


def test_there_are_examples_and_the_commented_one_of_the_shipped_file_loads(tmp_path: Path) -> None:
    assert len(examples()) >= 5
    shipped = (ROOT / "config.yaml").read_text(encoding="utf-8")
    uncommented = re.sub(
        r"^sites: \[\]\n((?:#  .*\n)+)", lambda m: "sites:\n" + m[1].replace("#", ""), shipped, flags=re.M
    )
    assert uncommented != shipped
    file = tmp_path / "config.yaml"
    file.write_text(uncommented, encoding="utf-8")
    assert load(file).sites[0].source_id == "site_follica_example"
    assert len(Vocabulary.__dataclass_fields__) == 3


# --- commands


def commands(command: Any = None, path: tuple[str, ...] = ("exowatch",)) -> dict[str, Any]:
    """Every command by its name, the front door first."""
    command = command or get_command(app)
    found = {" ".join(path): command}
    for name, each in getattr(command, "commands", {}).items():
        found |= commands(each, (*path, name))
    return found


def help_of(name: str) -> str:
    """What `--help` prints, at 100 columns whatever the terminal."""
    from typer.core import TyperGroup

    parts = name.split()
    command: Any = get_command(app)
    context = command.make_context(parts[0], [], resilient_parsing=True, terminal_width=100, max_content_width=100)
    for part in parts[1:]:
        assert isinstance(command, TyperGroup)
        command = command.commands[part]
        context = command.make_context(part, [], parent=context, resilient_parsing=True)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines()) + "\n"


def documented() -> dict[str, str]:
    text = COMMANDS.read_text(encoding="utf-8")
    return dict(re.findall(r"^## `(exowatch[a-z ]*)`\n.*?^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def test_every_command_is_documented_with_its_help_as_it_is() -> None:
    found = documented()
    assert list(found) == list(commands())
    for name in found:
        assert found[name] == help_of(name), f"{name}: run python -m tests.test_docs"


def mentioned() -> list[tuple[str, str]]:
    """Every command line of ours in the documents, and in what the program itself says."""
    files = [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "config.yaml"]
    files += [file for room in ("crawler", "monitor", "reports") for file in (ROOT / room).rglob("*.py")]
    found = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        inline = re.findall(r"`(exowatch(?: [^`\n]*)?)`", text)
        lines = re.findall(r"^\$? ?(exowatch [a-z][^\n]*)$", "\n".join(blocks(file, "sh")), re.MULTILINE)
        found += [(file.name, line) for line in [*inline, *lines]]
    return sorted(set(found))


@pytest.mark.parametrize(("file", "line"), mentioned())
def test_every_command_that_is_mentioned_exists(file: str, line: str) -> None:
    words = shlex.split(re.split(r"[|<>]", line, maxsplit=1)[0], comments=True)[1:]
    command = get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        if command.name == "market" and (
            "." in words[0] or words[0].isupper()
        ):  # `exowatch market SITE` shows that site
            return
        assert words[0] in command.commands, f"{file}: {line}"
        command = command.commands[words.pop(0)]
    takes_arguments = any(parameter.param_type_name == "argument" for parameter in command.params)
    assert takes_arguments or not words or words[0].startswith("-"), f"{file}: {line}: it takes no {words[0]}"
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert [word for word in words if word.startswith("-") and word.split("=")[0] not in options] == [], (
        f"{file}: {line}"
    )


def test_the_service_unit_starts_the_clock() -> None:
    (unit,) = blocks(OPERATIONS, "ini")
    command = re.search(r"^ExecStart=\S+/exowatch --config \S+ (\w+)$", unit, re.MULTILINE)
    assert command
    assert f"exowatch {command[1]}" in commands()
    assert re.search(r"^KillMode=mixed$", unit, re.MULTILINE)


@pytest.mark.parametrize("file", [CONFIGURATION, COMMANDS, OPERATIONS, KNOWLEDGE], ids=lambda file: file.name)
def test_no_link_is_dead(file: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))
    assert [target for target in targets if "://" not in target and not (file.parent / target).exists()] == []


def test_every_module_has_its_place_in_the_account_of_the_house() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:monitor\.|reports\.|crawler\.)?(?:\w+\.)?(\w+)`", text))
    modules = [file for room in ("crawler", "monitor", "reports") for file in (ROOT / room).rglob("*.py")]
    left_out = ("crawler/sources", "monitor/migrations")  # as many as there are sources, and changes of the tables
    inside = [str(file.relative_to(ROOT)) for file in modules if file.name != "__init__.py"]
    assert [each for each in inside if not each.startswith(left_out) and Path(each).stem not in named] == []
    gone = set(re.findall(r"`(\w+)`", section(text, "Every module, by what it is for")))
    assert gone - {Path(each).stem for each in inside} == set()


def write_commands() -> None:
    """Put the help as it is now into docs/commands.md, in the commands' order; what else a section says is kept."""
    head, *sections = re.split(r"^(?=## `)", COMMANDS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    held = {each.split("`", 2)[1]: each.rstrip() for each in sections}
    text = head
    for name in commands():
        block = f"```text\n{help_of(name)}```"
        body = held.get(name, f"## `{name}`\n\n{block}")
        text += re.sub(r"```text\n.*?^```", lambda _, new=block: new, body, count=1, flags=re.M | re.S) + "\n\n"
    COMMANDS.write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_commands()
