"""A digest with all that it can tell: the same in every form and language, byte for byte, whoever writes it."""

from __future__ import annotations

import ctypes
import html
import itertools
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import Any

import html5lib
import pypdfium2
import pypdfium2.raw
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine
from sqlmodel import select

from monitor.config import Config
from monitor.db import open_engine, transaction
from monitor.models import Claim, Event, EventKind, Finding, Notice, Page, Review, ReviewState, Source
from reports import period
from reports.digest import gather, write
from reports.digest.cut import cut
from reports.digest.formats import as_html, as_json, as_mail, as_pdf, as_text
from reports.digest.view import Digest, Sentence
from reports.languages import speech
from reports.pdf import MISSING, PdfError, pdf_of
from reports.words import Words
from tests.reports import factory
from tests.reports.digest import story
from tests.reports.factory import MONDAY, Factory

MAIL = {"sender": "Exowatch <exowatch@watch.example>"}


@dataclass(frozen=True)
class Told:
    engine: Engine
    folder: Path
    ids: dict[str, Any]

    def digest(self, language: str = "en", **more: Any) -> Digest:
        return story.digest(self.engine, self.folder, language, **more)

    def copy(self, folder: Path) -> Engine:
        """The same database once more, to be changed."""
        held, path = self.folder / "exowatch.db", folder / "copy.db"
        with closing(sqlite3.connect(held)) as here, closing(sqlite3.connect(path)) as there:
            here.backup(there)
        return open_engine(f"sqlite:///{path}")


