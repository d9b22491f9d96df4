"""Cards, fixtures and answers by which readers of sources are tested."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crawler.source import load_cards, spider_module
from crawler.sources import ca_hc_recalls
from monitor.records import (
    AnyRecord,
    AuthorisationRecord,
    NoticeRecord,
    PageRecord,
    PublicationRecord,
    SourceCard,
    TrialRecord,
)
from tests.crawler.responses import response_of

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
FDA = "https://www.fda.gov"
LETTERS = f"{FDA}/inspections-compliance-enforcement-and-criminal-investigations/warning-letters"
LIST = f"{FDA}/datatables/views/ajax"
REPORTS = "https://api.fda.gov/drug/enforcement.json"
SNAPSHOT = CARDS["ca_hc_recalls"].start
SHAPES: dict[str, type[AnyRecord]] = {
    "notice": NoticeRecord,
    "page": PageRecord,
    "trial": TrialRecord,
    "publication": PublicationRecord,
    "authorisation": AuthorisationRecord,
}


def read(source: str, response: Any) -> list[NoticeRecord]:
    records = list(spider_module(CARDS[source]).read(response, CARDS[source]))
    assert all(isinstance(record, NoticeRecord) for record in records)
    return records


def read_fixture(card: SourceCard) -> Iterator[AnyRecord]:
    folder = FIXTURES / card.id
    for about in json.loads((folder / "about.json").read_text(encoding="utf-8")):
        response = response_of(about["url"], (folder / about["file"]).read_bytes(), about["content_type"])
        yield from spider_module(card).read(response, card)


def a_row(**changes: str) -> list[str]:
    cells = {
        "posted": '<time datetime="2026-09-15T04:00:00Z">09/15/2026</time>',
        "issued": "09/09/2026",
        "company": f'<a href="{LETTERS.removeprefix(FDA)}/kelda-900777-09092026">Kelda &amp; Sons</a>',
        "office": "Office of Tests",
        "subject": "A subject",
        "response": "",
        "closeout": "",
        "excerpt": "",
    }
    return list({**cells, **changes}.values())


def a_list(*rows: Any, total: Any = None) -> dict[str, Any]:
    return {"draw": 1, "recordsTotal": len(rows) if total is None else total, "data": list(rows)}


def letter_page() -> str:
    return (FIXTURES / "us_fda_warning_letters" / "letter.html").read_text(encoding="utf-8")


def an_entry(**changes: Any) -> dict[str, Any]:
    entry = dict.fromkeys(ca_hc_recalls.FIELDS, "")
    entry.update(
        {"NID": "990100", "Title": "Kelda kit", "URL": SNAPSHOT.rpartition("/sites")[0] + "/en/alert-recall/k"}
    )
    return {**entry, **changes}
