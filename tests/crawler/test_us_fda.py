"""FDA's recalls and import alerts, and what all its readers refuse."""

from __future__ import annotations

import json
from datetime import date

import pytest

from crawler.page import Page
from crawler.source import BlockedError, LayoutChangedError
from crawler.sources import (
    us_fda_import_alerts,
    us_fda_recalls,
)
from monitor.records import Outcome
from tests.crawler.conftest import Crawls
from tests.crawler.responses import response_of
from tests.crawler.test_source_runs import known_file, notices, use
from tests.crawler.us_fda import CARDS, FDA, at_a_set_time, fixture, read, read_notices
from tests.loopback import Loopback, Reply
from tests.samples import samples

JSON = "application/json"
TABLE = CARDS["us_fda_recalls"].start
RECALLS = "/safety/recalls-market-withdrawals-safety-alerts/"
ALERTS = "https://www.accessdata.fda.gov/cms_ia/"
BOOK = "https://purplebooksearch.fda.gov/files/2026/purplebook-search-june-data-download.csv"
APOLOGY = "<!DOCTYPE html><html><head><title>FDA Apology</title></head><body>sorry</body></html>"


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("us_fda_recalls", TABLE),
        ("us_fda_import_alerts", f"{ALERTS}ialist.html"),
        ("us_fda_untitled_letters", CARDS["us_fda_untitled_letters"].start),
        ("us_fda_untitled_letters", f"{FDA}/media/1/download"),
        ("us_fda_purple_book", BOOK),
    ],
)
def test_an_apology_page_is_a_block_and_never_content(source: str, url: str) -> None:
    with pytest.raises(BlockedError):
        read(source, response_of(url, APOLOGY, status=404))


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("us_fda_recalls", TABLE),
        ("us_fda_import_alerts", f"{ALERTS}ialist.html"),
        ("us_fda_untitled_letters", CARDS["us_fda_untitled_letters"].start),
        ("us_fda_purple_book", BOOK),
        ("us_fda_purple_book", CARDS["us_fda_purple_book"].start),
    ],
)
def test_another_page_is_a_changed_layout_and_never_an_empty_list(source: str, url: str) -> None:
    with pytest.raises(LayoutChangedError):
        read(source, response_of(url, f"<html><body><h1>Welcome</h1>{'<p>New look.</p>' * 200}</body></html>"))


# Recalls


def a_row(**changes: str) -> dict[str, str]:
    row = json.loads(fixture("us_fda_recalls", "table.json"))[1]
    return {**row, **changes}


@pytest.mark.parametrize("prefix", ["", "updated-", "update-", "updated-release-", "updated-updated-"])
def test_a_revised_recall_keeps_its_identity(prefix: str) -> None:
    assert us_fda_recalls.key_of(f"{RECALLS}{prefix}kelda-labs-recalls-vials") == f"{RECALLS}kelda-labs-recalls-vials"


def test_a_name_that_begins_alike_is_no_revision() -> None:
    assert us_fda_recalls.key_of(f"{RECALLS}updater-works-recalls/") == f"{RECALLS}updater-works-recalls"


def test_the_days_of_a_recall_are_read_as_printed() -> None:
    (page,) = read_notices(
        "us_fda_recalls", response_of(f"{FDA}{RECALLS}x", fixture("us_fda_recalls", "announcement.html"))
    )
    row = us_fda_recalls.read_row(a_row(), TABLE)

    assert (page.issued, page.posted) == (date(2026, 10, 4), date(2026, 10, 5)), "not by the attribute in another zone"
    assert row.updated == date(2026, 10, 6)


def test_the_label_that_stands_twice_is_not_part_of_a_fact() -> None:
    (page,) = read_notices(
        "us_fda_recalls", response_of(f"{FDA}{RECALLS}x", fixture("us_fda_recalls", "announcement.html"))
    )

    assert page.summary == "Lack of sterility assurance"
    assert page.classification == "Drugs; Cosmetics", "types are parted by <br>"


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"field_regulated_product_field": "Drugs"}, True),
        ({"field_regulated_product_field": "Vaccines, Blood &amp; Biologics"}, True),
        ({"field_regulated_product_field": ""}, True),
        ({"field_regulated_product_field": "Food &amp; Beverages", "field_product_description": "Bread"}, False),
        ({"field_regulated_product_field": "Food &amp; Beverages", "field_product_description": "Exosome tea"}, True),
        ({"field_regulated_product_field": "Medical Devices", "field_company_name": "Umbilical Cord Store"}, True),
    ],
)
def test_what_the_card_keeps_of_the_table(changes: dict[str, str], kept: bool) -> None:
    selection = us_fda_recalls.Selection(us_fda_recalls.Options.model_validate(CARDS["us_fda_recalls"].options))
    row = us_fda_recalls.read_row(a_row(field_brand_name="Plain", **changes), TABLE)

    assert (selection.reason_left_out(row) == "") is kept


