"""Safety Gate's weekly reports, and the feeds and posts of EMA and AEMPS."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

import pytest

from crawler.generic.terms import terms_of
from crawler.source import LayoutChangedError, load_cards, spider_module
from crawler.sources import eu_safety_gate_alerts as gate
from monitor.records import NoticeRecord, Outcome
from tests.crawler.conftest import Crawls, Ended
from tests.crawler.responses import json_response, response_of
from tests.crawler.test_source_runs import known_file, notices, use
from tests.loopback import Asked, Loopback, Reply
from tests.samples import samples

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
CARD = CARDS["eu_safety_gate_alerts"]
OPTIONS = gate.Options.model_validate(CARD.options)
XML = "application/xml"
API = "ec.europa.eu/safety-gate-alerts/api/download/weeklyReport"
FIELDS = ("caseNumber", "reference", "category", "product", "name", "danger", "description", "level", "measures")


def alert_xml(case: str, **changes: str) -> str:
    told = {"category": "Cosmetics", "product": "Serum", "name": "Dewlight", "danger": "It may burn.", **changes}
    told = {"caseNumber": case, "reference": f"https://ec.europa.eu/x/alertDetail/{case[3:8]}", **told}
    fields = "".join(f"<{name}><![CDATA[{told.get(name, '')}]]></{name}>" for name in FIELDS)
    return f"<notifications>{fields}</notifications>"


def report_xml(day: date, *alerts: str) -> str:
    return f"<Safety-Gate><report_date>{day:%d/%m/%Y}</report_date>{''.join(alerts)}</Safety-Gate>"


def read(body: str | bytes, number: int = 10000328) -> list[NoticeRecord]:
    found = list(gate.read(response_of(gate.report_address(number), body, XML), CARD))
    assert all(isinstance(record, NoticeRecord) for record in found)
    return [record for record in found if isinstance(record, NoticeRecord)]


def test_a_report_is_asked_for_with_the_search_that_the_server_wants() -> None:
    assert gate.report_address(10000319).endswith("/10000319?language=en&search=WEB_REPORT%7C:%7C10000319")


def test_cosmetics_of_plant_stem_cells_are_kept_and_are_no_hit() -> None:
    body = (FIXTURES / "eu_safety_gate_alerts" / "report.xml").read_bytes()

    cream, pen = read(body)

    assert "stem cell" in cream.title
    assert "exosom" not in f"{cream.title}\n{cream.text}".lower()
    assert (pen.title, pen.quoted_urls) == ("Microneedling pen", ("https://www.needlepoint.example",))


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"category": "Toys", "product": "Slime"}, False),
        ({"category": "Chemical products", "description": "Hyaluron filler to inject"}, True),
        ({"category": "Toys", "name": "Exosome kit"}, True),
    ],
)
def test_what_the_card_keeps(changes: dict[str, str], kept: bool) -> None:
    alert = fromstring(alert_xml("SR/00001/26", **{"name": "Kelda", **changes}))

    assert (gate.reason_left_out(alert, OPTIONS, terms_of(OPTIONS.terms)) == "") is kept


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("null Skin lotion", "Skin lotion"),
        ("null", ""),
        ("null null Cream", "Cream"),
        ("nullify", "nullify"),
        ("Alder &amp; Sons<br />", "Alder & Sons"),
        ("Unknown", ""),
    ],
)
def test_remains_of_the_older_system_are_taken_off(written: str, text: str) -> None:
    assert gate.text_of(fromstring(alert_xml("SR/00001/26", product=written)), "product") == text


def test_measures_that_are_glued_together_are_lines() -> None:
    glued = "Type of economic operator taking notified measure(s): OtherCategory of measure(s): Recall of the product"

    (notice,) = read(report_xml(date(2026, 10, 23), alert_xml("SR/00001/26", measures=glued)))

    assert "(s): Other\nCategory of measure(s): Recall" in notice.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<Safety-Gate><notifications/></Safety-Gate>", "report_date"),
        ("<Safety-Gate><report_date>2026-10-23</report_date></Safety-Gate>", "DD/MM/YYYY"),
        (report_xml(date(2026, 10, 23), alert_xml("", product="Serum")), "caseNumber"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><Safety-Gate>&a;</Safety-Gate>', "entities"),
        ("<Safety-Gate><report_date>23/10/2026", "well-formed"),
        ("<html><body>apology</body></html>", "XML was expected"),
    ],
)
def test_what_is_no_weekly_report_is_said(body: str, said: str) -> None:
    with pytest.raises(LayoutChangedError, match=said):
        read(body)


class Gate:
    """Weekly reports with running numbers, and their list."""

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.reports: dict[int, date] = {}
        web.routes[f"{API}/list/xml/en"] = self._list

    def publish(self, number: int, day: date, *alerts: str) -> None:
        self.reports[number] = day
        self.web.routes[f"{API}/detail/xml/{number}"] = Reply(report_xml(day, *alerts), content_type=XML)

    def _list(self, _asked: Asked) -> Reply:
        entries = (
            f"<weeklyReport><reference>Report</reference><publicationDate>{day:%d/%m/%Y}</publicationDate>"
            f"<URL>{gate.report_address(number).replace('&', '&amp;')}</URL></weeklyReport>"
            for number, day in self.reports.items()
        )
        return Reply(f"<list>{''.join(entries)}</list>", content_type=XML)

    @property
    def asked_reports(self) -> list[int]:
        return [int(path.partition("?")[0].rpartition("/")[2]) for path in self.web.paths() if "/detail/" in path]


FIRST, DAY = 10000276, date(2025, 10, 24)


@pytest.fixture
def weeks(web: Loopback, crawls: Crawls) -> Gate:
    use(crawls, "eu_safety_gate_alerts", first_weeks=60)
    return Gate(web)


def a_year(weeks: Gate) -> None:
    for week in range(52):
        toys = (alert_xml(f"SR/{week:02}9{n:02}/26", category="Toys", product="Slime", name="Goo") for n in range(55))
        cosmetics = (alert_xml(f"SR/{week:02}0{n:02}/26", name=f"Serum {week}-{n}") for n in range(7))
        weeks.publish(FIRST + week, DAY + timedelta(weeks=week), *toys, *cosmetics)


def keys(ended: Ended) -> list[str]:
    return [notice.key for notice in notices(ended)]


def test_a_whole_year_is_read_and_read_the_same_in_replay(weeks: Gate, crawls: Crawls) -> None:
    a_year(weeks)

    live = crawls.run()
    weeks.web.asked.clear()
    replayed = crawls.replay(live.folder)

    assert live.code == 0, live.err
    assert weeks.web.asked == [], "a replay asks nobody"
    assert len(live.records) == 52 * 7
    assert live.run.listed == 52
    assert live.run.not_kept == {"other category, and no word of the context lists": 52 * 55}
    assert str(live.run.newest) == "2026-10-16"
    drop = {"captures"}
    assert [n.model_dump(exclude=drop) for n in notices(replayed)] == [
        n.model_dump(exclude=drop) for n in notices(live)
    ]


def test_a_later_reading_reads_new_reports_and_the_last_ones_again(weeks: Gate, crawls: Crawls) -> None:
    for week in range(4):
        weeks.publish(FIRST + week, DAY + timedelta(weeks=week), alert_xml(f"SR/0000{week}/26"))
    first = crawls.run()
    assert weeks.asked_reports == [FIRST + week for week in (3, 2, 1, 0)]

    weeks.web.asked.clear()
    corrected = alert_xml("SR/00003/26", danger="It burns.")
    weeks.publish(FIRST + 3, DAY + timedelta(weeks=3), corrected)
    weeks.publish(FIRST + 4, DAY + timedelta(weeks=4), alert_xml("SR/00004/26"))
    second = crawls.run("--known", known_file(crawls, first))

    assert weeks.asked_reports == [FIRST + 4, FIRST + 3]
    assert keys(second) == ["SR/00004/26", "SR/00003/26"]
    assert notices(second)[1].summary == "It burns."


def test_a_first_reading_goes_back_some_weeks_and_legacy_numbers_are_the_oldest(weeks: Gate, crawls: Crawls) -> None:
    use(crawls, "eu_safety_gate_alerts", first_weeks=2)
    weeks.publish(266, date(2009, 3, 20), alert_xml("SR/00266/09"))
    for week in range(3):
        weeks.publish(FIRST + week, DAY + timedelta(weeks=week), alert_xml(f"SR/0000{week}/26"))

    first = crawls.run()
    assert weeks.asked_reports == [FIRST + 2, FIRST + 1]
    assert first.run.not_kept == {"report older than asked for": 2}

    weeks.web.asked.clear()
    crawls.run("--known", known_file(crawls, first))
    assert weeks.asked_reports == [FIRST + 2, FIRST + 1], "what was left out for its age is not asked for later"

    weeks.web.asked.clear()
    crawls.run("--since", "2025-10-20")
    assert weeks.asked_reports == [FIRST + 2, FIRST + 1, FIRST]


def test_the_same_case_in_two_reports_is_told_as_in_the_newer(weeks: Gate, crawls: Crawls) -> None:
    weeks.publish(FIRST, DAY, alert_xml("SR/00001/26", danger="Old words."))
    weeks.publish(FIRST + 1, DAY + timedelta(weeks=1), alert_xml("SR/00001/26", danger="New words."))

    ended = crawls.run()

    assert [notice.summary for notice in notices(ended)] == ["New words."]
    assert ended.run.not_kept == {"listed twice": 1}


def test_one_report_that_fails_is_asked_for_again_and_hides_no_other(weeks: Gate, crawls: Crawls) -> None:
    for week in range(4):
        weeks.publish(FIRST + week, DAY + timedelta(weeks=week), alert_xml(f"SR/0000{week}/26"))
    lost = weeks.web.routes.pop(f"{API}/detail/xml/{FIRST + 1}")

    first = crawls.run()
    assert keys(first) == ["SR/00003/26", "SR/00002/26", "SR/00000/26"]
    assert "http_error" in first.problems

    weeks.web.routes[f"{API}/detail/xml/{FIRST + 1}"] = lost
    second = crawls.run("--known", known_file(crawls, first))
    assert keys(second) == ["SR/00001/26"]


@pytest.mark.parametrize("reply", [Reply("gone", 404), Reply("<list/>", content_type=XML)])
def test_without_a_list_the_next_numbers_are_tried(weeks: Gate, crawls: Crawls, reply: Reply) -> None:
    weeks.publish(FIRST, DAY, alert_xml("SR/00001/26"))
    first = crawls.run()
    weeks.publish(FIRST + 1, DAY + timedelta(weeks=1), alert_xml("SR/00002/26"))
    weeks.web.routes[f"{API}/list/xml/en"] = reply
    weeks.web.asked.clear()

    second = crawls.run("--known", known_file(crawls, first))

    assert keys(second) == ["SR/00002/26"]
    assert weeks.asked_reports == [FIRST + 1, FIRST + 2, FIRST + 3]
    told = [problem.kind for problem in second.run.problems if f"report {FIRST + 1} instead" in problem.message]
    assert told == ["http_error"]


def test_without_a_list_and_without_known_reports_nothing_is_guessed(weeks: Gate, crawls: Crawls) -> None:
    weeks.web.routes[f"{API}/list/xml/en"] = Reply("<list/>", content_type=XML)

    ended = crawls.run()

    assert "names no weekly report" in ended.problems["layout_changed"]
    assert (ended.run.listed, ended.run.outcome, weeks.asked_reports) == (None, Outcome.ERRORS, [])


def test_a_script_shell_in_place_of_a_report_is_no_empty_week(weeks: Gate, crawls: Crawls) -> None:
    weeks.publish(FIRST, DAY)
    weeks.web.routes[f"{API}/detail/xml/{FIRST}"] = Reply("<html><script src='x.js'></script></html>")

    ended = crawls.run()

    assert "wrong_content_type" in ended.problems
    assert ended.run.seen[f"report {FIRST}"] == "", "it stays owed"


def test_the_recorded_report_is_read() -> None:
    body = samples("world/eu_safety_gate/weekly_report_10000319_2026-08-21_en.xml").read_bytes()
    day, alerts = gate.read_report(fromstring(body), "recorded")

    kept = read(body, 10000319)

    assert (day, len(alerts)) == (date(2026, 8, 21), 64)
    everything = [gate.notice_of(alert, day, CARD, "run/1") for alert in alerts]
    assert len({notice.key for notice in everything}) == 64
    assert all(notice.key.startswith(("SR/", "OR/")) and notice.summary for notice in everything)
    cosmetics = [notice for notice in kept if "Category: Cosmetics" in notice.text]
    assert len(cosmetics) == 5
    assert "SR/02305/26" in {notice.key for notice in cosmetics}
    assert not [notice for notice in everything if "exosom" in notice.text.lower()]
    assert not [notice for notice in everything if ")Category of measure" in notice.text or "<br" in notice.text]


# AEMPS and EMA's news, which generic readers read


def test_aemps_posts_are_told_apart_by_their_titles() -> None:
    body = json.loads((FIXTURES / "es_aemps_notices" / "posts.json").read_bytes())
    titles = {
        "Retirada del mercado de un cosmético": "recall",
        "La AEMPS informa de un producto ilegal para inyectar": "alert",
        "Consulta pública previa": "consultation",
        "Reunión del comité": "advisory",
    }
    posts = [{**body[0], "id": n, "title": {"rendered": title}} for n, title in enumerate(titles, start=1)]
    card = CARDS["es_aemps_notices"]

    found = list(spider_module(card).read(json_response(card.start, json.dumps(posts)), card))

    assert [record.notice_type.value for record in found if isinstance(record, NoticeRecord)] == [*titles.values()]


def test_aemps_is_asked_for_the_last_change_first(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "es_aemps_notices")
    asked: list[str] = []

    def answer(question: Asked) -> Reply:
        asked.append(question.path)
        body = (FIXTURES / "es_aemps_notices" / "posts.json").read_bytes()
        return Reply(body, content_type="application/json")

    web.routes["www.aemps.gob.es/wp-json/wp/v2/posts"] = answer

    first = crawls.run()
    assert "orderby=modified" in asked[0]
    assert (keys(first), first.run.listed) == (["990001", "990002"], 2)

    second = crawls.run("--known", known_file(crawls, first))
    assert (second.records, second.run.known) == ([], 2)


def test_ema_s_news_are_read_from_feed_and_page(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "eu_ema_news")
    folder = FIXTURES / "eu_ema_news"
    web.routes["www.ema.europa.eu/en/news.xml"] = Reply((folder / "feed.xml").read_bytes(), content_type="text/xml")
    page: Any = Reply((folder / "news.html").read_bytes())
    web.routes["www.ema.europa.eu/en/news/unregulated-cell-products"] = page

    ended = crawls.run()

    told = {urlsplit(notice.url).path.rpartition("/")[2]: notice for notice in notices(ended)}
    warning, highlights = told["unregulated-cell-products"], told["highlights"]
    assert (str(warning.posted), warning.notice_type.value) == ("2026-10-13", "alert"), "the day as printed"
    assert "exosomes" in warning.text
    assert (str(highlights.posted), highlights.unread) == ("2026-10-09", ("page: the server answered 404",))
