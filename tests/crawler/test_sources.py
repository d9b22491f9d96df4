"""Every card's reader against its own fixture, against anything at all, and against recorded responses."""

from __future__ import annotations

import csv
import html
import json
import re
from calendar import month_name
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.source import BlockedError, LayoutChangedError, load_cards, spider_module
from crawler.sources import ca_hc_recalls, reading, us_fda_warning_letters, us_openfda_enforcement
from monitor.records import (
    AnyRecord,
    AuthorisationRecord,
    NoticeRecord,
    PageRecord,
    PublicationRecord,
    SourceCard,
    TrialRecord,
)
from tests.crawler.responses import json_response, response_of
from tests.samples import samples

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
FDA = "https://www.fda.gov"
LETTERS = f"{FDA}/inspections-compliance-enforcement-and-criminal-investigations/warning-letters"
LIST = f"{FDA}/datatables/views/ajax"
REPORTS = "https://api.fda.gov/drug/enforcement.json"
SNAPSHOT = CARDS["ca_hc_recalls"].start
SHAPES: dict[str, type[AnyRecord]] = {
    "notice": NoticeRecord,
    "page": PageRecord,
    "trial": TrialRecord,
    "publication": PublicationRecord,
    "authorisation": AuthorisationRecord,
}


def read(source: str, response: Any) -> list[NoticeRecord]:
    records = list(spider_module(CARDS[source]).read(response, CARDS[source]))
    assert all(isinstance(record, NoticeRecord) for record in records)
    return records


def read_fixture(card: SourceCard) -> Iterator[AnyRecord]:
    folder = FIXTURES / card.id
    for about in json.loads((folder / "about.json").read_text(encoding="utf-8")):
        response = response_of(about["url"], (folder / about["file"]).read_bytes(), about["content_type"])
        yield from spider_module(card).read(response, card)


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_a_source_reads_its_fixture_as_expected(card: SourceCard) -> None:
    folder = FIXTURES / card.id
    assert folder.is_dir(), f"{card.id} has no fixture: make {folder} with about.json, its files and expected.jsonl"

    found = [record.model_dump(mode="json") for record in read_fixture(card)]

    lines = (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    assert found == [json.loads(line) for line in lines]


def test_no_fixture_is_without_its_card() -> None:
    assert {folder.name for folder in FIXTURES.iterdir()} == set(CARDS)


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_a_card_says_what_it_means_and_what_is_healthy(card: SourceCard) -> None:
    module = spider_module(card)

    module.Options.model_validate(card.options)
    assert issubclass(module.Spider, reading.ListSpider)
    assert card.expect.listed is not None
    assert set(card.expect.filled) <= set(SHAPES[card.kind].model_fields)
    assert card.demo == card.id.startswith("demo_")
    assert card.demo == (".example/" in card.start)


def test_an_option_that_nobody_reads_is_refused() -> None:
    options = {**CARDS["us_fda_warning_letters"].options, "page_sice": 10}

    with pytest.raises(ValueError, match="page_sice"):
        us_fda_warning_letters.Options.model_validate(options)


# Dates, text, addresses


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("03/17/2026", date(2026, 3, 17)),
        ("March 4, 2026", date(2026, 3, 4)),
        ("September\u00a009, 2025", date(2025, 9, 9)),
        (" ", None),
    ],
)
def test_american_dates(printed: str, day: date | None) -> None:
    assert reading.american_date(printed) == day


@pytest.mark.parametrize(
    ("given", "day"), [("20260317", date(2026, 3, 17)), ("2026-03-17", date(2026, 3, 17)), ("", None)]
)
def test_plain_dates(given: str, day: date | None) -> None:
    assert reading.plain_date(given) == day


@pytest.mark.parametrize("text", ["17/03/2026", "02/30/2026", "Smarch 3, 2026", "soon", "2026/03/17"])
def test_what_is_no_american_date_is_refused(text: str) -> None:
    with pytest.raises(LayoutChangedError):
        reading.american_date(text)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2999, 12, 31)))
def test_every_date_comes_back(day: date) -> None:
    assert reading.american_date(f"{day:%m/%d/%Y}") == day
    assert reading.american_date(f"{month_name[day.month]} {day.day}, {day.year}") == day
    assert reading.plain_date(f"{day:%Y%m%d}") == day == reading.plain_date(day.isoformat())


@given(st.text(max_size=30))
def test_a_date_reader_gives_a_date_or_says_no(text: str) -> None:
    for reader in (reading.american_date, reading.plain_date):
        try:
            found = reader(text)
        except LayoutChangedError:
            continue
        assert (found is None) == (reading.clean(text) == "")


def test_quoted_addresses_are_those_of_sellers() -> None:
    text = (
        "See www.kelda.example, (https://shop.kelda.example/serum?x=1). Or kelda-hair.com/faq; write to desk@kelda.com."
        " Sections 505.a and Inc.The are none, nor is https://www.fda.gov/x or www.ftc.gov. Again www.kelda.example."
    )

    assert reading.quoted_addresses(text, "www.fda.gov") == (
        "https://www.kelda.example",
        "https://shop.kelda.example/serum?x=1",
        "https://kelda-hair.com/faq",
    )


@given(st.text(max_size=200))
def test_quoted_addresses_are_addresses(text: str) -> None:
    for address in reading.quoted_addresses(text, "www.fda.gov"):
        assert re.match(r"https?://[^\s<>]+$", address, re.IGNORECASE)


# FDA's list


