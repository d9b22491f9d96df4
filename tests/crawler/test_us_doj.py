"""The Department of Justice's press releases: a search that is trusted only where it proves to be heeded."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.source import LayoutChangedError, load_cards
from crawler.sources import us_doj_press as doj
from monitor.records import Outcome
from tests.crawler.conftest import Crawls
from tests.crawler.responses import json_response
from tests.crawler.test_source_runs import known_file, notices, use
from tests.loopback import Asked, Loopback, Reply

SOURCE = "us_doj_press"
CARD = load_cards()[SOURCE]
FIXTURE = json.loads((Path(__file__).with_name("sources") / SOURCE / "answer.json").read_bytes())


def a_result(at: int = 0, **changes: Any) -> dict[str, Any]:
    return {**FIXTURE["results"][at], **changes}


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("1738818000", date(2025, 2, 6)),
        ('<time datetime="2025-02-05T12:37:10-05:00">1738777030</time>', date(2025, 2, 5)),
        ("", None),
    ],
)
def test_moments_are_days_in_washington(given: str, day: date | None) -> None:
    assert doj.day_of(given) == day


@pytest.mark.parametrize("given", ["yesterday", "2025-02-05", "12345"])
def test_what_is_no_moment_is_said(given: str) -> None:
    with pytest.raises(LayoutChangedError):
        doj.day_of(given)


@pytest.mark.parametrize("number", [str, int])
def test_the_count_comes_as_number_or_text(number: Any) -> None:
    body = {**FIXTURE, "metadata": {"resultset": {"count": number(3)}}}

    assert doj.read_answer(json_response(CARD.start, json.dumps(body)))[0] == 3


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"results": []},
        {"metadata": {"resultset": {"count": "many"}}, "results": []},
        {"metadata": {"resultset": {"count": 1}}, "results": {"0": {}}},
        {"metadata": {"resultset": {"count": 1}}, "results": [a_result(uuid="")]},
        {"metadata": {"resultset": {"count": 1}}, "results": [a_result(url="https://evil.example/justice.gov")]},
        {"metadata": {"resultset": {"count": 1}}, "results": [a_result(url="https://notjustice.gov/x")]},
        {"metadata": {"resultset": {"count": 1}}, "results": [a_result(body={"value": "x"})]},
    ],
)
def test_what_is_not_understood_of_an_answer_is_said(body: Any) -> None:
    with pytest.raises(LayoutChangedError):
        doj.read_answer(json_response(CARD.start, json.dumps(body)))


class Api:
    """Press releases, `size` a page, that heeds search and order or does not."""

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.releases: list[dict[str, Any]] = []
        self.heeds_search = self.heeds_order = True
        self.whole_titles = False
        web.routes["www.justice.gov/api/v1/press_releases.json"] = self._answer

    def publish(self, day: int, title: str, text: str = "Nothing of note.") -> None:
        number = len(self.releases) + 1
        seconds = str(int(datetime(2026, 9, 1, 16, tzinfo=UTC).timestamp()) + day * 86400)
        changes: dict[str, Any] = {
            "uuid": f"u{number}",
            "title": title,
            "date": seconds,
            "changed": seconds,
            "body": f"<p>{text}</p>",
        }
        self.releases.append(a_result(url=f"https://www.justice.gov/opa/pr/{number}", teaser="", **changes))

    def _answer(self, asked: Asked) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        found, term = self.releases, query.get("parameters[title]", "")
        if term and self.heeds_search:
            found = [r for r in found if (term == r["title"] if self.whole_titles else term in r["title"].lower())]
        if self.heeds_order:
            found = sorted(found, key=lambda r: int(r["date"]), reverse=True)
        size, page = int(query["pagesize"]), int(query["page"])
        info = {"count": str(len(found)), "pagesize": size, "page": page}
        body = {"metadata": {"resultset": info}, "results": found[page * size : (page + 1) * size]}
        return Reply(json.dumps(body), content_type="application/json")

    @property
    def asked(self) -> list[dict[str, str]]:
        return [
            {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
            for path in self.web.paths("www.justice.gov")
        ]


@pytest.fixture
def api(web: Loopback, crawls: Crawls) -> Api:
    use(crawls, SOURCE, page_size=2, walk_pages=3, terms=["stem cell", "exosome"])
    served = Api(web)
    for day in range(12):
        served.publish(day, f"Bridge builder {day} fined")
    served.publish(20, "Stem Cell Clinic Stopped")
    served.publish(21, "Doctor Fined", "He sold exosomes.")
    served.publish(22, "Second Stem Cell Clinic Stopped")
    served.publish(23, "Third Stem Cell Clinic Stopped")
    return served


def titles(ended: Any) -> list[str]:
    return sorted(notice.title for notice in notices(ended))


THREE = ["Second Stem Cell Clinic Stopped", "Stem Cell Clinic Stopped", "Third Stem Cell Clinic Stopped"]
"""What the titles tell."""


def test_a_search_that_is_heeded_is_trusted(api: Api, crawls: Crawls) -> None:
    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert titles(ended) == THREE
    assert [(q.get("parameters[title]"), q["page"]) for q in api.asked] == [
        ("stem cell", "0"),
        ("exosome", "0"),
        ("stem cell", "1"),
    ]
    assert ended.run.listed == 3


@pytest.mark.parametrize("heeds_order", [True, False])
def test_a_search_that_is_not_heeded_is_made_good_by_walking_the_newest(
    api: Api, crawls: Crawls, heeds_order: bool
) -> None:
    api.heeds_search, api.heeds_order = False, heeds_order

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert titles(ended) == sorted([*THREE, "Doctor Fined"]), "the text counts too where the search is ours"
    walked = [int(q["page"]) for q in api.asked if "parameters[title]" not in q][2:]
    assert walked == ([0, 1, 2] if heeds_order else [7, 6, 5]), "from the newest end, whichever it is"
    assert ended.run.not_kept == {doj.NO_TERM: 2}
    assert ended.run.listed == 6


def test_searches_that_bring_nothing_at_all_are_not_believed(api: Api, crawls: Crawls) -> None:
    api.whole_titles = True

    ended = crawls.run()

    assert titles(ended) == sorted([*THREE, "Doctor Fined"])


def test_a_release_that_changed_comes_again(api: Api, crawls: Crawls) -> None:
    first = crawls.run()
    api.releases[12]["changed"] = str(int(api.releases[12]["changed"]) + 86400)

    second = crawls.run("--known", known_file(crawls, first))

    assert titles(second) == ["Stem Cell Clinic Stopped"]
    assert second.run.known == 2


def test_since_bounds_by_the_day_of_issue(api: Api, crawls: Crawls) -> None:
    ended = crawls.run("--since", "2026-09-24")

    assert titles(ended) == ["Third Stem Cell Clinic Stopped"]
    assert ended.run.not_kept == {"issued before 2026-09-24": 2}
    assert titles(crawls.run("--known", known_file(crawls, ended), "--since", "2026-09-23")) == [THREE[0]]


def test_an_empty_register_of_releases_is_not_believed(api: Api, crawls: Crawls) -> None:
    api.releases.clear()

    ended = crawls.run()

    assert ended.run.outcome is Outcome.ERRORS
    assert "list of all press releases is empty" in ended.problems["layout_changed"]
