"""The invented regulators: the wire formats of the real ones, letters and recalls of firms that never were."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pydantic import Field

from crawler.demo import datatables, openfda
from crawler.demo.datatables import LETTERS, LIST_PAGE, Row
from crawler.demo.loopback import HTML, JSON, TEXT, Answer, Question, content_etag, not_found, redirect
from crawler.demo.weeks import DATA, Strict, Week, Weeks

LETTERS_HOST = "letters.fdo.example"
OPEN_HOST = "api.fdo.example"
RECALLS_HOST = "recalls.demo-health.example"
ALERTS_HOST = "alerts.demo-agency.example"

APOLOGY_PATH = "/apology_objects/abuse-detection-apology.html"
RECALLS_FILE = "/sites/default/files/opendata-donneesouvertes/HCRSAMOpenData.json"
ENFORCEMENT_PATH = "/drug/enforcement.json"


class Letter(Strict):
    """One letter in `letters_*.yaml`."""

    firm: str
    number: str = Field(pattern=r"^\d{6}$")
    issued: date
    posted: date
    office: str
    subject: str
    product: str
    kind: str
    """Which of the file's skeletons the letter is written from."""
    recipient: str
    title: str
    address: tuple[str, str, str, str, str]
    """Street, town, state, postal code, country."""
    goods: str
    findings: tuple[str, ...] = ()
    """The letter's own paragraphs, HTML."""
    week: str = ""
    reference: str = ""

    @property
    def slug(self) -> str:
        name = re.sub(r"[^a-z0-9]+", "-", self.firm.lower()).strip("-")
        return f"{name}-{self.number}-{self.issued:%m%d%Y}"


class LetterDesk:
    """A regulator that lists its letters by DataTables and shows each on a page of its own."""

    def __init__(self, host: str, file: Path, agency: str, weeks: Weeks) -> None:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.host = host
        self._agency = agency
        self._weeks = weeks
        self._skeletons: dict[str, list[str]] = raw["skeletons"]
        self._letters = [Letter.model_validate(letter) for letter in raw["letters"]]
        self._frame = Template((DATA / "letter.html").read_text(encoding="utf-8"))
        self._list_frame = Template((DATA / "letter_list.html").read_text(encoding="utf-8"))

    def letters(self, week: Week) -> list[Letter]:
        """Newest first, as the list shows them."""
        there = [letter for letter in self._letters if self._weeks.has_begun(letter.week, week)]
        return sorted(there, key=lambda letter: (letter.posted, letter.issued, letter.number), reverse=True)

    def rows(self, week: Week) -> list[Row]:
        return [
            Row(LETTERS + letter.slug, letter.posted, letter.issued, letter.firm, letter.office, letter.subject)
            for letter in self.letters(week)
        ]

    def answer(self, question: Question) -> Answer:
        week = self._weeks.on(question.day)
        if question.path == "/robots.txt":
            return Answer("User-agent: *\nDisallow: /search/\nDisallow: /core/\n", content_type=TEXT)
        if question.path == APOLOGY_PATH:
            return Answer((DATA / "apology.html").read_text(encoding="utf-8"), status=404)
        if self.host in self._weeks.blocked_hosts(week):
            return redirect(f"{question.origin}{APOLOGY_PATH}")
        return self._content(question, week)

    def _content(self, question: Question, week: Week) -> Answer:
        if question.path == datatables.ENDPOINT:
            return datatables.answer(question, self.rows(week))
        if question.path == LIST_PAGE:
            return Answer(self._list_page(week))
        found = [letter for letter in self.letters(week) if LETTERS + letter.slug == question.path]
        if not found:
            return not_found("No letter is kept at this address.")
        body = self.page(found[0])
        return Answer(body, content_type=HTML, etag=content_etag(body), compress=True)

    def page(self, letter: Letter) -> str:
        street, town, state, code, country = letter.address
        paragraphs = [
            *(Template(part).substitute(self._words(letter)) for part in self._skeletons[f"{letter.kind}_opening"]),
            *letter.findings,
            *(Template(part).substitute(self._words(letter)) for part in self._skeletons[f"{letter.kind}_closing"]),
        ]
        body = "".join(part if part.lstrip().startswith("<") else f"<p>{part}</p>" for part in paragraphs)
        escaped = {
            key: html.escape(value)
            for key, value in {
                "agency": self._agency,
                "firm": letter.firm,
                "subject": letter.subject,
                "office": letter.office,
                "product": letter.product,
                "recipient": letter.recipient,
                "job": letter.title,
                "street": street,
                "town": town,
                "state": state,
                "code": code,
                "country": country,
            }.items()
        }
        return self._frame.substitute(
            escaped,
            number=letter.number,
            reference=letter.reference or f"FDO {letter.number}",
            address=f"http://{self.host}{LETTERS}{letter.slug}",
            issued_iso=letter.issued.isoformat(),
            issued=f"{letter.issued:%B} {letter.issued.day}, {letter.issued:%Y}",
            issued_short=datatables.american(letter.issued),
            posted_iso=letter.posted.isoformat(),
            posted_short=datatables.american(letter.posted),
            posted_stamp=f"{letter.posted:%a, %m/%d/%Y} - 10:15",
            list_page=LIST_PAGE,
            body=body,
        )

    def _words(self, letter: Letter) -> dict[str, str]:
        surname = letter.recipient.split()[-1]
        return {
            "firm": html.escape(letter.firm),
            "surname": surname,
            "goods": letter.goods,
            "town": letter.address[1],
            "agency": html.escape(self._agency),
        }

    def _list_page(self, week: Week) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in datatables.cells(row)) + "</tr>"
            for row in self.rows(week)[:10]
        )
        settings = {
            "datatables": {
                "#datatable": {
                    "ajax": {
                        "url": datatables.ENDPOINT,
                        "data": {
                            "view_name": "warning_letter_solr_index",
                            "view_display_id": "warning_letter_solr_block",
                            "total_items": len(self.rows(week)),
                        },
                    }
                }
            }
        }
        return self._list_frame.substitute(agency=html.escape(self._agency), rows=rows, settings=json.dumps(settings))


