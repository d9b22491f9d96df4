"""Documents of invented content in every format that sources are read from, in any size."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import fromstring

import feedparser
from bs4 import BeautifulSoup

from crawler.source import load_cards, spider_module
from crawler.sources import ca_hc_recalls, eu_safety_gate_alerts, us_fda_warning_letters
from crawler.sources.reading import json_of
from monitor.records import SourceCard
from tests.crawler.cards import LIST, a_card
from tests.crawler.responses import response_of
from tests.loopback import Asked, Reply

FIXTURES = Path(__file__).parents[1] / "crawler" / "sources"
CARDS = load_cards()
LETTERS = "/inspections-compliance-enforcement-and-criminal-investigations/warning-letters/"
WORDS = "The office has looked at the product and at what its seller says of it, and asks that it be taken back. "
LETTER_BYTES = 50_000
SEPARATOR = b"\x00"
"""Between pages, where one body holds many."""
ROW = {"id": "", "name": "", "day": "2026-10-02", "firm": "Kelda Ltd", "said": WORDS}


@dataclass(frozen=True)
class Format:
    """Makes so many items, reads them as a source does, and parses them with the format's own parser alone."""

    items: int
    body: Callable[[int], bytes]
    read: Callable[[bytes], int]
    parse: Callable[[bytes], object]


def _text(source: str, name: str) -> str:
    return (FIXTURES / source / name).read_text(encoding="utf-8")


def _records(card: SourceCard, kind: str, body: bytes, url: str = "") -> int:
    return sum(1 for _ in spider_module(card).read(response_of(url or card.start, body, kind), card))


def feed(count: int) -> bytes:
    items = "".join(
        f"<item><title>Alert {n} about Kelda</title><link>{LIST}/{n}</link><guid>{n}</guid>"
        f"<pubDate>Fri, 02 Oct 2026 10:00:00 EDT</pubDate><description>&lt;p&gt;{WORDS}&lt;/p&gt;</description></item>"
        for n in range(count)
    )
    return f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode()


def list_page(count: int) -> bytes:
    rows = "".join(
        f"<li><a href='/{n}'>Alert {n}</a><time>2 October 2026</time><p>{WORDS}</p></li>" for n in range(count)
    )
    return f"<html><body><main><h1>Alerts</h1><ul>{rows}</ul></main></body></html>".encode()


def json_table(count: int) -> bytes:
    return json.dumps([{**ROW, "id": str(n), "name": f"Product {n}"} for n in range(count)]).encode()


def csv_table(count: int) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, ROW)
    writer.writeheader()
    writer.writerows({**ROW, "id": str(n), "name": f"Product {n}"} for n in range(count))
    return out.getvalue().encode()


def posts(count: int) -> bytes:
    post = json.loads(_text("es_aemps_notices", "posts.json"))[0]
    return json.dumps([{**post, "id": n} for n in range(1, count + 1)]).encode()


def report(count: int, number: int = 0) -> bytes:
    """A weekly report of Safety Gate with so many alerts."""
    text = _text("eu_safety_gate_alerts", "report.xml")
    head, alert, tail = re.split(r"(<notifications .*?</notifications>)", text, maxsplit=1, flags=re.DOTALL)
    tail = re.sub(r"<notifications .*</notifications>", "", tail, flags=re.DOTALL)
    alerts = (
        alert.replace("SR/09001/26", f"SR/{number:03}{n:05}/26").replace("99000001", f"{number:03}{n:05}")
        for n in range(count)
    )
    return (head + "".join(alerts) + tail).encode()


def enforcement(count: int) -> bytes:
    answer = json.loads(_text("us_openfda_drug_enforcement", "page.json"))
    one = answer["results"][0]
    answer["results"] = [{**one, "recall_number": f"D-{n}-2026"} for n in range(count)]
    answer["meta"]["results"]["total"] = count
    return json.dumps(answer).encode()


def papers(count: int) -> bytes:
    text = _text("us_ncbi_pubmed", "papers.xml")
    head, paper, _ = re.split(r"(<PubmedArticle>.*?</PubmedArticle>)", text, maxsplit=1, flags=re.DOTALL)
    number = re.search(r"<PMID[^>]*>(\d+)<", paper)
    assert number is not None
    found = (
        re.sub(r"10\.\d{4,9}/[^<]+", f"10.9999/{n}", paper.replace(number[1], str(80_000_000 + n)))
        for n in range(count)
    )
    return (head + "".join(found) + "</PubmedArticleSet>").encode()


