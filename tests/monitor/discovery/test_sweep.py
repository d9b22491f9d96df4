"""Sweeping archives: what is found and why, and that a sweep that was killed goes on where it was."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from monitor.cli import main
from monitor.discovery.gathering import links_in
from monitor.discovery.screening import Candidate, look
from monitor.discovery.sweep import Journal, Report, SweepError, Task, files_of, sweep
from monitor.evidence.warcs import ArchivedPage, steps
from monitor.knowledge import Knowledge, load
from monitor.webname import home_of, may_be_seller, site_of
from tests.monitor.archives import AT, NEWS, PLAIN, SELLING, packed, response
from tests.samples import samples

ROOT = Path(__file__).parents[3]
HOME = "https://www.kelda.example/"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


def page(html: str, url: str = "https://www.kelda.example/serum", **changes: Any) -> ArchivedPage:
    return ArchivedPage(**{"url": url, "seen_at": AT, "content_type": "text/html", "body": html.encode(), **changes})


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


# What is a candidate


def test_recorded_archives_are_read(knowledge: Knowledge) -> None:
    """One real page of Common Crawl, as WARC and as WET: no seller's."""
    for name in ("whirlwind.warc.gz", "whirlwind.warc.wet.gz"):
        (found,) = [step.page for step in steps(samples(f"us/commoncrawl/{name}")) if step.page]
        assert found.url.startswith("https://")
        assert len(found.body) > 4_000
        assert look(found, knowledge) == "no seller's address"


def test_a_page_that_sells_is_a_candidate_with_its_reasons(knowledge: Knowledge) -> None:
    found = look(page(SELLING), knowledge)

    assert isinstance(found, Candidate)
    assert (found.site, found.tier, found.role, found.language) == ("kelda.example", "core", "seller", "en")
    assert found.title == "Kelda serum"
    assert "ExoVita" in found.names
    assert found.why[0].startswith("names “exosome”")
    assert any(why.startswith("speaks as seller") for why in found.why)
    assert "shows a price" in found.why
    assert "has a cart" in found.why


def test_the_same_page_without_markup_is_one_too(knowledge: Knowledge) -> None:
    text = "Kelda ExoVita serum\nOur exosome serum with stem cell exosomes. $129.00\nAdd to cart\nFree shipping\n"

    found = look(page(text, content_type="text/plain", plain=True), knowledge)

    assert isinstance(found, Candidate)
    assert found.tier == "core"


@pytest.mark.parametrize(
    ("html", "url", "why"),
    [
        (PLAIN, "https://www.kelda.example/", "names no product"),
        (SELLING, "https://www.fda.gov/page", "no seller's address"),
        (SELLING, "https://en.wikipedia.org/wiki/Exosome", "no seller's address"),
        (SELLING, "https://www.amazon.de/dp/1", "no seller's address"),
        (SELLING, "https://bbc.co.uk/1", "no seller's address"),
        (NEWS, "https://ledger.example/1", "speaks as news"),
        ("<p>Cells give off exosomes.</p>", "https://kelda.example/", "no sign that it sells"),
        (
            "<p>The RNA exosome is a protein complex. $5.00 add to cart</p>",
            "https://kelda.example/",
            "names no product",
        ),
    ],
)
def test_what_is_no_candidate_says_why(knowledge: Knowledge, html: str, url: str, why: str) -> None:
    assert look(page(html, url), knowledge) == why


