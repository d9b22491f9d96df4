"""Registers of trials and of authorised medicines: ClinicalTrials.gov and EMA's table."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.source import BlockedError, LayoutChangedError, load_cards, spider_module
from crawler.sources import eu_ema_medicines, us_clinicaltrials_trials
from monitor.records import AuthorisationRecord, Outcome, TrialRecord
from tests.crawler.conftest import Crawls, Ended
from tests.crawler.responses import json_response, response_of
from tests.crawler.test_source_runs import known_file, use
from tests.loopback import Asked, Loopback, Reply
from tests.samples import samples

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
TRIALS = CARDS["us_clinicaltrials_trials"]
MEDICINES = CARDS["eu_ema_medicines"]
JSON = "application/json"


def study(**modules: Any) -> dict[str, Any]:
    named = {"nctId": "NCT09900001", "briefTitle": "A trial"}
    protocol = {"identificationModule": named, "statusModule": {"overallStatus": "RECRUITING"}}
    return {"protocolSection": {**protocol, **modules}}


def trial(**modules: Any) -> TrialRecord:
    return us_clinicaltrials_trials.trial_of(study(**modules), TRIALS, "run/1")


# ClinicalTrials.gov


def test_every_page_repeats_the_whole_question() -> None:
    options = us_clinicaltrials_trials.Options(query={"term": 'exosome OR "extracellular vesicles"'}, page_size=50)

    first = us_clinicaltrials_trials.address_of(TRIALS.start, options, date(2026, 1, 5))
    second = us_clinicaltrials_trials.address_of(TRIALS.start, options, date(2026, 1, 5), "to/ken=")

    asked = parse_qs(urlsplit(first).query)
    assert asked["query.term"] == ['exosome OR "extracellular vesicles"']
    assert asked["filter.advanced"] == ["AREA[LastUpdatePostDate]RANGE[2026-01-05,MAX]"]
    assert parse_qs(urlsplit(second).query) == {**asked, "pageToken": ["to/ken="]}


@pytest.mark.parametrize(
    ("printed", "day"), [("2026-03-04", date(2026, 3, 4)), ("2026-03", date(2026, 3, 1)), ("", None)]
)
def test_a_month_is_its_first_day_and_stands_in_the_text_as_written(printed: str, day: date | None) -> None:
    found = trial(statusModule={"overallStatus": "RECRUITING", "startDateStruct": {"date": printed}})

    assert found.started == day
    assert (f"Started: {printed}" in found.text) == bool(printed)


def test_the_end_of_a_trial_is_not_taken_for_its_primary_completion() -> None:
    found = trial(statusModule={"overallStatus": "COMPLETED", "completionDateStruct": {"date": "2026-02"}})

    assert found.completed is None
    assert "Completion: 2026-02" in found.text


def test_any_module_but_number_title_and_status_may_be_missing() -> None:
    assert trial().phases == ()
    for lacking in ("identificationModule", "statusModule"):
        with pytest.raises(LayoutChangedError, match=r"missing"):
            trial(**{lacking: {}})


@pytest.mark.parametrize(
    "payload", [{}, [], {"studies": {}}, {"studies": [], "totalCount": "7"}, {"studies": [], "nextPageToken": 3}]
)
def test_what_is_no_answer_of_the_register_is_said(payload: Any) -> None:
    with pytest.raises(LayoutChangedError):
        us_clinicaltrials_trials.read_answer(payload, "here")


def test_what_the_registry_derives_is_no_change_of_a_trial() -> None:
    one = study()
    digest = us_clinicaltrials_trials.digest_of_study(one)

    assert us_clinicaltrials_trials.digest_of_study({**one, "derivedSection": {"versionHolder": "today"}}) == digest
    assert us_clinicaltrials_trials.digest_of_study({**one, "hasResults": True}) != digest
    stopped = study(statusModule={"overallStatus": "SUSPENDED"})
    assert us_clinicaltrials_trials.digest_of_study(stopped) != digest


class Register:
    """Studies, shown in pages with tokens; the total is said on the first page only."""

    path = "/api/v2/studies"

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.studies: list[dict[str, Any]] = []
        self.claims_more = 0
        web.routes[f"clinicaltrials.gov{self.path}"] = self._answer

    def enter(self, *numbers: int, status: str = "RECRUITING") -> None:
        for number in numbers:
            dated = {"overallStatus": status, "lastUpdatePostDateStruct": {"date": f"2026-10-{number:02}"}}
            named = {"nctId": f"NCT0990{number:04}", "briefTitle": f"Trial {number}"}
            self.studies.insert(0, study(identificationModule=named, statusModule=dated))

    def _answer(self, asked: Asked) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        assert query["query.term"], "each page repeats the question"
        assert query["sort"] == "LastUpdatePostDate:desc"
        start, size = int(query.get("pageToken", "t0")[1:]), int(query["pageSize"])
        body: dict[str, Any] = {"studies": self.studies[start : start + size]}
        if "pageToken" not in query:
            body["totalCount"] = len(self.studies) + self.claims_more
        if start + size < len(self.studies):
            body["nextPageToken"] = f"t{start + size}"
        return Reply(json.dumps(body), content_type=JSON)


@pytest.fixture
def register(web: Loopback, crawls: Crawls) -> Register:
    use(crawls, "us_clinicaltrials_trials", page_size=2)
    return Register(web)


def keys(ended: Ended) -> list[str]:
    return [record.key for record in ended.records if isinstance(record, TrialRecord | AuthorisationRecord)]


def test_the_register_is_paged_through_by_token(register: Register, crawls: Crawls) -> None:
    register.enter(1, 2, 3, 4, 5)

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert keys(ended) == [f"NCT0990{number:04}" for number in (5, 4, 3, 2, 1)]
    assert (ended.run.listed, str(ended.run.newest), ended.run.items) == (5, "2026-10-05", {"trial": 5})
    assert len(register.web.paths("clinicaltrials.gov")) == 3


def test_a_later_reading_brings_what_changed(register: Register, crawls: Crawls) -> None:
    register.enter(1, 2, 3)
    first = crawls.run()
    register.studies[0]["protocolSection"]["statusModule"]["overallStatus"] = "WITHDRAWN"
    register.enter(4)

    second = crawls.run("--known", known_file(crawls, first))

    assert keys(second) == ["NCT09900004", "NCT09900003"]
    assert (second.run.known, second.run.listed) == (2, 4)


def test_a_day_that_has_not_come_makes_no_list_fresh(register: Register, crawls: Crawls) -> None:
    crawls.config["rehearsal"]["now"] = "2026-11-16T06:00:00Z"
    register.enter(1, 2)
    status = register.studies[0]["protocolSection"]["statusModule"]
    status["lastUpdatePostDateStruct"]["date"] = "2062-01-01"

    ended = crawls.run()

    assert (len(ended.records), str(ended.run.newest)) == (2, "2026-10-01")


def test_a_limit_leaves_the_rest_for_the_next_run(register: Register, crawls: Crawls) -> None:
    register.enter(1, 2, 3)

    part = crawls.run("--limit", "1")
    rest = crawls.run("--known", known_file(crawls, part))

    assert sorted([*keys(part), *keys(rest)]) == ["NCT09900001", "NCT09900002", "NCT09900003"]


def test_a_register_that_shows_less_than_it_says_is_misread(register: Register, crawls: Crawls) -> None:
    register.enter(1, 2)
    register.claims_more = 3

    ended = crawls.run()

    assert "after 2 of 5" in ended.problems["parse_error"]
    assert ended.run.outcome is Outcome.ERRORS


def test_a_refused_question_is_named_and_is_no_empty_register(register: Register, crawls: Crawls) -> None:
    said = "`sort` parameter value is invalid"
    register.web.routes[f"clinicaltrials.gov{register.path}"] = Reply(said, 400, "text/plain")

    ended = crawls.run()

    assert said in ended.problems["layout_changed"]
    assert (ended.run.listed, ended.run.outcome) == (None, Outcome.ERRORS)


@pytest.mark.parametrize("source", ["us_clinicaltrials_trials", "eu_ema_medicines"])
def test_a_page_in_place_of_a_table_is_never_an_empty_table(source: str) -> None:
    module, card = spider_module(CARDS[source]), CARDS[source]
    with pytest.raises(LayoutChangedError):
        list(module.read(response_of(card.start, "<html><p>hello</p></html>"), card))
    with pytest.raises(BlockedError):
        list(module.read(response_of(card.start, "<title>Access denied</title>captcha", status=403), card))


def test_the_recorded_answers_are_read() -> None:
    folder = samples("us/clinicaltrials")
    found: dict[str, list[TrialRecord]] = {}
    for file in sorted(folder.glob("*.json")):
        response = json_response(TRIALS.start, file.read_bytes())
        found[file.name] = list(us_clinicaltrials_trials.read(response, TRIALS))  # type: ignore[arg-type]

    (single,) = found["get_nct02576665_20260811.json"]
    assert (single.key, single.status, single.started) == ("NCT02576665", "TERMINATED", date(2016, 7, 1))
    assert single.countries == ("United States",)
    assert single.interventions == ("Toca 511", "Toca FC")
    assert "Completion: 2019-12-20" in single.text
    search = found["search_phelan_limit5_20260811.json"]
    assert [(one.key, one.enrolment) for one in search][:2] == [("NCT02710084", 18), ("NCT05105685", 6)]
    assert sum(one.phases == ("PHASE1", "PHASE2") for one in search) == 1
    assert all(one.sponsor for trials in found.values() for one in trials)


def test_the_recorded_pages_say_their_total_on_the_first_only() -> None:
    folder = samples("us/clinicaltrials")
    first, following = (
        us_clinicaltrials_trials.read_answer(json.loads((folder / name).read_bytes()), name)
        for name in ("search_phelan_limit5_20260811.json", "search_phelan_next_20260811.json")
    )

    assert (first[1], following[1]) == (21, None)
    assert first[2]
    assert following[2]
    assert first[2] != following[2]


# EMA


def medicine(**columns: str) -> dict[str, Any]:
    row = {"name_of_medicine": "Celloria", "ema_product_number": "EMEA/H/C/990001", "medicine_status": "Authorised"}
    return {**row, **columns}


@pytest.mark.parametrize(
    ("columns", "status", "ended"),
    [
        ({}, "authorised", None),
        ({"conditional_approval": "Yes"}, "conditional", None),
        ({"medicine_status": "Lapsed", "conditional_approval": "Yes"}, "withdrawn", None),
        (
            {"medicine_status": "Suspended", "suspension_of_marketing_authorisation_date": "04/03/2026"},
            "suspended",
            date(2026, 3, 4),
        ),
        (
            {"medicine_status": "Authorised", "suspension_of_marketing_authorisation_date": "04/03/2020"},
            "authorised",
            None,
        ),
        ({"medicine_status": "Refused"}, "refused", None),
        ({"medicine_status": "Opinion under re-examination"}, "unknown", None),
    ],
)
def test_a_medicine_has_the_status_that_the_table_gives(
    columns: dict[str, str], status: str, ended: date | None
) -> None:
    found = eu_ema_medicines.authorisation_of(medicine(**columns), MEDICINES, "run/1")

    assert (found.status, found.ended) == (status, ended)
    assert found.status_text == columns.get("medicine_status", "Authorised")


def test_the_day_stands_first_in_a_european_date() -> None:
    row = medicine(marketing_authorisation_date="04/03/2024")

    assert eu_ema_medicines.authorisation_of(row, MEDICINES, "run/1").authorised == date(2024, 3, 4)
    with pytest.raises(LayoutChangedError, match="EMEA/H/C/990001"):
        eu_ema_medicines.authorisation_of(medicine(last_updated_date="2026-03-04"), MEDICINES, "run/1")


@pytest.mark.parametrize("payload", [[], {"data": []}, {"data": [{"dhpc_url": "x"}]}, {"data": [1]}, {"rows": []}])
def test_another_table_is_not_taken_for_the_medicines(payload: Any) -> None:
    with pytest.raises(LayoutChangedError):
        eu_ema_medicines.read_table(payload, "here")


def test_the_table_is_read_with_its_byte_order_mark_and_counted(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "eu_ema_medicines")
    body = (FIXTURES / "eu_ema_medicines" / "table.json").read_bytes()
    path = urlsplit(MEDICINES.start)
    web.routes[f"{path.netloc}{path.path}"] = Reply(body, content_type=JSON)

    first = crawls.run()
    assert body.startswith(b"\xef\xbb\xbf")
    assert (first.code, first.run.listed, first.run.items) == (0, 4, {"authorisation": 3})
    assert first.run.not_kept == {"not of category Human": 1}

    changed = json.loads(body.decode("utf-8-sig"))
    changed["data"][2]["medicine_status"] = "Refused"
    web.routes[f"{path.netloc}{path.path}"] = Reply(json.dumps(changed), content_type=JSON)
    second = crawls.run("--known", known_file(crawls, first))
    assert keys(second) == ["EMEA/H/C/990003"]
    assert second.run.known == 2