def snapshot(count: int) -> bytes:
    entries = json.loads(_text("ca_hc_recalls", "snapshot.json"))
    return json.dumps([_entry(entries, n) for n in range(count)]).encode()


def _entry(entries: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """One in two thousand is of the kind that the card keeps."""
    kept = number % 2000 == 0
    entry = entries[0 if kept else 1]
    return {
        **entry,
        "NID": str(number + 1),
        "URL": f"{entry['URL'].rpartition('/')[0]}/alert-{number}",
        "What you should do": WORDS * 2,
        "Last updated": "2026-09-11" if kept else f"20{10 + number % 16}-0{1 + number % 9}-1{number % 10}",
    }


def letters_list(count: int, start: int = 0, total: int | None = None) -> bytes:
    """One page of FDA's table of letters."""
    rows = []
    for n in range(start, start + count):
        day = f"{1 + n // 54 % 12:02}/{1 + n % 27:02}/2026"
        link = f'<a href="{LETTERS}firm-{n}-0{n}">Firm {n}</a>'
        rows.append([f'<time datetime="x">{day}</time>', day, link, "CBER", "Unlicensed Product", "", "", ""])
    return json.dumps({"recordsTotal": str(total or count), "data": rows}).encode()


def letter(number: int) -> bytes:
    """A letter of a real one's size: most of such a page is its site's frame."""
    page = _text("us_fda_warning_letters", "letter.html").replace("900101", str(700_000 + number))
    frame = f"<nav>{'<a href=/x>Where else to go on this site</a>' * 600}</nav>"
    text = f"<p>{WORDS * 4}</p>" * 30
    page = page.replace("<body>", f"<body>{frame}", 1).replace("</article>", f"{text}</article>", 1)
    return page.encode().ljust(LETTER_BYTES)


def letter_pages(count: int) -> bytes:
    return SEPARATOR.join(letter(n) for n in range(count))


def _read_letters(body: bytes) -> int:
    card = CARDS["us_fda_warning_letters"]
    pages = body.split(SEPARATOR)
    return sum(_records(card, "text/html", page, f"https://www.fda.gov{LETTERS}x-{n}") for n, page in enumerate(pages))


def _read_report(body: bytes) -> int:
    card = CARDS["eu_safety_gate_alerts"]
    day, alerts = eu_safety_gate_alerts.read_report(fromstring(body), "here")
    return sum(bool(eu_safety_gate_alerts.notice_of(alert, day, card, "run/1")) for alert in alerts)


def _read_snapshot(body: bytes) -> int:
    card = CARDS["ca_hc_recalls"]
    entries = ca_hc_recalls.read_snapshot(json_of(response_of(card.start, body, "application/json")), card.start)[1]
    options = ca_hc_recalls.Options.model_validate(card.options)
    context = ca_hc_recalls.context_of(options)
    return sum(isinstance(ca_hc_recalls.reason_left_out(entry, options, context), str) for entry in entries)


def _read_letters_list(body: bytes) -> int:
    return len(us_fda_warning_letters.read_list(json.loads(body), "https://www.fda.gov/list")[1])


FIELDS = {"key": "id", "title": "name", "posted": "day", "organisation": "firm", "summary": "said"}
TABLE_OF_JSON = a_card("json_table", fields=FIELDS)
TABLE_OF_CSV = a_card("csv_table", fields=FIELDS)
POSTS = a_card("wp_json", start="https://office.example/wp-json/wp/v2/posts")
ENFORCEMENT = CARDS["us_openfda_drug_enforcement"]
PAPERS = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/efetch.fcgi?id=1"


def _soup(body: bytes) -> list[BeautifulSoup]:
    return [BeautifulSoup(page, "lxml") for page in body.split(SEPARATOR)]


def _rows(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode())))


def _parsed_feed(body: bytes) -> object:
    return feedparser.parse(io.BytesIO(body))