def test_a_page_that_nests_without_end_holds_nobody_up(knowledge: Knowledge) -> None:
    """A parser's time grows with the square of the depth: 300,000 levels would take it minutes."""
    nested = "<div>" * 300_000

    assert look(page(f"{nested}nothing"), knowledge) == "names no product"
    assert isinstance(look(page(f"{nested}exosome serum, $5.00, add to cart"), knowledge), Candidate)
    (link,) = links_in(f"<a href='https://b.example'>x</a>{nested}".encode(), "", HOME, knowledge)
    assert link.site == "b.example"


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.kelda.example/a", "kelda.example"),
        ("kelda.example", "kelda.example"),
        ("https://shop.kelda.co.uk:8443/a", "kelda.co.uk"),
        ("https://kelda.myshopify.com/", "kelda.myshopify.com"),
        ("https://KELDA.blogspot.com./", "kelda.blogspot.com"),
        ("https://127.0.0.1/", ""),
        ("https://localhost/", ""),
        ("https://[broken/", ""),
        ("https://co.uk/", ""),
    ],
)
def test_a_site_is_the_name_that_someone_registered(url: str, site: str) -> None:
    assert site_of(url) == site


@pytest.mark.parametrize(
    "site",
    [
        "facebook.com",
        "mfds.go.kr",
        "nhs.gov.uk",
        "harvard.edu",
        "ox.ac.uk",
        "x.cloudfront.net",
        "google.co.jp",
        "",
        "wa.me",
    ],
)
def test_what_everyone_shares_is_no_sellers(site: str) -> None:
    assert not may_be_seller(site)


def test_the_front_page_of_an_address() -> None:
    assert home_of("http://www.kelda.example/a?b") == "http://www.kelda.example/"
    assert home_of("shop.kelda.example/a") == "https://shop.kelda.example/"
    assert home_of("https://kelda.example:99999/") == "https://kelda.example/"


# Sweeping


def archive(folder: Path, name: str, count: int = 6) -> Path:
    """Every third page sells."""
    records = [
        response(f"https://www.{name}{number}.example/", SELLING if number % 3 == 0 else PLAIN)
        for number in range(count)
    ]
    return packed(folder / f"{name}.warc.gz", records)


def swept(out: Path, files: list[Path], knowledge: Knowledge, **options: Any) -> Report:
    journal = Journal(out, knowledge.version)
    try:
        return sweep(files, journal, knowledge, **options)
    finally:
        journal.close()


def test_every_file_is_gone_through_once(tmp_path: Path, knowledge: Knowledge) -> None:
    files, out = [archive(tmp_path, "one"), archive(tmp_path, "two")], tmp_path / "out.jsonl"

    first = swept(out, files, knowledge)
    held = out.read_bytes()
    second = swept(out, files, knowledge)

    assert [row["site"] for row in lines(out)] == ["one0.example", "one3.example", "two0.example", "two3.example"]
    assert lines(out)[0]["archive"] == str(files[0])
    assert [(task.records, task.pages, task.found) for task in first.tasks] == [(6, 6, 2), (6, 6, 2)]
    assert first.tasks[0].left_out == {"names no product": 4}
    assert (first.skipped, second.skipped) == (0, 2)
    assert out.read_bytes() == held


def test_a_candidate_can_be_found_again_where_it_says(tmp_path: Path, knowledge: Knowledge) -> None:
    out = tmp_path / "out.jsonl"
    swept(out, [archive(tmp_path, "one")], knowledge)

    row = lines(out)[1]
    step = next(iter(steps(Path(row["archive"]), row["offset"])))

    assert step.page is not None
    assert step.page.url == row["url"] == "https://www.one3.example/"


def test_a_sweep_that_is_stopped_goes_on_where_it_was(tmp_path: Path, knowledge: Knowledge) -> None:
    files, out, whole = [archive(tmp_path, "one", 30)], tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    swept(whole, files, knowledge)
    stop = Event()
    told: list[Task] = []

    def stop_after_the_second_step(task: Task, _done: bool) -> None:
        told.append(task)
        if len(told) == 2:
            stop.set()

    first = swept(out, files, knowledge, told=stop_after_the_second_step, stop=stop, records_a_step=5)
    begun = len(lines(out))
    second = swept(out, files, knowledge)

    assert first.stopped
    assert not first.tasks[0].done
    assert 0 < begun < 10
    assert second.tasks[0].done
    assert (second.tasks[0].records, second.tasks[0].found) == (30, 10)
    assert out.read_bytes() == whole.read_bytes()


