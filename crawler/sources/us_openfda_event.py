"""openFDA's adverse event reports on cosmetics, foods and drugs, one card each.

Anyone may send such a report. Nobody has established that the product caused the event, and a report says nothing
of how often it happens: every notice made here says so in its status.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlsplit

from scrapy.http import Response

from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.openfda import (
    OpenFdaRecord,
    OpenFdaSpider,
    Options,
    field,
    parts_of,
    read_answer,
    shortened,
    texts_of,
)
from crawler.sources.reading import plain_date
from monitor.records import NoticeRecord, NoticeType, SourceCard

__all__ = ["Options", "Spider", "notice_of", "read"]

STATUS = "unverified report"


@dataclass(frozen=True)
class Event:
    """One report, whichever data set it stands in. `products` are pairs of name and reported role."""

    number: str
    number_field: str
    version: str
    received: date | None
    updated: date | None
    began: str
    products: tuple[tuple[str, str], ...]
    reactions: tuple[str, ...]
    outcomes: tuple[str, ...]
    person: str


def _cosmetic(report: dict[str, Any]) -> Event:
    patient = _object(report, "patient")
    return Event(
        number=field(report, "report_number"),
        number_field="report_number",
        version=field(report, "report_version"),
        received=plain_date(field(report, "initial_received_date")),
        updated=plain_date(field(report, "latest_received_date")),
        began=field(report, "event_date"),
        products=_products(report, "product_name"),
        reactions=tuple(texts_of(report, "reactions")),
        outcomes=tuple(texts_of(report, "outcomes")),
        person=_person(field(patient, "age"), field(patient, "age_unit"), field(patient, "gender")),
    )


def _food(report: dict[str, Any]) -> Event:
    consumer = _object(report, "consumer")
    return Event(
        number=field(report, "report_number"),
        number_field="report_number",
        version="",
        received=plain_date(field(report, "date_created")),
        updated=None,
        began=field(report, "date_started"),
        products=_products(report, "name_brand"),
        reactions=tuple(texts_of(report, "reactions")),
        outcomes=tuple(texts_of(report, "outcomes")),
        person=_person(field(consumer, "age"), field(consumer, "age_unit"), field(consumer, "gender")),
    )


_AGE_UNITS = {"800": "decades", "801": "years", "802": "months", "803": "weeks", "804": "days", "805": "hours"}
_SEXES = {"1": "male", "2": "female"}
_ROLES = {"1": "suspect", "2": "concomitant", "3": "interacting"}
_SERIOUS = (
    ("death", "seriousnessdeath"),
    ("life threatening", "seriousnesslifethreatening"),
    ("hospitalisation", "seriousnesshospitalization"),
    ("disability", "seriousnessdisabling"),
    ("congenital anomaly", "seriousnesscongenitalanomali"),
    ("other serious event", "seriousnessother"),
)
"""FAERS gives these by number (open.fda.gov/apis/drug/event: ICH E2B codes)."""


def _drug(report: dict[str, Any]) -> Event:
    patient = _object(report, "patient")
    unit = _AGE_UNITS.get(field(patient, "patientonsetageunit"), "")
    drugs = parts_of(patient, "drug")
    named = ((field(drug, "medicinalproduct"), field(drug, "drugcharacterization")) for drug in drugs)
    reactions = (field(reaction, "reactionmeddrapt") for reaction in parts_of(patient, "reaction"))
    return Event(
        number=field(report, "safetyreportid"),
        number_field="safetyreportid",
        version=field(report, "safetyreportversion"),
        received=plain_date(field(report, "receivedate")),
        updated=plain_date(field(report, "receiptdate")),
        began="",
        products=tuple(dict.fromkeys((name, _ROLES.get(role, "")) for name, role in named if name)),
        reactions=tuple(dict.fromkeys(reaction for reaction in reactions if reaction)),
        outcomes=tuple(name for name, flag in _SERIOUS if field(report, flag) == "1"),
        person=_person(
            field(patient, "patientonsetage"), unit, _SEXES.get(field(patient, "patientsex"), ""), needs_unit=True
        ),
    )


_READERS: dict[str, Callable[[dict[str, Any]], Event]] = {"cosmetic": _cosmetic, "food": _food, "drug": _drug}


def _object(report: dict[str, Any], name: str) -> dict[str, Any]:
    value = report.get(name) or {}
    if not isinstance(value, dict):
        raise LayoutChangedError(f"`{name}` of a report is no object: {str(value)[:80]}")
    return value


def _products(report: dict[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    products = ((field(product, name), field(product, "role").lower()) for product in parts_of(report, "products"))
    return tuple(dict.fromkeys((product, role) for product, role in products if product))


def _person(age: str, unit: str, sex: str, *, needs_unit: bool = False) -> str:
    unit, sex = ("" if word.lower() == "not available" else word.lower() for word in (unit, sex))
    told = f"{age} {unit}".strip() if age and (unit or not needs_unit) else ""
    return ", ".join(word for word in (told, sex) if word)


def event_of(report: dict[str, Any], start: str) -> Event:
    """One report, read as the card's address says. Raises LayoutChangedError if it has no number or no product."""
    noun = urlsplit(start).path.strip("/").partition("/")[0]
    if noun not in _READERS:
        raise LayoutChangedError(f"{start}: no event data set is known by {noun!r}; known are {', '.join(_READERS)}")
    event = _READERS[noun](report)
    if not event.number:
        raise LayoutChangedError(f"a report has no {event.number_field}: {str(report)[:120]}")
    if not event.products:
        raise LayoutChangedError(f"report {event.number} names no product")
    return event


