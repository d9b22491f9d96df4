"""`python -m tests.benchmarks.market`: what the market costs. Machines are noisy: read the ratios.

Pages from loopback to events beside Scrapy alone and the same on BeautifulSoup; versions compared; archives swept
beside a plain loop; bytes kept a page; memory on a site of a hundred thousand pages.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor import knowledge
from monitor.config import Config, Site
from monitor.intake import runs as intake
from monitor.lives import Life, Wording, step
from monitor.migrations import upgrade
from monitor.records import KnownItem
from monitor.tables.db import open_engine
from tests.benchmarks import sweep
from tests.benchmarks.__main__ import PAGES, crawl_and_take_in, row, title
from tests.benchmarks.pages import kinds, page
from tests.loopback import Asked, Loopback, Reply
from tests.runs import RunMaker, page_card

COMPARED = 300
LARGE = 100_000
ASKED = 2_000
"""Pages of the large site that are asked for: enough to see what a page more costs."""
HOME = "http://kelda.example/"
START = datetime(2026, 11, 2, 6, tzinfo=UTC)


def main() -> None:
    if sys.argv[1:]:
        parts = {"versions": versions, "large": large, "weeks": weeks}
        print(json.dumps(parts[sys.argv[1]](*sys.argv[2:])))
        return
    with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as name, serving(PAGES) as port:
        crawl_and_take_in(Path(name), port)
    told = own_part("weeks")
    title(f"A second week, nine of {PAGES} pages in ten unchanged: from loopback to events, a second and core")
    anchor = told["first"]["all"]
    row("the first week, for comparison", anchor, anchor, told["first"]["rss_mb"])
    for server, week in (("that sends every page again", "second"), ("that says what did not change", "marked")):
        row(f"crawled, of a server {server}", told[week]["crawled"], anchor, told[week]["rss_mb"])
        row("  taken in", told[week]["taken in"], anchor, told[week]["rss_mb"])
        row("  all of it", told[week]["all"], anchor, told[week]["rss_mb"])
    title("Versions compared: pages of 50 kB a second and core, from the run folder to events")
    seen = own_part("versions")
    for what, rate in seen["rates"].items():
        row(what, rate, seen["rates"]["first reading"], seen["rss_mb"])
    title("Claim lives alone: claims followed a second and core")
    print(f"  10,000 claims on 2,000 pages, one in ten reworded {lives():>12,.0f}/s")
    title("Archives swept")
    sweep.main()
    title(f"A site of {LARGE:,} pages in its sitemap, {ASKED:,} of them asked for")
    grown = own_part("large")
    print(f"  crawler: {grown['first_mb']} MB after 200 pages, {grown['last_mb']} MB after {grown['pages']:,}")
    print(f"  intake:  {grown['intake_mb']} MB; {grown['events']:,} events")


@contextmanager
def serving(count: int, *how: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.serve", str(count), *how]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip() if server.stdout else ""
    finally:
        server.terminate()
        server.wait()


def own_part(name: str, *arguments: str) -> dict[str, Any]:
    """A part in a process of its own, so that its memory and processor time are its own."""
    command = [sys.executable, "-m", "tests.benchmarks.market", name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def weeks() -> dict[str, Any]:
    """Two weeks of a site, read by the crawler and taken in by one process, as by a worker: pages a second and core.

    `second`: its server sends every page again; `marked`: it says of pages that they have not changed.
    """
    told: dict[str, Any] = {}
    for name, marks in (("second", ()), ("marked", ("marked",))):
        with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as folder:
            config = Config(data=Path(folder), sites=(Site(url="http://bench.example/", country="us"),))
            engine = open_engine(config.database_url)
            upgrade(engine)
            for week in ("first", "second"):
                with serving(PAGES, week, *marks) as port:
                    run, read, crawled = _crawl(Path(folder), port, intake.known_items(engine, "site_bench_example"))
                begin = time.process_time()
                intake.take_in(engine, run, config, knowledge.load())
                taken = time.process_time() - begin
                rates = {"crawled": read / crawled, "taken in": read / taken, "all": read / (crawled + taken)}
                told["first" if week == "first" else name] = rates | {"rss_mb": _peak(resource.RUSAGE_SELF)}
            engine.dispose()
    return told


def _crawl(folder: Path, port: str, known: Iterable[KnownItem]) -> tuple[Path, int, float]:
    """Run folder, pages read, and seconds of processor time."""
    config, held = folder / "config.yaml", folder / "known.jsonl"
    config.write_text(
        f"data: {folder}\nrehearsal: {{address: '127.0.0.1:{port}'}}\nsites:\n"
        f"  - {{url: 'http://bench.example/', pages: {PAGES + 10}, delay: 0.001, revisit_hours: 0}}\n",
        encoding="utf-8",
    )
    held.write_text("".join(f"{item.model_dump_json()}\n" for item in known), encoding="utf-8")
    command = [sys.executable, "-m", "crawler", "run", "site_bench_example", "--config", str(config)]
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "--runs", str(folder / "runs"), "--known", str(held)], capture_output=True, text=True, check=True
    )
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = Path(done.stdout.strip().splitlines()[-1])
    read = json.loads((run / "run.json").read_text(encoding="utf-8"))["items"]["page"]
    return run, read, end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime


def versions() -> dict[str, Any]:
    """Readings of one site: the first, the same bytes, what flickers alone, one claim reworded on every page."""
    with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as name:
        config = Config(data=Path(name), sites=(Site(url=HOME, country="us"),))
        engine = open_engine(config.database_url)
        upgrade(engine)
        loaded = knowledge.load()
        first = [page(number, kind) for number, kind in enumerate(kinds(COMPARED))]
        day = "<p>Updated on {} November 2026, {} visitors today.</p><footer>"
        nonce = [
            html.replace("</title>", f"</title><script>n='{number:08x}'</script>") for number, html in enumerate(first)
        ]
        moved = [html.replace("<footer>", day.format(7, 4_000 + number)) for number, html in enumerate(first)]
        moved_on = [html.replace("<footer>", day.format(9, 5_000 + number)) for number, html in enumerate(first)]
        reworded = [html.replace("treats arthritis", "treats arthritis in adults") for html in moved_on]
        readings = {
            "first reading": first,
            "the same bytes": first,
            "the same text in other bytes": nonce,
            "a line added to each": moved,
            "only dates and counters moved": moved_on,
            "a claim reworded on one page in four": reworded,
        }
        rates = {}
        for week, (what, htmls) in enumerate(readings.items()):
            folder = _run(config, week, htmls)
            begin = time.process_time()
            intake.take_in(engine, folder, config, loaded)
            rates[what] = COMPARED / (time.process_time() - begin)
        engine.dispose()
    return {"rates": rates, "rss_mb": _peak(resource.RUSAGE_SELF)}


def _run(config: Config, week: int, htmls: list[str]) -> Path:
    maker = RunMaker(page_card(), START + timedelta(weeks=week), config.runs_folder)
    for number, html in enumerate(htmls):
        maker.page(f"{HOME}{number}", html)
    return maker.write()


def lives() -> float:
    """Three steps over one site; one claim in ten is reworded in the second and stays so in the third."""
    before = {number: [_wording(number, of) for of in range(5)] for number in range(2_000)}
    after = {number: [_wording(number, of, new=of == 0 and number % 2 == 0) for of in range(5)] for number in before}
    held: list[Life] = []
    begin = time.process_time()
    for readings in (before, after, after):
        step(held, readings)
    return 3 * len(held) / (time.process_time() - begin)


def _wording(number: int, of: int, *, new: bool = False) -> Wording:
    return Wording(number, "disease_treatment", f"claim {of} of page {number} treats {'old ' * new}arthritis")


class Large(Loopback):
    """Names a hundred thousand pages and has them all."""

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/sitemap.xml":
            urls = "".join(f"<url><loc>http://large.example/p/{number}</loc></url>" for number in range(LARGE // 2))
            return Reply(f"<urlset>{urls}</urlset>", content_type="text/xml")
        if asked.path == "/robots.txt":
            maps = "".join(f"Sitemap: http://large.example/{name}.xml\n" for name in ("sitemap", "more"))
            return Reply(maps, content_type="text/plain")
        if asked.path == "/more.xml":
            numbers = range(LARGE // 2, LARGE)
            urls = "".join(f"<url><loc>http://large.example/p/{number}</loc></url>" for number in numbers)
            return Reply(f"<urlset>{urls}</urlset>", content_type="text/xml")
        number = int(asked.path.rpartition("/")[2] or 0)
        return Reply(page(number, "neutral", 5_000))


def large() -> dict[str, Any]:
    """Peak memory of the crawler after few and after many pages, and of the intake of the many."""
    web = Large()
    with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as name:
        folder = Path(name)
        file = folder / "config.yaml"
        file.write_text(
            f"data: {folder}\nrehearsal: {{address: '{web.address}'}}\n"
            f"sites:\n  - {{url: 'http://large.example/', pages: {LARGE}, delay: 0.001}}\n",
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "crawler", "run", "site_large_example", "--config", str(file)]
        peaks, runs = [], []
        for asked in (200, ASKED):
            done = subprocess.run(
                [*command, "--runs", str(folder / "runs"), "--requests", str(asked)],
                capture_output=True,
                text=True,
                check=False,
            )
            runs.append(Path(done.stdout.strip().splitlines()[-1]))
            peaks.append(_peak(resource.RUSAGE_CHILDREN))  # of the largest yet: the second is the larger one
        config = Config(data=folder, sites=(Site(url="http://large.example/", country="us"),))
        engine = open_engine(config.database_url)
        upgrade(engine)
        taken = intake.take_in(engine, runs[1], config, knowledge.load())
        engine.dispose()
        pages = json.loads((runs[1] / "run.json").read_text(encoding="utf-8"))["items"]["page"]
    web.close()
    return {
        "first_mb": peaks[0],
        "last_mb": peaks[1],
        "pages": pages,
        "intake_mb": _peak(resource.RUSAGE_SELF),
        "events": sum(taken.events.values()),
    }


def _peak(who: int) -> int:
    """MB."""
    return round(resource.getrusage(who).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
