"""The command line in a folder with stand-ins for the crawler and the reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.cli import main
from tests.monitor.commandline import CONFIG, OTHER, SOURCE, Said
from tests.monitor.doubles import Rooms
from tests.monitor.doubles import rooms as make_rooms


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rooms:
    found = make_rooms(tmp_path, monkeypatch)
    found.configure(CONFIG)
    found.card(SOURCE, OTHER)
    found.plan({SOURCE: {"notices": {"a": "Alfa", "b": "Bravo"}}, OTHER: {"notices": {"c": "Charlie"}}})
    return found


@pytest.fixture
def exowatch(rooms: Rooms, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command in this process."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        assert "Traceback" not in err
        return Said(code, out, err)

    return run
