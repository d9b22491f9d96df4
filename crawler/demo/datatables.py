"""FDA's list of warning letters as its page asks for it: DataTables JSON whose cells are HTML."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crawler.demo.loopback import JSON, Answer, Question

ENDPOINT = "/datatables/views/ajax"
LETTERS = "/inspections-compliance-enforcement-and-criminal-investigations/warning-letters/"
LIST_PAGE = (
    "/inspections-compliance-enforcement-and-criminal-investigations/compliance-actions-and-activities/warning-letters"
)
MAX_LENGTH = 500


@dataclass(frozen=True)
class Row:
    """One letter as the list shows it."""

    path: str
    posted: date
    issued: date
    company: str
    office: str
    subject: str


def american(day: date) -> str:
    return f"{day:%m/%d/%Y}"


def _time(day: date) -> str:
    return f'<time datetime="{day.isoformat()}T04:00:00Z">{american(day)}</time>'


def cells(row: Row) -> list[str]:
    """The eight cells: posted, issued, company with link, office, subject, response, close-out, excerpt."""
    link = f'<a href="{html.escape(row.path)}">{html.escape(row.company)}</a>'
    return [_time(row.posted), _time(row.issued), link, html.escape(row.office), html.escape(row.subject), "", "", ""]


def answer(question: Question, rows: Sequence[Row]) -> Answer:
    """A page of rows by `start` and `length`; `length=-1` gives as many as the server hands out at once."""
    form = question.form
    start = _number(form.get("start"), 0)
    length = _number(form.get("length"), 10) or 10
    page = rows[start : start + min(length, MAX_LENGTH)]
    body = {
        "draw": _number(form.get("draw"), 1),
        "recordsTotal": len(rows),
        "recordsFiltered": len(rows),
        "data": [cells(row) for row in page],
    }
    return Answer(json.dumps(body), content_type=JSON)


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isdigit() else otherwise
