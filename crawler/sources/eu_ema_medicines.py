"""EMA's table of centrally assessed medicines: what the EU has authorised, suspended, refused or seen withdrawn.

After ema.europa.eu/en/about-us/about-website/download-website-data-json-data-format.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from scrapy.http import Response

from crawler.page import european_date
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.answers import AnswerSpider, digest_of_json, text_field
from crawler.sources.reading import json_of
from monitor.records import AuthorisationRecord, SourceCard

Status = Literal["authorised", "conditional", "suspended", "withdrawn", "refused", "unknown"]
STATUSES: dict[str, Status] = {
    "authorised": "authorised",
    "suspended": "suspended",
    "refused": "refused",
    "withdrawn": "withdrawn",
    "application withdrawn": "withdrawn",
    "withdrawn application": "withdrawn",
    "expired": "withdrawn",
    "lapsed": "withdrawn",
    "revoked": "withdrawn",
    "not renewed": "withdrawn",
}
"""Any other word ("Opinion", "Opinion under re-examination") decides nothing yet."""
NAMES = ("name_of_medicine", "ema_product_number", "medicine_status")
"""Columns without which the table is not this one."""
KINDS = (
    ("advanced_therapy", "Advanced therapy"),
    ("orphan_medicine", "Orphan"),
    ("biosimilar", "Biosimilar"),
    ("generic_or_hybrid", "Generic or hybrid"),
    ("generic", "Generic"),
    ("conditional_approval", "Conditional approval"),
    ("exceptional_circumstances", "Exceptional circumstances"),
    ("accelerated_assessment", "Accelerated assessment"),
    ("additional_monitoring", "Additional monitoring"),
    ("prime_priority_medicine", "PRIME"),
)
ENDED = (
    "withdrawal_expiry_revocation_lapse_of_marketing_authorisation_date",
    "suspension_of_marketing_authorisation_date",
    "refusal_of_marketing_authorisation_date",
    "withdrawal_of_application_date",
)
SUBSTANCES = (
    "active_substance",
    "international_non_proprietary_name_common_name",
    "international_non_proprietary_name_inn_common_name",
)


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str = "Human"
    """The others are counted and left out."""


def read_table(payload: Any, where: str) -> list[dict[str, Any]]:
    """The table's rows. Raises LayoutChangedError if it is another table, or not one row has its columns."""
    rows = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LayoutChangedError(f"no table of EMA: `data` is no list of rows ({where})")
    if not any(set(NAMES) <= set(row) for row in rows):
        raise LayoutChangedError(f"no row of the table has {', '.join(NAMES)} ({where})")
    return rows


def authorisation_of(row: dict[str, Any], card: SourceCard, capture: str) -> AuthorisationRecord:
    """One medicine. Raises LayoutChangedError if its name, its number or its status is missing, or a date is none."""
    name, number, written = (text_field(row, column) for column in NAMES)
    if not (name and number and written):
        raise LayoutChangedError(
            f"a medicine of the table lacks name, number or status: {name or number or row!r:.120}"
        )
    status = STATUSES.get(written.lower(), "unknown")
    if status == "authorised" and _yes(row, "conditional_approval"):
        status = "conditional"
    try:
        authorised, updated = (_date(row, column) for column in ("marketing_authorisation_date", "last_updated_date"))
        ended = next((day for column in ENDED if (day := _date(row, column))), None)
    except LayoutChangedError as error:
        raise LayoutChangedError(f"{number} {name}: {error}") from error
    return AuthorisationRecord(
        source=card.id,
        key=number,
        product=name,
        url=text_field(row, "medicine_url") or card.authority.url,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        number=number,
        substance=next((value for column in SUBSTANCES if (value := text_field(row, column))), ""),
        holder=text_field(row, "marketing_authorisation_developer_applicant_holder"),
        status=status,
        status_text=written,
        authorised=authorised,
        # a medicine that is authorised again may still show when it was suspended
        ended=None if status in ("authorised", "conditional") else ended,
        updated=updated,
        indication=text_field(row, "therapeutic_indication"),
        kinds=tuple(label for column, label in KINDS if _yes(row, column)),
        captures=(capture,),
    )


def _yes(row: dict[str, Any], column: str) -> bool:
    return text_field(row, column).lower() == "yes"


def _date(row: dict[str, Any], column: str) -> date | None:
    printed = text_field(row, column)
    return european_date(printed) if printed else None


def _is_wanted(row: dict[str, Any], options: Options) -> bool:
    return text_field(row, "category").lower() in ("", options.category.lower())


def read(response: Response, card: SourceCard) -> Records:
    """The medicines of the table that the card keeps."""
    options = Options.model_validate(card.options)
    for row in read_table(json_of(response), response.url):
        if _is_wanted(row, options):
            yield authorisation_of(row, card, capture_of(response))


class Spider(AnswerSpider):
    """Reads the table once, and gives the medicines that are new or changed."""

    def parse(self, response: Response, **_: Any) -> Iterator[AuthorisationRecord]:
        options = Options.model_validate(self.card.options)
        rows = read_table(json_of(response), response.url)
        for row in rows:
            if not _is_wanted(row, options):
                self.book.leave_out(f"not of category {options.category}")
                continue
            try:
                medicine = authorisation_of(row, self.card, capture_of(response))
            except LayoutChangedError as error:
                self.not_understood(error, response)
                continue
            yield from self.keep(medicine, digest_of_json(row), medicine.updated, self.request.since)
        self.book.listed = len(rows)
