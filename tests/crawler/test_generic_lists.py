"""The readers of list pages, JSON, CSV and WordPress: what they read, and how they say that they did not."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crawler.generic import csv_table, html_list, json_table, wp_json
from crawler.source import BlockedError, LayoutChangedError
from monitor.records import AnyRecord, AuthorisationRecord, NoticeRecord
from tests.crawler.cards import LIST, a_card
from tests.crawler.responses import json_response, response_of

POSTS = "https://office.example/wp-json/wp/v2/posts"


def notices(records: Iterator[AnyRecord]) -> list[NoticeRecord]:
    return [record for record in records if isinstance(record, NoticeRecord)]


# List pages


def page(*rows: str, head: str = "<h1>News</h1>") -> str:
    return f"<html><body><nav><a href='/'>Home</a></nav><main>{head}<ul>{''.join(rows)}</ul></main></body></html>"


def read_list(body: str, language: str = "en", **options: Any) -> list[NoticeRecord]:
    card = a_card("html_list", language=language, **{"row": "main li", **options})
    return notices(html_list.read(response_of(LIST, body), card))


def test_rows_with_title_date_summary_and_label() -> None:
    row = (
        '<li><em>Recall</em> <a href="/n/1?utm_id=x">Kelda <b>kit</b></a> <time>18 November 2026</time><p>Why</p></li>'
    )

    (record,) = read_list(page(row), date="time", summary="p", label="em", types={"recall": "recall"})

    assert (record.key, record.title, record.posted) == ("https://office.example/n/1", "Kelda kit", date(2026, 11, 18))
    assert (record.summary, record.classification, record.notice_type) == ("Why", "Recall", "recall")


@pytest.mark.parametrize(
    ("language", "printed", "day"),
    [
        ("es", "30 de junio de 2026", date(2026, 6, 30)),
        ("pt", "3 de março de 2026", date(2026, 3, 3)),
        ("fr", "1er août 2026", date(2026, 8, 1)),
        ("de", "24. Juli 2026", date(2026, 7, 24)),
        ("de", "06.11.2026", date(2026, 11, 6)),
        ("fr", "06/11/2026", date(2026, 11, 6)),
        ("it", "5-mar-26", date(2026, 3, 5)),
        ("ko", "2026-08-21", date(2026, 8, 21)),
        ("ja", "2026年11月20日", date(2026, 11, 20)),
        ("zh", "2026/11/20", date(2026, 11, 20)),
        ("tr", "20 Ocak 2026", date(2026, 1, 20)),
        ("th", "20 พฤศจิกายน 2026", date(2026, 11, 20)),
    ],
)
def test_dates_in_the_lists_own_language(language: str, printed: str, day: date) -> None:
    row = f'<li><a href="/n/1">Kelda</a><i>{printed}</i></li>'

    (record,) = read_list(page(row), language=language, date="i")

    assert (record.posted, record.unread) == (day, ())


def test_numbers_are_read_in_the_cards_order_where_it_says_one() -> None:
    row = '<li><a href="/n/1">Kelda</a><i>06.11.2026</i></li>'

    assert read_list(page(row), date="i", date_order="DMY")[0].posted == date(2026, 11, 6)
    assert read_list(page(row), date="i", date_order="MDY")[0].posted == date(2026, 6, 11)


def test_a_date_glued_to_the_title_is_taken_off_it() -> None:
    row = '<li><a href="/n/1">30 de junio de 2026Se prohíbe el lote de Kelda</a></li>'

    (record,) = read_list(page(row), language="es", date_pattern=r"\d{1,2} de [a-zé]+ de \d{4}")

    assert (record.posted, record.title) == (date(2026, 6, 30), "Se prohíbe el lote de Kelda")


def test_a_date_that_stands_in_the_address_only() -> None:
    row = '<li><a href="2026-11/18/c_77.htm">Kelda</a></li>'

    (record,) = read_list(page(row), date_in_link=r"/(\d{4})-(\d{2})/(\d{2})/", id_pattern=r"c_(\d+)")

    assert (record.key, record.posted) == ("77", date(2026, 11, 18))


def test_a_link_that_is_its_own_row() -> None:
    body = page('<a href="/n/1"><p>3 May 2026</p><h3>Kelda</h3></a>')

    (record,) = read_list(body, row="a:has(h3)", title="h3", date_pattern=r"\d{1,2} [A-Z][a-z]+ \d{4}")

    assert (record.title, record.posted) == ("Kelda", date(2026, 5, 3))


def test_a_picture_beside_the_link_is_no_entry() -> None:
    rows = '<li><a href="/n/1"><img src="x"></a></li><li><a href="/n/1">Kelda</a></li>'

    listing = html_list.listing(response_of(LIST, page(rows)), a_card("html_list", row="main li"))

    assert ([entry.title for entry in listing.entries], listing.strange) == (["Kelda"], ())


def test_a_row_without_title_is_said() -> None:
    rows = '<li><a href="/n/1"> </a></li><li><a href="/n/2">Kelda</a></li>'

    listing = html_list.listing(response_of(LIST, page(rows)), a_card("html_list", row="main li"))

    assert listing.strange == ("no title in the row that links to https://office.example/n/1",)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (page(), "0 of `main li` where at least 1"),
        (page("<li>no link</li>"), r"no link \(`a\[href\]`\)"),
        (page('<li><a href="mailto:desk@office.example">Kelda</a></li>'), "is no address"),
        (page('<li><a href="/n/1">Kelda</a></li>', head=""), "0 of `h1` where at least 1"),
    ],
)
def test_a_list_that_is_not_understood_says_what_is_missing(body: str, complaint: str) -> None:
    with pytest.raises(LayoutChangedError, match=complaint):
        read_list(body, sentinel="h1")


def test_a_list_may_be_empty_but_not_without_its_sentinel() -> None:
    assert read_list(page(), sentinel="h1", empty_ok=True) == []
    with pytest.raises(LayoutChangedError, match="`h1`"):
        read_list(page(head=""), sentinel="h1", empty_ok=True)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"row": "li::["}, "no CSS selector"),
        ({"row": "li", "date_pattern": "("}, "no regular expression"),
        ({"row": "li", "types": {"(": "recall"}}, "no regular expression"),
        ({"row": "li", "terms": ["xx"]}, "no term list for xx"),
        ({"row": "li", "gate": "text"}, "gate: text needs follow"),
        ({"row": "li", "rows": 1}, "rows"),
        ({}, "row"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        html_list.Options.model_validate(options)


# An entry's page


def test_a_page_by_itself_gives_its_main_text_and_the_addresses_it_quotes() -> None:
    body = (
        "<html><head><title>T</title></head><body><nav>Menu</nav><main><h1>Kelda</h1><p>Sold at www.kelda.example</p>"
        "<form>Search</form></main><footer>Contact</footer></body></html>"
    )
    card = a_card("html_list", row="li")

    (record,) = notices(html_list.read(response_of("https://office.example/n/1", body), card))

    assert (record.title, record.text) == ("Kelda", "Kelda\nSold at www.kelda.example")
    assert record.quoted_urls == ("https://www.kelda.example",)


@pytest.mark.parametrize(
    ("body", "options"),
    [("<html><body></body></html>", {}), ("<main><h1>K</h1></main>", {"text_selector": ".body"}), ("{}", {})],
)
def test_a_page_without_its_text_is_said(body: str, options: dict[str, str]) -> None:
    kind = "application/json" if body == "{}" else "text/html"
    card = a_card("html_list", row="li", **options)

    with pytest.raises(LayoutChangedError):
        notices(html_list.read(response_of("https://office.example/n/1", body, kind), card))


TAGS = st.sampled_from(
    [
        *(
            "<main>",
            "</main>",
            "<ul>",
            "<li>",
            "</li>",
            "<a href='/n/1'>",
            "<a href='http://[x'>",
            "<a>",
            "</a>",
            "<h1>",
        ),
        *(
            "</h1>",
            "<time>",
            "3 May 2026",
            "31 February 2026",
            "<!--",
            "<base href='//'>",
            "Kelda",
            "&#0;",
            "%PDF-",
            "<td>",
        ),
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=80)
@given(body=st.lists(TAGS | st.text(max_size=8), max_size=20).map("".join), at=st.sampled_from([LIST, f"{LIST}/7"]))
def test_the_reader_of_pages_never_falls_over(body: str, at: str) -> None:
    card = a_card("html_list", row="li", date="time", title="a", follow=True)
    try:
        records = notices(html_list.read(response_of(at, body), card))
    except (LayoutChangedError, BlockedError):
        return
    assert all(record.key and record.title for record in records)


# JSON


def read_json(payload: Any, start: str = LIST, **options: Any) -> list[NoticeRecord]:
    fields = {"key": "id", "title": "name.text"}
    card = a_card("json_table", start=start, **{"rows": "data.rows", "fields": fields, **options})
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return notices(json_table.read(json_response(start, body), card))


def rows_of(*rows: Any) -> dict[str, Any]:
    return {"data": {"rows": list(rows)}}


A_ROW: dict[str, Any] = {"id": 7, "name": {"text": "Kelda &amp; Sons"}, "tags": ["a", "b"], "firms": [{"n": "Kelda"}]}


def test_dotted_names_reach_into_rows() -> None:
    fields = {
        "key": ["id", "firms.0.n"],
        "title": ["name.text", "firms.0.n"],
        "labels": ["tags"],
        "posted": "when",
        "url": "link",
    }
    row = {**A_ROW, "when": "2026-11-18T23:30:00+00:00", "link": "/n/7"}

    (record,) = read_json(rows_of(row), fields=fields)

    assert (record.key, record.title) == ("7/Kelda", "Kelda & Sons \N{EN DASH} Kelda")
    assert (record.classification, record.posted, record.url) == (
        "a, b",
        date(2026, 11, 18),
        "https://office.example/n/7",
    )


def test_an_address_is_made_of_the_id_where_the_table_gives_none() -> None:
    (record,) = read_json(rows_of({**A_ROW, "id": "a b/7"}), url_template="https://office.example/x/{key}")

    assert record.url == "https://office.example/x/a%20b%2F7"


def test_a_bom_and_a_bare_list_are_read() -> None:
    body = b"\xef\xbb\xbf" + json.dumps([A_ROW]).encode()

    assert [record.key for record in read_json(body, rows="")] == ["7"]


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        ({"data": {}}, "no list of rows at data.rows"),
        ({"data": {"rows": {"1": A_ROW}}}, "no list of rows"),
        (rows_of(), "is empty, where it never is"),
        (rows_of({"id": 7, "name": {}}), "no row has name.text"),
        (rows_of({"id": None, "name": {"text": "x"}}), "without id"),
        (b"<html>no</html>", "JSON"),
        (b'{"data": {"rows": [', "no JSON"),
    ],
)
def test_a_table_that_is_not_understood_says_why(payload: Any, complaint: str) -> None:
    with pytest.raises(LayoutChangedError, match=complaint):
        read_json(payload)


def more_of(count: int, url: str, **paging: Any) -> str:
    card = a_card(
        "json_table",
        start=LIST,
        rows="",
        fields={"key": "id", "title": "id"},
        paging={"parameter": "offset", "size": 2, **paging},
    )
    body = json.dumps([{"id": number} for number in range(1, count + 1)])
    return json_table.listing(json_response(url, body), card).more


def test_the_next_page_is_asked_for_while_pages_are_full() -> None:
    assert more_of(2, f"{LIST}?order=date%20desc") == f"{LIST}?order=date%20desc&offset=2"
    assert more_of(2, f"{LIST}?offset=2&limit=2") == f"{LIST}?limit=2&offset=4"
    assert more_of(1, f"{LIST}?offset=2") == ""
    assert more_of(2, f"{LIST}?offset=2", last=3) == "", "the server gives nothing beyond"
    assert more_of(2, f"{LIST}?offset=1", counts="pages", first=1) == f"{LIST}?offset=2"


def test_an_empty_page_after_a_full_one_is_the_end_and_no_change() -> None:
    card = a_card("json_table", rows="", fields={"key": "id", "title": "id"}, paging={"parameter": "offset", "size": 2})

    assert json_table.listing(json_response(f"{LIST}?offset=2", "[]"), card).entries == ()
    with pytest.raises(LayoutChangedError, match="is empty"):
        json_table.listing(json_response(LIST, "[]"), card)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "text"]), inner),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(payload=JSON)
def test_the_reader_of_json_never_falls_over(payload: Any) -> None:
    for one in (payload, rows_of(payload)):
        try:
            records = read_json(one)
        except (LayoutChangedError, BlockedError):
            continue
        assert all(record.key and record.title for record in records)


# CSV

COLUMNS = {"key": "Nr", "title": "Name", "posted": "Tag"}


def read_csv(body: bytes | str, **options: Any) -> list[AnyRecord]:
    card = a_card("csv_table", **{"fields": COLUMNS, **options})
    return list(csv_table.read(response_of(LIST, body, "text/csv"), card))


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b"\xef\xbb\xbfNr;Name;Tag\r\n1;K\xc3\xa9lda;2026-11-18\r\n", {}),
        ("Nr;Name;Tag\n1;Kélda;2026-11-18".encode("cp1252"), {"encoding": "cp1252"}),
        ("Nr\tName\tTag\n1\tKélda\t2026-11-18\n".encode("utf-16"), {"encoding": "utf-16"}),
        ('"Nr","Name","Tag"\n"1","Kélda","2026-11-18"\n', {}),
        ("Created by us\nOn,25.11.2026\n\nNr,Name,Tag\n1,Kélda,2026-11-18\n", {"header_starts": "Nr"}),
        ("x;Tag;Name;Nr\n;2026-11-18;Kélda;1\n", {"delimiter": ";"}),
    ],
    ids=["BOM", "cp1252", "utf-16 and tabs", "commas", "lines before the names", "columns in another order"],
)
def test_encodings_delimiters_and_preambles(body: bytes | str, options: dict[str, Any]) -> None:
    (record,) = read_csv(body, **options)

    assert isinstance(record, NoticeRecord)
    assert (record.key, record.title, record.posted) == ("1", "Kélda", date(2026, 11, 18))


def test_a_value_may_go_on_in_the_next_line() -> None:
    (record,) = read_csv('Nr;Name;Tag\n1;"Kelda ""X""\nkit; large";2026-11-18\n')

    assert isinstance(record, NoticeRecord)
    assert record.title == 'Kelda "X" kit; large'


def test_quotation_marks_that_are_just_signs() -> None:
    body = 'Nr;Name;Tag\n"1";"Kelda "exo" &AMP; Sons";"2026-11-18"\n2;5" needle;2026-11-18\n3;Onda;2026-11-18\n'

    found = read_csv(body, multiline=False)

    assert [getattr(record, "title", "") for record in found] == ['Kelda "exo" & Sons', '5" needle', "Onda"]


def test_a_sign_that_other_programs_take_for_a_line_break_is_none() -> None:
    body = "Nr;Name;Tag\n1;Kelda\x85kit\u2028x;2026-11-18\n".encode()

    assert [getattr(record, "title", "") for record in read_csv(body)] == ["Kelda kit x"]


def test_a_few_broken_rows_are_counted_and_let_pass() -> None:
    good = "".join(f"{number};Kelda {number};2026-11-18\n" for number in range(300))
    reader = csv_table.RowReader(csv_table.Options.model_validate({"fields": COLUMNS}))

    rows = list(reader.feed(f"Nr;Name;Tag\n{good}x;y\n1;a\rb;2026-11-18\n".encode(), last=True))

    assert (len(rows), reader.rows, reader.odd) == (300, 302, 2)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=80)
@given(
    lines=st.lists(st.text(alphabet='ab1;,"\r\n\x00\x85é', max_size=20) | st.just("1;Kelda;2026-11-18"), max_size=8),
    multiline=st.booleans(),
)
def test_the_reader_of_csv_never_falls_over(lines: list[str], multiline: bool) -> None:
    try:
        records = read_csv("\n".join(["Nr;Name;Tag", *lines]), multiline=multiline)
    except (LayoutChangedError, BlockedError):
        return
    assert all(getattr(record, "key", "") for record in records)


def test_rows_of_one_entry_are_put_together() -> None:
    body = "Nr;Name;Tag;Stoff\n1;Kelda;2026-11-10;a\n2;Onda;2026-11-11;b\n1;Kelda kit;2026-11-18;c\n"

    first, second = read_csv(body, merge=True, fields={**COLUMNS, "products": "Stoff"})

    assert isinstance(first, NoticeRecord)
    assert (first.key, first.title, first.posted, first.products) == ("1", "Kelda", date(2026, 11, 18), ("a", "c"))
    assert getattr(second, "key", "") == "2"


def test_a_register_of_products_gives_authorisations() -> None:
    fields = {"key": "Nr", "title": "Name", "status": "Stand", "references": "Nr", "organisation": "Firma"}
    card = a_card("csv_table", kind="authorisation", fields=fields, statuses={"S": "authorised"})
    body = "Nr;Name;Stand;Firma\n1;Kelda;S;Kelda Ltd\n2;Onda;?;Onda Ltd\n"

    found = list(csv_table.read(response_of(LIST, body, "text/csv"), card))

    assert all(isinstance(record, AuthorisationRecord) for record in found)
    assert [(r.product, r.status, r.status_text, r.holder) for r in found if isinstance(r, AuthorisationRecord)] == [
        ("Kelda", "authorised", "S", "Kelda Ltd"),
        ("Onda", "unknown", "?", "Onda Ltd"),
    ]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"Nr;Name;Tag\n1;K\xe9lda;2026-11-18\n", "byte 0xe9 is no utf-8-sig"),
        ("Nr;Titel;Tag\n1;Kelda;2026-11-18\n", "no column Name; it has Nr, Titel, Tag"),
        ("Nr;Name;Tag\n1;Kelda\n2;Onda\n3;Onda;x;y\n", "3 of 3 rows are not as wide"),
        ("Nr;Name;Tag\n", "holds no row"),
        ("", "ends before the line of the columns"),
        ("<html><body>Not found</body></html>", "a page where a CSV file was expected"),
        ('Nr;Name;Tag\n1;"' + "x\n" * 2_000_000, "never ends"),
    ],
)
def test_a_file_that_is_not_understood_says_why(body: bytes | str, complaint: str) -> None:
    with pytest.raises(LayoutChangedError, match=complaint):
        read_csv(body)


def test_bytes_that_the_encoding_does_not_know_are_marked_if_the_card_says_so() -> None:
    (record,) = read_csv(b"Nr;Name;Tag\n1;K\x81lda;2026-11-18\n", encoding="cp1252", undecodable="mark")

    assert getattr(record, "title", "") == "K\N{REPLACEMENT CHARACTER}lda"


@given(st.integers(min_value=1, max_value=40))
def test_rows_are_the_same_in_pieces_of_any_size(size: int) -> None:
    body = 'Nr;Name;Tag\r\n1;"Kélda\nkit";2026-11-18\r\n2;Ünda;2026-11-19\r\n'.encode()
    reader = csv_table.RowReader(csv_table.Options.model_validate({"fields": COLUMNS}))

    rows = [row for piece, last in csv_table.pieces(body, size) for row in reader.feed(piece, last=last)]

    assert [row["Name"] for row in rows] == ["Kélda\nkit", "Ünda"]


def test_a_file_of_two_hundred_megabytes_is_read_without_being_held() -> None:
    options = csv_table.Options.model_validate({"fields": COLUMNS, "multiline": False, "words": ["kelda"]})
    reader = csv_table.RowReader(options)
    line = b"1;ONDA " + b"x" * 4000 + b";2026-11-18\n"
    piece = line * 250
    tracemalloc.start()
    try:
        found = 0
        for number in range(200):
            rows = reader.feed((b"Nr;Name;Tag\n" + piece) if number == 0 else piece)
            found += sum("KELDA" in row["Name"] for row in rows)
        found += sum("KELDA" in row["Name"] for row in reader.feed(b"2;KELDA;2026-11-18\n", last=True))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (reader.rows, found) == (50_001, 1)
    assert peak < 20 * 1024**2, f"{peak / 1024**2:.0f} MB for a file of {200 * len(piece) / 1024**2:.0f} MB"


# WordPress


def post(number: int = 7, title: str = "Kelda &#8211; kit", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "date": "2026-11-18T23:30:00",
        "modified": "2026-11-20T08:00:00",
        "link": f"https://office.example/{number}/",
        "title": {"rendered": title},
        "excerpt": {"rendered": "<p>Short &hellip;</p>\n"},
        "content": {"rendered": "<h2>Why</h2><p>Sold at www.kelda.example</p><script>x()</script>"},
        **more,
    }


def read_posts(payload: Any, url: str = POSTS, pages: str = "1") -> wp_json.Listing:
    headers = {"X-WP-Total": "150", "X-WP-TotalPages": pages}
    return wp_json.listing(json_response(url, json.dumps(payload), headers=headers), a_card("wp_json", start=POSTS))


def test_a_post_is_read_with_its_rendered_entities_and_text() -> None:
    (entry,) = read_posts([post()]).entries

    assert (entry.key, entry.title, entry.summary) == ("7", "Kelda – kit", "Short …")
    assert entry.text == "Why\nSold at www.kelda.example"
    assert (entry.posted, entry.updated) == (date(2026, 11, 18), date(2026, 11, 20))


def test_pages_are_counted_by_the_header_alone() -> None:
    url = f"{POSTS}?per_page=100&page=1&search=c%C3%A9lulas%20madre"

    assert read_posts([post()], url, "2").more == f"{POSTS}?per_page=100&page=2&search=c%C3%A9lulas%20madre"
    assert read_posts([post()], f"{POSTS}?page=2", "2").more == ""
    assert read_posts([post()], url, "").more == ""


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        ({"code": "rest_no_route", "message": "No route"}, "no list of posts, but.*rest_no_route"),
        ([], "no post, where there always are some"),
        ([{"id": "7", "title": {"rendered": "Kelda"}}], "without title|without id|a post without"),
        ([post(title=" ")], "a post without title"),
    ],
)
def test_an_answer_without_posts_says_so(payload: Any, complaint: str) -> None:
    with pytest.raises(LayoutChangedError, match=complaint):
        read_posts(payload)


def test_a_search_may_find_nothing() -> None:
    assert read_posts([], f"{POSTS}?search=exosomas").entries == ()


def test_the_address_asks_for_the_newest_first_and_no_more_fields_than_are_read() -> None:
    options = wp_json.Options.model_validate({"per_page": 50, "query": {"categories": "3"}})

    assert wp_json.address(f"{POSTS}?lang=es", options, "células madre", since="2026-11-01") == (
        f"{POSTS}?lang=es&per_page=50&page=1&orderby=date&order=desc&_fields=id,date,modified,link,title,excerpt,content"
        "&categories=3&search=c%C3%A9lulas%20madre&after=2026-11-01T00:00:00"
    )
