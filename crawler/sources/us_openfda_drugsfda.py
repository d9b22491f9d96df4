"""Drugs@FDA through openFDA: every application for a drug, and what became of it.

It says what is approved, so it is read whole; biological products that CBER licenses stand in the Purple Book only.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from urllib.parse import quote

from scrapy.http import Response

from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.openfda import OpenFdaRecord, OpenFdaSpider, Options, field, parts_of, read_answer
from crawler.sources.reading import plain_date
from monitor.records import AuthorisationRecord, SourceCard

__all__ = ["Options", "Spider", "read", "records_of"]


def records_of(report: dict[str, Any], card: SourceCard, capture: str) -> list[AuthorisationRecord]:
    """One record a name under which the application's products are sold, in the order of the register.

    The first has the application's number as its key. None if the application lists no product, as those that were
    never approved. Raises LayoutChangedError without a number.
    """
    number, holder = field(report, "application_number"), field(report, "sponsor_name")
    if not number:
        raise LayoutChangedError(f"an application has no application_number: {str(report)[:120]}")
    submissions = parts_of(report, "submissions")
    approved, latest = _approved(submissions), _latest(submissions)
    named: dict[str, list[dict[str, Any]]] = {}
    for product in parts_of(report, "products"):
        named.setdefault(field(product, "brand_name") or _substance([product]), []).append(product)
    named.pop("", None)
    return [
        AuthorisationRecord(
            source=card.id,
            key=f"{number}/{name}" if at else number,
            product=name,
            url=f"{card.start}?search=application_number:%22{quote(number)}%22",
            authority=card.authority.name,
            jurisdiction=card.jurisdiction,
            number=number,
            substance=_substance(products),
            holder=holder,
            status=_status(submissions, approved),
            status_text=_distinct(field(product, "marketing_status") for product in products),
            authorised=approved,
            updated=latest,
            kinds=_kinds(number, submissions),
            captures=(capture,),
        )
        for at, (name, products) in enumerate(named.items())
    ]


def _distinct(texts: Any) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _substance(products: list[dict[str, Any]]) -> str:
    return _distinct(field(part, "name") for product in products for part in parts_of(product, "active_ingredients"))


def _originals(submissions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in submissions if field(one, "submission_type") == "ORIG"]


def _approved(submissions: list[dict[str, Any]]) -> date | None:
    """The day of the first original approval; a tentative approval (TA) is none."""
    days = [_day(one) for one in _originals(submissions) if field(one, "submission_status") == "AP"]
    return min((day for day in days if day), default=None)


def _latest(submissions: list[dict[str, Any]]) -> date | None:
    return max((day for one in submissions if (day := _day(one))), default=None)


def _day(submission: dict[str, Any]) -> date | None:
    return plain_date(field(submission, "submission_status_date"))


def _status(submissions: list[dict[str, Any]], approved: date | None) -> Literal["authorised", "unknown"]:
    # Products off the market stay approved until FDA withdraws that: Drugs@FDA says "Discontinued" of both.
    decided = {field(one, "submission_status") for one in _originals(submissions)}
    return "authorised" if approved or "AP" in decided else "unknown"


def _kinds(number: str, submissions: list[dict[str, Any]]) -> tuple[str, ...]:
    letters = number.rstrip("0123456789")
    decided = {field(one, "submission_status") for one in _originals(submissions)}
    tentative = ("tentative approval",) if "TA" in decided and "AP" not in decided else ()
    return (*((letters,) if letters else ()), *tentative)


def read(response: Response, card: SourceCard) -> Records:
    """Every application of one answer."""
    reports, _total, _updated = read_answer(response)
    for report in reports:
        yield from records_of(report, card, capture_of(response))


class Spider(OpenFdaSpider):
    """Every application, or those that match the card's words."""

    def records_of(self, report: dict[str, Any], capture: str) -> list[OpenFdaRecord]:
        return [*records_of(report, self.card, capture)]
