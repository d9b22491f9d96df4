"""A source's fixture: saved answers of the source, and the records that they must give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.responsetypes import responsetypes

from crawler.source import BlockedError, LayoutChangedError, check_options, spider_module
from monitor.records import AnyRecord, SourceCard

CAPTURE = "read/00001"
"""The capture id of whatever is read from a file and not from the web."""
TO_FILL = "FILL IN"
"""Stands in a new card where a person has to write something."""


def saved_response(url: str, body: bytes, content_type: str) -> Response:
    """A saved answer as a spider would get it."""
    kind = responsetypes.from_args(headers={b"Content-Type": content_type.encode()}, url=url, body=body)
    request = Request(url, meta={"capture": CAPTURE})
    return kind(url=url, body=body, headers={"Content-Type": content_type}, request=request)


def read_fixture(card: SourceCard, folder: Path) -> Iterator[AnyRecord]:
    """The records of every answer that the folder's about.json names."""
    for about in json.loads((folder / "about.json").read_text(encoding="utf-8")):
        response = saved_response(about["url"], (folder / about["file"]).read_bytes(), about["content_type"])
        yield from spider_module(card).read(response, card)


def differences(card: SourceCard, folder: Path) -> list[str]:
    """What a card and its fixture still lack or do not agree in, each with what to do; empty if all is well."""
    found = [f"the card still says {TO_FILL!r} in {name}" for name in _to_fill(card.model_dump(mode="json"))]
    try:
        check_options(card)
    except ValueError as error:
        found.append(str(error))
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [*found, f"{folder / 'about.json'}: {error}"]
    found += [
        f"{folder / one['file']} is not there: save there what {one['url']} answers"
        for one in about
        if not (folder / one["file"]).is_file()
    ]
    expected = folder / "expected.jsonl"
    if not expected.is_file():
        found.append(
            f"{expected} is not there: make it with `python -m crawler read {card.id} FILE --url URL`, read it"
        )
    if found:
        return found
    return _disagreements(card, folder, expected)


def _disagreements(card: SourceCard, folder: Path, expected: Path) -> list[str]:
    try:
        got = [record.model_dump(mode="json") for record in read_fixture(card, folder)]
    except (LayoutChangedError, BlockedError) as error:
        return [f"the reader did not understand the fixture: {error}"]
    wanted = [json.loads(line) for line in expected.read_text(encoding="utf-8").splitlines()]
    if not wanted:
        return [f"{expected} holds no record: a fixture that gives nothing proves nothing"]
    found = [] if len(got) == len(wanted) else [f"{len(got)} records, where {expected.name} has {len(wanted)}"]
    for number, (one, other) in enumerate(zip(got, wanted, strict=False), start=1):
        names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
        found += [f"record {number}: {name} is {one.get(name)!r}, expected {other.get(name)!r}" for name in names]
    return found


def _to_fill(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _to_fill(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _to_fill(inner, path)
    elif isinstance(value, str) and TO_FILL in value:
        yield path
