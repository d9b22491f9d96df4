"""Readers of sources against recorded responses, where there are any."""

from __future__ import annotations

import csv
import html
import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from crawler.source import BlockedError
from crawler.sources import ca_hc_recalls, us_fda_warning_letters, us_openfda_enforcement
from tests.crawler.responses import json_response, response_of
from tests.crawler.source_fixtures import (
    CARDS,
    LETTERS,
    LIST,
    REPORTS,
    SNAPSHOT,
    a_list,
    read,
)
from tests.samples import samples


def letter_files() -> list[Path]:
    return sorted(samples("us/fda_warning_letters/pages").glob("*.html"))


def test_all_recorded_letters_are_read() -> None:
    files = letter_files()
    assert len(files) == 82
    for file in files:
        (letter,) = read("us_fda_warning_letters", response_of(f"{LETTERS}/{file.stem}", file.read_bytes()))

        case, day = re.search(r"-(\d{5,7})-(\d{8})(?:-\d+)?$", file.stem).groups()  # type: ignore[union-attr]
        assert letter.issued is not None, file.name
        assert f"{letter.issued:%m%d%Y}" == day, file.name
        assert f"MARCS-CMS {case}" in letter.references, file.name
        assert letter.organisations[0].name, file.name
        assert letter.organisations[0].address, file.name
        assert letter.authority != CARDS["us_fda_warning_letters"].authority.name, file.name
        assert letter.summary, file.name
        assert letter.classification, file.name
        assert len(letter.text) > 1500, file.name
        assert "Recipient Name" not in letter.text + letter.organisations[0].address, file.name
        assert not any(".gov" in url for url in letter.quoted_urls), file.name


def test_the_recorded_letter_about_exosomes_says_so_and_where_they_are_sold() -> None:
    file = samples("us/fda_warning_letters/pages/new-life-medical-services-llc-711102-09242025.html")

    (letter,) = read("us_fda_warning_letters", response_of(f"{LETTERS}/{file.stem}", file.read_bytes()))

    assert letter.issued == date(2025, 9, 24)
    assert "exosome" in letter.text
    assert "https://www.newliferegen.com" in letter.quoted_urls
    assert letter.references == ("MARCS-CMS 711102", "CBER 25-711102")
    assert letter.organisations[0].country == "United States"


def test_the_recorded_list_is_read_row_by_row() -> None:
    file = samples("us/fda_warning_letters/warning_letters_listing_2026-03-23.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    payload = a_list(*(wire_row(row) for row in rows))

    total, entries, strange = us_fda_warning_letters.read_list(payload, LIST)

    assert (total, len(entries), strange) == (3374, 3374, [])
    assert len({entry.key for entry in entries}) == 3374
    assert (min(e.posted for e in entries if e.posted), max(e.posted for e in entries if e.posted)) == (
        date(2021, 1, 5),
        date(2026, 3, 17),
    )
    options = us_fda_warning_letters.Options.model_validate(CARDS["us_fda_warning_letters"].options)
    assert sum(not options.reason_left_out(entry) for entry in entries) == 2198
    assert [e.company for e in entries] == [" ".join(row["company"].split()) for row in rows]


def wire_row(row: dict[str, str]) -> list[str]:
    link = f'<a href="{html.escape(row["url"])}">{html.escape(row["company"])}</a>'
    posted = f'<time datetime="2020-01-01T04:00:00Z">{row["posted_date"]}</time>'
    cells = [html.escape(row["issuing_office"]), html.escape(row["subject"]), "", "", ""]
    return [posted, row["letter_date"], link, *cells]


def test_the_recorded_shape_of_the_list_is_read() -> None:
    shape = json.loads(samples("us/fda_warning_letters/listing-ajax.shape.json").read_bytes())

    total, entries, strange = us_fda_warning_letters.read_list(shape, LIST)

    assert (total, len(entries), strange) == (3, 3, [])


def test_the_recorded_apology_is_a_block() -> None:
    body = samples("us/fda_bot_block/apology_404.html").read_bytes()

    with pytest.raises(BlockedError):
        read("us_fda_warning_letters", response_of(f"{LETTERS}/x", body, status=404))


@pytest.mark.parametrize(("noun", "firm"), [("drug", "Novartis"), ("food", "Cass Clay"), ("device", "Encore")])
def test_openfdas_own_examples_are_read(noun: str, firm: str) -> None:
    example = json.loads(samples(f"us/openfda/official_example_{noun}_enforcement.json").read_bytes())
    answer = {**example["meta"], "results": [example["result"]]}

    (report,) = read(f"us_openfda_{noun}_enforcement", json_response(REPORTS, json.dumps(answer)))

    assert report.organisations[0].name.startswith(firm)
    assert report.posted is not None
    assert report.issued is not None
    assert report.key.startswith(example["result"]["event_id"])
    assert example["result"]["reason_for_recall"].split()[0] in report.text


def test_openfdas_recorded_errors_behave_as_documented() -> None:
    cassette = yaml.safe_load(samples("us/openfda/vcr_http_errors.yml").read_text(encoding="utf-8"))
    seen = set()
    for interaction in cassette["http_interactions"]:
        answer = interaction["response"]
        status = answer["status"]["status_code"]
        seen.add(status)
        response = json_response(interaction["request"]["uri"], answer["body"]["string"], status)
        if status == 404:
            assert us_openfda_enforcement.read_answer(response) == ([], 0, "")
        else:
            with pytest.raises(us_openfda_enforcement.QueryRefusedError, match=str(status)):
                us_openfda_enforcement.read_answer(response)
    assert seen == {400, 403, 404, 500}


def test_health_canadas_recorded_entries_are_read() -> None:
    folder = samples("world/canada_hc")
    dated, undated = (
        ca_hc_recalls.read_snapshot(json.loads((folder / name).read_bytes()), SNAPSHOT)
        for name in ("HCRSAMOpenData_14_selected_records.json", "HCRSAMOpenData_3_undated_records.json")
    )

    assert (dated[0], len(dated[1]), dated[2]) == (14, 14, [])
    assert (undated[0], len(undated[1]), undated[2]) == (3, 3, [])
    assert all(entry.updated for entry in dated[1])
    assert not any(entry.updated for entry in undated[1])
    assert not any("&nbsp;" in entry.advice or "\u200b" in entry.title for entry in dated[1])
    options = ca_hc_recalls.Options.model_validate(CARDS["ca_hc_recalls"].options)
    kept = [e for e in dated[1] if not ca_hc_recalls.reason_left_out(e, options, ca_hc_recalls.context_of(options))]
    assert "82484" in [entry.nid for entry in kept]
    assert "82495" not in [entry.nid for entry in kept]
