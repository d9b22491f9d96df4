"""The official sources' spiders as programs, against a server of our own: list, pages, second run, limits, blocks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.source import load_cards
from monitor.records import NoticeRecord, Outcome
from tests.crawler.conftest import Crawls, Ended
from tests.loopback import Asked, Loopback, Reply

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
LETTERS = "/inspections-compliance-enforcement-and-criminal-investigations/warning-letters/"
JSON = "application/json"


def use(crawls: Crawls, source: str, **options: Any) -> None:
    card = CARDS[source].model_dump(mode="json")
    card["options"] = {**card["options"], **options}
    crawls.card = card


def known_file(crawls: Crawls, *runs: Ended) -> Path:
    """What the monitor would hand to the next run: every entry seen, with its digest."""
    seen = {key: digest for ended in runs for key, digest in ended.run.seen.items()}
    path = crawls.home / "known.jsonl"
    path.write_text("".join(json.dumps({"key": key, "digest": digest}) + "\n" for key, digest in seen.items()))
    return path


def notices(ended: Ended) -> list[NoticeRecord]:
    assert all(isinstance(record, NoticeRecord) for record in ended.records)
    return [record for record in ended.records if isinstance(record, NoticeRecord)]


# Letters


class Desk:
    """A list of letters, newest first, in DataTables' shape, and a page for each."""

    host = "letters.fdo.example"

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.rows: list[dict[str, str]] = []
        web.routes[f"{self.host}/datatables/views/ajax"] = self._list
        self._page = (FIXTURES / "demo_warning_letters" / "letter.html").read_text(encoding="utf-8")

    def write(self, number: int, posted: str, **changes: str) -> None:
        row = {"number": str(number), "posted": posted, "office": "Office of Cells", "subject": "Unlicensed", **changes}
        self.rows.insert(0, row)
        page = self._page.replace("Pellucid Clinic PLC", f"Firm {number}").replace("910201", str(number))
        self.web.routes[f"{self.host}{LETTERS}firm-{number}"] = Reply(page)

    def _list(self, asked: Asked) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        assert asked.headers["X-Requested-With"] == "XMLHttpRequest"
        assert query["view_name"] == "warning_letter_solr_index"
        start, length = int(query["start"]), int(query["length"])
        data = [self._cells(row) for row in self.rows[start : start + length]]
        return Reply(json.dumps({"recordsTotal": str(len(self.rows)), "data": data}), content_type=JSON)

    def _cells(self, row: Mapping[str, str]) -> list[str]:
        link = f'<a href="{LETTERS}firm-{row["number"]}">Firm {row["number"]}</a>'
        return [row["posted"], "10/02/2026", link, row["office"], row["subject"], "", row.get("closeout", ""), ""]

    @property
    def asked_letters(self) -> list[str]:
        return [path.rpartition("-")[2] for path in self.web.paths(self.host) if path.startswith(LETTERS)]

    @property
    def asked_pages(self) -> int:
        return sum(path.startswith("/datatables") for path in self.web.paths(self.host))

    def forget(self) -> None:
        self.web.asked.clear()


@pytest.fixture
def desk(web: Loopback, crawls: Crawls) -> Desk:
    use(crawls, "demo_warning_letters", page_size=5)
    return Desk(web)


def thirty_letters(desk: Desk) -> None:
    for number in range(30):
        desk.write(100 + number, f"09/{number + 1:02}/2026")


def test_the_list_is_paged_through_and_every_letter_read(desk: Desk, crawls: Crawls) -> None:
    thirty_letters(desk)
    desk.write(200, "10/01/2026", office="Tobacco Desk")

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert ended.run.listed == 31
    assert ended.run.not_kept == {"tobacco": 1}
    assert {n.title for n in notices(ended)} == {f"Firm {100 + n}: Unlicensed product" for n in range(30)}
    assert ended.run.newest is not None
    assert ended.run.newest.isoformat() == "2026-10-01"
    first = notices(ended)[0]
    assert str(first.posted) == "2026-09-30"
    assert len(first.captures) == 2
    assert first.text.startswith("WARNING LETTER")
    assert "200" not in desk.asked_letters
    assert desk.asked_letters == [str(129 - n) for n in range(30)], "the newest first"