def notice_of(report: dict[str, Any], card: SourceCard, capture: str) -> NoticeRecord:
    """One report as a notice that nobody has verified. Its versions are one notice, told apart by date and digest."""
    event = event_of(report, card.start)
    suspects = [name for name, role in event.products if role == "suspect"] or [name for name, _ in event.products]
    reactions = ", ".join(event.reactions)
    return NoticeRecord(
        source=card.id,
        key=event.number,
        notice_type=NoticeType.ADVERSE_EVENT_REPORT,
        title=f"Unverified report {event.number}: {shortened('; '.join(dict.fromkeys(suspects)))}",
        url=f"{card.start}?search={event.number_field}:%22{quote(event.number)}%22",
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=event.received,
        updated=event.updated,
        references=(event.number, *((f"version {event.version}",) if event.version else ())),
        products=tuple(dict.fromkeys(name for name, _ in event.products)),
        status=STATUS,
        classification=", ".join(event.outcomes),
        summary=reactions,
        text="\n".join(_lines(event, reactions)),
        captures=(capture,),
    )


def _lines(event: Event, reactions: str) -> list[str]:
    products = [f"Product: {name}" + (f" ({role})" if role else "") for name, role in event.products]
    told = (
        ("Reactions reported", reactions),
        ("Outcomes reported", ", ".join(event.outcomes)),
        ("Person", event.person),
        ("Event began", event.began),
        ("Report first received", event.received.isoformat() if event.received else ""),
        ("Report last received", event.updated.isoformat() if event.updated else ""),
    )
    return [*products, *(f"{label}: {value}" for label, value in told if value)]


def read(response: Response, card: SourceCard) -> Records:
    """Every report of one answer."""
    reports, _total, _updated = read_answer(response)
    for report in reports:
        yield notice_of(report, card, capture_of(response))


class Spider(OpenFdaSpider):
    """Every report that names one of the card's words as a product."""

    def records_of(self, report: dict[str, Any], capture: str) -> list[OpenFdaRecord]:
        return [notice_of(report, self.card, capture)]

    def dated(self, record: OpenFdaRecord) -> date | None:
        return (record.updated or record.issued) if isinstance(record, NoticeRecord) else None
