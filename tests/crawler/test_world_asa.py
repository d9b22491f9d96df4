"""The ASA's rulings: a search that may ignore its words, and pages with rulings beside the ruling."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.page import Page, day_first_date
from crawler.source import BlockedError, LayoutChangedError, load_cards
from crawler.sources import uk_asa_rulings
from crawler.sources.reading import page_of
from monitor.records import NoticeRecord, Outcome
from tests.crawler.conftest import Crawls
from tests.crawler.responses import response_of
from tests.crawler.test_source_runs import known_file, notices, use
from tests.loopback import Asked, Loopback, Reply

FIXTURES = Path(__file__).with_name("sources") / "uk_asa_rulings"
CARD = load_cards()["uk_asa_rulings"]
RULING = "https://www.asa.org.uk/rulings/moorcroft-skin-ltd-a26-9000001-moorcroft-skin-ltd.html"


def page(html: str, url: str = RULING) -> Page:
    return page_of(response_of(url, html))


def ruling_html() -> str:
    return (FIXTURES / "ruling.html").read_text(encoding="utf-8")


def list_html(*items: str, tab: str = "rulings") -> str:
    aside = '<a href="/rulings/side.html">Another ruling</a>'
    return f'<div class="main-content"><div id="{tab}"><ul>{"".join(items)}</ul></div>{aside}</div>'


def an_item(name: str, ruled: str = "14 October 2026", verdict: str = "Upheld") -> str:
    captions = "".join(f'<li class="meta-listing-item">{text}</li>' for text in (verdict, "Website", ruled))
    href = f"/rulings/{name.lower().replace(' ', '-')}.html"
    return (
        f'<li class="icon-listing-item"><h4 class="heading"><a href="{href}">{name}</a></h4>'
        f'<ul class="meta-listing">{captions}</ul><p>About {name}.</p></li>'
    )


@pytest.mark.parametrize(("printed", "day"), [("15 July 2026", date(2026, 7, 15)), ("1  Sept 2026", date(2026, 9, 1))])
def test_dates_with_the_day_first(printed: str, day: date) -> None:
    assert day_first_date(printed) == day


@pytest.mark.parametrize("printed", ["July 15, 2026", "15/07/2026", "31 June 2026", "15 Smarch 2026", ""])
def test_what_is_no_date_with_the_day_first_is_refused(printed: str) -> None:
    with pytest.raises(LayoutChangedError):
        day_first_date(printed)


def test_only_the_first_meta_listing_is_the_ruling_s_own() -> None:
    ruling = uk_asa_rulings.read_ruling(page(ruling_html()))

    assert (ruling.verdict, ruling.medium, ruling.ruled) == ("Upheld", "Social media (paid ad)", date(2026, 10, 14))
    assert "Other Ltd" not in ruling.text
    assert "Health" not in ruling.text.split("\n"), "more on the subject is no part of the ruling"


def test_related_rulings_inside_the_body_are_no_part_of_it() -> None:
    related = an_item("Related Ltd")
    html = ruling_html().replace("<h2>Action</h2>", f"<ul>{related}</ul><h2>Action</h2>")

    ruling = uk_asa_rulings.read_ruling(page(html))

    assert "Related Ltd" not in ruling.text
    assert "must not appear again" in ruling.text


def test_rules_are_those_under_the_code_s_heading() -> None:
    html = ruling_html().replace("No licence was shown", "Rule 99.9 of something and 2.5 ml; no licence was shown")

    assert uk_asa_rulings.read_ruling(page(html)).rules == ("12.1", "12.11", "3.7")


@pytest.mark.parametrize(
    ("url", "key"),
    [
        (RULING, "A26-9000001"),
        ("https://www.asa.org.uk/rulings/kelda-A21-1100222-kelda.html?x=1", "A21-1100222"),
        ("https://www.asa.org.uk/rulings/kelda.html", "/rulings/kelda.html"),
    ],
)
def test_a_ruling_is_told_by_its_complaint_s_number(url: str, key: str) -> None:
    assert uk_asa_rulings.key_of(url) == key


@pytest.mark.parametrize(
    ("marker", "changed"), [("heading", "title"), ("meta-listing", "facts"), ("main-content", "content")]
)
def test_without_a_marker_no_ruling_is_made(marker: str, changed: str) -> None:
    with pytest.raises(LayoutChangedError):
        uk_asa_rulings.read_ruling(page(ruling_html().replace(marker, changed)))


def test_a_list_without_its_tab_is_a_changed_layout_and_an_empty_tab_is_not() -> None:
    with pytest.raises(LayoutChangedError, match="#rulings"):
        uk_asa_rulings.read_list(page(list_html(tab="results")))
    assert uk_asa_rulings.read_list(page(list_html())) == ([], [])


@pytest.mark.parametrize(
    "item",
    [
        an_item("Kelda").replace("<h4", "<h3").replace("</h4", "</h3"),
        an_item("Kelda", ruled="31 June 2026"),
        an_item("Kelda").replace("/rulings/", "https://evil.example/"),
        '<li class="icon-listing-item"><h4 class="heading"><a href="/rulings/k.html">K</a></h4></li>',
    ],
)
def test_an_item_that_is_not_understood_is_said(item: str) -> None:
    listed, strange = uk_asa_rulings.read_list(page(list_html(an_item("Known Ltd"), item)))

    assert [one.advertiser for one in listed] == ["Known Ltd"]
    assert len(strange) == 1
    with pytest.raises(LayoutChangedError, match="no ruling of the list"):
        uk_asa_rulings.read_list(page(list_html(item)))


def test_a_captcha_is_a_block() -> None:
    html = "<html><title>Just a moment...</title><body>Verify you are human</body></html>"

    with pytest.raises(BlockedError):
        list(uk_asa_rulings.read(response_of(CARD.start, html, status=403), CARD))


class Desk:
    """Rulings by question, in pages; `first_page` says whether pages are numbered from 0 or from 1."""

    host = "www.asa.org.uk"

    def __init__(self, web: Loopback, first_page: int = 1) -> None:
        self.web = web
        self.first_page = first_page
        self.size = 2
        self.found: dict[str, list[str]] = {}
        web.routes[f"{self.host}/codes-and-rulings/rulings.html"] = self._list

    def rule(self, query: str, *names: str) -> None:
        self.found.setdefault(query, []).extend(names)
        for name in names:
            html = ruling_html().replace("Moorcroft Skin Ltd t/a Moorglow", name)
            self.web.routes[f"{self.host}/rulings/{name.lower().replace(' ', '-')}.html"] = Reply(html)

    def _list(self, asked: Asked) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        start = (int(query.get("page", self.first_page)) - self.first_page) * self.size
        names = self.found.get(query["q"], [])
        return Reply(list_html(*(an_item(name) for name in names[start : start + self.size])))

    @property
    def asked_rulings(self) -> list[str]:
        return [path for path in self.web.paths(self.host) if path.startswith("/rulings/")]


@pytest.mark.parametrize("first_page", [0, 1])
def test_every_page_is_read_wherever_their_numbers_begin(web: Loopback, crawls: Crawls, first_page: int) -> None:
    use(crawls, "uk_asa_rulings", queries=["exosome"])
    desk = Desk(web, first_page)
    desk.rule("exosome", *(f"Firm {number}" for number in range(5)))

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert {notice.organisations[0].name for notice in notices(ended)} == {f"Firm {number}" for number in range(5)}
    assert ended.run.listed == 5


def test_a_ruling_that_two_questions_find_is_read_once(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "uk_asa_rulings", queries=["exosome", "stem cell"])
    desk = Desk(web)
    desk.rule("exosome", "Firm 1", "Firm 2")
    desk.rule("stem cell", "Firm 2")

    first = crawls.run()
    assert sorted(desk.asked_rulings) == ["/rulings/firm-1.html", "/rulings/firm-2.html"]
    told = {notice.key: notice for notice in notices(first)}["/rulings/firm-1.html"]
    assert (told.status, told.summary, str(told.issued)) == ("Upheld", "About Firm 1.", "2026-10-14")

    web.asked.clear()
    second = crawls.run("--known", known_file(crawls, first))
    assert (desk.asked_rulings, second.run.known, second.run.outcome) == ([], 2, Outcome.OK)


def test_a_search_that_ignores_its_words_is_noticed(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "uk_asa_rulings", queries=["exosome", "stem cell", "hair loss"])
    desk = Desk(web)
    for query in ("exosome", "stem cell", "hair loss"):
        desk.rule(query, "Latest Ltd", "Later Ltd")

    ended = crawls.run()

    assert "does not heed its words" in ended.problems["layout_changed"]
    assert ended.run.outcome is Outcome.ERRORS


def test_no_ruling_for_any_question_is_an_empty_list_that_was_read(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "uk_asa_rulings", queries=["exosome", "stem cell"])
    Desk(web)

    ended = crawls.run()

    assert (ended.run.listed, ended.run.problems, ended.run.outcome) == (0, (), Outcome.EMPTY)


def test_the_card_s_fixture_tells_list_and_ruling_as_one() -> None:
    (listed, _other), (ruling,) = (
        list(uk_asa_rulings.read(response_of(url, (FIXTURES / file).read_bytes()), CARD))
        for file, url in (("list.html", CARD.start), ("ruling.html", RULING))
    )

    assert isinstance(listed, NoticeRecord)
    assert isinstance(ruling, NoticeRecord)
    assert (listed.key, listed.status, listed.issued) == (ruling.key, ruling.status, ruling.issued)
