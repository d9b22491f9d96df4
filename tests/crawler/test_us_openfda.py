"""openFDA's adverse event reports and its register of approvals."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.source import BlockedError, LayoutChangedError, load_cards, spider_module
from crawler.sources import openfda, us_openfda_drugsfda, us_openfda_event
from monitor.records import AuthorisationRecord, NoticeRecord, NoticeType, Outcome
from tests.crawler.conftest import Crawls
from tests.crawler.responses import json_response
from tests.crawler.test_source_runs import known_file, notices, use
from tests.loopback import Asked, Loopback, Reply
from tests.samples import samples

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
EVENTS = ["us_openfda_cosmetic_event", "us_openfda_food_event", "us_openfda_drug_event"]
REGISTER = "us_openfda_drugsfda"


def report_of(source: str, at: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / source / "page.json").read_bytes())["results"][at]
    return found


def answer(*reports: dict[str, Any], total: int | None = None, updated: str = "2026-10-01") -> dict[str, Any]:
    results = {"skip": 0, "limit": 100, "total": len(reports) if total is None else total}
    return {"meta": {"last_updated": updated, "results": results}, "results": list(reports)}


def event(source: str, **changes: Any) -> NoticeRecord:
    return us_openfda_event.notice_of({**report_of(source), **changes}, CARDS[source], "run/00001")


def approvals(report: dict[str, Any]) -> list[AuthorisationRecord]:
    return us_openfda_drugsfda.records_of(report, CARDS[REGISTER], "run/00001")


# Events


@pytest.mark.parametrize("source", EVENTS)
def test_a_report_says_that_nobody_verified_it(source: str) -> None:
    notice = event(source)

    assert notice.notice_type is NoticeType.ADVERSE_EVENT_REPORT
    assert notice.status == "unverified report"
    assert notice.title.startswith("Unverified report ")
    assert "unverified" in CARDS[source].means


def test_a_suspected_product_is_told_from_one_that_was_used_beside_it() -> None:
    notice = event("us_openfda_cosmetic_event")

    assert notice.title.endswith(": KELDA EXOSOME SERUM")
    assert "Product: PLAIN CREAM (concomitant)" in notice.text
    assert notice.products == ("KELDA EXOSOME SERUM", "PLAIN CREAM")


def test_versions_of_a_report_are_one_notice() -> None:
    one, two = (event("us_openfda_cosmetic_event", report_version=version) for version in ("1", "2"))

    assert one.key == two.key == "2026-CFS-900001"
    assert one.references != two.references


def test_faers_writes_ages_sexes_and_roles_as_numbers() -> None:
    notice = event("us_openfda_drug_event")

    assert "Person: 7 decades, female" in notice.text
    assert "Product: EXOSOMES (suspect)" in notice.text
    assert notice.text.count("EXOSOMES") == 1, "a drug that stands in several rows is named once"
    assert notice.classification == "hospitalisation", "2 means that it was not so"


def test_an_age_without_its_unit_is_not_guessed() -> None:
    patient = {**report_of("us_openfda_drug_event")["patient"], "patientonsetageunit": "999", "patientsex": "0"}

    assert "Person" not in event("us_openfda_drug_event", patient=patient).text


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("us_openfda_cosmetic_event", {"report_number": ""}),
        ("us_openfda_cosmetic_event", {"products": []}),
        ("us_openfda_cosmetic_event", {"products": "SERUM"}),
        ("us_openfda_cosmetic_event", {"reactions": ["RASH", 7]}),
        ("us_openfda_cosmetic_event", {"initial_received_date": "last week"}),
        ("us_openfda_food_event", {"consumer": ["Male"]}),
        ("us_openfda_drug_event", {"safetyreportid": None}),
    ],
)
def test_a_report_that_is_not_understood_is_said(source: str, changes: dict[str, Any]) -> None:
    with pytest.raises(LayoutChangedError):
        event(source, **changes)


def test_a_data_set_that_nobody_described_is_said() -> None:
    card = CARDS["us_openfda_food_event"].model_copy(update={"start": "https://api.fda.gov/device/event.json"})

    with pytest.raises(LayoutChangedError, match="'device'"):
        us_openfda_event.notice_of(report_of("us_openfda_food_event"), card, "run/00001")


def test_words_and_period_are_asked_of_the_right_fields() -> None:
    options = openfda.Options.model_validate(CARDS["us_openfda_cosmetic_event"].options)

    search = openfda.search_of(options, date(2026, 9, 1))
    assert search.startswith("(products.product_name:(exosome+OR+exosomes")
    assert search.endswith("+AND+latest_received_date:[20260901+TO+29991231]")
    assert "sort=latest_received_date:desc" in openfda.address_of("x", search, 100, 0, options.newest_first_by)


def test_fields_without_terms_would_ask_for_nothing() -> None:
    with pytest.raises(ValueError, match="fields and terms go together"):
        openfda.Options(fields=("products.product_name",))


@pytest.mark.parametrize("noun", ["food", "drug"])
def test_openfdas_own_examples_of_events_are_read(noun: str) -> None:
    example = json.loads(samples(f"us/openfda/official_example_{noun}_event.json").read_bytes())
    if noun == "food":
        report = example["results"]
    else:  # the example is cut into parts, and calls the number by an older name
        report = {**example["header"], "safetyreportid": example["header"]["safetyreport"]}
        report["patient"] = example["patient"]

    notice = us_openfda_event.notice_of(report, CARDS[f"us_openfda_{noun}_event"], "run/00001")

    assert notice.issued is not None
    assert notice.summary.isprintable()
    assert notice.products[0].split()[0] in notice.title
    assert notice.classification


def test_every_field_of_cosmetic_events_that_is_read_is_one_that_fda_describes() -> None:
    fields = yaml.safe_load(samples("us/openfda/fields_cosmeticevent.yaml").read_text(encoding="utf-8"))["properties"]
    report = report_of("us_openfda_cosmetic_event")

    assert set(report) <= set(fields)
    assert set(report["products"][0]) == set(fields["products"]["items"]["properties"])
    assert set(report["patient"]) == set(fields["patient"]["properties"])


# Approvals


def test_each_name_of_an_application_is_a_record_of_its_own() -> None:
    first, second = approvals(report_of(REGISTER))

    assert (first.key, first.product) == ("NDA990001", "ORLATIN")
    assert (second.key, second.product) == ("NDA990001/ORLATIN DUO", "ORLATIN DUO")
    assert first.authorised == second.authorised == date(2019, 3, 1), "the original's day, not the supplement's"
    assert first.updated == date(2026, 1, 10)
    assert first.status_text == "Prescription; Discontinued"


def test_a_tentative_approval_is_none() -> None:
    (record,) = approvals(report_of(REGISTER, 1))

    assert (record.status, record.authorised) == ("unknown", None)
    assert "tentative approval" in record.kinds


def test_an_application_without_products_makes_no_record() -> None:
    assert approvals(report_of(REGISTER, 2)) == []


def test_an_application_without_a_number_is_said() -> None:
    with pytest.raises(LayoutChangedError, match="application_number"):
        approvals({**report_of(REGISTER), "application_number": ""})


def test_recorded_applications_are_read() -> None:
    cassette = yaml.safe_load(samples("us/openfda/vcr_paging.yml").read_text(encoding="utf-8"))
    found = {}
    for interaction in cassette["http_interactions"]:
        response = json_response(interaction["request"]["uri"], interaction["response"]["body"]["string"])
        for record in spider_module(CARDS[REGISTER]).read(response, CARDS[REGISTER]):
            assert isinstance(record, AuthorisationRecord)
            found[record.key] = record
        link = interaction["response"]["headers"].get("link", "")
        assert ("search_after" in link) == ("search_after" not in interaction["request"]["uri"]), "the last has no link"
    assert {record.product for record in found.values()} >= {"RYBELSUS", "WEGOVY"}
    assert all(record.status == "authorised" and record.authorised and record.holder for record in found.values())


# Whole runs


class Api:
    """One openFDA data set, paged by `Link`."""

    def __init__(self, web: Loopback, path: str) -> None:
        self.web = web
        self.path = path
        self.updated = "2026-10-01"
        self.reports: list[dict[str, Any]] = []
        web.routes[f"api.fda.gov{path}"] = self._answer

    def _answer(self, asked: Asked) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        limit, start = int(query["limit"]), int(query.get("search_after", "0=0").partition("=")[2])
        page = self.reports[start : start + limit]
        body = answer(*page, total=len(self.reports), updated=self.updated)
        headers = {}
        if start + limit < len(self.reports):
            base = asked.path.partition("&skip=")[0]
            headers["Link"] = f'<https://api.fda.gov{base}&skip=0&search_after=0%3D{start + limit}>; rel="next"'
        return Reply(json.dumps(body), content_type="application/json", headers=headers)


def test_only_the_newest_version_of_a_report_is_told(web: Loopback, crawls: Crawls) -> None:
    source = "us_openfda_cosmetic_event"
    use(crawls, source)
    api = Api(web, "/cosmetic/event.json")
    newest = report_of(source)
    api.reports = [newest, report_of(source, 1), {**newest, "report_version": "1", "latest_received_date": "20260812"}]

    first = crawls.run()

    assert first.code == 0, first.err
    assert [n.references for n in notices(first) if n.key == newest["report_number"]] == [
        (newest["report_number"], "version 2")
    ]
    assert first.run.not_kept == {openfda.SUPERSEDED: 1}
    assert first.run.newest == date(2026, 9, 3)
    second = crawls.run("--known", known_file(crawls, first))
    assert (second.records, len(web.paths("api.fda.gov"))) == ([], 2), "nothing was updated, so one answer is enough"


def test_a_new_version_of_a_known_report_comes_as_the_same_notice(web: Loopback, crawls: Crawls) -> None:
    source = "us_openfda_cosmetic_event"
    use(crawls, source)
    api = Api(web, "/cosmetic/event.json")
    api.reports = [report_of(source), report_of(source, 1)]
    first = crawls.run()

    api.updated = "2026-11-01"
    api.reports[0] = {**api.reports[0], "report_version": "3", "outcomes": ["DEATH"]}
    second = crawls.run("--known", known_file(crawls, first))

    (notice,) = notices(second)
    assert (notice.key, notice.classification) == ("2026-CFS-900001", "DEATH")
    assert second.run.known == 1


def test_the_whole_register_is_read_page_by_page(web: Loopback, crawls: Crawls) -> None:
    use(crawls, REGISTER, page_size=2)
    api = Api(web, "/drug/drugsfda.json")
    api.reports = [report_of(REGISTER, at) for at in range(3)]

    first = crawls.run()

    assert first.code == 0, first.err
    asked = web.paths("api.fda.gov")
    assert asked[0] == "/drug/drugsfda.json?limit=2", "no search, no order: everything"
    assert "search_after" in asked[1]
    assert first.run.items == {"authorisation": 3}
    assert first.run.not_kept == {openfda.NAMES_NOTHING: 1}
    assert first.run.listed == 3
    second = crawls.run("--known", known_file(crawls, first))
    assert (second.records, second.run.outcome) == ([], Outcome.OK)
    assert len(web.paths("api.fda.gov")) == 3


# Anything at all

VALUES = st.none() | st.integers() | st.text(max_size=12) | st.lists(st.text(max_size=5), max_size=2)
OBJECTS = st.dictionaries(
    st.sampled_from(["product_name", "role", "name_brand", "brand_name", "medicinalproduct", "name"]), VALUES
)
REPORTS = st.dictionaries(
    st.sampled_from(
        [
            *("report_number", "safetyreportid", "application_number", "products", "patient", "reactions", "outcomes"),
            *("initial_received_date", "date_created", "submissions", "consumer"),
        ]
    ),
    VALUES | OBJECTS | st.lists(OBJECTS, max_size=2),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(report=REPORTS)
@pytest.mark.parametrize("source", [*EVENTS, REGISTER])
def test_a_reader_never_falls_over_a_report(source: str, report: dict[str, Any]) -> None:
    read: Callable[..., Any] = spider_module(CARDS[source]).read
    try:
        records = list(read(json_response(CARDS[source].start, json.dumps(answer(report))), CARDS[source]))
    except (LayoutChangedError, BlockedError):
        return
    assert all(record.source == source for record in records)