def test_more_list_pages_than_any_depth_limit(desk: Desk, crawls: Crawls) -> None:
    use(crawls, "demo_warning_letters", page_size=1)
    thirty_letters(desk)

    ended = crawls.run()

    assert desk.asked_pages == 30
    assert len(ended.records) == 30


def test_a_second_run_stops_early_and_brings_only_what_is_new(desk: Desk, crawls: Crawls) -> None:
    thirty_letters(desk)
    first = crawls.run()
    desk.forget()

    second = crawls.run("--known", known_file(crawls, first))
    assert (second.run.outcome, second.records, second.run.known) == (Outcome.OK, [], 10)
    assert (desk.asked_pages, desk.asked_letters, second.run.listed) == (2, [], 30)

    desk.write(300, "10/06/2026")
    desk.rows[3]["closeout"] = "10/05/2026"
    desk.forget()
    third = crawls.run("--known", known_file(crawls, first, second))
    assert sorted(desk.asked_letters) == ["127", "300"]
    assert {n.status for n in notices(third)} == {"", "close-out letter: 10/05/2026"}
    assert desk.asked_pages == 3


def test_full_reads_everything_again(desk: Desk, crawls: Crawls) -> None:
    thirty_letters(desk)
    first = crawls.run()

    again = crawls.run("--known", known_file(crawls, first), "--full")

    assert len(again.records) == 30
    assert again.run.known == 0


def test_since_bounds_by_the_posted_date_and_is_no_bound_for_ever(desk: Desk, crawls: Crawls) -> None:
    thirty_letters(desk)

    some = crawls.run("--since", "2026-09-28")
    assert sorted(desk.asked_letters) == ["127", "128", "129"]
    assert some.run.not_kept["posted before 2026-09-28"] == 12
    assert desk.asked_pages == 3, "two pages of older letters end it"

    desk.forget()
    plain = crawls.run("--known", known_file(crawls, some))
    assert plain.records == [], "a later plain run does not fetch what was left out for its date"

    more = crawls.run("--known", known_file(crawls, some), "--since", "2026-09-26")
    assert sorted(desk.asked_letters) == ["125", "126"]
    assert len(more.records) == 2


def test_what_a_limit_left_is_read_by_the_next_run(desk: Desk, crawls: Crawls) -> None:
    thirty_letters(desk)

    few = crawls.run("--limit", "3")
    assert len(few.records) == 3
    rest = crawls.run("--known", known_file(crawls, few))

    titles = [n.title for n in [*notices(few), *notices(rest)]]
    assert len(titles) == len(set(titles)) == 30


def test_a_letter_that_is_not_there_is_told_from_the_list_and_asked_for_again(desk: Desk, crawls: Crawls) -> None:
    desk.write(101, "09/01/2026")
    page = desk.web.routes.pop(f"{desk.host}{LETTERS}firm-101")

    first = crawls.run()
    (told,) = notices(first)
    assert told.unread == ("letter page: the server answered 404",)
    assert (told.text, told.title) == ("", "Firm 101: Unlicensed")
    assert "http_error" in first.problems

    desk.web.routes[f"{desk.host}{LETTERS}firm-101"] = page
    second = crawls.run("--known", known_file(crawls, first))
    (read,) = notices(second)
    assert (read.unread, read.key) == ((), told.key)
    assert read.text


