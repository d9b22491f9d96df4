"""Recorded responses in their live wire shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.demo.datatables import LETTERS
from crawler.demo.loopback import Running
from crawler.demo.recordings import Recordings, SamplesMissingError
from tests.crawler.demo.asking import Asker
from tests.samples import samples

LIST = "https://www.fda.gov/datatables/views/ajax"


@pytest.fixture(scope="module")
def folder() -> Path:
    return samples("us").parent


@pytest.fixture(scope="module")
def ask(folder: Path) -> Iterator[Asker]:
    with Running(Recordings(folder)) as running:
        asker = Asker(running.address)
        yield asker
        asker.close()


def test_the_whole_list_is_paged_in_the_order_of_the_recording(ask: Asker, folder: Path) -> None:
    lines = (folder / "us/fda_warning_letters/warning_letters_listing_2026-03-23.csv").read_text().splitlines()
    rows = []
    for start in range(0, 3500, 500):
        page = ask.get(f"{LIST}?draw=1&start={start}&length=500").json
        assert page["recordsTotal"] == len(lines) - 1 == 3374
        rows += page["data"]
    assert len(rows) == 3374
    for line, row in zip(lines[1:], rows, strict=True):
        url, posted, issued = line.split(",")[:3]
        assert f'href="{url}"' in row[2]
        assert posted in row[0]
        assert issued in row[1]


def test_the_recorded_letters_are_served_byte_for_byte(ask: Asker, folder: Path) -> None:
    pages = sorted((folder / "us/fda_warning_letters/pages").glob("*.html"))
    assert len(pages) == 82
    for page in pages:
        reply = ask.get(f"https://www.fda.gov{LETTERS}{page.stem}")
        assert reply.status == 200
        assert reply.body == page.read_bytes()


def test_an_unrecorded_letter_is_a_plain_404_and_no_apology(ask: Asker) -> None:
    reply = ask.get(f"https://www.fda.gov{LETTERS}nobody-000000-01012026")
    assert reply.status == 404
    assert "apology" not in reply.text.lower()


@pytest.mark.parametrize("noun", ["drug", "food", "device"])
def test_the_official_example_stands_in_the_live_shape(ask: Asker, noun: str) -> None:
    body = ask.get(f"https://api.fda.gov/{noun}/enforcement.json?limit=10").json
    assert body["meta"]["results"] == {"skip": 0, "limit": 10, "total": 1}
    assert body["meta"]["last_updated"] == "2015-10-29"
    assert body["results"][0]["recalling_firm"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("search=product_description:exosome", 404, "NOT_FOUND"),
        ("sort=invalid_field:asc", 400, "BAD_REQUEST"),
        ("search=product_description:%22open", 500, "SERVER_ERROR"),
    ],
)
def test_errors_are_the_recorded_ones(ask: Asker, query: str, status: int, code: str) -> None:
    reply = ask.get(f"https://api.fda.gov/drug/enforcement.json?{query}")
    assert (reply.status, reply.json["error"]["code"]) == (status, code)


def test_the_canadian_records_are_those_recorded(ask: Asker) -> None:
    host = "https://recalls-rappels.canada.ca"
    records = ask.get(f"{host}/sites/default/files/opendata-donneesouvertes/HCRSAMOpenData.json").json
    assert len(records) == 17
    assert ask.get(records[0]["URL"]).status == 404


def test_other_hosts_are_not_served(ask: Asker) -> None:
    assert ask.get("https://www.ema.europa.eu/").status == 502


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SamplesMissingError, match=r"warning_letters_listing.*--samples"):
        Recordings(tmp_path)
