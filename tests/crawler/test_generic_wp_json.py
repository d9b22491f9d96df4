"""The reader of WordPress: what it reads, and how it says that it did not."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from crawler.generic import wp_json
from crawler.source import LayoutChangedError
from tests.crawler.cards import a_card
from tests.crawler.responses import json_response

POSTS = "https://office.example/wp-json/wp/v2/posts"


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