def test_what_was_written_after_the_last_step_is_written_again_and_not_twice(
    tmp_path: Path, knowledge: Knowledge
) -> None:
    files, out, whole = [archive(tmp_path, "one", 30)], tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    swept(whole, files, knowledge)
    state = tmp_path / "out.jsonl.state.jsonl"
    swept(out, files, knowledge, records_a_step=7)
    steps_ = state.read_text().splitlines(keepends=True)
    state.write_text("".join(steps_[:3]) + steps_[3][:20])  # killed within the third step's line

    again = swept(out, files, knowledge)

    assert again.tasks[0].records == 30
    assert out.read_bytes() == whole.read_bytes()


def test_a_killed_sweep_loses_nothing_and_doubles_nothing(tmp_path: Path, knowledge: Knowledge) -> None:
    files = [archive(tmp_path, name, 1200) for name in ("one", "two")]
    out, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    swept(whole, files, knowledge)
    command = [sys.executable, "-m", "monitor", "sweep", *map(str, files), "--out", str(out)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and not (out.exists() and out.stat().st_size):
        sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == whole.read_bytes()
    assert Counter(row["url"] for row in lines(out)).most_common(1)[0][1] == 1


def test_a_damaged_file_is_told_and_the_next_is_read(tmp_path: Path, knowledge: Knowledge) -> None:
    bad, good, out = archive(tmp_path, "bad", 9), archive(tmp_path, "good"), tmp_path / "out.jsonl"
    bad.write_bytes(bad.read_bytes()[:-30])

    report = swept(out, [bad, good], knowledge)

    assert len(report.problems) == 1
    assert "bad.warc.gz" in report.problems[0]
    assert {row["site"] for row in lines(out)} >= {"bad0.example", "bad3.example", "good0.example", "good3.example"}
    assert swept(out, [bad, good], knowledge).skipped == 2


def test_a_file_that_changed_is_gone_through_again(tmp_path: Path, knowledge: Knowledge) -> None:
    file, out = archive(tmp_path, "one", 3), tmp_path / "out.jsonl"
    swept(out, [file], knowledge)
    archive(tmp_path, "one", 6)

    report = swept(out, [file], knowledge)

    assert (report.skipped, report.tasks[0].records) == (0, 6)


def test_a_page_whose_reading_fails_does_not_hold_up_the_rest(
    tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_once(seen: ArchivedPage, known: Knowledge) -> Candidate | str:
        if "one0" in seen.url:
            raise RecursionError("too deep")
        return look(seen, known)

    monkeypatch.setattr("monitor.discovery.sweep.look", fails_once)

    report = swept(tmp_path / "out.jsonl", [archive(tmp_path, "one")], knowledge)

    assert report.tasks[0].left_out["its reading failed"] == 1
    assert report.tasks[0].found == 1
    assert "https://www.one0.example/: RecursionError: too deep" in report.problems[0]


def test_one_output_holds_what_one_knowledge_found(tmp_path: Path, knowledge: Knowledge) -> None:
    out = tmp_path / "out.jsonl"
    swept(out, [archive(tmp_path, "one")], knowledge)

    with pytest.raises(SweepError, match="under other knowledge"):
        Journal(out, "another")


def test_a_file_that_no_sweep_wrote_is_left_alone(tmp_path: Path, knowledge: Knowledge) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("mine\n")

    with pytest.raises(SweepError, match="no sweep wrote it"):
        Journal(out, knowledge.version)
    assert out.read_text() == "mine\n"


def test_an_output_that_was_cut_is_told(tmp_path: Path, knowledge: Knowledge) -> None:
    out = tmp_path / "out.jsonl"
    swept(out, [archive(tmp_path, "one")], knowledge)
    os.truncate(out, 10)

    with pytest.raises(SweepError, match="shorter than what was written"):
        Journal(out, knowledge.version)


def test_memory_is_bounded_by_the_page_not_by_the_file(tmp_path: Path) -> None:
    """240 MB of pages, 8 MB each."""
    words = "<p>" + "plain words and more of them " * 280_000 + "</p></body>"
    plain = packed(tmp_path / "plain.warc.gz", [response("https://plain.example/", PLAIN.replace("</body>", words))])
    sells = packed(tmp_path / "sells.warc.gz", [response("https://sells.example/", SELLING.replace("</body>", words))])
    file = tmp_path / "huge.warc.gz"
    file.write_bytes(plain.read_bytes() * 29 + sells.read_bytes())
    command = [sys.executable, "-m", "monitor", "sweep", str(file), "--out", str(tmp_path / "out.jsonl")]
    child = psutil.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while child.poll() is None:
        with suppress(psutil.NoSuchProcess):
            peak = max(peak, child.memory_info().rss)
        sleep(0.02)

    assert child.returncode == 0
    assert [row["cut"] for row in lines(tmp_path / "out.jsonl")] == [True]
    assert peak < 330 * 1024**2


# Which files


def test_paths_patterns_and_lists_name_files(tmp_path: Path) -> None:
    one, two = archive(tmp_path, "one", 1), archive(tmp_path, "two", 1)
    plain, zipped = tmp_path / "files.txt", tmp_path / "warc.paths.gz"
    plain.write_text("# mine\ntwo.warc.gz\n\n")
    zipped.write_bytes(gzip.compress(b"one.warc.gz\n"))

    assert files_of([str(two), str(tmp_path / "*.warc.gz")]) == (two, one)
    assert files_of([], [plain]) == (two,)
    assert files_of([], [zipped, plain]) == (one, two)


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (["nothing.warc.gz"], "no such file"),
        (["*.nothing"], "no such file"),
        (["."], "is a folder"),
        ([], "nothing to sweep"),
    ],
)
def test_a_path_that_names_nothing_is_told(
    tmp_path: Path, in_folder: Callable[[Path], None], paths: list[str], told: str
) -> None:
    in_folder(tmp_path)

    with pytest.raises(SweepError, match=told):
        files_of(paths)