def a_row(**changes: str) -> list[str]:
    cells = {
        "posted": '<time datetime="2026-09-15T04:00:00Z">09/15/2026</time>',
        "issued": "09/09/2026",
        "company": f'<a href="{LETTERS.removeprefix(FDA)}/kelda-900777-09092026">Kelda &amp; Sons</a>',
        "office": "Office of Tests",
        "subject": "A subject",
        "response": "",
        "closeout": "",
        "excerpt": "",
    }
    return list({**cells, **changes}.values())


def a_list(*rows: Any, total: Any = None) -> dict[str, Any]:
    return {"draw": 1, "recordsTotal": len(rows) if total is None else total, "data": list(rows)}


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


# FDA's letter


def letter_page() -> str:
    return (FIXTURES / "us_fda_warning_letters" / "letter.html").read_text(encoding="utf-8")


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


# Health Canada


def an_entry(**changes: Any) -> dict[str, Any]:
    entry = dict.fromkeys(ca_hc_recalls.FIELDS, "")
    entry.update(
        {"NID": "990100", "Title": "Kelda kit", "URL": SNAPSHOT.rpartition("/sites")[0] + "/en/alert-recall/k"}
    )
    return {**entry, **changes}


def test_a_new_date_alone_makes_no_new_entry() -> None:
    one, two, other = (
        ca_hc_recalls.read_entry(an_entry(**changes), SNAPSHOT)
        for changes in ({"Last updated": "2026-01-01"}, {"Last updated": None}, {"Issue": "Recalled"})
    )

    assert one.digest == two.digest != other.digest
    assert (one.updated, two.updated) == (date(2026, 1, 1), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"NID": None},
        {"Title": "\u200b&nbsp; "},
        {"Title": 7},
        {"URL": "https://evil.example/x"},
        {"Last updated": "soon"},
    ],
)
def test_an_entry_that_is_not_understood_is_said(changes: dict[str, Any]) -> None:
    with pytest.raises(LayoutChangedError):
        ca_hc_recalls.read_entry(an_entry(**changes), SNAPSHOT)


def test_a_snapshot_without_a_field_is_a_changed_layout() -> None:
    entry = an_entry()
    del entry["Issue"]

    with pytest.raises(LayoutChangedError, match="Issue"):
        ca_hc_recalls.read_snapshot([entry], SNAPSHOT)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Title": "Unauthorized vials"}, ""),
        ({"Product": "Fillers to inject", "Title": "Seen"}, ""),
        ({"Issue": "Microneedling"}, ""),
        ({"Product": "Aplacentra"}, ""),
        ({"Title": "Reinjection moulded sled"}, "no word of the context list"),
        ({"Title": "Unauthorized vials", "Organization": "TC"}, "other organisation"),
    ],
)
def test_what_the_card_keeps_of_the_snapshot(changes: dict[str, str], reason: str) -> None:
    options = ca_hc_recalls.Options.model_validate(CARDS["ca_hc_recalls"].options)
    entry = ca_hc_recalls.read_entry(an_entry(**{"Organization": "Marketed health products", **changes}), SNAPSHOT)

    assert ca_hc_recalls.reason_left_out(entry, options, ca_hc_recalls.context_of(options)) == reason


# Anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TAGS = st.sampled_from(
    [
        *("<html>", "<main>", "</main>", "<h1>", "</h1>", "<article>", "<dl>", "<dt>Product:</dt>", "<dd>", "</dd>"),
        *("</dl>", "<time>", "<!--", "<![CDATA[", "&amp;", "&#0;", "</div>", "<base href='//'>", "<title>", "Kelda"),
        *("<h1 class='content-title'>", "<p class='content-type-label'>WARNING LETTER</p>", "<div role='main'>"),
        *("<td data-label='Product'>", "<a href='http://[x'>", "<meta name='description' content='x'>"),
    ]
)
SOUP = st.lists(TAGS | st.text(max_size=10), max_size=25).map("".join)
CELLS = st.lists(st.sampled_from(a_row()) | st.text(max_size=20) | TAGS, min_size=6, max_size=9)
LISTS = st.builds(a_list, CELLS, CELLS, total=st.integers() | st.text(max_size=3))
ENTRIES = st.lists(st.fixed_dictionaries(dict.fromkeys(ca_hc_recalls.FIELDS, JSON)), min_size=1, max_size=2)
ANSWERS = st.fixed_dictionaries(
    {
        "meta": st.just({"results": {"total": 3}, "last_updated": "2026-01-01"}) | JSON,
        "results": st.lists(
            st.dictionaries(st.sampled_from(["recall_number", "recalling_firm", "report_date", "event_id"]), JSON)
        ),
    }
)


def only_named_errors(source: str, response: Any) -> None:
    try:
        records = read(source, response)
    except (LayoutChangedError, BlockedError):
        return
    assert all(record.source == source and record.title for record in records)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(body=st.one_of(JSON, LISTS, ENTRIES, ANSWERS), status=st.sampled_from([200, 400, 404, 500]))
def test_a_reader_never_falls_over_json(body: Any, status: int) -> None:
    for source, url in (
        ("us_fda_warning_letters", LIST),
        ("us_openfda_drug_enforcement", REPORTS),
        ("ca_hc_recalls", SNAPSHOT),
    ):
        only_named_errors(source, json_response(url, json.dumps(body), status))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(page=SOUP | st.binary(max_size=60), kind=st.sampled_from(["text/html", "application/json", "image/png", ""]))
def test_a_reader_never_falls_over_a_page(page: str | bytes, kind: str) -> None:
    for source, url in (
        ("us_fda_warning_letters", f"{LETTERS}/x"),
        ("us_openfda_drug_enforcement", REPORTS),
        ("ca_hc_recalls", SNAPSHOT.rpartition("/sites")[0] + "/en/alert-recall/x"),
    ):
        only_named_errors(source, response_of(url, page, kind))


# Recorded responses


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
