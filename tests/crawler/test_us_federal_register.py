"""The Federal Register's API: searches, what comes up, and its ways of saying that there is nothing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from crawler.source import BlockedError, LayoutChangedError, load_cards
from crawler.sources import us_federal_register as register
from monitor.records import NoticeType, Outcome
from tests.crawler.conftest import Crawls
from tests.crawler.responses import json_response, response_of
from tests.crawler.test_source_runs import known_file, notices, use
from tests.loopback import Asked, Loopback, Reply
from tests.samples import samples

SOURCE = "us_federal_register"
CARD = load_cards()[SOURCE]
HOST = "www.federalregister.gov"
FIXTURE = json.loads((Path(__file__).with_name("sources") / SOURCE / "answer.json").read_bytes())
JSON = "application/json"


def a_result(at: int = 0, **changes: Any) -> dict[str, Any]:
    return {**FIXTURE["results"][at], **changes}


def answered(body: Any, status: int = 200) -> Any:
    return json_response(CARD.start, json.dumps(body), status)


def test_a_search_is_written_as_the_api_reads_it() -> None:
    options = register.Options.model_validate(CARD.options)
    one = register.Search(term='"a b"', agencies=("food-and-drug-administration",))

    query = parse_qsl(urlsplit(register.address_of(CARD.start, options, one)).query)
    assert ("conditions[term]", '"a b"') in query
    assert ("conditions[agencies][]", "food-and-drug-administration") in query
    assert [value for name, value in query if name == "conditions[type][]"] == ["RULE", "PRORULE", "NOTICE"]
    assert ("order", "newest") in query
    part = parse_qs(urlsplit(register.address_of(CARD.start, options, options.searches[-1])).query)
    assert (part["conditions[cfr][title]"], part["conditions[cfr][part]"]) == (["21"], ["1271"])


def test_a_search_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="term or a part of the CFR"):
        register.Search(agencies=("food-and-drug-administration",))


@pytest.mark.parametrize(
    ("body", "status"),
    [({"count": 0, "description": "x"}, 200), ({"status": 404, "message": "Record Not Found"}, 404)],
)
def test_nothing_found_is_said_in_either_way(body: Any, status: int) -> None:
    assert register.read_answer(answered(body, status)) == (0, [], [], "")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"errors": {"agencies": "no such agency"}}, 400),
        ({"status": 400, "message": "field 'x' not valid"}, 400),
        ({"status": 404, "message": "no Route"}, 404),
    ],
)
def test_a_refused_search_says_why_and_where_to_look(body: Any, status: int) -> None:
    with pytest.raises(register.SearchRefusedError, match=rf"{status}.*(no such agency|not valid|no Route).*card"):
        register.read_answer(answered(body, status))


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"count": 3},
        {"count": "3", "results": []},
        {"count": 1, "results": [a_result(document_number="")]},
        {"count": 1, "results": [a_result(title=["x"])]},
        {"count": 1, "results": [a_result(comments_close_on="soon")]},
        {"count": 1, "results": [a_result()], "next_page_url": "https://evil.example/documents.json?page=2"},
    ],
)
def test_what_is_not_understood_of_an_answer_is_said(body: Any) -> None:
    with pytest.raises(LayoutChangedError):
        register.read_answer(answered(body))


def test_a_captcha_in_place_of_an_answer_is_a_block() -> None:
    with pytest.raises(BlockedError):
        register.read_answer(response_of(CARD.start, "<html><body>Please complete the captcha.</body></html>"))


def test_what_comes_up_stands_in_the_status() -> None:
    both = register.document_of(a_result(comments_close_on="2026-12-30", effective_on="2027-02-01"))

    assert register.status_of(both) == "comments close 2026-12-30; effective 2027-02-01"
    assert register.status_of(register.document_of(a_result(comments_close_on=None))) == ""
    record = register.notice_of(CARD, ("run/00001",), both, None, "")
    assert (record.comments_close, record.effective) == (date(2026, 12, 30), date(2027, 2, 1))


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (0, NoticeType.CONSULTATION),
        (1, NoticeType.RULE),
        (2, NoticeType.GUIDANCE),
        (3, NoticeType.CONSULTATION),
        (4, NoticeType.NEWS),
    ],
)
def test_what_kind_of_document_it_is(at: int, kind: NoticeType) -> None:
    assert register.type_of(register.document_of(a_result(at))) is kind


def test_an_agency_may_have_a_raw_name_only() -> None:
    assert register.document_of(a_result(2)).agencies == ("Office of Invented Affairs",)


def test_before_2016_the_day_belongs_to_the_key() -> None:
    assert register.document_of(a_result(4)).key == "05-901 2005-03-04"
    assert register.document_of(a_result(0)).key == "2026-90001"


class Api:
    """Answers by search term, two documents a page, the next page by a cursor that the API itself hands out."""

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.results: dict[str, list[dict[str, Any]]] = {}
        web.routes[f"{HOST}/api/v1/documents.json"] = self._answer

    def _answer(self, asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.path).query)
        found = self.results.get(query.get("conditions[term]", ["cfr"])[0], [])
        start = int(query.get("search_after_cursor", ["0"])[0])
        body: dict[str, Any] = {"count": len(found), "total_pages": 1}
        if found:
            body["results"] = found[start : start + 2]
        if start + 2 < len(found):
            base = asked.path.partition("&search_after_cursor")[0]
            body["next_page_url"] = f"https://{HOST}{base}&search_after_cursor={start + 2}"
        return Reply(json.dumps(body), content_type=JSON)

    def print_text(self, number: str, text: str) -> None:
        for result in (one for found in self.results.values() for one in found):
            if result["document_number"] == number:
                path = urlsplit(result["raw_text_url"]).path
                html = f"<html><body><pre>[Federal Register Volume 91]\n\n{text}\n</pre></body></html>"
                self.web.routes[f"{HOST}{path}"] = Reply(html)


@pytest.fixture
def api(web: Loopback, crawls: Crawls) -> Api:
    crawls.config["rehearsal"]["now"] = "2026-10-12T06:00:00Z"
    use(crawls, SOURCE, searches=[{"term": "one"}, {"term": "two"}, {"cfr": [21, 1271]}], page_size=2)
    served = Api(web)
    served.results = {"one": [a_result(at) for at in (0, 1, 2)], "two": [a_result(0), a_result(3)]}
    for number in ("2026-90001", "2026-90002", "2026-90003", "2026-90004"):
        served.print_text(number, f"Document {number} about exosomes.\nComments may be sent.")
    return served


def test_every_search_is_followed_and_a_document_read_once(api: Api, crawls: Crawls) -> None:
    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert sorted(n.key for n in notices(ended)) == ["2026-90001", "2026-90002", "2026-90003", "2026-90004"]
    assert (ended.run.listed, ended.run.newest) == (4, date(2026, 10, 1))
    first = next(n for n in notices(ended) if n.key == "2026-90001")
    assert first.text.startswith("Type: Proposed Rule\n")
    assert first.text.endswith("Document 2026-90001 about exosomes.\nComments may be sent.")
    assert first.unread == ()
    asked = api.web.paths(HOST)
    assert len([path for path in asked if path.endswith(".txt")]) == 4
    assert sum("search_after_cursor" in path for path in asked) == 1
    assert not any(path.startswith("/documents/2026") for path in asked), "the pages for people are never asked for"


def test_a_document_that_changed_comes_again(api: Api, crawls: Crawls) -> None:
    first = crawls.run()
    api.results["one"][1] = a_result(1, effective_on="2027-03-01")

    second = crawls.run("--known", known_file(crawls, first))

    (changed,) = notices(second)
    assert (changed.key, changed.status) == ("2026-90002", "effective 2027-03-01")
    assert crawls.run("--known", known_file(crawls, first, second)).records == []


def test_a_text_that_is_not_there_is_told_and_asked_for_again(api: Api, crawls: Crawls) -> None:
    path = urlsplit(a_result(0)["raw_text_url"]).path
    good = api.web.routes.pop(f"{HOST}{path}")

    first = crawls.run()
    told = next(n for n in notices(first) if n.key == "2026-90001")
    assert told.unread == ("plain text: the server answered 404",)
    assert "Comments close: 2026-12-30" in told.text

    api.web.routes[f"{HOST}{path}"] = good
    second = crawls.run("--known", known_file(crawls, first))
    assert [(n.key, n.unread) for n in notices(second)] == [("2026-90001", ())]


def test_since_leaves_out_what_is_older_and_counts_it(api: Api, crawls: Crawls) -> None:
    ended = crawls.run("--since", "2026-09-10")

    assert sorted(n.key for n in notices(ended)) == ["2026-90001", "2026-90002"]
    assert ended.run.not_kept == {"posted before 2026-09-10": 2}
    assert ended.run.listed == 4, "the whole list is known all the same"


def test_a_refused_search_is_an_error_of_the_run(web: Loopback, crawls: Crawls) -> None:
    use(crawls, SOURCE, searches=[{"term": "one"}])
    web.routes[f"{HOST}/api/v1/documents.json"] = Reply('{"errors": {"term": "bad"}}', 400, JSON)

    ended = crawls.run()

    assert ended.run.outcome is Outcome.ERRORS
    assert "check `options`" in ended.problems["layout_changed"]


def test_recorded_answers_are_read() -> None:
    folder = samples("us/federal_register")
    count, documents, strange, following = register.read_answer(
        json_response(CARD.start, (folder / "documents_search_2016-02-29.json").read_bytes())
    )
    assert (count, len(documents), strange, following) == (129, 129, [], "")
    assert {document.posted for document in documents} == {date(2016, 2, 29)}
    assert len({document.key for document in documents}) == 129
    assert all(document.agencies for document in documents)

    trimmed = json.loads((folder / "results_2026-10-02.trimmed.json").read_bytes())
    newer = register.read_answer(answered({"count": len(trimmed), "results": trimmed}))[1]
    assert [document.number for document in newer] == ["2026-20215", "2026-20032"]
    assert newer[0].url == "", "its text's address was not asked for"

    missing = json.loads((folder / "not_found_404.json").read_bytes())
    assert register.read_answer(answered(missing, 404)) == (0, [], [], "")