@pytest.fixture(scope="module")
def told(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("story")
    shutil.copy(sqlite_template, folder / "exowatch.db")
    engine = open_engine(f"sqlite:///{folder / 'exowatch.db'}")
    ids = story.tell(engine)
    story.issue(engine)
    yield Told(engine, folder, ids)
    engine.dispose()


@pytest.fixture(scope="module")
def paper(told: Told) -> bytes:
    return as_pdf(told.digest())


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def language_of(data: bytes) -> str:
    """As the catalogue of a PDF says."""
    document = pypdfium2.PdfDocument(data)
    held = (ctypes.c_ushort * 12)()
    size = pypdfium2.raw.FPDFCatalog_GetLanguage(document, held, 24)
    document.close()
    return bytes(held)[: size - 2].decode("utf-16-le")


def pdf_text(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return words_of(text.replace("\ufffe\r\n", "").replace("\ufffe", ""))


def linked(text: str, kind: str) -> Counter[str]:
    """How often an item of a kind stands in a text, by its number, "what matters most" and the corrections aside."""
    return Counter(re.findall(rf"\b{kind} (\d+), ", text))


def items(digest: Digest) -> tuple[Counter[str], Counter[str]]:
    data = json.loads(as_json(digest))
    claims: Counter[str] = Counter()
    notices: Counter[str] = Counter()
    for section in data["sections"]:
        notices.update(str(item["notice_id"]) for group in section["notices"] for item in group["notices"])
        for group in section["claims"]:
            claims.update(str(item["claim_id"]) for page in group["pages"] for item in page["claims"])
    claims.update(str(item["claim_id"]) for name in ("rules", "reviews") for item in data[name]["items"])
    notices.update(str(item["notice_id"]) for item in data["coming"]["items"])
    return claims, notices


def test_every_form_has_the_same_items_and_counts(told: Told, paper: bytes) -> None:
    digest = told.digest()
    claims, notices = items(digest)
    assert (sum(claims.values()), sum(notices.values())) == (7 + 2, 7 + 2)
    page = words_of(LexborHTMLParser(as_html(digest)).body.text(separator=" "))  # type: ignore[union-attr]
    page = re.sub(r" (?=[,.])", "", page)
    for shown in (page, pdf_text(paper)):
        assert linked(shown, "Claim") == claims
        assert linked(shown, "Notice") == notices
    text = as_text(digest)
    body = text[text.index("\nUNITED STATES\n") :]
    assert Counter(re.findall(r"^    Claim (\d+): ", body, re.MULTILINE)) == claims
    assert Counter(re.findall(r"^    Notice (\d+): ", body, re.MULTILINE)) == notices
    for shown in (page, pdf_text(paper), words_of(text)):
        assert (
            "4 new notices on exosomes, 1 related notice, 2 notices updated, 3 claims appeared, 1 of them High" in shown
        )
        assert "4 of 5 sources read; 1 source blind" in shown
        for quote in ("treats arthritis in two weeks", "may help hair grow", "No side effects at all"):
            assert quote in shown


def test_a_mail_holds_the_page_and_the_text(told: Told) -> None:
    choice = Config.model_validate({"mail": MAIL, "public_site": "https://exowatch.example"})
    digest = told.digest()
    read = message_from_bytes(as_mail(digest, choice), policy=default)
    text, page = (part.get_content().replace("\r\n", "\n") for part in read.iter_parts())
    claims, notices = items(digest)
    assert read["Subject"] == digest.subject
    assert linked(words_of(LexborHTMLParser(page).body.text(separator=" ")).replace(" ,", ","), "Claim") == claims  # type: ignore[union-attr]
    body = text[text.index("\nUNITED STATES\n") :]
    assert Counter(re.findall(r"^    Notice (\d+): ", body, re.MULTILINE)) == notices
    assert as_mail(digest, choice) == as_mail(told.digest(), choice)
    with pytest.raises(ValueError, match=r"mail: \{sender"):
        as_mail(digest, Config())


def test_digests_are_as_their_golden_files(told: Told) -> None:
    found = story.forms(told.engine, told.folder)
    assert sorted(found) == sorted(path.name for path in story.GOLDEN.iterdir())
    for name, content in found.items():
        assert content == (story.GOLDEN / name).read_text(encoding="utf-8"), (
            f"{name}: look at what changed; if it is right, python -m tests.reports.digest.story renews the files"
        )


def test_another_machine_writes_the_same_bytes(told: Told, paper: bytes, tmp_path: Path) -> None:
    """Another process in another zone, with another locale and another order of hashes."""
    program = (
        "import sys; from hashlib import sha256; from pathlib import Path\n"
        "from monitor.db import open_engine; from reports.digest.formats import as_html, as_json, as_pdf, as_text\n"
        "from tests.reports.digest import story\n"
        f"digest = story.digest(open_engine(sys.argv[1]), Path({str(told.folder)!r}))\n"
        "for made in (as_html(digest), as_text(digest), as_json(digest), as_pdf(digest)):\n"
        "    print(sha256(made if isinstance(made, bytes) else made.encode()).hexdigest())\n"
    )
    root = Path(__file__).parents[3]
    around = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "TZ": "Asia/Kolkata",
        "LC_ALL": "C",
        "HOME": str(tmp_path),
    }
    url = f"sqlite:///{told.folder / 'exowatch.db'}"
    ended = subprocess.run(
        [sys.executable, "-c", program, url],
        env=around | {"PYTHONHASHSEED": "77", "LANG": "tr_TR.UTF-8", "LC_ALL": "C"},
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    digest = told.digest()
    made = (as_html(digest).encode(), as_text(digest).encode(), as_json(digest).encode(), paper)
    assert ended.stdout.split() == [sha256(each).hexdigest() for each in made]


def test_a_pdf_is_titled_tagged_numbered_and_of_its_language(told: Told, paper: bytes) -> None:
    document = pypdfium2.PdfDocument(paper)
    assert document.get_metadata_dict()["Title"] == told.digest().subject
    assert document.get_metadata_dict()["CreationDate"] == ""
    assert document.is_tagged()
    assert f"1 / {len(document)}" in document[0].get_textpage().get_text_range()
    document.close()


def test_a_pdf_says_its_language(told: Told, paper: bytes) -> None:
    assert language_of(paper) == "en"
    assert language_of(as_pdf(told.digest("fr", week="2026-W51"))) == "fr"


def test_a_pdf_fetches_nothing(caplog: pytest.LogCaptureFixture) -> None:
    page = '<html lang="en"><title>x</title><p>a<img alt="x" src="http://127.0.0.1:1/x.png"></p></html>'
    assert pdf_of(page, b"1" * 16).startswith(b"%PDF")
    assert "disallowed protocol" in caplog.text


def test_without_weasyprint_a_pdf_names_the_extra(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(PdfError, match=re.escape("pip install 'exowatch[pdf]'")):
        as_pdf(told.digest())
    assert "exowatch[pdf]" in MISSING


def test_quotes_keep_their_language_and_name_it(told: Told) -> None:
    tree = LexborHTMLParser(as_html(told.digest("de")))
    assert tree.css_first("html").attributes["lang"] == "de"  # type: ignore[union-attr]
    quotes = {node.attributes.get("lang"): node.text().strip() for node in tree.css("li.claim blockquote")}
    assert quotes["ja"] == "エクソソームは糖尿病を治します (Japanisch)"
    assert quotes["ar"] == "الإكسوسومات تعالج التهاب المفاصل (Arabisch)"
    assert quotes["en"].endswith("(Englisch)")
    assert all(node.attributes.get("dir") == "auto" for node in tree.css("blockquote"))
    assert not LexborHTMLParser(as_html(told.digest())).css("blockquote[lang=en]"), "an English digest marks no English"
    assert '"الإكسوسومات تعالج التهاب المفاصل" (Arabe)' not in as_text(told.digest("fr"))
    assert '"الإكسوسومات تعالج التهاب المفاصل" (arabe)' in as_text(told.digest("fr"))


@pytest.mark.parametrize("language", ["de", "fr"])
def test_no_english_phrase_is_left_in_another_language(told: Told, language: str) -> None:
    from tests.reports import catalogues

    shown = as_text(told.digest(language))
    for message in catalogues.catalogue(language):
        for said in [message.id] if isinstance(message.id, str) else message.id:
            if said and len(said) > 12 and "%(" not in said and said not in str(message.string):
                assert said not in shown, said


@pytest.mark.parametrize("language", story.LANGUAGES)
def test_the_page_is_valid_and_its_headings_and_tables_speak(told: Told, language: str) -> None:
    page = as_html(told.digest(language))
    html5lib.HTMLParser(strict=True).parse(page)
    tree = LexborHTMLParser(page)
    assert len(tree.css("h1")) == 1
    levels = [int(str(node.tag)[1]) for node in tree.css("h1, h2, h3, h4")]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(node.attributes.get("scope") for node in tree.css("th"))
    ids = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(ids) == len(set(ids))
    assert {node.attributes["aria-labelledby"] for node in tree.css("[aria-labelledby]")} <= set(ids)
    assert all(node.text().strip() for node in tree.css("a, h1, h2, h3, h4, th"))
    said = {Words(speech(language)).severity(code) for code in ("High", "Medium", "Low", "")}
    assert {node.text().strip() for node in tree.css(".severity")} <= said, "never by a colour alone"


def test_names_in_any_script_are_shown_as_they_are(told: Told) -> None:
    """Not as the whole of a line: what a name holds breaks nothing and is not reordered by what stands around it."""
    tree = LexborHTMLParser(as_html(told.digest()))
    firms = {re.sub(r"\s+", " ", node.text()).strip() for node in tree.css("h4 > a")}
    assert {"光の肌クリニック ✨ Tokyo", "عيادة الخلايا"} <= firms
    assert all(node.attributes.get("dir") == "auto" for node in tree.css("h4 > a"))
    text = as_text(told.digest())
    assert "光の肌クリニック ✨ Tokyo, https://hikari.example/肌" in text.splitlines()
    assert not [row for row in text.splitlines() if row.startswith(("Tokyo", "Bcc:"))]


def test_the_name_of_a_part_is_its_own(told: Told) -> None:
    assert told.digest("de").name == "2026-W47.de"
    part = told.digest(jurisdictions=("de",))
    assert part.name == "2026-W47-de"
    assert re.fullmatch(r"2026-W47-watch-haar-haut-[0-9a-f]{4}", told.digest(watchlists=("Haar & Haut",)).name)


def test_a_watchlist_s_digest_has_only_what_it_matched(told: Told) -> None:
    found = told.digest(watchlists=("Arthritis watch",))
    claims, notices = items(found)
    assert set(claims) == {str(told.ids["arthritis"])}
    assert not notices
    assert found.counts["reworded"] == 1
    assert (found.counts["appeared"], found.counts["notices_core"], found.counts["registered"]) == (0, 0, 0)
    assert [group.name for group in found.watchlists] == ["Arthritis watch"]
    assert "Only what these watchlists matched: Arthritis watch" in as_text(found)
    assert "(Arthritis watch)" in found.subject
    with pytest.raises(ValueError, match="no watchlist 'Arthrits'; there are: Arthritis watch, Haar & Haut"):
        told.digest(watchlists=("Arthrits",))


def test_products_that_changed_are_told_counted_and_kept_when_a_list_is_cut(told: Told) -> None:
    found = told.digest()
    drops, cream = found.products.items
    assert [(change.kind, change.before, change.after) for change in drops.changes][:2] == [
        ("form", ("serum",), ("eye_drops", "injection_kit")),
        ("source_material", (), ("whartons_jelly",)),
    ]
    assert [(each.now, each.quote) for each in drops.said] == [(False, "世界中に発送"), (True, "点眼薬")]
    assert (cream.firm, cream.said) == ("kelda.example", ())
    assert found.counts["products_changed"] == 2
    assert "2 products changed" in found.subject
    short = cut(found, 1).products
    assert (len(short.items), short.more, short.total) == (0, 2, 2)
    assert [item.name for item in told.digest(jurisdictions=("ca",)).products.items] == ["Kelda Cream"]
    assert not told.digest(jurisdictions=("uk",)).products.total


def test_a_week_in_which_only_a_product_changed_is_not_empty(told: Told) -> None:
    quiet = told.digest(week="2026-W51")
    assert quiet.empty
    assert not quiet.model_copy(update={"products": told.digest().products}).empty


def test_a_match_on_a_product_bears_the_product_s_name(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    with transaction(engine) as session:
        changed = session.exec(select(Event).where(Event.kind == EventKind.PRODUCT_CHANGED, Event.object_id == "99"))
        Factory(session, counter=8000).match("Arthritis watch", changed.one(), "cream", "Kelda Cream")
    found = story.digest(engine, tmp_path)
    labels = [match.label for group in found.watchlists for match in group.matches if match.path == "/products/99"]
    assert labels == ["Kelda Cream"]
    engine.dispose()


def test_a_summary_that_the_title_has_is_not_said_twice(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    with transaction(engine) as session:
        rule = session.get_one(Notice, told.ids["rule"])
        rule.summary = "Human cells  and tissues"
    found = story.digest(engine, tmp_path)
    shown = {
        notice.notice_id: notice for place in found.sections for group in place.notices for notice in group.notices
    }
    assert shown[told.ids["rule"]].summary == ""
    assert shown[told.ids["recall"]].summary == "Unapproved product"
    engine.dispose()


def test_no_sentence_stands_without_its_source(told: Told) -> None:
    assert Sentence.resting_on("It is a drug.", "Drug Act", "https://law.example/1") is not None
    assert Sentence.resting_on("It is a drug.", "Drug Act", "") is None
    assert Sentence.resting_on("It is a drug.", "Drug Act", "javascript:x") is None
    assert Sentence.resting_on("It is a drug.", "", "https://law.example/1") is None

    def unsourced(provision_id: str) -> Any:
        return factory.law(provision_id).model_copy(update={"url": ""})

    week = period.week(story.WEEK, "UTC")
    bare = gather(told.engine, story.config(told.folder), week, factory.NOW, law=unsourced)
    for shown, there in ((told.digest(), True), (bare, False)):
        for form in (as_html(shown), as_text(shown)):
            assert ("What is meant to treat a disease is a drug." in form) is there
    assert all(
        item.matters is None for s in bare.sections for g in s.claims for page in g.pages for item in page.claims
    )


def test_a_sentence_says_why_it_matters_and_where_that_stands(told: Told) -> None:
    tree = LexborHTMLParser(as_html(told.digest()))
    sentences = tree.css(".matters")
    assert sentences
    for node in sentences:
        assert node.css_first("cite a[href^='https://']") is not None, node.text()
    text = as_text(told.digest())
    assert (
        "Why it matters: What is meant to treat a disease is a drug. (Drug Act, s. 201(g), https://law.example/us/201)"
        in text
    )


def test_what_comes_up_is_told_with_its_day(told: Told) -> None:
    found = told.digest()
    assert [(item.kind, item.on) for item in found.coming.items] == [
        ("comments_close", date(2026, 12, 18)),
        ("effective", date(2027, 1, 4)),
    ]
    assert "18 Dec 2026, last day for comments: United States, Department of Invented Health" in as_text(found)
    assert "4. Jan. 2027, tritt in Kraft" in as_text(told.digest("de"))
    assert told.digest(jurisdictions=("uk",)).coming.total == 0
    assert told.digest(watchlists=("Arthritis watch",)).coming.total == 0
    assert [item.kind for item in told.digest(week="2026-W51").coming.items] == ["effective"], "the other day is over"


def test_corrections_say_what_was_told_where_and_what_became_of_it(told: Told) -> None:
    found = told.digest().corrections
    assert [(item.kind, item.digest, item.path) for item in found.items] == [
        ("dismissed", "2026-W46", f"/claims/{told.ids['told']}"),
        ("notice", "2026-W46", f"/notices/{told.ids['recall']}"),
        ("numbers", "2026-W46", "/digests/2026-W46"),
    ]
    assert found.items[1].changes == (("status", "open", "withdrawn"),)
    assert found.items[2].changes == (("appeared", "1", "2"),)
    assert "Die Übersicht 2026-W46 meldete:" in as_text(told.digest("de"))
    assert told.digest(week="2026-W48").corrections.total == 0, "a correction is told once"
    assert told.digest(week="2026-W46").corrections.total == 0


def test_what_matters_most_is_few_explained_and_adds_up(told: Told) -> None:
    found = told.digest().priorities
    assert len(found) == 5
    assert [line.points for line in found] == sorted((line.points for line in found), reverse=True)
    for line in found:
        assert line.points == sum(one.points for one in line.because)
        assert line.because
    assert found[0].path == f"/notices/{told.ids['new']}"
    assert found[0].also == 3, "further changes of the firm that the letter names"
    cure = next(line for line in found if line.path == f"/claims/{told.ids['cure']}")
    assert [(one.what, one.value, one.points) for one in cure.because] == [
        ("severity", "High", 40),
        ("change", "claim_appeared", 20),
        ("places", "2", 3),
        ("watch", "Haar & Haut", 15),
    ]
    text = as_text(told.digest("de"))
    assert (
        "78 Punkte: Schweregrad Hoch 40, Aufgetaucht 20, in 2 Rechtsräumen 3, Beobachtungsliste Haar & Haut 15." in text
    )


def test_what_is_not_assessed_has_no_severity(told: Told) -> None:
    found = told.digest()
    last = found.sections[-1]
    assert (last.code, [group.severity for group in last.claims]) == ("", [""])
    assert (last.tally.appeared, last.tally.appeared_unassessed, last.tally.appeared_high) == (1, 1, 0)
    assert "New claims, not assessed: 1" in as_text(found)


def test_an_empty_week_is_one_line_and_the_sources_that_were_read(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    with transaction(engine) as session:
        Factory(session, counter=9000).run(session.get_one(Source, "us_letters"), MONDAY + timedelta(days=30))
    quiet = story.digest(engine, told.folder, week="2026-W51")
    engine.dispose()
    assert quiet.empty
    assert "nothing new; 1 source blind" in quiet.subject
    page = words_of(html.unescape(LexborHTMLParser(as_html(quiet)).body.text(separator=" ")))  # type: ignore[union-attr]
    for shown in (page, as_text(quiet)):
        assert "Nothing new in this period. 1 of 5 sources was read." in shown or "1 of 5 sources were read." in shown
        assert re.search(r"Read well:? +Warning letters \(United States\)", shown)


def test_a_digest_stays_what_was_known_at_its_end(told: Told, tmp_path: Path) -> None:
    """Later decisions, judgements, wordings, notices and sources change no byte of an earlier digest."""
    engine = told.copy(tmp_path)
    before = as_json(story.digest(engine, told.folder))
    later = MONDAY + timedelta(days=9)
    with transaction(engine) as session:
        market, letters = session.get_one(Source, "site_hikari_example"), session.get_one(Source, "us_letters")
        cure = session.get_one(Claim, told.ids["cure"])
        page = session.get_one(Page, cure.page_id)
        make = Factory(session, counter=9000, pages={page.url: page})
        run, reading = make.run(market, later), make.run(letters, later)
        session.add(
            Review(
                claim_id=told.ids["cure"], state=ReviewState.CONFIRMED, reason="Read.", reviewer="A. Reader", at=later,
                quote=cure.quote, category=cure.category,
            )
        )  # fmt: skip
        cure.review_state, cure.ended_at, cure.state = ReviewState.CONFIRMED, later, "withdrawn"
        _, version = make.page(run, page.url, "エクソソームは癌を治します")
        make.wording(cure, version, "エクソソームは癌を治します", 2)
        cure.quote, cure.version_id = "エクソソームは癌を治します", version.id or 0
        safe = session.get_one(Claim, told.ids["safe"])
        safe.severity, safe.decision, safe.confidence = "Low", "review", 0.4
        for finding in session.exec(select(Finding).where(Finding.claim_id == safe.id)).all():
            finding.current = False
            changed = finding.model_dump(exclude={"id"}) | {"severity": "Low", "decision": "review", "confidence": 0.4}
            session.add(Finding(**changed | {"made_at": later, "current": True, "legal_basis": ["uk-b"]}))
        letter = session.get_one(Notice, told.ids["new"])
        make.notice_revision(letter, reading, title="Letter, closed", status="closed")
        letter.title, letter.notice_type, letter.summary = "Letter, closed", "close_out", ""
        rule = session.get_one(Notice, told.ids["rule"])
        make.notice_revision(rule, reading, comments_close="2027-02-01", effective=None)
        rule.comments_close, rule.effective = date(2027, 2, 1), None
        make.source("au_later", jurisdiction="au")
        make.run(session.get_one(Source, "au_later"), later)
    after = as_json(story.digest(engine, told.folder))
    engine.dispose()
    assert after == before


def test_a_claim_that_our_rules_judge_otherwise_corrects_the_digest_that_told_it(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    write(engine, story.config(tmp_path), period.week("2026-W47", "UTC"), factory.NOW, law=factory.law)
    with transaction(engine) as session:
        make = Factory(session, counter=9000)
        run = make.run(session.get_one(Source, "site_hikari_example"), MONDAY + timedelta(days=9))
        make.event(
            EventKind.CLAIM_FLAGGED, run, "claim", told.ids["cure"], cause="rules",
            detail={"judged_before": {"severity": "High"}, "judged_after": {"severity": "Low"}},
        )  # fmt: skip
        make.event(EventKind.CLAIM_CLEARED, run, "claim", told.ids["hair"], cause="rules")
    (found,) = story.digest(engine, told.folder, week="2026-W48").corrections.items
    engine.dispose()
    assert (found.kind, found.digest, found.path) == ("rules", "2026-W47", f"/claims/{told.ids['cure']}")
    assert found.changes == (("severity", "High", "Low"),)


def test_a_digest_of_a_week_that_is_not_over_is_as_known_by_the_last_reading(told: Told) -> None:
    week = period.week("2026-W47", "UTC")
    now = MONDAY + timedelta(days=3)
    found = gather(told.engine, story.config(told.folder), week, now, law=factory.law)
    assert found.generated_at == MONDAY + timedelta(days=2), "the last thing that happened, a decision"
    assert told.digest().generated_at == datetime.fromisoformat("2026-11-23T00:00:00+00:00")


def test_rewriting_is_noted_only_once_a_period_is_over(told: Told, tmp_path: Path) -> None:
    engine = told.copy(tmp_path)
    week, choice = period.week("2026-W47", "UTC"), story.config(tmp_path)

    def again(now: datetime) -> None:
        with transaction(engine) as session:
            make = Factory(session, counter=int(now.timestamp()) % 100000)
            make.notice(make.run(session.get_one(Source, "us_letters"), MONDAY), "Another", posted=date(2026, 11, 18))
        write(engine, choice, week, now, law=factory.law)

    write(engine, choice, week, MONDAY, law=factory.law)
    again(MONDAY + timedelta(days=1))
    again(factory.NOW)
    assert story.digest(engine, tmp_path, week="2026-W48").corrections.total == 0, "nobody read those as final"
    again(factory.NOW + timedelta(days=1))
    write(engine, choice, week, factory.NOW + timedelta(days=2), law=factory.law)
    (found,) = story.digest(engine, tmp_path, week="2026-W48").corrections.items
    engine.dispose()
    assert (found.kind, found.digest) == ("numbers", "2026-W47")
    assert ("notices_core", "6", "7") in found.changes
