"""`python -m tests.benchmarks.sources`: how fast sources are read, by format, and what large ones take of memory.

Everything is made here, in the size that the real thing has. Each figure stands beside its format's own parser alone,
in the same process: what our reading adds to it.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.benchmarks import formats
from tests.loopback import Asked, Loopback, Reply

CSV = "br_anvisa_cosmetics"
CSV_MB = 230
SNAPSHOT = "ca_hc_recalls"
SNAPSHOT_MB = 15
LETTERS = "us_fda_warning_letters"
LETTERS_A_YEAR = 650
REPORTS = "eu_safety_gate_alerts"
REPORTS_A_YEAR = 52
ALERTS_A_REPORT = 64


def main() -> None:
    if sys.argv[1:]:
        print(json.dumps(measured(*sys.argv[1:])))
        return
    rates()
    with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as name:
        memory(Path(name))
        years(Path(name))


def rates() -> None:
    print("\nReading alone: items a second and core, beside the format's own parser")
    for name in formats.FORMATS:
        told = part("rate", name)
        each = f"{told['items']:>6,} items, {told['mb']:5.1f} MB"
        speed = f"{told['rate']:>9,.0f}/s   parser alone {told['parser']:>11,.0f}/s   {told['share']:>6.2f} of it"
        print(f"  {name:<34} {each}   {speed}   {told['rss_mb']:>5} MB")


def memory(folder: Path) -> None:
    print("\nLarge sources, as whole crawls from loopback: the most memory that the crawl held")
    snapshot = folder / "snapshot.json"
    entries = formats.write_snapshot(snapshot, SNAPSHOT_MB)
    crawled(folder, SNAPSHOT, {"json": snapshot}, f"{SNAPSHOT_MB} MB of JSON, {entries:,} entries")
    table = folder / "table.csv"
    rows = formats.write_table(table, CSV_MB)
    crawled(folder, CSV, {"csv": table}, f"{CSV_MB} MB of CSV, {rows:,} rows, in parts")
    table.unlink()


def years(folder: Path) -> None:
    print("\nA full year read again from its own recording, offline")
    for source, web, what in (
        (LETTERS, formats.letters(LETTERS_A_YEAR), f"FDA's list of warning letters, {LETTERS_A_YEAR} letters"),
        (
            REPORTS,
            formats.reports(REPORTS_A_YEAR, ALERTS_A_REPORT),
            f"Safety Gate, {REPORTS_A_YEAR} weekly reports of {ALERTS_A_REPORT} alerts",
        ),
    ):
        run = crawl(folder, source, web)
        begin = time.monotonic()
        again = program("replay", run["folder"], "--runs", str(folder / "again"))
        took = time.monotonic() - begin
        record = record_of(again["folder"])
        listed, kept = record["listed"], sum(record["items"].values())
        pages = f"{record['requests']:,} answers, {listed:,} listed, {kept:,} kept"
        print(f"  {what}: {took:.1f} s ({again['cpu']:.1f} s of processor), {pages}, {again['rss_mb']} MB")


def crawled(folder: Path, source: str, files: dict[str, Path], what: str) -> None:
    (kind, file), *_ = files.items()

    def answer(asked: Asked) -> Reply:
        if not asked.path.upper().endswith(f".{kind.upper()}"):
            return Reply(formats.alert_page())
        return ranged(asked, file, "application/json" if kind == "json" else "text/csv")

    run = crawl(folder, source, answer)
    record = record_of(run["folder"])
    received = record["received_bytes"] / 1024**2
    told = f"{received:.0f} MB received, {record['listed']:,} listed, {sum(record['items'].values())} kept"
    print(f"  {what}: {run['rss_mb']} MB, of which {run['idle_mb']} MB before the first answer; {told}")
    print(f"    {run['cpu']:.1f} s of processor, {received / run['cpu']:.1f} MB/s archived and read")


def ranged(asked: Asked, file: Path, kind: str) -> Reply:
    """The file or the part of it that was asked for (RFC 9110, 14); held in memory part by part only."""
    size = file.stat().st_size
    wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", asked.headers.get("Range", ""))
    if wanted is None:
        return Reply(file.read_bytes(), content_type=kind)
    first, last = int(wanted[1]), min(int(wanted[2]), size - 1)
    with file.open("rb") as stream:
        stream.seek(first)
        body = stream.read(last - first + 1)
    headers = {"Content-Range": f"bytes {first}-{last}/{size}", "ETag": '"one"'}
    return Reply(body, 206, kind, headers)


class Web(Loopback):
    """Every host answers by one function, and has no robots.txt."""

    def __init__(self, given: Callable[[Asked], Reply]) -> None:
        self.given = given
        super().__init__()

    def answer(self, asked: Asked) -> Reply:
        return Reply("none", 404, "text/plain") if asked.path == "/robots.txt" else self.given(asked)


def crawl(folder: Path, source: str, answer: Callable[[Asked], Reply]) -> dict[str, Any]:
    """One crawl as a program, with the processor time and the most memory that it took."""
    web = Web(answer)
    try:
        config = folder / "config.yaml"
        told = {"rehearsal": {"address": web.address}, "network": {"max_body_mb": 64, "max_run_mb": 500}}
        config.write_text(yaml.safe_dump(told), encoding="utf-8")
        return program("run", source, "--config", str(config), "--runs", str(folder / "runs"))
    finally:
        web.close()


def program(*arguments: str) -> dict[str, Any]:
    child = subprocess.Popen(
        [sys.executable, "-m", "crawler", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    out = child.stdout.read() if child.stdout else ""
    _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0
    folder = out.strip().splitlines()[-1]
    log = (Path(folder) / "crawl.log").read_text(encoding="utf-8")
    idle = re.search(r"'memusage/startup': (\d+)", log)
    return {
        "folder": folder,
        "cpu": used.ru_utime + used.ru_stime,
        "rss_mb": used.ru_maxrss // 1024,
        "idle_mb": int(idle[1]) // 1024**2 if idle else 0,
    }


def record_of(folder: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))
    return record


def part(*arguments: str) -> dict[str, Any]:
    """One measured part, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.sources", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def measured(what: str, name: str) -> dict[str, Any]:
    """`rate`: one format read, and parsed by its own parser alone."""
    assert what == "rate", what
    format_of = formats.FORMATS[name]
    body = format_of.body(format_of.items)
    format_of.read(format_of.body(1))  # imports and caches
    begin = time.process_time()
    found = format_of.read(body)
    ours = time.process_time() - begin
    assert found == format_of.items, f"{found} of {format_of.items} items of {name} were read"
    begin = time.process_time()
    format_of.parse(body)
    theirs = max(time.process_time() - begin, 1e-6)
    return {
        "items": found,
        "mb": len(body) / 1024**2,
        "rate": found / ours,
        "parser": found / theirs,
        "share": theirs / ours,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
