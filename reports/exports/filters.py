"""What people may narrow feeds and tables by: each value is held against those that there are, so that a typing error
does not look like an empty result."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from monitor.config import jurisdiction_codes
from monitor.config.file import nearest
from monitor.queries.exports import FACT_KINDS, FilterError, Filters, Table
from monitor.records import NoticeType
from reports import words as names
from reports.render import line

SEVERITIES = ("High", "Medium", "Low")
NUMBERED = ("claim", "notice", "page", "product", "organisation")
LARGEST_ID = 2**31 - 1
_SOURCE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_OBJECT = re.compile(r"(claim|notice|page|trial|publication|authorisation):([0-9]{1,9})|source:[a-z0-9_]{1,80}")


def checked(name: str, value: str, kinds: Collection[str] = names.EVENTS) -> str:
    """The value, if it is one that the filter knows. Raises FilterError with the nearest."""
    valid: Mapping[str, Collection[str]] = {
        "jurisdiction": jurisdiction_codes(),
        "category": names.CATEGORIES,
        "severity": SEVERITIES,
        "kind": kinds,
    }
    shown = line(value)[:60]
    if name in valid and value not in valid[name]:
        hint = nearest(value, valid[name]) if len(value) > 2 else ""
        listed = "use an ISO 3166 code in lower case, uk or eu" if name == "jurisdiction" else _listed(valid[name])
        raise FilterError(f"no such {name}: {shown}{hint or f'; {listed}'}")
    if name == "source" and not _SOURCE.fullmatch(value):
        raise FilterError(f"no source is named {shown}; write its id, such as us_fda_warning_letters")
    return value


def _listed(values: Iterable[str]) -> str:
    return f"valid: {', '.join(sorted(values))}"


def filters_of(table: Table, given: Mapping[str, str]) -> Filters:
    """What narrows a table, from texts as people give them. Raises FilterError for what it does not take."""
    known = Filters().__dataclass_fields__
    kinds: Mapping[str, Collection[str]] = {
        "facts": FACT_KINDS, "notices": {str(kind) for kind in NoticeType},
    }  # fmt: skip
    asked = Filters()
    for name, value in given.items():
        if name not in known or name not in table.filters:
            has = f"it has: {', '.join(table.filters)}" if table.filters else "it has none"
            raise FilterError(f"the table {table.name} has no filter {line(name)[:60]}; {has}")
        if value:
            parsed: dict[str, Any] = {name: _parsed(name, value, kinds.get(table.name, names.EVENTS))}
            asked = replace(asked, **parsed)
    return asked


def _parsed(name: str, value: str, kinds: Collection[str]) -> Any:
    if name in ("since", "until"):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise FilterError(f"{name}: {line(value)[:60]} is no date; write it as 2026-11-16") from error
    if name in NUMBERED:
        if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > LARGEST_ID:
            raise FilterError(f"{name}: {line(value)[:60]} is no number; write the one that its page has")
        return int(value)
    if name == "object" and not _OBJECT.fullmatch(value):
        raise FilterError(f"object: {line(value)[:60]} is none; write what and its number, such as claim:12")
    return checked(name, value.replace("\0", ""), kinds)
