"""Real input: the recorded responses of official servers, in their live wire shape, through the real spiders."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from crawler.demo.play_real import RECORDED, play_real
from monitor.config import Config
from monitor.evidence.recomputed import verify
from monitor.tables.db import open_engine, reading
from monitor.tables.models import Notice, Run
from tests.samples import samples


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = samples("us/fda_warning_letters").parents[1]
    data = tmp_path_factory.mktemp("recordings") / "var"
    assert play_real(folder, data) == 0
    return data


def rows(data: Path, statement: Any) -> list[Any]:
    engine = open_engine(f"sqlite:///{data / 'exowatch.db'}")
    with reading(engine) as session:
        found = list(session.exec(statement))
    engine.dispose()
    return found


def test_every_source_was_read_and_taken_in(played: Path) -> None:
    assert {run.source_id: run.state for run in rows(played, select(Run))} == dict.fromkeys(RECORDED, "taken_in")


def test_fdas_whole_list_was_read_and_every_recorded_letter_has_its_text(played: Path) -> None:
    [run] = [run for run in rows(played, select(Run)) if run.source_id == "us_fda_warning_letters"]
    letters = rows(played, select(Notice).where(Notice.source_id == "us_fda_warning_letters"))

    assert run.record["listed"] == 3374
    assert len(letters) + run.record["not_kept"]["tobacco"] == 3374
    assert (
        sum(bool(letter.text) for letter in letters) == 81
    )  # the 82nd recorded page is of a letter that the list lacks
    assert all(letter.unread for letter in letters if not letter.text)
    assert all(letter.issued and letter.posted for letter in letters)


def test_openfda_and_canada_were_read(played: Path) -> None:
    counts = Counter(notice.source_id for notice in rows(played, select(Notice)))

    assert {source: counts[source] for source in RECORDED if "openfda" in source} == {
        "us_openfda_drug_enforcement": 1,
        "us_openfda_food_enforcement": 1,
        "us_openfda_device_enforcement": 1,
    }
    assert counts["ca_hc_recalls"] == 5


def test_the_one_letter_about_exosome_products_stands_first_in_the_digest(played: Path) -> None:
    core = rows(played, select(Notice).where(Notice.tier == "core"))
    assert [notice.key.rsplit("/", 1)[-1] for notice in core] == ["new-life-medical-services-llc-711102-09242025"]

    [digest] = (played / "digests").glob("*.json")
    assert json.loads(digest.read_text(encoding="utf-8"))["tally"]["notices_core"] == 1
    html = digest.with_suffix(".html").read_text(encoding="utf-8")
    links = [part.split('"', 1)[0] for part in html.split('href="')[1:] if "/notices/" in part.split('"', 1)[0]]
    assert links[0].endswith(f"/notices/{core[0].id}")


def test_the_recorded_bytes_verify(played: Path) -> None:
    engine = open_engine(f"sqlite:///{played / 'exowatch.db'}")
    checked = verify(engine, Config(data=played))
    engine.dispose()

    assert checked.broken == ()
    assert checked.captures >= 80
