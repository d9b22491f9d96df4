"""`exowatch digest` and `landscape`: ask reports for it, and says what is wrong before anything is started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.running import programs
from monitor.running.programs import Children, Ended


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"data: {tmp_path}/var\nrehearsal: {{address: '127.0.0.1:8099'}}\n", encoding="utf-8")
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What reports were asked for; they fail where a language is not theirs."""
    found: list[list[str]] = []

    def write(_: Path, __: Children, report: str, arguments: Sequence[str]) -> Ended:
        found.append([report, *arguments])
        return Ended(2, "", ("no language 'xx'",)) if "--language=xx" in arguments else Ended(0, "there/2026-Q4.html\n")

    monkeypatch.setattr(programs, "write_report", write)
    return found


def test_what_is_asked_goes_to_reports(file: Path, asked: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    call = ["-c", str(file), "landscape"]
    with pytest.raises(SystemExit) as ended:
        main([*call, "--quarter", "2026-Q4", "--jurisdiction", "us", "--jurisdiction", "uk", "--out", "there"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "there/2026-Q4.html\n"
    with pytest.raises(SystemExit):
        main([*call, "--from", "2026-01-01", "--to", "2026-03-31", "--language", "de", "--format", "pdf"])
    with pytest.raises(SystemExit):
        main(["-c", str(file), "digest", "--week", "2026-W47", "--watchlist", "Hair", "--format", "pdf"])
    # Left out, the language is the configuration's: reports are told none.
    assert asked == [
        [
            *("landscape", "--quarter=2026-Q4", "--format=html,txt,json", "--out=there"),
            *("--jurisdiction=us", "--jurisdiction=uk"),
        ],
        ["landscape", "--from=2026-01-01", "--to=2026-03-31", "--language=de", "--format=pdf"],
        ["digest", "--week=2026-W47", "--format=pdf", "--watchlist=Hair"],
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("landscape --from 2026-01-01", "--from and --to go together; give both, or --quarter or --year\n"),
        ("landscape --quarter 2026-Q1 --year 2026", "give one of --quarter, --year, and --from with --to\n"),
        ("landscape --from 2026-01-32 --to 2026-02-01", "--from: 2026-01-32 is no date; write it as 2026-11-16\n"),
        ("landscape --language xx", "no language 'xx'\n"),
        ("digest --to 2026-02-01", "--from and --to go together; give both, or --week\n"),
        ("digest --week 2026-W47 --from 2026-01-01 --to 2026-02-01", "give one of --week, and --from with --to\n"),
    ],
)
def test_what_cannot_be_is_said(
    file: Path, asked: list[list[str]], capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["-c", str(file), *arguments.split()])
    assert ended.value.code == 2
    assert capsys.readouterr().err == said