def test_a_letter_page_with_another_layout_is_told_from_the_list(desk: Desk, crawls: Crawls) -> None:
    desk.write(101, "09/01/2026")
    desk.web.routes[f"{desk.host}{LETTERS}firm-101"] = Reply("<html><body><h1>New look</h1></body></html>")

    ended = crawls.run()

    (told,) = notices(ended)
    assert told.text == ""
    assert "not understood" in told.unread[0]
    assert ended.run.outcome is Outcome.ERRORS
    assert "content-title" in ended.problems["layout_changed"]


def test_a_block_in_mid_run_makes_no_letter_and_is_made_good_later(desk: Desk, crawls: Crawls) -> None:
    for number in (101, 102, 103):
        desk.write(number, f"09/0{number - 100}/2026")
    page = desk.web.routes[f"{desk.host}{LETTERS}firm-102"]
    away = {"Location": "/apology_objects/abuse-detection-apology.html"}
    desk.web.routes[f"{desk.host}{LETTERS}firm-102"] = Reply("", status=302, headers=away)

    blocked = crawls.run()
    assert blocked.run.outcome is Outcome.BLOCKED
    assert "Firm 102: Unlicensed product" not in {n.title for n in notices(blocked)}

    desk.web.routes[f"{desk.host}{LETTERS}firm-102"] = page
    later = crawls.run("--known", known_file(crawls, blocked))
    read = sorted(n.title for n in [*notices(blocked), *notices(later)])
    assert read == [f"Firm {number}: Unlicensed product" for number in (101, 102, 103)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [("<html><title>FDA Apology</title></html>", "blocked"), ("<html><p>hello</p></html>", "wrong_content_type")],
)
def test_a_page_in_place_of_the_list_is_never_an_empty_list(desk: Desk, crawls: Crawls, body: str, kind: str) -> None:
    desk.web.routes[f"{desk.host}/datatables/views/ajax"] = Reply(body)

    ended = crawls.run()

    assert ended.records == []
    assert ended.run.listed is None
    assert kind in ended.problems
    assert ended.run.outcome is (Outcome.BLOCKED if kind == "blocked" else Outcome.ERRORS)


def test_a_list_that_shows_less_than_it_says_is_not_understood(desk: Desk, crawls: Crawls) -> None:
    desk.web.routes[f"{desk.host}/datatables/views/ajax"] = Reply(
        json.dumps({"recordsTotal": 7, "data": []}), content_type=JSON
    )

    assert "shows none" in crawls.run().problems["layout_changed"]


# Enforcement reports


class Api:
    """openFDA's answers, by `Link` or by `skip`."""

    host = "api.fdo.example"

    def __init__(self, web: Loopback, *, by_link: bool = True) -> None:
        self.web = web
        self.by_link = by_link
        self.updated = "2026-09-16"
        self.reports: list[dict[str, Any]] = []
        fixture = FIXTURES / "demo_enforcement" / "page.json"
        self._report = json.loads(fixture.read_text(encoding="utf-8"))["results"][0]
        web.routes[f"{self.host}/drug/enforcement.json"] = self._answer

    def publish(self, *numbers: int, **changes: Any) -> None:
        self.reports = [
            {**self._report, "recall_number": f"D-{number}-2026", **changes} for number in numbers
        ] + self.reports

    def _answer(self, asked: Asked) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        assert query["sort"] == "report_date:desc"
        limit = int(query["limit"])
        start = int(query.get("search_after", "0=0").partition("=")[2]) or int(query.get("skip", 0))
        page = self.reports[start : start + limit]
        if not page:
            return Reply('{"error": {"code": "NOT_FOUND", "message": "No matches found!"}}', 404, JSON)
        results = {"skip": start, "limit": limit, "total": len(self.reports)}
        body = {"meta": {"last_updated": self.updated, "results": results}, "results": page}
        headers = {}
        if self.by_link and start + limit < len(self.reports):
            base = asked.path.partition("&search_after")[0]
            following = f"http://{self.host}{base}&search_after=0%3D{start + limit}"
            headers["Link"] = f'<{following}>; rel="next"'
        return Reply(json.dumps(body), content_type=JSON, headers=headers)

    @property
    def questions(self) -> list[str]:
        return self.web.paths(self.host)


