"""The page of an evaluation: stands alone, is escaped, shows every figure that it was given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from reports.__main__ import MISUSED, main

RATES = {"n": 40, "precision": 0.95, "recall": 0.9, "f1": 0.9243}
FIGURES: dict[str, Any] = {
    "file": "mine <b>.jsonl",
    "corpus": "ab" * 32,
    "knowledge": "0123456789abcdef",
    "n": 1234,
    "flag": RATES,
    "review": {**RATES, "recall": 0.97},
    "interval": [0.901, 0.942],
    "calibration": {"brier": 0.071, "ece": 0.024},
    "span_f1": 0.771,
    "compared": {"keywords": {**RATES, "f1": 0.41}, "rules and model": RATES},
    "by": {
        "category": {"hair_regrowth": {**RATES, "low": 0.81, "high": 0.98}, "<script>alert(1)</script>": RATES},
        "language": {
            "en": {**RATES, "low": 0.9, "high": 0.95},
            "th": {**RATES, "n": 8, "low": 0.4, "high": 1.0},
            "sv": {"n": 3, "falsely_flagged": 0.3333},
        },
        "level": {"A": RATES, "C": RATES},
        "role": {"news": {"n": 54, "falsely_flagged": 0.0185}, "": RATES},
    },
    "bins": [{"from": 0.0, "to": 0.1, "n": 700, "said": 0.02, "true": 0.014}],
    "levels": {"en": "A", "th": "C", "sv": "C"},
    "person_only": ["th", "sv"],
}


def _page(tmp_path: Path, figures: dict[str, Any] = FIGURES) -> str:
    given, out = tmp_path / "figures.json", tmp_path / "page.html"
    given.write_text(json.dumps(figures), encoding="utf-8")
    assert main(["evaluation", str(given), "--out", str(out)]) == 0
    return out.read_text(encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> LexborHTMLParser:
    return LexborHTMLParser(_page(tmp_path))


def _rows(tree: LexborHTMLParser, section: str) -> dict[str, list[str]]:
    found = {}
    for row in tree.css(f"section[aria-labelledby={section}] tbody tr"):
        head = row.css_first("th[scope=row]")
        assert head is not None
        found[" ".join(head.text().split())] = [cell.text().strip() for cell in row.css("td")]
    return found


def test_one_title_and_real_tables(tree: LexborHTMLParser) -> None:
    assert [node.text() for node in tree.css("h1")] == ["How well claims are found"]
    assert len(tree.css("table")) == 9
    assert all(node.attributes.get("scope") in ("row", "col") for node in tree.css("th"))
    ids = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(ids) == len(set(ids))
    for section in tree.css("section"):
        assert section.attributes["aria-labelledby"] in ids


def test_it_stands_alone(tmp_path: Path) -> None:
    page = _page(tmp_path)
    tree = LexborHTMLParser(page)
    assert not tree.css("script, link, img, iframe, [src], [href]")
    assert "url(" not in page
    assert "@import" not in page


def test_what_is_given_is_escaped(tmp_path: Path) -> None:
    page = _page(tmp_path)
    assert "<script>" not in page
    assert "mine <b>" not in page
    assert "mine &lt;b&gt;.jsonl" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_figures_stand_in_words_and_numbers(tree: LexborHTMLParser) -> None:
    assert _rows(tree, "whole")["flagged"] == ["40", "0.950", "0.900", "0.924", "0.901 to 0.942"]
    assert _rows(tree, "compared")["keywords"][:4] == ["40", "0.950", "0.900", "0.410"]
    assert "1,234 labelled texts" in tree.css_first(".lead").text()


def test_groups_have_intervals_and_languages_their_level(tree: LexborHTMLParser) -> None:
    languages = _rows(tree, "language")
    assert languages["English level A"][:5] == ["40", "0.950", "0.900", "0.924", "0.900 to 0.950"]
    assert languages["Thai level C; a person decides every finding"][4] == "0.400 to 1.000"
    assert languages["Swedish level C; a person decides every finding"][:2] == ["3", "0.333"]
    roles = _rows(tree, "role")
    assert roles["news"][:2] == ["54", "0.018"]
    assert roles["not told"][4] == "–"


def test_bars_are_as_long_as_their_figures(tree: LexborHTMLParser) -> None:
    bars = tree.css("section[aria-labelledby=category] svg")
    assert [bar.css_first(".part").attributes["width"] for bar in bars] == ["92.4", "92.4"]
    assert [(line.attributes["x1"], line.attributes["x2"]) for line in bars[0].css("line")] == [("81.0", "98.0")]
    assert all(bar.attributes["aria-hidden"] == "true" for bar in tree.css("svg"))


def test_calibration_is_told_by_tenths(tree: LexborHTMLParser) -> None:
    assert _rows(tree, "calibration") == {"0.0 to 0.1": ["700", "0.020", "0.014", ""]}
    assert "Brier score 0.071" in tree.css_first("section[aria-labelledby=calibration]").text()


def test_a_file_that_holds_no_claim_has_a_page(tmp_path: Path) -> None:
    none = {"n": 3, "falsely_flagged": 0.0}
    bare = {**FIGURES, "compared": {}, "by": {"role": {"news": none}}, "bins": [], "levels": {}}
    assert list(_rows(LexborHTMLParser(_page(tmp_path, bare)), "role")) == ["news"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "figures.json: no JSON"),
        ('{"n": 3}', "figures.json: corpus: Field required; give what exowatch evaluate --json prints"),
        ("[]", "figures.json: the file:"),
    ],
)
def test_what_is_no_evaluation_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    given = tmp_path / "figures.json"
    given.write_text(text, encoding="utf-8")
    assert main(["evaluation", str(given), "--out", str(tmp_path / "page.html")]) == MISUSED
    assert said in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "figures.json"
    given.write_text(json.dumps(FIGURES), encoding="utf-8")
    assert main(["evaluation", str(given), "--out", str(tmp_path / "none" / "page.html")]) == MISUSED
    assert "page.html: No such file or directory; give another file" in capsys.readouterr().err
