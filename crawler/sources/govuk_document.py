"""One document of GOV.UK's Content API. After the content schemas of alphagov/publishing-api."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from bs4 import BeautifulSoup, Tag

from crawler.notes import host_of
from crawler.page import iso_date
from crawler.source import LayoutChangedError
from crawler.sources.answers import list_field, text_field
from crawler.sources.documents import Document
from crawler.sources.literature import earliest
from crawler.sources.reading import quoted_addresses, visible_lines

OFFICIAL = (".gov.uk", ".nhs.uk")
"""The government's and the health service's own sites: law and advice, not sellers."""
ROUNDUPS = frozenset({"field-safety-notices"})
"""Alert types of pages that list the notices of many makers, one list item each."""
_PICTURES = ("image/", "application/jpeg", "application/png")


@dataclass(frozen=True, kw_only=True)
class ContentItem(Document):
    """One document. `path` is its address on GOV.UK, `kind` the publisher's document type."""

    content_id: str
    path: str
    kind: str
    title: str
    description: str
    language: str
    alert_type: str
    classification: str
    status: str
    issued: date | None
    posted: date | None
    updated: date | None
    closes: date | None
    """Of a consultation or call for evidence: the last day for answers."""
    organisations: tuple[str, ...]
    products: tuple[str, ...]
    attachments: tuple[str, ...]
    """Documents that hang on the page and were not read."""


def read_item(payload: Any, where: str) -> ContentItem:
    """Raises LayoutChangedError if it is no content item, or lacks its id, its path or its title."""
    values = {name: text_field(payload, name) for name in ("content_id", "base_path", "title")}
    if missing := [name for name, value in values.items() if not value]:
        raise LayoutChangedError(f"no document of the Content API: {', '.join(missing)} missing ({where})")
    details = payload.get("details") if isinstance(payload.get("details"), dict) else {}
    body = BeautifulSoup(_html(details), "lxml")
    alert_type = text_field(details, "metadata", "alert_type") or text_field(details, "metadata", "product_alert_type")
    return ContentItem(
        content_id=values["content_id"],
        path=values["base_path"],
        kind=text_field(payload, "document_type"),
        title=values["title"],
        description=text_field(payload, "description"),
        language=text_field(payload, "locale") or "en",
        alert_type=alert_type,
        classification=text_field(details, "metadata", "product_risk_level") or alert_type,
        status=_status(payload),
        issued=_day(details, "metadata", "issued_date") or _day(details, "metadata", "product_recall_alert_date"),
        posted=_day(payload, "first_published_at") or _first_change(details),
        updated=_day(payload, "public_updated_at"),
        closes=_day(details, "closing_date"),
        organisations=tuple(
            filter(None, (text_field(o, "title") for o in list_field(payload, "links", "organisations")))
        ),
        products=_items(body) if alert_type in ROUNDUPS else (),
        text=visible_lines([body]),
        quoted_urls=_sellers(body),
        attachments=_attachments(details),
    )


def _day(holder: Any, *path: str) -> date | None:
    """The day as printed in a time stamp; no zone moves it."""
    moment = text_field(holder, *path)
    return iso_date(moment) if moment else None


def _first_change(details: dict[str, Any]) -> date | None:
    return earliest(*(_day(change, "public_timestamp") for change in list_field(details, "change_history")))


def _status(payload: Any) -> str:
    """Empty for a live document: an empty `withdrawn_notice` means that it is none."""
    if why := text_field(payload, "withdrawn_notice", "explanation"):
        return f"withdrawn: {_line(BeautifulSoup(why, 'lxml'))}"
    return "withdrawn" if text_field(payload, "withdrawn_notice", "withdrawn_at") else ""


def _html(details: dict[str, Any]) -> str:
    """The body: one text, renderings of it by content type, or the parts of a guide."""
    pieces = [_rendered(details.get("body"))]
    for part in list_field(details, "parts"):
        pieces += [
            f"<h2>{text_field(part, 'title')}</h2>",
            _rendered(part.get("body") if isinstance(part, dict) else ""),
        ]
    return "\n".join(filter(None, pieces))


def _rendered(body: Any) -> str:
    if isinstance(body, list):
        html = [one for one in body if isinstance(one, dict) and one.get("content_type") == "text/html"]
        body = html[0].get("content") if html else ""
    return body if isinstance(body, str) else ""


def _items(body: BeautifulSoup) -> tuple[str, ...]:
    """The list items of a roundup: what one alert's page has of each product."""
    lines = (_line(item) for item in body.select("li") if item.find_parent("li") is None)
    return tuple(dict.fromkeys(line for line in lines if line))


def _line(node: Tag) -> str:
    return " ".join(visible_lines([node]).split("\n"))


def _sellers(body: BeautifulSoup) -> tuple[str, ...]:
    links = "\n".join(str(anchor["href"]) for anchor in body.select('a[href^="http"]'))
    addresses = quoted_addresses(f"{visible_lines([body])}\n{links}", "www.gov.uk")
    return tuple(address for address in addresses if not f".{host_of(address)}".endswith(OFFICIAL))


def _attachments(details: dict[str, Any]) -> tuple[str, ...]:
    """Pictures are no documents."""
    found = []
    for attachment in list_field(details, "attachments"):
        kind = text_field(attachment, "content_type") or text_field(attachment, "attachment_type")
        if kind and not kind.startswith(_PICTURES):
            found.append(f"attachment: {text_field(attachment, 'title') or 'without a title'} ({kind})")
    return tuple(found)