def keys(ended: Ended) -> list[str]:
    return [notice.key for notice in notices(ended)]


@pytest.mark.parametrize("by_link", [True, False])
def test_every_report_is_read_page_by_page(web: Loopback, crawls: Crawls, by_link: bool) -> None:
    use(crawls, "demo_enforcement", page_size=2)
    api = Api(web, by_link=by_link)
    api.publish(1, 2, 3, 4, 5)

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert keys(ended) == [f"D-{n}-2026" for n in range(1, 6)]
    assert ended.run.listed == 5
    assert len(api.questions) == 3
    assert "search=(" not in api.questions[0]
    assert "product_description:(exosome+OR+exosomes+OR+%22extracellular+vesicle%22" in api.questions[0]
    assert ("search_after" in api.questions[2]) == by_link
    assert ("skip=4" in api.questions[2]) != by_link


def test_unchanged_data_end_the_run_after_one_answer(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "demo_enforcement", page_size=2)
    api = Api(web)
    api.publish(1, 2, 3)
    first = crawls.run()
    web.asked.clear()

    second = crawls.run("--known", known_file(crawls, first))
    assert len(api.questions) == 1
    assert (second.run.outcome, second.records, second.run.listed) == (Outcome.OK, [], 3)

    api.updated = "2026-09-23"
    api.reports[2]["status"] = "Terminated"
    api.publish(4)
    third = crawls.run("--known", known_file(crawls, first, second))
    assert sorted(keys(third)) == ["D-3-2026", "D-4-2026"]
    assert third.run.known == 2


def test_a_sweep_in_part_does_not_hide_the_rest(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "demo_enforcement", page_size=2)
    Api(web).publish(1, 2, 3)

    part = crawls.run("--limit", "1")
    rest = crawls.run("--known", known_file(crawls, part))

    assert sorted([*keys(part), *keys(rest)]) == ["D-1-2026", "D-2-2026", "D-3-2026"]


def test_since_is_part_of_the_question(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "demo_enforcement")
    api = Api(web)
    api.publish(1)

    crawls.run("--since", "2026-09-01")

    assert ")+AND+report_date:[20260901+TO+29991231]" in api.questions[0].replace("%5B", "[").replace("%5D", "]")


def test_nothing_found_is_an_empty_list_that_was_read(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "demo_enforcement")
    Api(web)

    ended = crawls.run()

    assert (ended.run.listed, ended.run.problems, ended.run.outcome) == (0, (), Outcome.EMPTY)


def test_a_malformed_question_is_asked_once_and_named(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "demo_enforcement")
    error = {"error": {"code": "SERVER_ERROR", "message": "Check your request", "details": "column 32"}}
    web.routes["api.fdo.example/drug/enforcement.json"] = Reply(json.dumps(error), 500, JSON)

    ended = crawls.run()

    assert len(web.paths("api.fdo.example")) == 1
    assert "column 32" in ended.problems["http_error"]
    assert ended.run.outcome is Outcome.ERRORS
    assert ended.run.listed is None


def test_an_overloaded_server_is_asked_again(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "demo_enforcement")
    api = Api(web)
    api.publish(1)
    well = web.routes["api.fdo.example/drug/enforcement.json"]
    web.routes["api.fdo.example/drug/enforcement.json"] = lambda asked: (
        Reply("later", 503, "text/plain") if len(api.questions) == 1 else well(asked)  # type: ignore[operator]
    )

    ended = crawls.run()

    assert len(api.questions) == 2
    assert keys(ended) == ["D-1-2026"]


# Recalls


