"""The generic readers as programs, against a server of our own: lists, pages, second runs, parts, and blindness."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Any

import pytest

from monitor.records import Outcome
from tests.crawler.cards import a_card
from tests.crawler.conftest import Crawls
from tests.crawler.test_source_runs import known_file, notices
from tests.crawler.test_us_pdf import tiny_pdf
from tests.loopback import Asked, Loopback, Reply

HOST = "office.example"
XML = "application/rss+xml"


def use(crawls: Crawls, reader: str, **options: Any) -> None:
    crawls.card = a_card(reader, **options).model_dump(mode="json")


class Office:
    """An invented office with a feed and a page for each of its entries."""

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.items: list[tuple[str, str, str]] = []
        self.more: list[tuple[str, str, str]] = []
        web.routes[f"{HOST}/list"] = lambda _: Reply(self._feed(self.items), content_type=XML)
        web.routes[f"{HOST}/other"] = lambda _: Reply(self._feed(self.more), content_type=XML)

    def publish(self, number: int, title: str, text: str = "Nothing more.", day: str = "2026-11-18") -> None:
        self.items.insert(0, (f"/news/{number}", title, day))
        page = f"<title>{title}</title><main><h1>{escape(title)}</h1><p>{escape(text)}</p></main>"
        self.web.routes[f"{HOST}/news/{number}"] = Reply(page)

    def _feed(self, items: list[tuple[str, str, str]]) -> str:
        entries = "".join(
            f"<item><title>{escape(title)}</title><link>{link}</link>"
            + (f"<pubDate>{format_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC))}</pubDate>" if day else "")
            + "</item>"
            for link, title, day in items
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel>{entries}</channel></rss>'

    @property
    def asked(self) -> list[str]:
        return [path for path in self.web.paths(HOST) if path.startswith("/news/")]


@pytest.fixture
def office(web: Loopback) -> Office:
    return Office(web)


# What is kept


def test_what_meets_a_word_is_followed_and_the_rest_is_counted(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", terms=["en"], follow=True)
    office.publish(1, "Injectable kits seized", "Exosomes of www.kelda.example were in them.")
    office.publish(2, "Milk recalled")

    ended = crawls.run()

    assert (ended.code, ended.run.listed) == (0, 2), ended.err
    (record,) = notices(ended)
    assert record.text == "Injectable kits seized\nExosomes of www.kelda.example were in them."
    assert record.quoted_urls == ("https://www.kelda.example",)
    assert len(record.captures) == 2
    assert ended.run.not_kept == {"no term of the card's lists in the entry": 1}
    assert office.asked == ["/news/1"]


def test_the_page_decides_where_titles_say_nothing(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", terms=["en"], gate="text", follow=True)
    office.publish(1, "Statement of the office", "Exosomes are no cosmetics.")
    office.publish(2, "Statement on milk", "It was sour.")

    first = crawls.run()

    assert [record.title for record in notices(first)] == ["Statement of the office"]
    assert first.run.not_kept == {"no term of the card's lists in entry or page": 1}
    assert len(office.asked) == 2

    office.web.asked.clear()
    second = crawls.run("--known", known_file(crawls, first))
    assert (office.asked, second.run.known, second.run.outcome) == ([], 2, Outcome.OK)


def test_under_other_words_what_was_left_out_is_looked_at_again(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", terms=["en"], follow=True)
    office.publish(1, "Milk recalled")
    first = crawls.run()
    assert first.records == []

    use(crawls, "feed", terms=["en"], words=["milk"], follow=True)
    second = crawls.run("--known", known_file(crawls, first))

    assert [record.title for record in notices(second)] == ["Milk recalled"]


def test_an_entry_in_two_feeds_is_one_notice(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", also=["https://office.example/other"])
    office.publish(1, "Kelda")
    office.more = [("/news/1?utm_source=other", "Kelda", "2026-11-18"), ("/news/2", "Onda", "2026-11-18")]

    ended = crawls.run()

    assert sorted(record.key for record in notices(ended)) == [f"https://{HOST}/news/1", f"https://{HOST}/news/2"]
    assert (ended.run.listed, ended.run.not_kept) == (2, {"listed more than once": 1})


def test_a_changed_entry_is_read_again_and_a_re_dated_one_is_not(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", follow=True)
    office.publish(1, "Kelda")
    office.publish(2, "Onda")
    first = crawls.run()
    office.items = [("/news/1", "Kelda, corrected", "2026-11-18"), ("/news/2", "Onda", "2026-11-19")]
    office.web.asked.clear()

    second = crawls.run("--known", known_file(crawls, first))

    assert office.asked == ["/news/1"]
    assert [record.title for record in notices(second)] == ["Kelda, corrected"]


def test_since_and_limit_bound_what_is_read(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", follow=True)
    for number in range(1, 6):
        office.publish(number, f"Kelda {number}", day=f"2026-11-0{number}")

    ended = crawls.run("--since", "2026-11-03", "--limit", "2")

    assert [record.title for record in notices(ended)] == ["Kelda 5", "Kelda 4"]
    assert ended.run.not_kept == {"older than 2026-11-03": 2, "beyond the limit asked for": 1}


def test_a_date_that_has_not_come_makes_nothing_look_fresh(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed")
    office.publish(1, "Kelda", day="2026-11-18")
    office.publish(2, "Onda", day="2099-01-01")
    crawls.config["rehearsal"]["now"] = "2026-11-20T08:00:00Z"

    ended = crawls.run()

    assert str(ended.run.newest) == "2026-11-18"
    assert [(record.posted is None, record.unread) for record in notices(ended)] == [
        (True, ("posted date: 2099-01-01 has not come yet",)),
        (False, ()),
    ]


# Entries' pages


def test_a_page_that_is_not_there_is_told_and_asked_for_again(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", follow=True)
    office.publish(1, "Kelda")
    del office.web.routes[f"{HOST}/news/1"]

    first = crawls.run()
    (record,) = notices(first)
    assert record.unread == ("page: the server answered 404",)

    office.web.asked.clear()
    crawls.run("--known", known_file(crawls, first))
    assert office.asked == ["/news/1"]


def test_one_odd_page_is_told_in_its_notice_and_all_odd_are_a_changed_site(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", follow=True, text_selector="main")
    office.publish(1, "Kelda")
    office.publish(2, "Onda")
    office.web.routes[f"{HOST}/news/2"] = Reply("<div>Another template</div>")

    ended = crawls.run()
    assert ended.problems == {}
    assert ["0 of `main`" in "".join(record.unread) for record in notices(ended)] == [True, False]

    office.web.routes[f"{HOST}/news/1"] = Reply("<div>Another template</div>")
    changed = crawls.run()
    assert "no entry's page was understood: 0 of `main`" in changed.problems["layout_changed"]
    assert changed.run.outcome is Outcome.ERRORS


def test_a_page_that_leads_to_the_front_page_is_no_page(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", follow=True)
    office.publish(1, "Kelda")
    office.publish(2, "Onda")
    office.web.routes[f"{HOST}/news/1"] = Reply(status=302, headers={"Location": "/"})
    office.web.routes[f"{HOST}/"] = Reply("<main><h1>Welcome</h1></main>")

    told = {record.title: record.unread for record in notices(crawls.run())}

    assert "led to the site's front page" in told["Kelda"][0]
    assert told["Onda"] == ()


def test_a_pdf_is_read_as_well(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", terms=["en"], gate="text", follow=True)
    office.items = [("/files/7.pdf", "Statement 7", "2026-11-18"), ("/get?id=8", "Statement 8", "2026-11-18")]
    pdf = {"content_type": "application/pdf"}
    office.web.routes[f"{HOST}/files/7.pdf"] = Reply(tiny_pdf("Exosomes of www.kelda.example"), **pdf)
    office.web.routes[f"{HOST}/get"] = Reply(tiny_pdf("Opening hours"), **pdf)

    ended = crawls.run()

    (record,) = notices(ended)
    assert (record.title, record.text) == ("Statement 7", "Exosomes of www.kelda.example")
    assert record.quoted_urls == ("https://www.kelda.example",)
    assert ended.run.not_kept == {"no term of the card's lists in entry or page": 1}


def test_a_sweep_goes_through_the_whole_list(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "html_list", row="li", next="a[rel=next]")

    def answer(asked: Asked) -> Reply:
        at = int(asked.path.partition("page=")[2] or 0)
        more = f'<a rel="next" href="?page={at + 1}">more</a>' if at < 3 else ""
        return Reply(f'<li><a href="/n/{at}">Entry {at}</a></li>{more}')

    web.routes[f"{HOST}/list"] = answer
    first = crawls.run()
    known = known_file(crawls, first)

    web.asked.clear()
    assert crawls.run("--known", known).run.known == 1
    assert len(web.paths(HOST)) == 1
    assert crawls.run("--known", known, "--sweep").run.known == 4


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("https://elsewhere.example/1", "page: it is on another site, elsewhere.example"),
        ("/files/kelda.docx", "page: a file that this reader does not open"),
    ],
)
def test_a_page_that_is_not_asked_for_says_why(office: Office, crawls: Crawls, link: str, reason: str) -> None:
    use(crawls, "feed", follow=True)
    office.items = [(link, "Kelda", "2026-11-18")]

    (record,) = notices(crawls.run())

    assert record.unread == (reason,)
    assert {asked.host for asked in office.web.asked} == {HOST}


def test_where_the_page_decides_and_is_not_read_the_entry_alone_does(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", terms=["en"], gate="text", follow=True)
    office.items = [
        ("https://elsewhere.example/1", "Statement", "2026-11-18"),
        ("https://elsewhere.example/2", "Exosomes seized", "2026-11-18"),
    ]

    ended = crawls.run()

    assert [record.title for record in notices(ended)] == ["Exosomes seized"]
    assert ended.run.not_kept == {"no term of the card's lists in the entry, and its page is not read": 1}


def test_a_host_that_the_card_names_is_followed_to(office: Office, crawls: Crawls) -> None:
    use(crawls, "feed", follow=True, hosts=["elsewhere.example"])
    office.items = [("https://elsewhere.example/1", "Kelda", "2026-11-18")]
    office.web.routes["elsewhere.example/1"] = Reply("<main><h1>Kelda</h1><p>Whole text</p></main>")

    (record,) = notices(crawls.run())

    assert record.text == "Kelda\nWhole text"


# Paging


def test_a_list_is_paged_through_and_then_only_as_far_as_it_is_new(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "html_list", row="li", next="a[rel=next]", sentinel="ul")
    rows = [f'<li><a href="/n/{number}">Entry {number}</a></li>' for number in range(9)]

    def answer(asked: Asked) -> Reply:
        at = int(asked.path.partition("page=")[2] or 0)
        more = f'<a rel="next" href="?page={at + 1}">more</a>' if at < 2 else ""
        return Reply(f"<ul>{''.join(rows[at * 3 : at * 3 + 3])}</ul>{more}")

    web.routes[f"{HOST}/list"] = answer
    first = crawls.run()
    assert (first.run.listed, len(first.records)) == (9, 9)

    web.asked.clear()
    rows.insert(0, '<li><a href="/n/new">New</a></li>')
    second = crawls.run("--known", known_file(crawls, first))
    assert [record.title for record in notices(second)] == ["New"]
    assert web.paths(HOST) == ["/list", "/list?page=1"], "the second page brings nothing new: the last is let be"


def test_more_pages_than_the_card_allows_are_said(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "html_list", row="li", next="a[rel=next]", max_pages=2)

    def answer(asked: Asked) -> Reply:
        at = int(asked.path.partition("page=")[2] or 0)
        return Reply(f'<li><a href="/n/{at}">Entry {at}</a></li><a rel="next" href="?page={at + 1}">more</a>')

    web.routes[f"{HOST}/list"] = answer

    ended = crawls.run()

    assert (len(ended.records), "2 pages" in ended.problems["limit_reached"]) == (2, True)


def test_wordpress_is_asked_for_each_word_and_page(web: Loopback, crawls: Crawls) -> None:
    start = "https://office.example/wp-json/wp/v2/posts"
    use(crawls, "wp_json", start=start, search=["exosomas", "células madre"], per_page=1)

    def answer(asked: Asked) -> Reply:
        if "exosomas" not in asked.path:
            return Reply("[]", content_type="application/json", headers={"X-WP-TotalPages": "0"})
        page = int(asked.path.partition("&page=")[2].partition("&")[0])
        post = {"id": page, "date": "2026-11-18T10:00:00", "link": f"/{page}/", "title": {"rendered": f"P{page}"}}
        return Reply(json.dumps([post]), content_type="application/json", headers={"X-WP-TotalPages": "2"})

    web.routes[f"{HOST}/wp-json/wp/v2/posts"] = answer

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert sorted(record.key for record in notices(ended)) == ["1", "2"]
    assert len(web.paths(HOST)) == 3, "two pages of the first word, one of the second, none beyond the last"


# CSV in parts

COLUMNS = {"key": "Nr", "title": "Name"}


class Archive:
    """A file that is given in parts, by byte ranges."""

    def __init__(self, web: Loopback, rows: int) -> None:
        lines = [
            f'{number};"{"KELDA" if number % 20_000 == 7 else "ONDA"} {"é" * 30} {number}"' for number in range(rows)
        ]
        self.body = "\n".join(["Nr;Name", *lines, ""]).encode()
        self.etag = "one"
        self.replaced_after = 1_000_000
        self.given = 0
        web.routes[f"{HOST}/list"] = self._answer

    def _answer(self, asked: Asked) -> Reply:
        wanted = asked.headers["Range"].removeprefix("bytes=").split("-")
        assert asked.headers["Accept-Encoding"] == "identity"
        first, last = int(wanted[0]), min(int(wanted[1]), len(self.body) - 1)
        self.given += 1
        headers = {
            "Content-Range": f"bytes {first}-{last}/{len(self.body)}",
            "ETag": f'"{self.etag if self.given <= self.replaced_after else "two"}"',
        }
        return Reply(self.body[first : last + 1], status=206, content_type="text/csv", headers=headers)


def test_a_large_file_is_read_part_by_part_each_a_capture(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "csv_table", fields=COLUMNS, words=["kelda"], part_mb=1, multiline=False)
    archive = Archive(web, 60_000)

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert archive.given == len(archive.body) // 1024**2 + 1 == 5
    assert [record.key for record in notices(ended)] == ["7", "20007", "40007"]
    assert ended.run.listed == 60_000
    assert ended.run.not_kept == {"no term of the card's lists in the row": 59_997}
    assert len(ended.run.seen) == 3, "what was not kept is counted, not remembered"
    assert len(ended.captures) >= 5
    again = crawls.replay(ended.folder)
    assert [record.key for record in notices(again)] == ["7", "20007", "40007"]


def test_a_file_that_is_replaced_while_it_is_read_is_not_half_read(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "csv_table", fields=COLUMNS, part_mb=1, merge=True)
    Archive(web, 60_000).replaced_after = 2

    ended = crawls.run()

    assert "was replaced while it was being read" in ended.problems["layout_changed"]
    assert (ended.run.outcome, ended.records) == (Outcome.ERRORS, [])


def test_a_server_that_gives_the_whole_file_is_taken_at_that(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "csv_table", fields=COLUMNS, part_mb=1)
    web.routes[f"{HOST}/list"] = Reply("Nr;Name\n1;Kelda\n", content_type="text/csv")

    assert [record.key for record in notices(crawls.run())] == ["1"]


def test_a_part_that_was_not_asked_for_is_refused(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "csv_table", fields=COLUMNS, part_mb=1)
    headers = {"Content-Range": "bytes 5-20/500"}
    web.routes[f"{HOST}/list"] = Reply("Nr;Name\n1;Kelda\n", status=206, content_type="text/csv", headers=headers)

    assert "asked for bytes from 0 on and was given 'bytes 5-20/500'" in crawls.run().problems["layout_changed"]


def test_a_page_leads_to_the_file(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "csv_table", fields=COLUMNS, landing="a[href$='.csv']")
    web.routes[f"{HOST}/list"] = Reply('<a href="/old.html">x</a><a href="/2.csv">new</a><a href="/1.csv">old</a>')
    web.routes[f"{HOST}/2.csv"] = Reply("Nr;Name\n1;Kelda\n", content_type="text/csv")

    assert [record.key for record in notices(crawls.run())] == ["1"]

    web.routes[f"{HOST}/list"] = Reply("<p>The files have moved</p>")
    assert "0 of `a[href$='.csv']`" in crawls.run().problems["layout_changed"]


# Blind

FEED = '<?xml version="1.0"?><rss version="2.0"><channel><item><title>K</title><link>/1</link></item></channel></rss>'
CAPTCHA = "<html><title>Just a moment...</title><body>Verify you are human</body></html>"


@pytest.mark.parametrize(
    ("reader", "options", "reply", "outcome", "problem"),
    [
        ("feed", {}, Reply("<h1>Not Found</h1>", status=404), Outcome.ERRORS, "http_error"),
        ("feed", {}, Reply("<html><body>Our feeds have moved</body></html>"), Outcome.ERRORS, "wrong_content_type"),
        ("feed", {}, Reply(FEED[:-30], content_type=XML), Outcome.ERRORS, "layout_changed"),
        ("feed", {}, Reply(CAPTCHA), Outcome.BLOCKED, "blocked"),
        ("feed", {}, Reply(CAPTCHA, status=403), Outcome.BLOCKED, "blocked"),
        ("html_list", {"row": "li"}, Reply("<main><h1>News</h1></main>"), Outcome.ERRORS, "layout_changed"),
        ("html_list", {"row": "li"}, Reply("<h1>Page not found</h1><li>x</li>"), Outcome.ERRORS, "soft_404"),
        ("html_list", {"row": "li"}, Reply(CAPTCHA), Outcome.BLOCKED, "blocked"),
        (
            "html_list",
            {"row": "li"},
            Reply(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", content_type="image/png"),
            Outcome.ERRORS,
            "wrong_content_type",
        ),
        (
            "json_table",
            {"fields": COLUMNS},
            Reply("<html>Down for repairs</html>"),
            Outcome.ERRORS,
            "wrong_content_type",
        ),
        (
            "json_table",
            {"fields": COLUMNS},
            Reply("[]", content_type="application/json"),
            Outcome.ERRORS,
            "layout_changed",
        ),
        (
            "csv_table",
            {"fields": COLUMNS},
            Reply("<html>Down for repairs</html>"),
            Outcome.ERRORS,
            "wrong_content_type",
        ),
        (
            "csv_table",
            {"fields": COLUMNS},
            Reply("Nr;Title\n1;K\n", content_type="text/csv"),
            Outcome.ERRORS,
            "layout_changed",
        ),
        (
            "wp_json",
            {},
            Reply('{"code": "rest_no_route"}', content_type="application/json"),
            Outcome.ERRORS,
            "layout_changed",
        ),
    ],
)
def test_a_source_that_cannot_be_read_is_reported_as_just_that(
    web: Loopback, crawls: Crawls, reader: str, options: dict[str, Any], reply: Reply, outcome: Outcome, problem: str
) -> None:
    use(crawls, reader, **options)
    web.routes[f"{HOST}/list"] = reply

    ended = crawls.run()

    assert (ended.run.outcome, set(ended.problems)) == (outcome, {problem}), ended.problems
    assert ended.records == []


def test_a_card_with_an_option_that_cannot_be_does_not_start(web: Loopback, crawls: Crawls) -> None:
    use(crawls, "feed", folow=True)

    ended = crawls.run()

    assert ended.code == 3
    assert "options.folow: Extra inputs are not permitted" in ended.err
    assert web.asked == []