@pytest.mark.parametrize(
    "changes", [{"path": "no/path"}, {"field_change_date_2": "soon"}, {"path": "//evil.example/x"}]
)
def test_a_row_that_is_not_understood_is_said(changes: dict[str, str]) -> None:
    with pytest.raises(LayoutChangedError):
        us_fda_recalls.read_row(a_row(**changes), TABLE)
    _total, recalls, strange = us_fda_recalls.read_table([a_row(), a_row(**changes)], TABLE)
    assert (len(recalls), len(strange)) == (1, 1)


def serve_recalls(web: Loopback, *rows: dict[str, str]) -> None:
    web.routes["www.fda.gov/datatables-json/recalls-market-withdrawals.json"] = Reply(
        json.dumps(rows), content_type=JSON
    )
    for row in rows:
        web.routes[f"www.fda.gov{row['path']}"] = Reply(fixture("us_fda_recalls", "announcement.html"))


def test_recalls_are_read_once_and_again_when_revised(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_recalls")
    rows = json.loads(fixture("us_fda_recalls", "table.json"))
    serve_recalls(web, *rows)

    first = crawls.run()
    assert first.code == 0, first.err
    assert (first.run.listed, len(first.records)) == (4, 3)
    assert first.run.not_kept == {"other product type, and no term of the lists": 1}

    older = {**rows[1], "path": rows[1]["path"].replace("updated-", "")}
    newer = {**rows[1], "path": rows[1]["path"].replace("updated-", "updated-release-"), "field_brand_name": "New"}
    newer["changed"] = '<time datetime="2026-10-09T08:00:00-04:00">Fri, 10/09/2026 - 08:00</time>'
    older["changed"] = '<time datetime="2026-10-01T08:00:00-04:00">Thu, 10/01/2026 - 08:00</time>'
    serve_recalls(web, rows[0], newer, older, rows[2], rows[3])
    second = crawls.run("--known", known_file(crawls, first))

    (revised,) = notices(second)
    assert revised.key == us_fda_recalls.key_of(older["path"])
    assert revised.updated == date(2026, 10, 9)
    assert second.run.not_kept["older version of a recall"] == 1
    assert second.run.known == 3, "the two others that were kept, and the food that was left out"


def test_a_day_that_has_not_come_makes_no_list_look_fresh(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_recalls")
    serve_recalls(web, a_row(), a_row(path=f"{RECALLS}z", field_change_date_2="12/31/2029"))

    ended = crawls.run()

    assert ended.run.newest == date(2026, 10, 5)
    told = {notice.key: notice.unread for notice in notices(ended)}
    assert told[f"{RECALLS}z"] == ("day on the list: 2029-12-31 has not come yet",)


def test_one_odd_page_is_told_and_no_page_understood_is_a_changed_layout(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_recalls")
    one, two = a_row(), a_row(path=f"{RECALLS}z")
    serve_recalls(web, one, two)
    odd = Reply("<html><body><h1>Odd</h1></body></html>")
    web.routes[f"www.fda.gov{RECALLS}z"] = odd

    some = crawls.run()
    assert some.run.outcome is Outcome.OK
    assert sorted("not understood" in " ".join(n.unread) for n in notices(some)) == [False, True]

    web.routes[f"www.fda.gov{one['path']}"] = odd
    none = crawls.run()
    assert "no entry's page was understood" in none.problems["layout_changed"]
    again = crawls.run("--known", known_file(crawls, some))
    assert [n.key for n in notices(again)] == [f"{RECALLS}z"], "what was not understood is asked for again"


def test_recorded_recalls_are_read() -> None:
    rows = samples("us/fda_recalls/recalls-market-withdrawals.excerpt.json").read_bytes()

    total, recalls, strange = us_fda_recalls.read_table(json.loads(rows), TABLE)

    assert (total, len(recalls), strange) == (8, 8, [])
    assert all(recall.posted and recall.updated and recall.company for recall in recalls)
    assert not any("&amp;" in " ".join(recall.types) for recall in recalls)
    assert [recall.posted for recall in recalls] != sorted((r.posted for r in recalls if r.posted), reverse=True)
    churned = next(recall for recall in recalls if "/updated-" in recall.url)
    assert "/updated-" not in churned.key


def test_the_recorded_announcement_is_read() -> None:
    body = samples("us/fda_recalls/global-mix-inc-recalls-tejocote.main.html").read_bytes()

    (notice,) = read_notices("us_fda_recalls", response_of(f"{FDA}{RECALLS}global-mix", body))

    assert (notice.issued, notice.posted) == (date(2024, 4, 5), date(2024, 4, 10))
    assert notice.classification == "Dietary Supplements; Food & Beverages"
    assert notice.products[0] == "Tejocote Dietary Supplements"
    assert "Recall Reason Description" not in notice.summary
    assert "https://www.niwali.com" in notice.quoted_urls


# Import alerts


def alert_page() -> str:
    return fixture("us_fda_import_alerts", "importalert_190.html")


def an_alert(html: str | bytes) -> us_fda_import_alerts.Alert:
    response = response_of(f"{ALERTS}importalert_190.html", html)
    return us_fda_import_alerts.read_alert(Page(response.url, us_fda_import_alerts.soup_of(response)))


def test_firms_stand_under_their_list_and_country() -> None:
    firms = {firm.name: (firm.listed, firm.country) for firm in an_alert(alert_page()).firms}

    assert firms == {
        '"Kelda Export & Sons" Ltd.': ("Red List", "ATLANTIS"),
        "Tansy Works": ("Red List", "ERIADOR"),
        "Orla Clean Goods": ("Green List", "ERIADOR"),
    }


def test_a_firm_of_the_green_list_is_not_named_as_detained() -> None:
    (notice,) = read_notices("us_fda_import_alerts", response_of(f"{ALERTS}importalert_190.html", alert_page()))

    assert [o.name for o in notice.organisations] == ['"Kelda Export & Sons" Ltd.', "Tansy Works"]
    assert "Orla Clean Goods" in notice.text
    assert "Desc: Exosome vials for the scalp" in notice.text


def test_a_firm_without_a_list_is_a_changed_layout() -> None:
    with pytest.raises(LayoutChangedError, match="under none of the lists"):
        an_alert(alert_page().replace("(a.k.a. Red List)", ""))


def test_an_alert_is_read_whatever_its_encoding() -> None:
    written = alert_page().replace("Tansy Works", "Tansy Œuvres")

    for body in (written.encode("utf-8"), written.encode("cp1252")):
        assert "Tansy Œuvres" in [firm.name for firm in an_alert(body).firms]


@pytest.mark.parametrize(
    ("changed", "to"), [("Import Alert Number", "No."), ("10/05/2026", "soon"), ("importalert_190", "//evil.example/x")]
)
def test_what_is_not_understood_of_the_list_of_alerts_is_said(changed: str, to: str) -> None:
    html = fixture("us_fda_import_alerts", "ialist.html").replace(changed, to)
    response = response_of(f"{ALERTS}ialist.html", html)
    page = Page(response.url, us_fda_import_alerts.soup_of(response))

    if changed == "Import Alert Number":
        with pytest.raises(LayoutChangedError, match="Import Alert Number"):
            us_fda_import_alerts.read_list(page)
    else:
        alerts, strange = us_fda_import_alerts.read_list(page)
        assert (len(alerts), len(strange)) == (3, 1)


def serve_alerts(web: Loopback) -> None:
    host = "www.accessdata.fda.gov/cms_ia"
    web.routes[f"{host}/ialist.html"] = Reply(fixture("us_fda_import_alerts", "ialist.html"))
    web.routes[f"{host}/importalert_190.html"] = Reply(alert_page())
    for number, page in (("57-20", 900), ("99-37", 901)):
        web.routes[f"{host}/importalert_{page}.html"] = Reply(alert_page().replace("66-41", number))


def test_alerts_are_read_again_only_when_published_anew(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_import_alerts")
    serve_alerts(web)

    first = crawls.run()
    assert first.code == 0, first.err
    assert sorted(n.key for n in notices(first)) == ["57-20", "66-41", "99-37"]
    assert first.run.not_kept == {"other industry, and no term of the lists": 1}
    assert {n.posted for n in notices(first) if n.key == "66-41"} == {date(2026, 10, 5)}

    host = "www.accessdata.fda.gov/cms_ia"
    anew = fixture("us_fda_import_alerts", "ialist.html").replace("10/05/2026", "10/09/2026")
    web.routes[f"{host}/ialist.html"] = Reply(anew.replace("15:03:16.0", "15:09:00.0"))
    second = crawls.run("--known", known_file(crawls, first))
    assert [n.key for n in notices(second)] == ["66-41"]


def test_the_page_of_another_alert_is_not_taken_for_this_one(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_import_alerts")
    serve_alerts(web)
    web.routes["www.accessdata.fda.gov/cms_ia/importalert_190.html"] = Reply(alert_page().replace("66-41", "66-40"))

    ended = crawls.run()

    (told,) = [n for n in notices(ended) if n.key == "66-41"]
    assert "holds alert 66-40" in told.unread[0]
    assert told.organisations == ()


def test_recorded_import_alerts_are_read() -> None:
    listed = response_of(f"{ALERTS}ialist.html", samples("us/fda_import_alerts/ialist-excerpt.html").read_bytes())
    rows, strange = us_fda_import_alerts.read_list(Page(listed.url, us_fda_import_alerts.soup_of(listed)))
    alert = an_alert(samples("us/fda_import_alerts/importalert_49-excerpt.html").read_bytes())

    assert (len(rows), strange) == (8, [])
    pages = {row.number: row.url.rpartition("_")[2] for row in rows}
    assert pages["66-40"] == "189.html", "a page's number is not the alert's"
    assert not any(row.name.startswith('"') for row in rows)
    assert (alert.number, len(alert.firms), len(alert.products)) == ("16-81", 1, 3)
    assert alert.firms[0].country == "AUSTRALIA"
    assert "Problems: SALMONELLA;" in alert.text
