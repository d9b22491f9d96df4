"""`explain` and `knowledge …` as a lawyer uses them: what they print, and the exit codes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from monitor.cli import main
from monitor.config import Config, load
from monitor.intake.runs import take_in
from monitor.knowledge import load as load_knowledge
from monitor.tables.db import open_engine, reading
from monitor.tables.models import Claim
from tests.monitor.knowledge.copies import copy_to, spoil
from tests.runs import RunMaker, page_card

LUPUS = "Our exosome therapy treats lupus."
DENIED = "Exosomes do not cure diabetes."
PAGE = (
    '<html lang="en"><head><title>Kelda exosome therapy</title></head><body><h1>Exosome therapy</h1>'
    f"<p>{LUPUS}</p><p>{DENIED}</p><p>Book your appointment now: £450 a session.</p></body></html>"
)


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def exowatch(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert "Traceback" not in err
        return Said(ended.value.code, out, err)

    return run


@pytest.fixture
def config(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A configuration on each database, with one page taken in."""
    file = tmp_path / "config.yaml"
    file.write_text("contact: desk@watch.example\ndata: var\n", encoding="utf-8")
    monkeypatch.setenv("EXOWATCH_DATABASE_URL", database_url)
    monkeypatch.setenv("EXOWATCH_CONFIG", str(file))
    monkeypatch.chdir(tmp_path)
    loaded = load(file)
    maker = RunMaker(page_card(), datetime(2026, 11, 9, 6, tzinfo=UTC), loaded.runs_folder)
    maker.page("http://kelda.example/", PAGE)
    engine = open_engine(database_url)
    assert take_in(engine, maker.write(), loaded, load_knowledge()).state == "taken_in"
    engine.dispose()
    return loaded


def claim_id(url: str) -> int:
    engine = open_engine(url)
    with reading(engine) as session:
        found = session.get_one(Claim, 1)
    engine.dispose()
    assert found.quote == LUPUS
    return found.id or 0


# --- explain


def test_a_held_claim_is_explained(exowatch: Callable[..., Said], config: Config, database_url: str) -> None:
    number = str(claim_id(database_url))
    said = exowatch("explain", number)
    assert said.code == 0
    assert said.out.startswith(f"Claim {number} on http://kelda.example/: “{LUPUS}”\nHeld as disease_treatment, flag, ")
    for words in (
        "It addresses uk: ",
        f"1. “{LUPUS}”",
        "word       “treats” is act_treat",
        "rule       disease.act_condition: ",
        "negated: looked for words that deny the statement, not found",
        "uk-hmr2012-r279: Human Medicines Regulations 2012, reg. 279",
        "verified, unsigned",
        "precedent  Exosomes are offered against lupus (our words; likeness 0.",
        "FDA spiel-2020 of 2020-04-10 to Regenerative Solution of NJ / Dr Spiel, address not on record; text read: no",
    ):
        assert words in said.out
    assert "It was judged under rules" not in said.out
    assert DENIED not in said.out
    made = exowatch("explain", number, "--json").json
    assert made["held"]["claim"] == int(number)
    assert [one["statement"] for one in made["findings"]] == [LUPUS]


@pytest.mark.usefixtures("config")
def test_a_claim_that_is_not_there(exowatch: Callable[..., Said]) -> None:
    said = exowatch("explain", "999")
    assert (said.code, said.err) == (1, "no such claim: 999; `exowatch search` shows the numbers\n")