FORMATS = {
    "feed (RSS 2.0)": Format(3000, feed, partial(_records, a_card("feed"), "application/rss+xml"), _parsed_feed),
    "list page (HTML)": Format(2000, list_page, partial(_records, a_card("html_list", row="li"), "text/html"), _soup),
    "table (JSON)": Format(20_000, json_table, partial(_records, TABLE_OF_JSON, "application/json"), json.loads),
    "table (CSV)": Format(20_000, csv_table, partial(_records, TABLE_OF_CSV, "text/csv"), _rows),
    "posts (WordPress)": Format(2000, posts, partial(_records, POSTS, "application/json"), json.loads),
    "weekly report (Safety Gate, XML)": Format(2000, report, _read_report, fromstring),
    "enforcement reports (openFDA)": Format(
        10_000, enforcement, partial(_records, ENFORCEMENT, "application/json"), json.loads
    ),
    "papers (PubMed, XML)": Format(
        2000, papers, lambda body: _records(CARDS["us_ncbi_pubmed"], "text/xml", body, PAPERS), fromstring
    ),
    "snapshot (Health Canada, JSON)": Format(20_000, snapshot, _read_snapshot, json.loads),
    "table of letters (FDA, JSON)": Format(5000, letters_list, _read_letters_list, json.loads),
    "letters (FDA, pages of 50 kB)": Format(100, letter_pages, _read_letters, _soup),
}


# Large files, and the web of a year


def write_snapshot(file: Path, megabytes: int) -> int:
    """Health Canada's snapshot in so many megabytes; gives its entries."""
    entries = json.loads(_text("ca_hc_recalls", "snapshot.json"))
    return _fill(file, megabytes, b"[", (json.dumps(_entry(entries, n)).encode() for n in _counting()), b",\n", b"]")


def write_table(file: Path, megabytes: int) -> int:
    """ANVISA's register in so many megabytes, one product in a hundred thousand of the kind that is looked for."""
    text = (FIXTURES / "br_anvisa_cosmetics" / "table.csv").read_bytes()
    header, wanted, other = text.splitlines()[:3]

    def rows() -> Iterator[bytes]:
        for n in _counting():
            row = wanted if n % 100_000 == 0 else other
            cells = row.split(b";")
            yield b";".join((f"{25351000000000000 + n}".encode(), *cells[1:-1], cells[-1]))

    return _fill(file, megabytes, header + b"\n", rows(), b"\n", b"\n")


def _counting() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _fill(file: Path, megabytes: int, head: bytes, parts: Iterator[bytes], between: bytes, tail: bytes) -> int:
    most, size, count = megabytes * 1024**2, len(head), 0
    with file.open("wb") as out:
        out.write(head)
        for part in parts:
            piece = (between if count else b"") + part
            size += len(piece)
            if size > most:
                break
            out.write(piece)
            count += 1
        out.write(tail)
    return count


def alert_page() -> str:
    """A page of one of the snapshot's alerts."""
    return _text("ca_hc_recalls", "alert.html")


def letters(count: int) -> Callable[[Asked], Reply]:
    """FDA's table of letters, newest first, and a page for each."""

    def answer(asked: Asked) -> Reply:
        path, _, query = asked.path.partition("?")
        if path == urlsplit(CARDS["us_fda_warning_letters"].start).path:
            asked_for = {name: int(values[0]) for name, values in parse_qs(query).items() if values[0].isdigit()}
            start, length = asked_for["start"], asked_for["length"]
            body = letters_list(min(length, max(count - start, 0)), start, count)
            return Reply(body, content_type="application/json")
        return Reply(letter(int(path.rpartition("-0")[2])))

    return answer


def reports(weeks: int, alerts: int) -> Callable[[Asked], Reply]:
    """Safety Gate's list of a year, and its weekly reports."""
    start = urlsplit(CARDS["eu_safety_gate_alerts"].start).path

    def listed(number: int) -> str:
        url = eu_safety_gate_alerts.report_address(number).replace("&", "&amp;")
        told = f"<reference>x</reference><publicationDate>02/10/2026</publicationDate><URL>{url}</URL>"
        return f"<weeklyReport>{told}</weeklyReport>"

    def answer(asked: Asked) -> Reply:
        path = asked.path.partition("?")[0]
        if path == start:
            entries = "".join(listed(10_000_000 + n) for n in range(weeks))
            return Reply(f"<weeklyReports>{entries}</weeklyReports>", content_type="application/xml")
        return Reply(report(alerts, int(path.rpartition("/")[2]) % 1000), content_type="application/xml")

    return answer
