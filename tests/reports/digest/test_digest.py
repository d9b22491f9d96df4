"""The weekly digest over a database of two weeks."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine

from monitor import queries
from monitor.config import Config, DigestChoice
from monitor.tables.db import open_engine, transaction
from monitor.tables.models import Claim, EventKind, Source
from reports import period
from reports.digest import as_html, as_text, write
from reports.digest.cut import cut
from reports.digest.formats import LARGEST_HTML, size_in_mail
from reports.digest.view import ClaimItem, Digest, NoticeItem
from tests.reports import factory
from tests.reports.conftest import Stored
from tests.reports.factory import MONDAY, Factory


def claims_of(digest: Digest, code: str | None = None) -> list[ClaimItem]:
    return [
        item
        for section in digest.sections
        if code is None or section.code == code
        for group in section.claims
        for page in group.pages
        for item in page.claims
    ]


def notices_of(digest: Digest) -> list[NoticeItem]:
    return [item for section in digest.sections for group in section.notices for item in group.notices]


def flat(html: str) -> str:
    text = LexborHTMLParser(html).body.text(separator=" ")  # type: ignore[union-attr]
    return re.sub(r"\s+", " ", text)


def test_counts_say_what_happened(stored: Stored) -> None:
    digest = stored.digest().digest
    assert digest.counts == {
        "notices_core": 3,
        "notices_adjacent": 1,
        "notices_other": 1,
        "notices_updated": 1,
        "appeared": 1,
        "appeared_high": 0,
        "appeared_medium": 1,
        "appeared_low": 0,
        "appeared_unassessed": 0,
        "reworded": 1,
        "reappeared": 0,
        "withdrawn": 1,
        "pages_gone": 1,
        "pages_back": 0,
        "claims_gone": 2,
        "sources_total": 4,
        "sources_read": 3,
        "sources_blind": 1,
        "sources_quiet": 0,
        "runs_quarantined": 1,
        "products_changed": 0,
        "rules_changed": 1,
        "reviewed": 0,
        "registered": 0,
        "registered_other": 0,
        "corrections": 0,
        "coming": 0,
        "watch_matches": 1,
        "waiting": 3,
    }


def test_each_change_is_told_with_its_words(stored: Stored) -> None:
    found = {item.claim_id: item for item in claims_of(stored.digest().digest, "us")}
    reworded = found[stored.ids["arthritis"]]
    assert (reworded.change, reworded.before, reworded.quote) == (
        EventKind.CLAIM_REWORDED,
        "treats arthritis in four weeks",
        "treats arthritis in two weeks",
    )
    assert found[stored.ids["hair"]].change == EventKind.CLAIM_WITHDRAWN
    assert found[stored.ids["safe"]].change == EventKind.CLAIM_APPEARED
    assert stored.ids["scalp"] not in found, "our rules changed, not the seller's text"


def test_our_rules_have_a_section_of_their_own(stored: Stored) -> None:
    written = stored.digest()
    assert [item.claim_id for item in written.digest.rules.items] == [stored.ids["scalp"]]
    heading = LexborHTMLParser(written.html.read_text()).css_first("#rules")
    assert heading is not None
    assert "Our rules changed" in heading.text()


def test_jurisdictions_come_in_the_configured_order_with_their_own_severity(stored: Stored) -> None:
    digest = stored.digest().digest
    assert [section.code for section in digest.sections] == ["us", "uk", "ca"]
    assert [(group.happened, group.severity) for group in digest.sections[0].claims] == [
        ("new", "Medium"),
        ("changed", "High"),
        ("gone", "Medium"),
    ]
    british = claims_of(digest, "uk")
    assert [(item.claim_id, item.severity, item.basis) for item in british] == [
        (stored.ids["arthritis"], "Medium", ("uk-b",))
    ]


def test_what_belongs_to_an_item_stands_below_it(stored: Stored) -> None:
    rows = stored.digest().text.read_text().splitlines()
    items = [number for number, row in enumerate(rows) if row.startswith("* REWORDED")]
    assert len(items) == 2
    for number in items:
        assert all(row.startswith("    ") for row in rows[number + 1 : number + 7]), rows[number : number + 7]


def test_a_page_that_is_gone_tells_which_claims_went_with_it(stored: Stored) -> None:
    written = stored.digest()
    assert [section.pages.total for section in written.digest.sections] == [1, 0, 0]
    (page,) = written.digest.sections[0].pages.pages
    assert (page.claims, page.quotes, page.severity) == (2, ("may help hair grow",), "Medium")
    assert "2 gone with 1 page" in written.digest.subject
    item = LexborHTMLParser(written.html.read_text()).css_first("li.page")
    assert item is not None
    assert "Gone 16 Nov 2026 · with 2 claims, the highest: Medium" in re.sub(r"\s+", " ", item.text())


def test_a_provision_nobody_read_says_so(stored: Stored) -> None:
    written = stored.digest()
    for text in (flat(written.html.read_text()), re.sub(r"\s+", " ", written.text.read_text())):
        assert re.search(r"Medicines Regulations, reg\. 2 \(unverified\)", text)
        assert re.search(r"us-unknown \(not in the law table\)", text)
        assert not re.search(r"Drug Act, s\. 201\(g\) \(", text)


def test_history_is_news_only_by_its_own_date(stored: Stored) -> None:
    digest = stored.digest().digest
    found = {item.notice_id: item for item in notices_of(digest)}
    assert found[stored.ids["recent"]].read_later
    assert stored.ids["history"] not in found
    assert not found[stored.ids["new"]].read_later
    assert [(first.source_id, first.notices, first.claims) for first in digest.baselines] == [("ca_recalls", 2, 0)]
    assert "Read first on 16 Nov 2026" in stored.digest().text.read_text()


def test_a_notice_of_the_past_is_news_of_its_own_week(stored: Stored) -> None:
    digest = stored.digest("2025-W09").digest
    assert [item.notice_id for item in notices_of(digest)] == [stored.ids["old"]]


def test_an_updated_notice_says_what_changed(stored: Stored) -> None:
    updated = [item for item in notices_of(stored.digest().digest) if item.updated]
    assert [(item.notice_id, item.changed) for item in updated] == [(stored.ids["old"], ("status",))]


def test_core_comes_first_and_other_matters_are_only_counted(stored: Stored) -> None:
    american = stored.digest().digest.sections[0]
    assert [group.kind for group in american.notices] == ["core", "adjacent", "updated"]
    assert "Cheese" not in stored.digest().text.read_text()
    assert american.tally.notices_other == 1


def test_blind_sources_are_named_with_reason_and_last_success(stored: Stored) -> None:
    written = stored.digest()
    assert [(source.id, source.since, source.last_success) for source in written.digest.blind] == [
        ("uk_alerts", MONDAY + timedelta(days=1), MONDAY - timedelta(days=7))
    ]
    for text in (flat(written.html.read_text()), written.text.read_text()):
        assert "answered with a page that apologises (HTTP 200)" in text
        assert "last read well 9 Nov 2026, 05:00 UTC" in text
        assert "0 entries; never empty" in text


def test_recovery_after_the_period_does_not_unsay_it(stored: Stored) -> None:
    with transaction(stored.engine) as session:
        source = session.get_one(Source, "uk_alerts")
        later = MONDAY + timedelta(days=9)
        source.state, source.state_since, source.state_reason = "ok", later, ""
        make = Factory(session, counter=9000)
        make.event(EventKind.SOURCE_RECOVERED, make.run(source, later), "source", source.id)
    assert [source.id for source in stored.digest().digest.blind] == ["uk_alerts"]
    assert stored.digest("2026-W48").digest.blind == ()


def test_watchlists_say_why(stored: Stored) -> None:
    (group,) = stored.digest().digest.watchlists
    assert group.name == "Arthritis watch"
    assert [(why.criterion, why.term, why.quote) for why in group.matches[0].why] == [
        ("terms", "arthritis", "treats arthritis in two weeks")
    ]
    assert "terms: arthritis, in “treats arthritis in two weeks”" in stored.digest().text.read_text()
    assert group.matches[0].path == f"/claims/{stored.ids['arthritis']}"


def test_a_quiet_week_says_so_and_how_many_sources_were_read(stored: Stored) -> None:
    written = stored.digest("2026-W51")
    assert written.digest.empty
    for text in (flat(written.html.read_text()), written.text.read_text()):
        assert "Nothing new in this period." in text
        assert "0 of 4 sources were read" in text
        assert "Warning letters" in text, "what was not read is named"


def test_a_rehearsal_says_so(rehearsed: Stored) -> None:
    written = rehearsed.digest()
    for text in (flat(written.html.read_text()), written.text.read_text()):
        assert "read from a rehearsal server, not from the web" in text


def test_what_was_read_from_the_web_bears_no_such_banner(stored: Stored) -> None:
    assert "rehearsal" not in stored.digest().html.read_text()


def test_only_what_was_asked_for_and_under_a_name_of_its_own(stored: Stored) -> None:
    written = stored.digest(jurisdictions=("uk",))
    assert written.digest.name == "2026-W47-uk"
    assert {item.claim_id for item in claims_of(written.digest)} == {stored.ids["arthritis"]}
    assert notices_of(written.digest) == []
    assert written.html.name == "2026-W47-uk.html"
    assert " 2026-W47-uk: " in written.digest.subject


def test_what_is_configured_needs_no_name_of_its_own(stored: Stored) -> None:
    config = stored.config.model_copy(update={"digest": DigestChoice(jurisdictions=("uk",))})
    written = replace(stored, config=config).digest()
    assert written.html.name == "2026-W47.html"
    assert " 2026-W47: " in written.digest.subject
    assert {item.claim_id for item in claims_of(written.digest)} == {stored.ids["arthritis"]}


def test_nothing_is_asserted_where_nothing_is_assessed(stored: Stored) -> None:
    with transaction(stored.engine) as session:
        make = Factory(session, counter=9000)
        run = make.run(session.get_one(Source, "site_glow_example"), MONDAY + timedelta(hours=5))
        _, version = make.page(run, "https://glow.example/br", "Cures everything.")
        make.claim(version, "Cures everything", basis=(("br", "High", "br-x"),), assessed=False)
    digest = stored.digest().digest
    last = digest.sections[-1]
    assert last.code == ""
    assert "Not assessed" in flat(stored.digest().html.read_text())
    assert claims_of(digest, "")[0].basis == ()
    assert "br" not in {section.code for section in digest.sections}


def test_the_same_data_gives_the_same_digest(stored: Stored) -> None:
    first, second = stored.digest(), stored.digest()
    assert first.digest == second.digest
    assert first.html.read_bytes() == second.html.read_bytes()
    assert [row.name for row in queries.digests(stored.engine)] == ["2026-W47"]


def test_a_later_rewording_does_not_change_an_older_digest(stored: Stored) -> None:
    before = stored.digest().text.read_text()
    with transaction(stored.engine) as session:
        claim = session.get_one(Claim, stored.ids["safe"])
        make = Factory(session, counter=9000)
        run = make.run(session.get_one(Source, "site_glow_example"), MONDAY + timedelta(days=8))
        _, version = make.page(run, "https://glow.example/later", "Hardly any side effects.")
        make.wording(claim, version, "Hardly any side effects", 2)
        claim.quote = "Hardly any side effects"
    assert '"No side effects at all"' in before
    assert '"No side effects at all"' in stored.digest().text.read_text()


def test_the_files_are_whole_and_noted(stored: Stored) -> None:
    written = stored.digest()
    row = queries.digest(stored.engine, "2026-W47")
    assert row is not None
    assert row.sha256 == hashlib.sha256(written.json.read_bytes()).hexdigest()
    assert row.counts["notices_core"] == 3
    assert Digest.model_validate_json(written.json.read_text()) == written.digest
    assert sorted(path.name for path in written.html.parent.iterdir()) == [
        "2026-W47.html",
        "2026-W47.json",
        "2026-W47.txt",
    ]


def test_a_write_that_fails_leaves_the_earlier_file(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored.digest().html.read_text()

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        stored.digest(now=factory.NOW + timedelta(days=1))
    monkeypatch.undo()
    assert (stored.config.digests_folder / "2026-W47.html").read_text() == before


def test_the_page_is_well_formed_for_every_reader(stored: Stored) -> None:
    tree = LexborHTMLParser(stored.digest().html.read_text())
    assert tree.css_first("html").attributes["lang"] == "en"  # type: ignore[union-attr]
    assert len(tree.css("h1")) == 1
    levels = [int(str(node.tag)[1]) for node in tree.css("h1, h2, h3, h4")]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert tree.css("th")
    assert all(node.attributes.get("scope") for node in tree.css("th"))
    assert not tree.css("script, iframe, img, object, [onclick], [onerror]")
    ids = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(ids) == len(set(ids))
    for severity in tree.css(".severity"):
        assert severity.text().strip() in ("High", "Medium", "Low")
    for link in tree.css("a[href^='#']"):
        assert str(link.attributes["href"])[1:] in ids


def test_hostile_names_stay_text(stored: Stored) -> None:
    written = stored.digest()
    html, text = written.html.read_text(), written.text.read_text()
    assert "<script" not in html
    assert "Glow&lt;script&gt;" in html
    for shown in (html, text):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", shown)
    assert not any(row.startswith("Bcc:") for row in text.splitlines())


def test_links_out_are_marked_and_lead_to_the_web_only(stored: Stored) -> None:
    tree = LexborHTMLParser(stored.digest().html.read_text())
    for link in tree.css("a"):
        target = str(link.attributes["href"])
        assert target.startswith(("#", "https://", "http://127.0.0.1:8017/"))
        if target.startswith("https://"):
            assert link.attributes["rel"] == "nofollow noopener noreferrer ugc"


def test_the_text_has_every_item_of_the_page(stored: Stored) -> None:
    written = stored.digest()
    text = written.text.read_text()
    for node in LexborHTMLParser(written.html.read_text()).css("li.claim mark, li.notice .name, q.old"):
        assert re.sub(r"\s+", " ", node.text()).strip() in text
    for capture in LexborHTMLParser(written.html.read_text()).css("code"):
        assert capture.text() in text


@pytest.fixture(scope="module")
def crowded(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """A week of 500 claims, each in two jurisdictions, and 40 notices."""
    folder = tmp_path_factory.mktemp("crowded")
    shutil.copy(sqlite_template, folder / "exowatch.db")
    engine = open_engine(f"sqlite:///{folder / 'exowatch.db'}")
    with transaction(engine) as session:
        make = Factory(session)
        market = make.source("site_many_example", kind="page")
        letters = make.source("us_letters")
        run, reading = make.run(market, MONDAY), make.run(letters, MONDAY)
        firm = make.organisation("Many Labs")
        for page in range(25):
            quotes = [f"Product {page:02} cures ailment number {number:02} of this world" for number in range(20)]
            _, version = make.page(run, f"https://many.example/{page}", ".\n".join(quotes), firm)
            for number, quote in enumerate(quotes):
                severity = ("High", "Medium", "Low")[number % 3]
                make.claim(version, quote, severity=severity, basis=(("us", severity, "us-a"), ("uk", "Low", "uk-b")))
        for number in range(40):
            make.notice(reading, f"Letter number {number:02}", posted=date(2026, 11, 17))
    yield Stored(engine, Config(data=folder), {})
    engine.dispose()


def test_a_thousand_items_are_cut_and_counted_exactly(crowded: Stored) -> None:
    written = crowded.digest()
    html, text = written.html.read_text(), written.text.read_text()
    tree = LexborHTMLParser(html)
    assert LARGEST_HTML * 0.97 <= size_in_mail(html) <= LARGEST_HTML < 102_000
    assert written.digest.listed == 1040
    assert written.digest.counts["appeared"] == 500
    assert (written.digest.tally.appeared_high, written.digest.tally.appeared_medium) == (175, 175)
    assert "500 claims appeared" in flat(html)
    shown = len(tree.css("li.claim")) + len(tree.css("li.notice"))
    more = [int(found.replace(",", "")) for found in re.findall(r"([\d,]+) more", flat(html))]
    assert shown + sum(more) == 2 * 500 + 40
    assert 40 < shown < 400
    assert len(tree.css("li.notice")) == 40, "notices that name exosomes go before everything else"
    assert len(re.findall(r"^\* APPEARED ", text, re.MULTILINE)) == 1000
    assert len(json.loads(written.json.read_text())["sections"][0]["claims"][0]["pages"]) == 25
    for node in tree.css("li.claim mark, li.notice .name"):
        assert node.text().strip() in text


def test_what_is_cut_is_the_least_severe(crowded: Stored) -> None:
    digest = crowded.digest().digest
    short = cut(digest, 225)
    kept = [item.severity for item in claims_of(short, "us")]
    assert kept.count("High") == 175
    assert kept.count("Low") == 0
    assert cut(digest, 10**6) == digest
    assert short.counts == digest.counts


def test_an_empty_database_has_a_digest_too(sqlite_engine: Engine, tmp_path: Path) -> None:
    written = write(
        sqlite_engine,
        Config(data=tmp_path),
        period.week("2026-W47", "UTC"),
        datetime(2026, 11, 23, tzinfo=UTC),
        law=factory.law,
    )
    assert "No source has been read yet." in flat(as_html(written.digest))
    assert "No source has been read yet." in as_text(written.digest)
