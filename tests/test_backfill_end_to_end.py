"""A source's past, read back by the real crawler in steps, taken in, and gone on with by the same command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.crawler.test_source_runs import Desk
from tests.loopback import Loopback, loopback

ROOT = Path(__file__).parents[1]


def exowatch(folder: Path, web: Loopback, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = {
        "sources": {"demo_warning_letters": {}},
        "rehearsal": {"address": web.address, "now": "2026-11-25T12:00:00Z"},
    }
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "monitor", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "200", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_past_is_read_back_by_the_real_crawler(tmp_path: Path) -> None:
    with loopback() as web:
        desk = Desk(web)
        for number in range(1, 15):
            desk.write(number, f"10/{number:02d}/2026")
        back = ("backfill", "demo_warning_letters", "--since", "2026-10-04", "--step", "4")
        first = exowatch(tmp_path, web, *back, "--steps", "2")
        assert first.returncode == 0, first.stderr
        assert re.search(r"step 1: 4 records, 4 in all, back to 2026-10-11; about \d+ left", first.stdout)
        assert "the steps asked for are done; the same command goes on from here" in first.stdout
        assert desk.asked_letters == [str(number) for number in range(14, 6, -1)]
        desk.forget()
        second = exowatch(tmp_path, web, *back)
        assert second.returncode == 0, second.stderr + second.stdout
        assert "11 in all, back to 2026-10-04; done: read back to 2026-10-04" in second.stdout
        assert desk.asked_letters == ["6", "5", "4"]
        desk.forget()
        third = exowatch(tmp_path, web, *back)
        assert "read back to 2026-10-04 already, on 2026-11-25: nothing to do" in third.stdout
        assert desk.asked_pages == 0
        listed = exowatch(tmp_path, web, "backfill")
        assert "demo_warning_letters: to 2026-10-04: 11 records in 3 steps, back to 2026-10-04; done" in listed.stdout
        shown = exowatch(tmp_path, web, "sources", "--json")
        row = next(one for one in json.loads(shown.stdout) if one["id"] == "demo_warning_letters")
        assert (row["state"], row["backfilled_since"], row["backfill_done"]) == ("ok", "2026-10-04", True)
