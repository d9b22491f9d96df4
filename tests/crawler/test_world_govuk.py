"""GOV.UK's search and documents: MHRA, OPSS and whatever else says exosome."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.source import LayoutChangedError, load_cards
from crawler.sources import govuk_document, uk_govuk
from monitor.records import NoticeRecord, NoticeType, Outcome
from tests.crawler.conftest import Crawls
from tests.crawler.responses import json_response
from tests.crawler.test_source_runs import known_file, notices, use
from tests.loopback import Asked, Loopback, Reply
from tests.samples import samples

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
ALERTS = CARDS["uk_mhra_alerts"]
JSON = "application/json"
CONTENT = "https://www.gov.uk/api/content/drug-device-alerts/x"


def a_result(**changes: Any) -> dict[str, Any]:
    result = {"content_id": "c-1", "link": "/drug-device-alerts/one", "title": "One", "description": "About one"}
    return {**result, "public_timestamp": "2026-10-12T23:30:00Z", "format": "medical_safety_alert", **changes}


def an_item(**changes: Any) -> dict[str, Any]:
    item = {"content_id": "c-1", "base_path": "/drug-device-alerts/one", "title": "One", "document_type": "guidance"}
    return {**item, "details": {"body": "<p>Words.</p>"}, **changes}


def read_item(**changes: Any) -> govuk_document.ContentItem:
    return govuk_document.read_item(an_item(**changes), CONTENT)


def test_the_search_is_asked_for_the_newest_first_and_for_the_id() -> None:
    options = uk_govuk.Options(filters={"format": "medical_safety_alert"}, queries=('"extracellular vesicles"',))

    url = uk_govuk.search_address(ALERTS.start, options, options.queries[0], 100)

    asked = parse_qs(urlsplit(url).query)
    assert asked["order"] == ["-public_timestamp"]
    assert asked["filter_format"] == ["medical_safety_alert"]
    assert (asked["q"], asked["start"]) == (['"extracellular vesicles"'], ["100"])
    assert "content_id" in asked["fields"][0].split(",")
    assert "q" not in parse_qs(urlsplit(uk_govuk.search_address(ALERTS.start, options, "", 0)).query)


def test_a_card_that_asks_for_all_of_gov_uk_is_refused() -> None:
    with pytest.raises(ValueError, match=r"all of GOV\.UK"):
        uk_govuk.Options()


def test_the_id_is_the_document_s_own_and_no_time_is_part_of_it() -> None:
    first, edited = (uk_govuk.read_result(a_result(public_timestamp=f"2026-10-1{day}T08:00:00Z")) for day in (2, 5))

    assert first is not None
    assert edited is not None
    assert first.key == edited.key == "c-1"
    assert first.digest != edited.digest, "published again is an update"
    without = uk_govuk.read_result(a_result(content_id=None))
    assert without is not None
    assert without.key == "/drug-device-alerts/one"


def test_a_link_may_be_a_path_or_an_address_and_leads_elsewhere_at_times() -> None:
    by_address = uk_govuk.read_result(a_result(link="https://www.gov.uk/drug-device-alerts/one"))

    assert by_address is not None
    assert by_address.url == "https://www.gov.uk/api/content/drug-device-alerts/one"
    assert uk_govuk.read_result(a_result(link="https://research.example/one")) is None
    with pytest.raises(LayoutChangedError):
        uk_govuk.read_result(a_result(link="https://[x"))


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Class 2 Medicines Recall: Vellora 5mg, EL(26)A/90", "EL(26)A/90"),
        ("Class 3: Vellora, EL (26)A/90", "EL (26)A/90"),
        ("National Patient Safety Alert: pumps (NatPSA/2026/004/MHRA)", "NatPSA/2026/004/MHRA"),
        ("Burners (MDA/2015/025)", "MDA/2015/025"),
        ("Product Safety Report: Serum (2610-0188)", "2610-0188"),
        ("Field Safety Notices: 12 to 16 October 2026", ""),
    ],
)
def test_the_number_in_a_title_is_a_reference(title: str, number: str) -> None:
    result = uk_govuk.read_result(a_result(title=title))

    notice = uk_govuk.notice_of(ALERTS, ("run/1",), result, None)

    assert notice.references == ((number,) if number else ())


@pytest.mark.parametrize(
    ("kind", "alert_type", "expected"),
    [
        ("medical_safety_alert", "medicines-recall-notification", NoticeType.RECALL),
        ("medical_safety_alert", "devices", NoticeType.ALERT),
        ("medical_safety_alert", "mhra-safety-round-up", NoticeType.ADVISORY),
        ("product_safety_alert_report_recall", "product-recall", NoticeType.RECALL),
        ("drug_safety_update", "", NoticeType.ADVISORY),
        ("closed_consultation", "", NoticeType.CONSULTATION),
        ("guidance", "", NoticeType.GUIDANCE),
        ("press_release", "", NoticeType.NEWS),
    ],
)
def test_a_document_s_kind(kind: str, alert_type: str, expected: NoticeType) -> None:
    assert uk_govuk.type_of(kind, alert_type) is expected


def test_an_empty_withdrawal_is_none() -> None:
    assert read_item(withdrawn_notice={}).status == ""
    assert read_item(withdrawn_notice={"explanation": "<p>Closed.</p>"}).status == "withdrawn: Closed."
    assert read_item(withdrawn_notice={"withdrawn_at": "2026-11-01T10:00:00Z"}).status == "withdrawn"


def test_dates_are_the_days_as_printed_and_the_first_change_stands_in_for_the_first_publication() -> None:
    changes = [{"public_timestamp": "2026-10-20T00:30:00+01:00"}, {"public_timestamp": "2026-10-12T23:30:00+00:00"}]
    late = "2026-10-20T23:59:00+01:00"

    item = read_item(public_updated_at=late, details={"body": "<p>x</p>", "change_history": changes})

    assert (item.posted, item.updated, item.issued) == (date(2026, 10, 12), date(2026, 10, 20), None)


def test_a_consultation_says_until_when_it_takes_answers() -> None:
    details = {"body": "<p>x</p>", "closing_date": "2026-12-18T23:45:00+00:00"}
    item = read_item(document_type="open_consultation", details=details)
    assert item.closes == date(2026, 12, 18)
    assert uk_govuk.notice_of(ALERTS, ("run/00001",), None, item).comments_close == date(2026, 12, 18)
    assert read_item().closes is None


def test_a_roundup_is_split_into_what_it_lists() -> None:
    body = "<ul><li>Maker A: pen<ul><li>Model 2</li></ul></li><li>Maker B: pump</li></ul>"

    split = read_item(details={"body": body, "metadata": {"alert_type": "field-safety-notices"}})
    whole = read_item(details={"body": body, "metadata": {"alert_type": "national-patient-safety"}})

    assert split.products == ("Maker A: pen Model 2", "Maker B: pump")
    assert whole.products == ()


def test_the_body_comes_whole_by_type_or_in_parts() -> None:
    by_type = [{"content_type": "text/govspeak", "content": "$C"}, {"content_type": "text/html", "content": "<p>A</p>"}]

    item = read_item(details={"body": by_type, "parts": [{"title": "Two", "body": "<p>B</p>"}, 7]})

    assert item.text == "A\nTwo\nB"


def test_government_sites_are_no_sellers() -> None:
    links = "<a href='https://yellowcard.mhra.gov.uk/'>x</a><a href='https://www.nhs.uk/y'>y</a> www.dewlight.example"

    assert read_item(details={"body": links}).quoted_urls == ("https://www.dewlight.example",)


@pytest.mark.parametrize("payload", [[], {}, {"results": []}, {"total": "3", "results": []}, {"total": 3}])
def test_what_is_no_answer_of_the_search_is_said(payload: Any) -> None:
    with pytest.raises(LayoutChangedError):
        uk_govuk.read_results(payload, "here")


class Gov:
    """Documents, newest first, by search and by content path."""

    host = "www.gov.uk"

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.results: list[dict[str, Any]] = []
        web.routes[f"{self.host}/api/search.json"] = self._search

    def publish(self, number: int, day: str, **changes: Any) -> None:
        path = f"/drug-device-alerts/alert-{number}"
        stamp = f"{day}T09:00:00Z"
        result = a_result(content_id=f"c-{number}", link=path, title=f"Alert {number}", public_timestamp=stamp)
        self.results = [{**result, **changes}, *(one for one in self.results if one["content_id"] != f"c-{number}")]
        body = an_item(content_id=f"c-{number}", base_path=path, title=f"Alert {number}", public_updated_at=stamp)
        self.web.routes[f"{self.host}/api/content{path}"] = Reply(json.dumps(body), content_type=JSON)

    def _search(self, asked: Asked) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        unknown = set(query) - {"q", "order", "count", "start", "fields"}
        if [name for name in unknown if not name.startswith("filter_")]:
            return Reply('{"message": "Unexpected parameters"}', 422, JSON)
        start, count = int(query["start"]), int(query["count"])
        body = {"results": self.results[start : start + count], "total": len(self.results), "start": start}
        return Reply(json.dumps(body), content_type=JSON)

    @property
    def asked_documents(self) -> list[str]:
        return [path.rpartition("-")[2] for path in self.web.paths(self.host) if path.startswith("/api/content")]


@pytest.fixture
def gov(web: Loopback, crawls: Crawls) -> Gov:
    use(crawls, "uk_mhra_alerts", page_size=3)
    return Gov(web)


def ten_alerts(gov: Gov) -> None:
    for number in range(1, 11):
        gov.publish(number, f"2026-09-{number:02}")


def test_every_document_found_is_read_the_newest_first(gov: Gov, crawls: Crawls) -> None:
    ten_alerts(gov)

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert gov.asked_documents == [str(number) for number in range(10, 0, -1)]
    assert (ended.run.listed, str(ended.run.newest)) == (10, "2026-09-10")
    first = notices(ended)[0]
    assert (first.key, first.text, len(first.captures)) == ("c-10", "Words.", 2)


def test_a_first_reading_goes_back_some_days_and_a_later_one_stops_early(gov: Gov, crawls: Crawls) -> None:
    gov.publish(1, "2024-01-01")
    for number in range(2, 12):
        gov.publish(number, f"2026-09-{number:02}")
    first = crawls.run()
    assert "1" not in gov.asked_documents
    assert first.run.not_kept == {"posted before 2025-08-07": 1}

    gov.web.asked.clear()
    gov.publish(5, "2026-10-01")
    gov.publish(20, "2026-10-02")
    second = crawls.run("--known", known_file(crawls, first))
    assert gov.asked_documents == ["20", "5"], "the one published again comes to the front"
    assert [str(notice.updated) for notice in notices(second)] == ["2026-10-02", "2026-10-01"]
    assert sum(path.startswith("/api/search") for path in gov.web.paths(gov.host)) == 3


def test_a_day_that_has_not_come_moves_no_bound(gov: Gov, crawls: Crawls) -> None:
    crawls.config["rehearsal"]["now"] = "2026-11-16T06:00:00Z"
    gov.publish(1, "2026-09-01")
    gov.publish(2, "2062-01-01")

    ended = crawls.run()

    assert {notice.key for notice in notices(ended)} == {"c-1", "c-2"}
    assert str(ended.run.newest) == "2026-09-01"


def test_a_document_that_is_not_there_is_told_from_the_search_and_asked_for_again(gov: Gov, crawls: Crawls) -> None:
    gov.publish(1, "2026-09-01")
    content = gov.web.routes.pop(f"{gov.host}/api/content/drug-device-alerts/alert-1")

    first = crawls.run()
    (told,) = notices(first)
    assert told.unread == ("document: the server answered 404",)
    assert (told.title, told.text, told.key) == ("Alert 1", "", "c-1")

    gov.web.routes[f"{gov.host}/api/content/drug-device-alerts/alert-1"] = content
    (read,) = notices(crawls.run("--known", known_file(crawls, first)))
    assert (read.key, read.text) == ("c-1", "Words.")


def test_a_parameter_that_the_search_does_not_know_is_named(gov: Gov, crawls: Crawls) -> None:
    gov.web.routes[f"{gov.host}/api/search.json"] = Reply('{"message": "Unexpected parameters: x"}', 422, JSON)

    ended = crawls.run()

    assert "Unexpected parameters: x" in ended.problems["layout_changed"]
    assert (ended.run.listed, ended.run.outcome) == (None, Outcome.ERRORS)


def test_what_another_card_reads_is_counted_and_left_to_it(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "uk_govuk_search", queries=["exosome", "exosomes"])
    gov = Gov(web)
    gov.publish(1, "2026-09-01", format="guidance")
    gov.publish(2, "2026-09-02")
    gov.results.append({"title": "Elsewhere", "link": "https://research.example/x", "format": "recommended-link"})

    ended = crawls.run()

    assert [notice.key for notice in notices(ended)] == ["c-1"]
    assert ended.run.not_kept == {"read by uk_mhra_alerts": 1, "not on GOV.UK itself": 2}
    assert gov.asked_documents == ["1"], "both searches found it"


@pytest.mark.parametrize(
    ("file", "source", "kind", "posted"),
    [
        ("content_api_drug-device-alerts.json", "uk_mhra_alerts", NoticeType.ALERT, date(2015, 7, 6)),
        ("content_api_drug-safety-update.json", "uk_mhra_drug_safety_update", NoticeType.ADVISORY, date(2015, 6, 26)),
    ],
)
def test_the_recorded_documents_are_read(file: str, source: str, kind: NoticeType, posted: date) -> None:
    body = samples(f"world/uk_govuk/{file}").read_bytes()
    recorded = json.loads(body)

    (notice,) = uk_govuk.read(json_response(CONTENT, body), CARDS[source])

    assert isinstance(notice, NoticeRecord)
    assert (notice.key, notice.url) == (recorded["content_id"], f"https://www.gov.uk{recorded['base_path']}")
    assert (notice.notice_type, notice.posted, notice.status) == (kind, posted, "")
    assert notice.authority == "Medicines and Healthcare products Regulatory Agency"
    assert len(notice.text) > 1500
    assert [part.endswith("pdf title (application/pdf)") for part in notice.unread] == [True], "a picture is no part"
    assert not [url for url in notice.quoted_urls if ".gov.uk" in url]


def test_the_recorded_alert_has_its_number_and_its_day() -> None:
    body = samples("world/uk_govuk/content_api_drug-device-alerts.json").read_bytes()

    (notice,) = uk_govuk.read(json_response(CONTENT, body), ALERTS)

    assert isinstance(notice, NoticeRecord)
    assert (notice.references, notice.issued, notice.classification) == (
        ("MDA/2015/025",),
        date(2015, 7, 6),
        "devices",
    )


@pytest.mark.parametrize(
    ("file", "facet", "types"),
    [
        ("finder_schema_medical_safety_alerts.json", "alert_type", ("mhra-safety-round-up",)),
        ("finder_schema_product_safety_alert_report_recalls.json", "product_alert_type", ("product-recall",)),
    ],
)
def test_the_recorded_finders_know_the_types_and_filters_that_the_cards_use(
    file: str, facet: str, types: tuple[str, ...]
) -> None:
    schema = json.loads(samples(f"world/uk_govuk/{file}").read_bytes())
    allowed = {f["key"]: {value["value"] for value in f.get("allowed_values", ())} for f in schema["facets"]}

    assert set(types) <= allowed[facet] & set(uk_govuk.BY_ALERT_TYPE)
    if facet == "alert_type":
        assert allowed[facet] >= govuk_document.ROUNDUPS
    else:
        assert CARDS["uk_opss_product_safety"].options["filters"]["product_category"] in allowed["product_category"]


def test_the_recorded_feed_names_documents_by_the_same_path() -> None:
    feed = samples("world/uk_govuk/drug-device-alerts_atom_TRANSCRIBED.xml").read_text(encoding="utf-8")

    result = uk_govuk.read_result(a_result(link="/drug-device-alerts/mhra-safety-roundup-april-2026"))

    assert result is not None
    assert f"tag:www.gov.uk,2005:{result.link}" in feed
