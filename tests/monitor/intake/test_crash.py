"""Killed in the middle of taking a run in: nothing of it stays, and the next attempt takes all of it in, once."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from monitor.config import Config
from monitor.intake.runs import take_in
from monitor.knowledge import load
from monitor.tables.db import open_engine, reading
from monitor.tables.models import Capture, Event, Notice, Run, SearchDocument, SeenItem
from tests.runs import RunMaker, notice_card

KILLED_AT_EVENT = """
import os, signal, sys
from pathlib import Path
from monitor.config import Config
from monitor.tables.db import open_engine
from monitor.history import Chronicle
from monitor.intake.runs import take_in
from monitor.knowledge import load

write, left = Chronicle.write, [int(sys.argv[4])]

def dying(self, *args, **kwargs):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return write(self, *args, **kwargs)

Chronicle.write = dying
take_in(open_engine(sys.argv[1]), Path(sys.argv[2]), Config(data=Path(sys.argv[3])), load())
"""


@pytest.mark.parametrize("survived", [0, 7])
def test_a_killed_intake_leaves_nothing_and_is_made_good(database_url: str, tmp_path: Path, survived: int) -> None:
    config = Config(data=tmp_path)
    maker = RunMaker(notice_card(), datetime(2026, 11, 18, 6, tzinfo=UTC), config.runs_folder)
    for number in range(12):
        maker.notice(f"n{number}", f"Firm number {number}", "You sell exosome vials.")
    folder = maker.write()

    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EVENT, database_url, str(folder), str(tmp_path), str(survived)],
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert killed.returncode == -signal.SIGKILL
    engine = open_engine(database_url)
    with reading(engine) as session:
        for table in (Run, Notice, Event, Capture, SeenItem, SearchDocument):
            assert session.exec(select(table)).all() == []

    result = take_in(engine, folder, config, load())
    assert result.state == "taken_in"
    with reading(engine) as session:
        assert len(session.exec(select(Notice)).all()) == 12
        assert len(session.exec(select(Event)).all()) == 13
    engine.dispose()
