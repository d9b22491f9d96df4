"""`make bench`: each figure beside what it is measured against, in one run. Machines are noisy: read the ratios."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PAGES = 600
SCANNERS = {"aho": ""} | ({"hyperscan": ", Hyperscan"} if find_spec("hyperscan") else {})
"""What EXOWATCH_SCAN may say here, and how it is told."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as name:
        folder = Path(name)
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.serve", str(PAGES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            crawl_and_take_in(folder, port)
        finally:
            server.terminate()
            server.wait()
    judging()
    subprocess.run([sys.executable, "-m", "tests.benchmarks.sources"], check=True)
    subprocess.run([sys.executable, "-m", "tests.benchmarks.digest"], check=True)
    subprocess.run([sys.executable, "-m", "tests.benchmarks.landscape"], check=True)
    demo()


def crawl_and_take_in(folder: Path, port: str) -> None:
    title("From loopback to judged: pages of 50 kB a second and core (processor time)")
    fetched = part("fetch_only", port, str(PAGES))
    anchor = PAGES / fetched["seconds"]
    row("Scrapy, fetch only", anchor, anchor, fetched["rss_mb"])
    config = folder / "config.yaml"
    config.write_text(
        f"data: {folder}\nrehearsal: {{address: '127.0.0.1:{port}'}}\n"
        f"sites:\n  - {{url: 'http://bench.example/', pages: {PAGES + 10}, delay: 0.001}}\n",
        encoding="utf-8",
    )
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "crawler",
            "run",
            "site_bench_example",
            "--config",
            str(config),
            "--runs",
            str(folder / "runs"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_folder = run.stdout.strip().splitlines()[-1]
    record = json.loads((Path(run_folder) / "run.json").read_text(encoding="utf-8"))
    read = record["items"].get("page", 0)
    crawled = end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
    row(f"crawled, archived ({read} pages read)", read / crawled, anchor, round(end.ru_maxrss / 1024))
    for reader in ("selectolax", "bs4"):
        taken = part("take_in", run_folder, str(folder), reader)
        row(f"taken in and judged, text by {reader}", read / taken["seconds"], anchor, taken["rss_mb"])
        row(f"all of it, text by {reader}", read / (crawled + taken["seconds"]), anchor, taken["rss_mb"])
    size = sum(file.stat().st_size for file in Path(run_folder).iterdir())
    print(f"  archive and records on disk: {size / read / 1024:.1f} kB a page")


def judging() -> None:
    for size in (50, 24):
        title(f"Judging alone: pages of {size} kB that repeat their site's blocks, a second and core")
        judging_pages(f"{size}000")
    title("Judging pages of which no two share a block, from text, a second and core")
    for name, rate in part("unlike", "150")["rates"].items():
        print(f"  {name:<40} {rate:>9.1f}")
    starting()


def judging_pages(size: str) -> None:
    for kind, count in (("mix", 400), ("neutral", 400), ("product", 200), ("claims", 200)):
        anchor = 0.0
        for scan, said in SCANNERS.items():
            rates = part("judge", kind, str(count), size, scan=scan)
            if not anchor:
                anchor = rates["keyword regex on text"]
                row(f"{kind}: keyword regex on text", anchor, anchor, rates["rss_mb"])
            for name in ("html through the gate", "text to verdict", "html to verdict"):
                row(f"{kind}: {name}{said}", rates[name], anchor, rates["rss_mb"])


def starting() -> None:
    title("Start: seconds of processor time to the first verdict")
    for scan, said in SCANNERS.items():
        started = [part("start", scan=scan) for _ in range(2)][-1]  # the first may compile what the next one reads
        print(f"  knowledge and first page{said:<24} {started['seconds']:>9.2f} s   {started['rss_mb']:>5} MB")


def demo() -> None:
    title("make demo")
    begin = time.monotonic()
    subprocess.run([sys.executable, "-m", "crawler.demo", "play"], check=True, capture_output=True)
    print(f"  two weeks of the demo web, from nothing to the second digest: {time.monotonic() - begin:.1f} s")


def part(name: str, *arguments: str, scan: str = "") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.parts", name, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "EXOWATCH_SCAN": scan},
    )
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def title(text: str) -> None:
    print(f"\n{text}")


def row(name: str, rate: float, anchor: float, rss_mb: int) -> None:
    print(f"  {name:<48} {rate:>9,.0f}/s   {rate / anchor:>6.2f} of the anchor   {rss_mb:>5} MB")


if __name__ == "__main__":
    main()
