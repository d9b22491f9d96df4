"""The invented regulators speak the wire formats of the real ones, and change from week to week."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup

from crawler.demo.regulators import ALERTS_HOST, APOLOGY_PATH, LETTERS_HOST, RECALLS_FILE, RECALLS_HOST
from tests.crawler.demo.asking import WEEK_1, WEEK_2, Asker

LETTERS = f"http://{LETTERS_HOST}/datatables/views/ajax"
ALERTS = f"http://{ALERTS_HOST}/datatables/views/ajax"
REPORTS = "http://api.fdo.example/drug/enforcement.json"
SNAPSHOT = f"http://{RECALLS_HOST}{RECALLS_FILE}"


def rows(ask: Asker, day: str, url: str = LETTERS) -> list[list[str]]:
    return ask.get(f"{url}?draw=1&start=0&length=100", day).json["data"]  # type: ignore[no-any-return]


def href(row: list[str]) -> str:
    found = re.search(r'href="([^"]+)"', row[2])
    assert found
    return found[1]


def test_a_row_of_the_list_is_eight_cells_of_html(ask: Asker) -> None:
    listed = rows(ask, WEEK_1)
    assert len(listed) == 25
    assert all(len(row) == 8 for row in listed)
    assert re.fullmatch(r'<time datetime="2026-\d\d-\d\dT04:00:00Z">\d\d/\d\d/2026</time>', listed[0][0])
    assert re.search(r"-\d{6}-\d{8}$", href(listed[0]))


def test_the_list_is_paged_by_get_and_by_post_and_echoes_draw(ask: Asker) -> None:
    whole = rows(ask, WEEK_1)
    by_get = ask.get(f"{LETTERS}?draw=7&start=20&length=10").json
    by_post = ask.post(LETTERS, {"draw": "8", "start": "5", "length": "3"}).json
    assert (by_get["draw"], by_get["recordsTotal"], by_get["data"]) == (7, 25, whole[20:25])
    assert (by_post["draw"], by_post["data"]) == (8, whole[5:8])


def test_three_letters_are_new_in_the_second_week(ask: Asker) -> None:
    before = {href(row) for row in rows(ask, WEEK_1)}
    after = [href(row) for row in rows(ask, WEEK_2)]
    fresh = [path for path in after if path not in before]
    assert len(fresh) == 3
    assert after[:3] == fresh
    assert before < set(after)
    assert ask.get(f"http://{LETTERS_HOST}{fresh[0]}", WEEK_1).status == 404


def test_a_letter_has_the_parts_of_a_real_one(ask: Asker) -> None:
    path = next(href(row) for row in rows(ask, WEEK_2) if "Halden" in row[2])
    soup = BeautifulSoup(ask.get(f"http://{LETTERS_HOST}{path}", WEEK_2).body, "html.parser")
    heading = soup.select_one("h1.content-title")
    assert heading is not None
    assert "MARCS-CMS 731204" in heading.get_text()
    assert [dt.get_text(strip=True) for dt in soup.select("dl.lcds-description-list--grid dt")] == [
        "Delivery Method:",
        "Reference #:",
        "Product:",
    ]
    assert soup.select_one('meta[name="dcterms.creator"]')
    assert soup.select_one(".field--name-field-recipient-name .field--item")
    text = soup.select_one("div[role=main]").get_text(" ")  # type: ignore[union-attr]
    assert "https://www.halden-regen.example/treatments/exosome-iv" in text
    assert "regrow hair in men and women with pattern baldness" in text


def test_every_listed_letter_has_a_page_of_some_length(ask: Asker) -> None:
    for row in rows(ask, WEEK_2):
        reply = ask.get(f"http://{LETTERS_HOST}{href(row)}", WEEK_2)
        assert reply.status == 200
        assert len(reply.body) > 7_000
        assert "$" not in reply.text


def test_the_alerts_answer_in_the_first_week(ask: Asker) -> None:
    listed = rows(ask, WEEK_1, ALERTS)
    assert len(listed) >= 8
    assert ask.get(f"http://{ALERTS_HOST}{href(listed[0])}").status == 200


@pytest.mark.parametrize("path", ["/", "/datatables/views/ajax?start=0", "/anything"])
def test_the_alerts_are_blocked_in_the_second_week(ask: Asker, path: str) -> None:
    reply = ask.get(f"http://{ALERTS_HOST}{path}", WEEK_2)
    assert reply.status == 302
    assert reply.headers["Location"] == f"http://{ALERTS_HOST}{APOLOGY_PATH}"
    apology = ask.get(reply.headers["Location"], WEEK_2)
    assert apology.status == 404
    assert "Apology</title>" in apology.text


def test_robots_txt_answers_even_where_all_else_is_blocked(ask: Asker) -> None:
    assert ask.get(f"http://{ALERTS_HOST}/robots.txt", WEEK_2).text.startswith("User-agent: *")


def test_the_second_week_has_a_new_report_about_exosomes(ask: Asker) -> None:
    url = f"{REPORTS}?search={quote('product_description:(exosome OR exosomes)')}&sort=report_date:desc&limit=100"
    assert ask.get(url, WEEK_1).status == 404
    found = ask.get(url, WEEK_2).json
    assert [report["recall_number"] for report in found["results"]] == ["B-0021-2027"]
    assert found["meta"]["last_updated"] == "2026-11-16"
    assert "week" not in found["results"][0]
    assert all(isinstance(value, str) for key, value in found["results"][0].items() if key != "openfda")


def test_openfda_has_no_robots_txt(ask: Asker) -> None:
    assert ask.get("http://api.fdo.example/robots.txt").status == 404


def test_the_snapshot_has_the_traps_of_the_real_one(ask: Asker) -> None:
    records = ask.get(SNAPSHOT).json
    assert 50 <= len(records) <= 70
    assert len({record["NID"] for record in records}) == len(records)
    assert any(record["Last updated"] is None for record in records)
    assert any(record["Product"] is None for record in records)
    titles = [record["Title"] for record in records]
    assert any("\u200b" in title for title in titles)
    assert any("&nbsp;" in title for title in titles)
    assert any(title.startswith(" ") for title in titles)


def test_what_the_second_week_does_to_the_snapshot(ask: Asker) -> None:
    before = {record["NID"]: record for record in ask.get(SNAPSHOT, WEEK_1).json}
    after = {record["NID"]: record for record in ask.get(SNAPSHOT, WEEK_2).json}
    assert set(after) - set(before) == {"90212"}
    changed = {
        nid: {key for key in record if record[key] != after[nid][key]}
        for nid, record in before.items()
        if record != after[nid]
    }
    assert changed == {
        "89950": {"Last updated"},
        "90174": {"Last updated", "Product", "What you should do"},
    }


def test_the_exosome_is_named_on_the_detail_page_only(ask: Asker) -> None:
    record = next(record for record in ask.get(SNAPSHOT, WEEK_2).json if record["NID"] == "90212")
    assert not any("exosom" in str(value).lower() for value in record.values())
    page = BeautifulSoup(ask.get(record["URL"], WEEK_2).body, "html.parser")
    cells = [cell.get_text() for cell in page.select('td[data-label="Product"]')]
    assert any("Exosome" in cell for cell in cells)


def test_every_entry_has_a_detail_page(ask: Asker) -> None:
    for record in ask.get(SNAPSHOT, WEEK_2).json:
        reply = ask.get(record["URL"], WEEK_2)
        assert reply.status == 200
        assert reply.text.count("<h1") == 1
        shown = BeautifulSoup(reply.body, "html.parser").get_text()
        assert "&" not in shown.replace(" & ", ""), "what stands in the snapshot as &nbsp; is a blank on the page"
