"""Starts a server and the program as children of their own, and says in plain lines what they do."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30.0
STOP_SECONDS = 10.0
DATA_MARK = ".exowatch-demo"
"""Stands in a data folder that the demo made: only such a folder, or an empty one, is ever cleared."""


class StageError(Exception):
    """A step failed; the text says which and what to look at."""


def say(line: str) -> None:
    print(line, flush=True)


def clear(data: Path) -> None:
    """An empty data folder. Refuses one that holds something and was not made by the demo."""
    if data.exists():
        if any(data.iterdir()) and not (data / DATA_MARK).exists():
            raise StageError(f"{data} holds data that no demo put there; give another folder by --data, or empty it")
        shutil.rmtree(data)
    data.mkdir(parents=True)
    (data / DATA_MARK).write_text("Made by the demo, and cleared by it.\n", encoding="utf-8")


@contextmanager
def server(arguments: Sequence[str]) -> Iterator[str]:
    """`python -m crawler.demo <arguments>` in a child process; its address, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="exowatch-demo-") as folder:
        ready = Path(folder) / "address"
        command = [sys.executable, "-m", "crawler.demo", *arguments, "--port", "0", "--ready-file", str(ready)]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            yield _address(child, ready)
        finally:
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _address(child: subprocess.Popen[bytes], ready: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if child.poll() is not None:
            raise StageError(f"the server ended at once with exit code {child.returncode}; its message stands above")
        if time.monotonic() > deadline:
            raise StageError(f"the server was not ready after {START_SECONDS:.0f} seconds")
        time.sleep(0.05)
    return ready.read_text(encoding="utf-8")


def exowatch(config: Path, *arguments: str) -> int:
    """`exowatch --config CONFIG …`, its output passed through; the exit code."""
    command = [sys.executable, "-m", "monitor.cli", "--config", str(config), *arguments]
    return subprocess.run(command, check=False).returncode