def test_a_list_whose_files_are_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "files.txt").write_text("gone.warc.gz\n")

    with pytest.raises(SweepError, match=r"1 of its 1 files are not there; the first is .*gone\.warc\.gz"):
        files_of([], [tmp_path / "files.txt"])


# The command


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_the_command_tells_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = archive(tmp_path, "one"), tmp_path / "out.jsonl"

    assert run("sweep", str(file), "--out", str(out)) == 0

    told = capsys.readouterr().out
    assert "one.warc.gz: 6 records, 6 pages, 2 candidates (1 of 1)" in told
    assert f"1 file: 6 pages, 2 candidates in {out}" in told
    assert "left out: 4 names no product" in told
    assert len(lines(out)) == 2


def test_the_command_fails_where_a_file_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = archive(tmp_path, "one")
    file.write_bytes(file.read_bytes()[:-30])

    assert run("sweep", str(file), "--out", str(tmp_path / "out.jsonl")) == 1
    assert "PROBLEM: " in capsys.readouterr().out


def test_a_wrong_path_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sweep", str(tmp_path / "none.warc"), "--out", str(tmp_path / "out.jsonl")) == 2
    assert (
        capsys.readouterr().err == f"sweep: {tmp_path / 'none.warc'}: there is no such file, and none whose name fits\n"
    )


def test_ctrl_c_stops_after_the_page_at_hand(tmp_path: Path) -> None:
    files, out = [archive(tmp_path, name, 1500) for name in ("one", "two")], tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "monitor", "sweep", *map(str, files), "--out", str(out)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    while child.poll() is None and not (out.exists() and out.stat().st_size):
        sleep(0.002)
    child.send_signal(signal.SIGINT)
    told, _ = child.communicate(timeout=60)

    assert child.returncode == 143
    assert "the same command goes on from here" in told
