"""openFDA's query language, its paging and its errors."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from crawler.demo.loopback import Question
from crawler.demo.openfda import QueryError, answer, select

RECORDS = [
    {"id": "1", "product": "Exosome vial, 2 mL", "reason": "Not licensed", "report_date": "20260101"},
    {"id": "2", "product": "Amniotic fluid", "reason": "Donor unknown; stem cell bank", "report_date": "20260201"},
    {"id": "3", "product": "Eye drops", "reason": "Stem of the cell phone", "report_date": "2026-03-01"},
]


def ids(query: str) -> str:
    return "".join(str(record["id"]) for record in select(RECORDS, query))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "123"),
        ("product:exosome", "1"),
        ("product:EXOSOME", "1"),
        ('reason:"stem cell"', "2"),
        ("product:(exosome OR amniotic)", "12"),
        ("product:exosome OR product:drops", "13"),
        ("product:(exosome drops)", "13"),
        ('product:(exosome OR amniotic) AND reason:"donor unknown"', "2"),
        ("(product:exosome OR reason:stem) AND report_date:[20260115 TO 29991231]", "23"),
        ("report_date:[20260301 TO 20260301]", "3"),
        ("product:exo", ""),
        ("stem", "23"),
    ],
)
def test_queries(query: str, expected: str) -> None:
    assert ids(query) == expected


@pytest.mark.parametrize("query", ['product:"open', "product:(exosome", "product:exosome)", "product:", "AND"])
def test_a_query_that_cannot_be_read_is_an_error(query: str) -> None:
    with pytest.raises(QueryError):
        select(RECORDS, query)


def ask(url: str) -> tuple[int, dict[str, object], str]:
    parts = urlsplit(url)
    question = Question(host="api.fdo.example", path=parts.path, form=dict(parse_qsl(parts.query)))
    reply = answer(question, RECORDS, {"last_updated": "2026-11-09"})
    return reply.status, json.loads(reply.payload), reply.headers.get("Link", "")


def test_pages_are_followed_by_their_links_until_there_is_none() -> None:
    url, seen = "/drug/enforcement.json?search=&sort=report_date:desc&limit=2", []
    for _ in range(5):
        status, body, link = ask(url)
        assert status == 200
        seen += [record["id"] for record in body["results"]]  # type: ignore[attr-defined]
        if not link:
            break
        target = link.partition("<")[2].partition(">")[0]
        assert link.endswith('rel="next"')
        url = urlsplit(target).path + "?" + urlsplit(target).query
    assert seen == ["3", "2", "1"]


def test_skip_past_the_end_is_not_found() -> None:
    status, body, _ = ask("/drug/enforcement.json?limit=10&skip=3")
    assert status == 404
    assert body == {"error": {"code": "NOT_FOUND", "message": "No matches found!"}}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=1001", 400, "BAD_REQUEST"),
        ("skip=25001", 400, "BAD_REQUEST"),
        ("sort=nonsense:asc", 400, "BAD_REQUEST"),
        ("search=" + quote('product:"open'), 500, "SERVER_ERROR"),
        ("search=product:nothing", 404, "NOT_FOUND"),
    ],
)
def test_errors_have_openfda_s_shape(query: str, status: int, code: str) -> None:
    found, body, _ = ask(f"/drug/enforcement.json?{query}")
    assert found == status
    assert body["error"]["code"] == code  # type: ignore[index]


def test_one_record_is_given_where_no_limit_is_asked_for() -> None:
    _, body, _ = ask("/drug/enforcement.json")
    assert len(body["results"]) == 1  # type: ignore[arg-type]
    assert body["meta"]["results"] == {"skip": 0, "limit": 1, "total": 3}  # type: ignore[index]