class Snapshot:
    """The open-data file, and a page for each alert."""

    host = "recalls.demo-health.example"
    path = "/sites/default/files/opendata-donneesouvertes/HCRSAMOpenData.json"

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.entries: list[dict[str, Any]] = []
        folder = FIXTURES / "demo_recalls"
        self._entry = json.loads((folder / "snapshot.json").read_text(encoding="utf-8"))[0]
        self._page = (folder / "alert.html").read_text(encoding="utf-8")
        web.routes[f"{self.host}{self.path}"] = lambda _: Reply(json.dumps(self.entries), content_type=JSON)

    def publish(self, number: int, updated: str | None, title: str = "Unauthorized vials", **changes: Any) -> None:
        url = f"http://{self.host}/en/alert-recall/{number}"
        entry = {**self._entry, "NID": str(number), "Title": title, "URL": url, "Last updated": updated, **changes}
        self.entries.append(entry)
        self.web.routes[f"{self.host}/en/alert-recall/{number}"] = Reply(self._page)

    @property
    def asked_alerts(self) -> list[str]:
        return [path.rpartition("/")[2] for path in self.web.paths(self.host) if path != self.path]


@pytest.fixture
def snapshot(web: Loopback, crawls: Crawls) -> Snapshot:
    use(crawls, "demo_recalls")
    return Snapshot(web)


def test_the_snapshot_is_filtered_and_the_kept_pages_read(snapshot: Snapshot, crawls: Crawls) -> None:
    snapshot.publish(1, "2026-10-01")
    snapshot.publish(2, "2026-10-02", "A lamp", Product="Lamp", Issue="Fire")
    snapshot.publish(3, "2025-01-01")
    snapshot.publish(4, None)
    snapshot.publish(5, "2026-10-03")

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert ended.run.listed == 5
    assert ended.run.not_kept == {
        "no word of the context list": 1,
        "older than 2025-08-29": 1,
        "undated, so taken for old": 1,
    }
    assert snapshot.asked_alerts == ["5", "1"]
    alert = notices(ended)[0]
    assert (alert.key, alert.products, alert.jurisdiction) == ("5", ("Dermaloom Exosome Kit",), "ca")
    assert "exosome" in alert.text.lower()
    assert len(alert.captures) == 2


def test_a_new_date_alone_brings_nothing_and_a_new_text_does(snapshot: Snapshot, crawls: Crawls) -> None:
    snapshot.publish(1, "2026-10-01")
    snapshot.publish(2, "2026-10-01")
    snapshot.publish(3, "2025-01-01")
    first = crawls.run()
    for entry in snapshot.entries:
        entry["Last updated"] = "2026-10-09"
    snapshot.entries[1]["Issue"] = "Counterfeit"
    snapshot.web.asked.clear()

    second = crawls.run("--known", known_file(crawls, first))

    assert snapshot.asked_alerts == ["2"]
    assert [n.summary for n in notices(second)] == ["Counterfeit"]
    assert second.run.known == 2


def test_an_alert_that_is_not_there_is_told_from_the_snapshot(snapshot: Snapshot, crawls: Crawls) -> None:
    snapshot.publish(1, "2026-10-01")
    del snapshot.web.routes[f"{snapshot.host}/en/alert-recall/1"]

    first = crawls.run()
    (told,) = notices(first)
    assert told.unread == ("alert page: the server answered 404",)
    assert (told.title, told.text) == ("Unauthorized vials", "")

    snapshot.web.asked.clear()
    crawls.run("--known", known_file(crawls, first))
    assert snapshot.asked_alerts == ["1"], "what was not read is asked for again"


def test_since_and_limit_bound_the_pages(snapshot: Snapshot, crawls: Crawls) -> None:
    for number in range(1, 6):
        snapshot.publish(number, f"2026-10-0{number}")

    ended = crawls.run("--since", "2026-10-03", "--limit", "2")

    assert len(ended.records) == 2
    assert ended.run.not_kept == {"older than 2026-10-03": 2, "beyond the limit asked for": 1}
