"""What FDA's list, letters and openFDA answer: what is read of it, and what is said not to be."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from crawler.source import BlockedError, LayoutChangedError
from crawler.sources import us_fda_warning_letters, us_openfda_enforcement
from tests.crawler.responses import json_response, response_of
from tests.crawler.source_fixtures import (
    FDA,
    LETTERS,
    LIST,
    REPORTS,
    a_list,
    a_row,
    letter_page,
    read,
)


def test_a_date_is_read_as_printed_and_never_by_its_attribute() -> None:
    row = a_row(issued='<time datetime="2026-03-05T04:00:00Z">03/04/2026</time>')

    assert us_fda_warning_letters.read_row(row, LIST).issued == date(2026, 3, 4)


@pytest.mark.parametrize("payload", [a_list(a_row()), [a_list(a_row())], a_list(a_row(), total="1")])
def test_the_list_comes_bare_or_wrapped_and_its_total_as_number_or_text(payload: Any) -> None:
    total, entries, strange = us_fda_warning_letters.read_list(payload, LIST)

    assert (total, len(entries), strange) == (1, 1, [])
    assert entries[0].company == "Kelda & Sons"
    assert entries[0].key == LETTERS.removeprefix(FDA) + "/kelda-900777-09092026"


@pytest.mark.parametrize(
    "payload",
    [
        {"error": "no"},
        [],
        [a_list(), a_list()],
        a_list(total="many"),
        a_list(["only", "two"]),
        a_list(a_row(company="no link")),
        a_list(a_row(company='<a href="https://evil.example/letter">Kelda</a>')),
        a_list(a_row(posted="yesterday")),
    ],
)
def test_what_is_not_understood_of_the_list_is_said(payload: Any) -> None:
    with pytest.raises(LayoutChangedError):
        us_fda_warning_letters.read_list(payload, LIST)


def test_one_strange_row_does_not_hide_the_others() -> None:
    total, entries, strange = us_fda_warning_letters.read_list(a_list(a_row(), a_row(posted="?")), LIST)

    assert (total, len(entries), len(strange)) == (2, 1, 1)
    assert "'?'" in strange[0]


def test_a_close_out_letter_is_no_warning_letter() -> None:
    page = letter_page().replace('text-center">WARNING LETTER<', 'text-center">CLOSE-OUT LETTER<')

    with pytest.raises(LayoutChangedError, match="CLOSE-OUT LETTER"):
        read("us_fda_warning_letters", response_of(f"{LETTERS}/x", page))


@pytest.mark.parametrize(
    ("marker", "changed"),
    [
        ('class="content-type-label', 'class="other-label'),
        ("content-title", "heading"),
        ('role="main"', 'role="region"'),
        ("<dl", "<div"),
    ],
)
def test_without_a_marker_no_letter_is_made(marker: str, changed: str) -> None:
    with pytest.raises(LayoutChangedError):
        read("us_fda_warning_letters", response_of(f"{LETTERS}/x", letter_page().replace(marker, changed)))


APOLOGY = "<!DOCTYPE html><html><head><title>FDA Apology</title></head><body>sorry</body></html>"


@pytest.mark.parametrize("source", ["us_fda_warning_letters", "us_openfda_drug_enforcement", "ca_hc_recalls"])
def test_an_apology_page_is_a_block_and_never_content(source: str) -> None:
    with pytest.raises(BlockedError):
        read(source, response_of(f"{LETTERS}/x", APOLOGY, status=404))
    with pytest.raises(BlockedError):
        read(source, response_of(f"{FDA}/apology_objects/abuse-detection-apology.html", letter_page()))


# openFDA


def test_the_search_is_written_as_openfda_reads_it() -> None:
    options = us_openfda_enforcement.Options(fields=("a", "b"), terms=("exosome", "stem cell", "Wharton's jelly"))

    search = us_openfda_enforcement.search_of(options, None)
    assert search == (
        "a:(exosome+OR+%22stem+cell%22+OR+%22Wharton%27s+jelly%22)"
        "+OR+b:(exosome+OR+%22stem+cell%22+OR+%22Wharton%27s+jelly%22)"
    )
    since = us_openfda_enforcement.search_of(options, date(2026, 1, 5))
    assert since == f"({search})+AND+report_date:[20260105+TO+29991231]"
    url = us_openfda_enforcement.address_of(REPORTS, search, 100, 200)
    assert url == f"{REPORTS}?search={search}&sort=report_date:desc&limit=100&skip=200"


def openfda_error(status: int, code: str, message: str = "no", **more: str) -> Any:
    return json_response(REPORTS, json.dumps({"error": {"code": code, "message": message, **more}}), status)


def test_nothing_found_is_openfdas_own_404_and_no_other() -> None:
    assert us_openfda_enforcement.read_answer(openfda_error(404, "NOT_FOUND")) == ([], 0, "")
    for response in (
        json_response(REPORTS, '{"message": "no Route matched"}', 404),
        response_of(REPORTS, "<h1>Not Found</h1>", status=404),
    ):
        with pytest.raises(LayoutChangedError):
            us_openfda_enforcement.read_answer(response)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "BAD_REQUEST"), (403, "API_KEY_INVALID"), (500, "SERVER_ERROR"), (404, "BAD_REQUEST")]
)
def test_a_refused_question_says_why_and_where_to_look(status: int, code: str) -> None:
    with pytest.raises(us_openfda_enforcement.QueryRefusedError, match=rf"{status} {code}: no deep.*card"):
        us_openfda_enforcement.read_answer(openfda_error(status, code, details="deep"))


def test_a_report_without_a_number_is_told_by_event_and_product() -> None:
    report = {"event_id": "1", "product_description": "A"}

    assert us_openfda_enforcement.key_of(report) == us_openfda_enforcement.key_of({**report, "recall_number": ""})
    assert us_openfda_enforcement.key_of(report) != us_openfda_enforcement.key_of(
        {**report, "product_description": "B"}
    )
    with pytest.raises(LayoutChangedError):
        us_openfda_enforcement.key_of({"event_id": "1"})


def test_what_others_add_to_a_report_is_no_change_of_it() -> None:
    report = {"event_id": "1", "status": "Ongoing", "openfda": {}}
    digest = us_openfda_enforcement.digest_of_report(report)

    assert us_openfda_enforcement.digest_of_report({**report, "openfda": {"brand_name": ["X"]}}) == digest
    assert us_openfda_enforcement.digest_of_report({**report, "status": "Terminated"}) != digest
