"""`python -m reports`, as the command line starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from reports.__main__ import MISUSED, main
from tests.reports.conftest import Stored


@pytest.fixture
def config_file(stored: Stored, tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"contact: watch@exowatch.example\ndata: {tmp_path}\n", encoding="utf-8")
    return path


def test_a_digest_is_written_and_its_files_are_named(config_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["digest", "--config", str(config_file), "--week", "2026-W47"]) == 0
    files = [Path(row) for row in capsys.readouterr().out.split()]
    assert [file.name for file in files] == ["2026-W47.html", "2026-W47.txt", "2026-W47.json"]
    assert json.loads(files[2].read_text())["tally"]["reworded"] == 1
    assert "us-a (not in the law table)" in files[1].read_text(), "the law table is the monitor's own"


def test_another_period_and_fewer_jurisdictions(config_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "digest",
        "--config",
        str(config_file),
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-30",
        "--jurisdiction",
        "uk",
    ]
    assert main(asked) == 0
    assert "2026-11-01--2026-11-30-uk.html" in capsys.readouterr().out


def test_the_forms_and_the_language_that_are_asked_for(config_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with config_file.open("a", encoding="utf-8") as file:
        file.write(
            "mail: {sender: exowatch@watch.example}\nwatchlists: [{name: Arthritis watch, terms: [arthritis]}]\n"
        )
    asked = ["--week", "2026-W47", "--language", "de", "--format", "pdf, eml,txt", "--watchlist", "Arthritis watch"]
    assert main(["digest", "--config", str(config_file), *asked]) == 0
    files = [Path(row) for row in capsys.readouterr().out.split("\n") if row]
    assert [file.suffix for file in files] == [".pdf", ".eml", ".txt"]
    assert all(re.fullmatch(r"2026-W47-watch-arthritis-watch-[0-9a-f]{4}\.de", file.stem) for file in files)
    assert files[0].read_bytes().startswith(b"%PDF")
    assert b"Content-Language: de" in files[1].read_bytes()
    assert "BEOBACHTUNGSLISTEN" in files[2].read_text()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--week", "47"], "such as 2026-W47"),
        (["--week", "2026-W47", "--from", "2026-11-01"], "give one"),
        (["--from", "2026-11-01"], "go together"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "swap"),
        (["--jurisdiction", "england"], "no jurisdiction 'england'"),
        (["--language", "es"], "no language 'es'; write one of en, de, fr"),
        (["--format", "html,doc"], "no format 'doc'; write one or more of html, txt, pdf, json, eml"),
        (["--watchlist", "Hair"], "no watchlist 'Hair'; the configuration has none"),
        (["--format", "eml"], "needs a sender"),
    ],
)
def test_what_cannot_be_understood_is_told(
    config_file: Path, capsys: pytest.CaptureFixture[str], asked: list[str], said: str
) -> None:
    assert main(["digest", "--config", str(config_file), *asked]) == MISUSED
    assert said in capsys.readouterr().err
    assert not (config_file.parent / "digests").exists()


def test_a_wrong_configuration_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("digests: {}\n", encoding="utf-8")
    assert main(["digest", "--config", str(path)]) == MISUSED
    assert "digests" in capsys.readouterr().err


def test_the_site_serves_until_it_is_stopped(config_file: Path, in_folder: Callable[[Path], None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    asked = [sys.executable, "-m", "reports", "serve", "--config", str(config_file), "--port", str(port)]
    with subprocess.Popen(asked, env=environment, stdout=subprocess.PIPE, text=True) as program:
        try:
            answer = _answer(f"http://127.0.0.1:{port}/health", program)
            assert "Warning letters" in answer.text
        finally:
            program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=30) in (0, -signal.SIGTERM)


def _answer(address: str, program: subprocess.Popen[str]) -> httpx.Response:
    while program.poll() is None:
        try:
            return httpx.get(address)
        except httpx.ConnectError:
            time.sleep(0.1)
    raise AssertionError("the site stopped before it answered")
