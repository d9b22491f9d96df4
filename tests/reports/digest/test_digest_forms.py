"""A digest with all that it can tell: the same in every form and language, byte for byte, whoever writes it."""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import subprocess
import sys
from collections import Counter
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from pathlib import Path

import html5lib
import pypdfium2
import pypdfium2.raw
import pytest
from selectolax.lexbor import LexborHTMLParser

from monitor.config import Config
from reports.digest.formats import as_html, as_json, as_mail, as_pdf, as_text
from reports.languages import speech
from reports.pdf import MISSING, PdfError, pdf_of
from reports.words import Words
from tests.reports.digest import story
from tests.reports.digest.conftest import Told, items, words_of

MAIL = {"sender": "Exowatch <exowatch@watch.example>"}


@pytest.fixture(scope="module")
def paper(told: Told) -> bytes:
    return as_pdf(told.digest())


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
        "from monitor.tables.db import open_engine\n"
        "from reports.digest.formats import as_html, as_json, as_pdf, as_text\n"
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