def test_a_text_is_explained_without_a_configuration(
    exowatch: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = exowatch("explain", "--text", f"{LUPUS} {DENIED} Book at our clinic.", "--lang", "en")
    assert said.code == 0
    found, dropped = said.out.split("\nNot flagged: 1\n")
    assert f"\nFound: 1\n\n1. “{LUPUS}”\n" in found
    assert "decision   not flagged: negated" in dropped
    assert "negated: FOUND words that deny the statement (“do not”)" in dropped
    assert exowatch("explain", "--text", "It treats lupus.").out.startswith("Page: clear.")
    on_page = exowatch("explain", "--text", "It treats lupus.", "--product-context", "--lang", "en")
    assert "1. “It treats lupus.”" in on_page.out
    addressed = exowatch("explain", "--text", LUPUS, "--url", "https://kelda.co.uk/", "--json").json
    assert [one["code"] for one in addressed["addressed"]] == ["uk"]


def test_files_and_what_is_piped_in(
    exowatch: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, text = tmp_path / "page.html", tmp_path / "page.txt"
    page.write_text(PAGE, encoding="utf-8")
    text.write_text(LUPUS, encoding="utf-8")
    assert "stands in  paragraph under Exosome therapy" in exowatch("explain", str(page)).out
    assert f"1. “therapy treats lupus”\n   statement  “{LUPUS}”\n" in exowatch("explain", str(text)).out
    for options, where in (([], ()), (["--html"], ("Exosome therapy",))):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PAGE.encode())))
        said = exowatch("explain", "-", "--json", *options)
        assert tuple(said.json["findings"][0]["heading_path"]) == where
    many = exowatch("explain", "--text", f"{LUPUS}\n" * 5, "--limit", "2")
    assert "Found: 5, the first 2 explained (--limit 0: all)" in many.out
    assert "\n3. " not in many.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of these: the number of a claim, a file, - for what is piped in"),
        (["7", "--text", "x"], "give one of these"),
        (["nowhere.txt"], "nowhere.txt: No such file or directory; give the number of a claim, a file, or -"),
        (["bad.txt"], "bad.txt: not UTF-8 at byte 1; save it as UTF-8, or say --html for a page"),
    ],
)
def test_wrong_arguments(
    exowatch: Callable[..., Said],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.txt").write_bytes(b"a\xff")
    said = exowatch("explain", *arguments)
    assert said.code == 2
    assert said.err.startswith(message)


def test_scraped_text_cannot_move_the_cursor(exowatch: Callable[..., Said]) -> None:
    said = exowatch("explain", "--text", "Our exosomes treat lupus\x1b[2J\x07 for ever.")
    assert "lupus" in said.out
    assert "\x1b" not in said.out
    assert "\x07" not in said.out


# --- knowledge


def test_copy_check_and_sign(exowatch: Callable[..., Said], tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert exowatch("knowledge", "copy", str(mine)).out == f"{mine}: edit it, then: exowatch knowledge check {mine}\n"
    assert exowatch("knowledge", "copy", str(mine)).code == 2
    said = exowatch("knowledge", "check", str(mine))
    assert said.code == 0, said.out
    assert said.out.splitlines()[-1].endswith(" warnings")
    assert " 0 errors, " in said.out.splitlines()[-1]
    assert said.out.splitlines()[-2].startswith("unsigned: ")

    signing = ("knowledge", "sign", "law/rules/us.yaml", "--folder", str(mine))
    assert exowatch(*signing, "--reviewer", "Ada  Quill").code == 0
    assert (mine / "signoffs.csv").read_text().splitlines()[1].startswith("law/rules/us.yaml,")
    made = exowatch("knowledge", "check", str(mine), "--json").json
    signed = [one for one in made["signatures"] if one["state"] == "signed"]
    assert [(one["file"], one["reviewer"]) for one in signed] == [("law/rules/us.yaml", "Ada Quill")]
    assert (made["errors"], made["examples_judged"] > 100) == (0, True)

    spoil(mine / "law" / "rules" / "us.yaml", lambda raw: raw["rules"][0].update(severity="Grave"))
    said = exowatch("knowledge", "check", str(mine))
    assert said.code == 1
    first = said.out.splitlines()[0]
    assert first.startswith("law/rules/us.yaml:")
    assert "error: row 1 (us-disease-human-clinic): severity: should be 'High', 'Medium' or 'Low'" in first
    assert "law/rules/us.yaml: warning: changed since Ada Quill signed it on " in said.out
    assert "no example judged: correct the errors first" in said.out
    refused = exowatch(*signing, "--reviewer", "Ada Quill")
    assert refused.code == 1
    assert refused.err.rstrip().endswith("a file with errors cannot be signed")
    assert exowatch(*signing[:2], "law/rules/usa.yaml", *signing[3:], "--reviewer", "A").err.startswith(
        "no such file: law/rules/usa.yaml; did you mean law/rules/us.yaml?"
    )
    assert exowatch(*signing, "--reviewer", " ").code == 2
    assert exowatch("knowledge", "check", str(tmp_path / "none")).err.startswith(f"{tmp_path / 'none'}: no such folder")


@pytest.mark.usefixtures("config")
def test_the_effect_of_an_edit(exowatch: Callable[..., Said], tmp_path: Path) -> None:
    mine = copy_to(tmp_path / "mine")
    assert exowatch("knowledge", "effect", str(mine)).out.startswith("no held page is affected: ")
    spoil(mine / "scoring.yaml", lambda raw: raw["fusion"].update(flag=0.9999, review=0.9998))
    said = exowatch("knowledge", "effect", str(mine))
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[:3] == [
        "1 page judged again; their sites have 1 standing claim",
        "0 would appear, 1 would vanish, 0 would change",
        "",
    ]
    assert lines[3:6] == ["would vanish", f"  claim 1  “{LUPUS}”", "    http://kelda.example/"]
    assert lines[6].startswith("    disease_treatment, flag, High; rule disease.act_condition")
    made = exowatch("knowledge", "effect", str(mine), "--json").json
    assert made["counts"] == {"appears": 0, "vanishes": 1, "changes": 0}
    assert [(one["kind"], one["quote"], one["after"]) for one in made["shifts"]] == [("vanishes", LUPUS, None)]


@pytest.mark.usefixtures("config")
def test_a_change_of_severity_is_shown_by_jurisdiction(exowatch: Callable[..., Said], tmp_path: Path) -> None:
    mine = copy_to(tmp_path / "mine")
    spoil(mine / "law" / "rules" / "uk.yaml", lambda raw: [rule.update(severity="Low") for rule in raw["rules"]])
    said = exowatch("knowledge", "effect", str(mine))
    assert "0 would appear, 0 would vanish, 1 would change" in said.out
    assert "    severity: High → Low" in said.out
    assert "    uk: High (" in said.out
    assert ") → Low (" in said.out


@pytest.mark.usefixtures("config")
def test_a_folder_that_cannot_be_used_says_how_to_see_why(exowatch: Callable[..., Said], tmp_path: Path) -> None:
    mine = copy_to(tmp_path / "mine")
    (mine / "scoring.yaml").unlink()
    said = exowatch("knowledge", "effect", str(mine))
    assert said.code == 1
    assert said.err.rstrip().endswith(f"See all: exowatch knowledge check {mine}")
