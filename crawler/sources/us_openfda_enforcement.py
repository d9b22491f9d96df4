"""openFDA's enforcement reports (recalls) of drugs, foods and devices, one card each."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from scrapy.http import Response

from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.openfda import (
    OpenFdaRecord,
    OpenFdaSpider,
    Options,
    QueryRefusedError,
    address_of,
    digest_of_report,
    field,
    read_answer,
    search_of,
    shortened,
)
from crawler.sources.reading import digest_of, plain_date
from monitor.records import NoticeRecord, NoticeType, OrganisationRef, SourceCard

__all__ = [
    "Options",
    "QueryRefusedError",
    "Spider",
    "address_of",
    "digest_of_report",
    "key_of",
    "notice_of",
    "read",
    "read_answer",
    "search_of",
]


def key_of(report: dict[str, Any]) -> str:
    """The recall number; older reports have none, and one event covers several products."""
    if number := field(report, "recall_number"):
        return number
    event, product = field(report, "event_id"), field(report, "product_description")
    if not event or not product:
        raise LayoutChangedError("a report has neither recall_number nor event_id and product_description")
    return f"{event}-{digest_of(product)[:12]}"


_LINES = (
    ("Product", "product_description"),
    ("Reason for recall", "reason_for_recall"),
    ("Product type", "product_type"),
    ("Classification", "classification"),
    ("Status", "status"),
    ("Quantity", "product_quantity"),
    ("Codes", "code_info"),
    ("More codes", "more_code_info"),
    ("Distribution", "distribution_pattern"),
    ("Voluntary or mandated", "voluntary_mandated"),
    ("First notification", "initial_firm_notification"),
    ("Recall begun", "recall_initiation_date"),
    ("Classified", "center_classification_date"),
    ("Terminated", "termination_date"),
)


def notice_of(report: dict[str, Any], card: SourceCard, capture: str) -> NoticeRecord:
    """One report. Raises LayoutChangedError if it lacks its firm or its identity."""
    firm, product = field(report, "recalling_firm"), field(report, "product_description")
    if not firm:
        raise LayoutChangedError(f"report {key_of(report)} names no recalling_firm")
    place = ("address_1", "address_2", "city", "state", "postal_code")
    number, event = field(report, "recall_number"), field(report, "event_id")
    found_by = f"recall_number:%22{quote(number)}%22" if number else f"event_id:%22{quote(event)}%22"
    return NoticeRecord(
        source=card.id,
        key=key_of(report),
        notice_type=NoticeType.ENFORCEMENT_REPORT,
        title=f"{firm}: {shortened(product)}" if product else firm,
        url=f"{card.start}?search={found_by}",
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=plain_date(field(report, "recall_initiation_date")),
        posted=plain_date(field(report, "report_date")),
        organisations=(
            OrganisationRef(
                name=firm,
                role="recalling_firm",
                country=field(report, "country"),
                address="\n".join(line for name in place if (line := field(report, name))),
            ),
        ),
        references=tuple(text for text in (number, f"event {event}" if event else "") if text),
        products=(product,) if product else (),
        status=field(report, "status"),
        classification=field(report, "classification"),
        summary=field(report, "reason_for_recall"),
        text="\n".join(f"{label}: {value}" for label, name in _LINES if (value := field(report, name))),
        captures=(capture,),
    )


def read(response: Response, card: SourceCard) -> Records:
    """Every report of one answer."""
    reports, _total, _updated = read_answer(response)
    for report in reports:
        yield notice_of(report, card, capture_of(response))


class Spider(OpenFdaSpider):
    """Every report that matches the card's words."""

    def records_of(self, report: dict[str, Any], capture: str) -> list[OpenFdaRecord]:
        return [notice_of(report, self.card, capture)]
