"""One measured part a process, so that memory and processor time are its own. Prints one JSON line."""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.pages import kinds, page

_KEYWORDS = re.compile(
    r"\b(treats?|cures?|heals?|regrow\w*|regenerat\w*|repairs?|stimulat\w*"
    r"|arthritis|alopecia|no side effects|fda approved)\b",
    re.IGNORECASE,
)


def fetch_only(port: str, count: str) -> dict[str, Any]:
    """Scrapy alone: the anchor for every crawl."""
    import scrapy
    from scrapy.crawler import AsyncCrawlerProcess

    class Fetch(scrapy.Spider):
        name = "fetch"

        async def start(self) -> Any:
            for number in range(int(count)):
                yield scrapy.Request(f"http://127.0.0.1:{port}/exosome/{number}", callback=self.parse)

        def parse(self, response: scrapy.http.Response) -> None:
            seen.append(len(response.body))

    seen: list[int] = []
    process = AsyncCrawlerProcess(
        {"LOG_LEVEL": "ERROR", "REMOTE_CONTROL_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "DOWNLOAD_DELAY": 0}
        | {"CONCURRENT_REQUESTS": 8, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "ROBOTSTXT_OBEY": False}
    )
    process.crawl(Fetch)
    process.start()
    return {"pages": len(seen)}


def take_in(folder: str, data: str, reader: str) -> dict[str, Any]:
    """Intake and judgement of a finished run folder; `reader` is `selectolax` or `bs4`."""
    from monitor import knowledge
    from monitor.config import Config
    from monitor.intake import runs as intake
    from monitor.migrations import upgrade
    from monitor.reading import captured, text
    from monitor.tables.db import open_engine

    if reader == "bs4":
        from bs4 import BeautifulSoup

        def read_html(html: str | bytes, content_type: str = "") -> text.Document:
            return text.read_text(BeautifulSoup(html, "html.parser").get_text("\n"))

        captured.read_html = read_html
    config = Config(data=Path(data))
    engine = open_engine(f"sqlite:///{data}/bench-{reader}.db")
    upgrade(engine)
    loaded = knowledge.load()
    begin = time.process_time()
    result = intake.take_in(engine, Path(folder), config, loaded)
    return {"seconds": time.process_time() - begin, "findings": result.findings}


def judge(kind: str, count: str, size: str = "50000") -> dict[str, Any]:
    """The classifier alone, beside a keyword regex over the same text. `kind`: of a page, or `mix`; `size`: bytes."""
    from monitor.classify import Query, judge
    from monitor.knowledge import load
    from monitor.reading.text import read_html

    mixed = kinds(int(count)) if kind == "mix" else [kind] * int(count)
    htmls = [page(number, one, int(size)) for number, one in enumerate(mixed)]
    documents = [read_html(html) for html in htmls]
    loaded = load()
    judge(Query(id="warm", html=htmls[0]), loaded)

    def judged() -> int:
        return sum(
            judge(Query(id=str(number), html=html), loaded).decision == "flag" for number, html in enumerate(htmls)
        )

    def regex() -> int:
        return sum(bool(_KEYWORDS.search(document.text)) for document in documents)

    from monitor.classify import judge_document
    from monitor.classify.gate import gate

    passes = gate(loaded)

    def gated() -> int:
        return sum(passes.screen(html) for html in htmls)

    def judged_text() -> int:
        return sum(judge_document(document, loaded).decision == "flag" for document in documents)

    rows = {"html through the gate": gated, "html to verdict": judged, "text to verdict": judged_text}
    rows["keyword regex on text"] = regex
    return {name: round(len(htmls) / _seconds(work)) for name, work in rows.items()}


def unlike(count: str) -> dict[str, Any]:
    """Pages of which no two share a block, so that nothing read before helps: those that teach the classifier, in all
    its languages, by whether they make claims. The words of their languages are loaded before.
    """
    from monitor.classify import judge_document
    from monitor.knowledge import load
    from monitor.reading.text import read_html
    from monitor.training.labelled import read_labelled
    from monitor.training.promote import TEXTS

    loaded = load()
    rows = [row for path in TEXTS for row in read_labelled(path) if row.html is not None]
    first = {row.lang: row for row in rows}
    for row in first.values():
        judge_document(read_html(row.html or ""), loaded, url=row.url)
    rows = [row for row in rows if row is not first[row.lang]]
    rates = {}
    for claims, name in ((True, "pages with claims"), (False, "others that name the product")):
        chosen = [row for row in rows if row.positive == claims][: int(count)]
        documents = [(read_html(row.html or ""), row.url) for row in chosen]

        def judged(documents: list[tuple[Any, str]] = documents) -> int:
            return sum(judge_document(one, loaded, url=url).names_product for one, url in documents)

        rates[name] = round(len(documents) / _seconds(judged), 1)
    return {"rates": rates}


def start() -> dict[str, Any]:
    """From nothing to the first verdict on a page that names the product."""
    from monitor.classify import Query, judge
    from monitor.knowledge import load

    return {"decision": judge(Query(id="first", html=page(0, "claims")), load()).decision}


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    name, *arguments = sys.argv[1:]
    begin = time.process_time()
    parts = {"fetch_only": fetch_only, "take_in": take_in, "judge": judge, "unlike": unlike, "start": start}
    part: Callable[..., dict[str, Any]] = parts[name]
    result = part(*arguments)
    result.setdefault("seconds", time.process_time() - begin)
    result["rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
