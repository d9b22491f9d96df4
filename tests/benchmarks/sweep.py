"""`python -m tests.benchmarks.sweep`: MB of archived pages a second and core, beside a plain loop with a regex."""

from __future__ import annotations

import gzip
import re
import tempfile
import time
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from monitor.discovery.sweep import Journal, sweep
from monitor.knowledge import load
from tests.benchmarks.pages import page
from tests.monitor.archives import response

PAGES = 1_500
SELLING_EVERY = 100
_WORDS = re.compile(rb"exosom|stem[ -]?cell|secretom", re.IGNORECASE)


def regex_loop(file: Path) -> int:
    found = 0
    with file.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response":
                found += bool(_WORDS.search(record.content_stream().read()))
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as name:
        file = Path(name) / "pages.warc.gz"
        size = 0
        with file.open("wb") as out:
            for number in range(PAGES):
                html = page(number, "product" if number % SELLING_EVERY == 0 else "neutral")
                size += len(html.encode())
                out.write(gzip.compress(response(f"https://www.s{number}.example/", html), compresslevel=6))
        known = load()
        begin = time.process_time()
        matched = regex_loop(file)
        plain = time.process_time() - begin
        journal = Journal(Path(name) / "out.jsonl", known.version)
        begin = time.process_time()
        report = sweep([file], journal, known)
        taken = time.process_time() - begin
        journal.close()
    megabytes = size / 1024**2
    print(f"{PAGES:,} pages, {megabytes:.0f} MB, packed to {file.name}; pages that sell: {PAGES // SELLING_EVERY}")
    print(f"  warcio and a regex: {megabytes / plain:7.1f} MB/s  {PAGES / plain:7.0f} pages/s  {matched} matched")
    found = report.tasks[0].found
    print(f"  exowatch sweep:     {megabytes / taken:7.1f} MB/s  {PAGES / taken:7.0f} pages/s  {found} candidates")
    print(f"  of the plain loop's speed: {plain / taken:.0%}")


if __name__ == "__main__":
    main()
