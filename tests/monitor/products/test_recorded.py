"""Facts of recorded shops' products, held against what a person read there: how many are found, how many are right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.knowledge import load
from monitor.products import read_products, read_told
from monitor.reading.captured import read_captured
from tests.samples import samples

KNOWLEDGE = load()
STATED = yaml.safe_load(Path(__file__).with_name("recorded.yaml").read_text(encoding="utf-8"))
Facts = set[tuple[str, str, str]]
"""Which entry, what kind, what value."""
COUNTED = {
    "mended_on": {"name": 12, "brand": 12, "price": 36, "dose": 34},
    "measured_on": {"name": 11, "brand": 10, "price": 37, "dose": 36},
}


@dataclass
class Measured:
    stated: Facts = field(default_factory=set)
    read: Facts = field(default_factory=set)


def measure(sample: str) -> Measured:
    measured = Measured()
    for row in STATED[sample]:
        entry = entry_of(row["file"], row["index"])
        place = f"{row['file']} {row['index']}"
        named = {"name": [entry.get("title") or entry["name"]], "brand": [entry["vendor"]] if "vendor" in entry else []}
        for kind, values in {**named, "price": row["price"], "dose": row["dose"]}.items():
            measured.stated |= {(place, kind, value) for value in values}
        measured.read |= {(place, kind, value) for kind, value in read(entry)}
    return measured


def entry_of(file: str, index: int) -> dict[str, Any]:
    data = json.loads(samples(file).read_text(encoding="utf-8"))
    entry: dict[str, Any] = (data["products"] if isinstance(data, dict) else data)[index]
    return {**entry, "body_html": entry["description"]} if "variant_id" in str(entry.get("variants")) else entry


def read(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """As if the product were watched: none of these names exosomes, and no other is kept."""
    body = json.dumps([entry]).encode()
    (told,) = read_told(body, "application/json", "/0")
    watched = replace(told, name=f"{told.name} exosome")
    (found,) = read_products(read_captured(body, "application/json", "/0"), (watched,), KNOWLEDGE, lang="en")
    for fact in found.facts:
        yield fact.kind, fact.value


@pytest.mark.parametrize("sample", ["mended_on", "measured_on"])
def test_facts_of_recorded_products(sample: str) -> None:
    found = measure(sample)

    assert Counter(kind for _, kind, _ in found.stated) == COUNTED[sample]
    assert found.stated - found.read == set(), "stated, and not read"
    assert found.read - found.stated == set(), "read, and not stated"
