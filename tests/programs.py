"""The crawler and `exowatch` as programs, forked from one process that has loaded what they import.

A program started anew spends most of its time on imports: forked, it takes a fifth of it. It has its own streams,
folder, environment and exit code all the same. As a program of its own this file stands by: each line of stdin is one
program to be, and its exit code is a line of stdout.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
DRIVER = ROOT / "tests" / "crawler" / "driver.py"


class Stage:
    """The process that programs are forked from, one after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"},
        )

    def run(
        self,
        module: str,
        *arguments: str | Path,
        folder: Path | None = None,
        env: Mapping[str, str] | None = None,
        input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """`python -m MODULE ARGUMENTS…` to its end; the module may also be a file."""
        told = [str(one) for one in arguments]
        with TemporaryDirectory(prefix="exowatch-stage-") as place:
            streams = [Path(place) / name for name in ("in", "out", "err")]
            streams[0].write_text(input, encoding="utf-8")
            asked = {"module": module, "arguments": told, "streams": list(map(str, streams))}
            asked |= {"folder": str(folder or Path.cwd()), "env": {**os.environ, **(env or {})}}
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            written = (file.read_text(encoding="utf-8") for file in streams[1:])
            return subprocess.CompletedProcess([module, *told], code, *written)

    def close(self) -> None:
        self._process.communicate(timeout=60)


def _load() -> None:
    from pydantic import BaseModel
    from typer.main import get_command

    from crawler.source import load_cards
    from monitor import knowledge
    from monitor.cli import app
    from tests.crawler.many import preload

    commands: Any = get_command(app)
    assert all(commands.commands.values()), "each is loaded when it is asked for"
    preload(list(load_cards().values()))
    knowledge.load()
    for shape in _below(BaseModel):
        shape.model_rebuild(raise_errors=False)
    # It binds the shipped cards when it is loaded; a test's own cards must be there first.
    assert "crawler.starting" not in sys.modules
    assert threading.active_count() == 1, "a thread does not live on in a fork"


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _next_program() -> dict[str, Any]:
    """Returns in a child that is to be the program; in the process that stands by, only when stdin ends."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asked: dict[str, Any] = json.loads(line)
            return asked
        _, status = os.waitpid(child, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    sys.exit(0)


def _become(asked: Mapping[str, Any]) -> None:
    for number, path in enumerate(asked["streams"]):
        os.dup2(os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["folder"])
    sys.argv = [asked["module"], *asked["arguments"]]
    if asked["module"].endswith(".py"):
        runpy.run_path(asked["module"], run_name="__main__")
    else:
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _load()
    gc.collect()
    gc.freeze()
    _become(_next_program())
