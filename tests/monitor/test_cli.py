"""The command line: the way in, where things stand, and what is wrong with a configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.main import get_command

from monitor.cli import app
from monitor.intake.shipped import letters
from tests.monitor.commandline import CONFIG, SOURCE, Said, process
from tests.monitor.doubles import ROOT, Rooms


def test_the_version_and_the_way_in() -> None:
    done = process("--version", cwd=ROOT)
    assert (done.returncode, done.stdout.startswith("exowatch ")) == (0, True)
    assert process("--nonsense", cwd=ROOT).returncode == 2
    assert process("serch", cwd=ROOT).returncode == 2


def test_asking_for_help_loads_nothing_heavy() -> None:
    heavy = "{'sqlalchemy', 'sqlmodel', 'apscheduler', 'numpy', 'selectolax', 'scrapy', 'py3langid', 'onnxruntime'}"
    script = f"""
import sys, monitor.cli
loaded = lambda names: print(sorted(names & set(sys.modules)))
loaded({heavy} | {{'pydantic', 'rich', 'yaml', 'monitor.config'}})
monitor.cli.app(['--help'], standalone_mode=False)
loaded({heavy})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout[:3], done.stdout[-3:]) == ("[]\n", "[]\n")
    assert "\nCommands:\n" in done.stdout


def test_asking_the_database_loads_nothing_that_judges_or_compares() -> None:
    script = """
import sys, monitor.queries
print(sorted({'numpy', 'monitor.classify', 'monitor.products', 'monitor.knowledge'} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_a_text_without_the_product_is_judged_without_the_model() -> None:
    script = """
import sys
from monitor.cli import main
try:
    main(["judge"])
except SystemExit as end:
    left_out = {'sqlalchemy', 'numpy', 'onnxruntime', 'rich', 'monitor.config', 'monitor.records', 'tldextract'}
    print(end.code, sorted(left_out & set(sys.modules)))
"""
    line = '{"id": "a", "text": "The cream is for the skin of the hands and of the face."}'
    done = subprocess.run(
        [sys.executable, "-c", script], input=line, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.startswith('{"id": "a", "decision": "clear"')
    assert done.stdout.endswith("\n0 []\n")


def commands(command: Any = None, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    command = command or get_command(app)
    found = [(path, command)]
    for name, each in getattr(command, "commands", {}).items():
        found += commands(each, (*path, name))
    return found


@pytest.mark.parametrize(
    ("path", "command"), commands(), ids=lambda value: "-".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_and_option_has_help(path: tuple[str, ...], command: Any) -> None:
    assert command.help, path
    for parameter in command.params:
        if parameter.name not in ("help", "install_completion", "show_completion"):
            assert getattr(parameter, "help", ""), (path, parameter.name)


def test_alone_it_says_where_things_stand_and_what_to_do_next(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    said = exowatch()
    assert said.code == 0
    assert said.out == "Nothing has been read yet.\nnext: exowatch run\n"
    rooms.configure(CONFIG.replace("desk@watch.example", '""'))
    assert "next: edit config.yaml: contact: is empty; give a mail or web address" in exowatch().out
    rooms.configure(CONFIG)
    assert exowatch("run", "--no-digest").code == 0
    said = exowatch()
    assert f"{3 + len(letters())} notices, 0 standing claims" in said.out  # three were read, the others shipped
    assert f"{SOURCE}" in said.out
    assert "next on the clock: " in said.out
    assert said.out.endswith("next: exowatch schedule\n")
    rooms.plan({SOURCE: {"outcome": "blocked"}})
    assert exowatch("run", "--source", SOURCE, "--no-digest").code == 1
    said = exowatch()
    assert f"BLIND {SOURCE} since " in said.out
    assert said.out.endswith(f"next: exowatch run --source {SOURCE}\n")


def test_alone_it_says_how_the_market_the_landscape_and_the_outbox_stand(
    exowatch: Callable[..., Said], rooms: Rooms
) -> None:
    assert exowatch("run", "--no-digest").code == 0
    said = exowatch().out
    assert "market: no seller's site is read; add one with exowatch market add URL\n" in said
    assert "landscape: none was written yet (exowatch landscape)\n" in said
    assert "outbox: " not in said  # nobody is sent anything
    rooms.configure(
        CONFIG
        + """
sites: [{url: "https://vale.example"}, {url: "https://kelda.example"}, {url: "https://orme.example", on: false}]
mail: {sender: watch@watch.example}
recipients: [{address: anna@reader.example}]
"""
    )
    folder = rooms.folder / "var" / "landscapes"
    folder.mkdir()
    for moment, name in enumerate(("2026-Q4.txt", "2026-Q3.html")):  # the last one written, not the last period
        (folder / name).touch()
        os.utime(folder / name, (moment * 60, moment * 60))
    said = exowatch().out
    assert "market: 2 sites, 2 new; 0 pages, 0 products (exowatch market)\n" in said
    assert "last landscape: 2026-Q3, 1970-01-01 00:01 UTC\n" in said
    assert "outbox: nothing waits, 0 letters sent (exowatch outbox)\n" in said


def test_without_a_configuration_it_says_how_to_give_one(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    (rooms.folder / "config.yaml").unlink()
    assert (
        exowatch().err
        == "config.yaml: no such file here; go to the folder that has it, or give it: exowatch --config FILE\n"
    )
    for command in (["run"], ["sources"], ["watch", "check"], ["search", "x"]):
        said = exowatch(*command)
        assert said.code == 2
        assert said.err.startswith("config.yaml: no such file here; ")
    assert exowatch("--config", "there.yaml", "run").err.startswith("there.yaml: no such file; ")


def test_the_configuration_is_found_by_the_variable(
    exowatch: Callable[..., Said], rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rooms.folder / "config.yaml").rename(rooms.folder / "elsewhere.yaml")
    monkeypatch.setenv("EXOWATCH_CONFIG", "elsewhere.yaml")
    assert exowatch().code == 0


@pytest.mark.parametrize(
    "command", [[], ["run"], ["schedule"], ["sources"], ["watch", "try", "Bravo"], ["serve"], ["digest"]]
)
def test_a_wrong_configuration_stops_every_command_before_anything_is_started(
    exowatch: Callable[..., Said], rooms: Rooms, command: list[str]
) -> None:
    rooms.configure(
        "contact: a@b.example\nsources: {us_fda_waring_letters: {}}\nwatchlists: [{name: A, categories: [hair]}]\n"
    )
    said = exowatch(*command)
    assert said.code == 2
    assert said.err.splitlines()[0] == (
        "config.yaml:2: sources.us_fda_waring_letters: no such source; did you mean us_fda_warning_letters?"
    )
    assert said.err.splitlines()[1].startswith("config.yaml:3: watchlists[0].categories[0]: no such category: hair")
    assert rooms.calls() == []
    assert not (rooms.folder / "var").exists()