class EnforcementDesk:
    """An openFDA of drug enforcement reports."""

    host = OPEN_HOST

    def __init__(self, weeks: Weeks, file: Path = DATA / "enforcement.yaml") -> None:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        self._weeks = weeks
        self._defaults: Mapping[str, Any] = raw["defaults"]
        self._reports: list[dict[str, Any]] = raw["reports"]

    def reports(self, week: Week) -> list[dict[str, Any]]:
        there = [report for report in self._reports if self._weeks.has_begun(report.get("week", ""), week)]
        kept = [{**self._defaults, **report, "openfda": {}} for report in there]
        return [{key: value for key, value in report.items() if key != "week"} for report in kept]

    def answer(self, question: Question) -> Answer:
        if question.path != ENFORCEMENT_PATH:
            return openfda.not_found()
        week = self._weeks.on(question.day)
        meta = {
            "disclaimer": "Invented reports for a rehearsal. None of this happened; do not rely on it for anything.",
            "terms": f"{question.origin}/terms/",
            "license": f"{question.origin}/license/",
            "last_updated": week.first_day.isoformat(),
        }
        return openfda.answer(question, self.reports(week), meta)


class Recall(Strict):
    """One entry of `recalls.yaml`: the published record, and what later weeks make of it."""

    record: dict[str, str | None]
    week: str = ""
    later: dict[str, dict[str, str | None]] = Field(default_factory=dict)
    """Week → fields that read otherwise from that week on."""
    detail: tuple[tuple[str, str, str], ...] = ()
    """Rows of the detail page's table: product, identification, reason."""
    text: str = ""
    """The detail page's own paragraphs, HTML."""


class RecallDesk:
    """A Health Canada: one JSON file of everything, and a page for each entry."""

    host = RECALLS_HOST

    def __init__(self, weeks: Weeks, file: Path = DATA / "recalls.yaml") -> None:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        self._weeks = weeks
        self._recalls = [Recall.model_validate(recall) for recall in raw["recalls"]]
        self._frame = Template((DATA / "recall.html").read_text(encoding="utf-8"))

    def records(self, week: Week) -> list[dict[str, str | None]]:
        return [self._state(recall, week) for recall in self._recalls if self._weeks.has_begun(recall.week, week)]

    def answer(self, question: Question) -> Answer:
        week = self._weeks.on(question.day)
        if question.path == "/robots.txt":
            return Answer("User-agent: *\nDisallow: /en/search/\nDisallow: /admin/\n", content_type=TEXT)
        if question.path == RECALLS_FILE:
            body = json.dumps(self.records(week), ensure_ascii=False, indent=1)
            return Answer(body, content_type=JSON, etag=content_etag(body), compress=True)
        for recall in self._recalls:
            record = self._state(recall, week)
            if self._weeks.has_begun(recall.week, week) and str(record["URL"]).endswith(question.path):
                body = self._page(recall, record)
                return Answer(body, content_type=HTML, etag=content_etag(body), compress=True)
        return not_found("This recall or alert is not in our database.")

    def _state(self, recall: Recall, now: Week) -> dict[str, str | None]:
        record = dict(recall.record)
        for week_id, changes in recall.later.items():
            if self._weeks.has_begun(week_id, now):
                record |= changes
        return record

    def _page(self, recall: Recall, record: Mapping[str, str | None]) -> str:
        cells = ("Product", "Identification", "Issue")
        shown = {key: html.escape(html.unescape(value or "")) for key, value in record.items()}
        rows = "".join(
            "<tr>"
            + "".join(f'<td data-label="{name}">{cell}</td>' for name, cell in zip(cells, row, strict=True))
            + "</tr>"
            for row in recall.detail or ((shown["Product"] or "See title", "Not given", shown["Issue"]),)
        )
        return self._frame.substitute(
            title=shown["Title"].replace("\u200b", "").strip(),
            product=shown["Product"],
            issue=shown["Issue"],
            todo=shown["What you should do"],
            category=shown["Category"],
            updated=record["Last updated"] or "",
            number=record["NID"] or "",
            address=record["URL"] or "",
            organization=shown["Organization"],
            rows=rows,
            text=recall.text,
        )
