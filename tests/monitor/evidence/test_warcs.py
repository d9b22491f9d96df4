"""WARC and WET files are read page by page, and one that is damaged says so."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from monitor.evidence.warcs import MOST_BYTES, ArchivedPage, ArchiveError, steps
from tests.monitor.archives import AT, conversion, packed, response


def test_pages_of_a_warc_are_read_with_where_they_lie(tmp_path: Path) -> None:
    records = [
        response("https://a.example/", "<p>one</p>"),
        response("https://a.example/gone", "gone", status="404 Not Found"),
        response("https://a.example/x.png", b"\x89PNG", kind="image/png"),
        response("https://a.example/two", "<p>zwei ü</p>"),
    ]
    file = packed(tmp_path / "a.warc.gz", records)

    found = list(steps(file))

    assert [step.page.url if step.page else None for step in found] == [
        "https://a.example/",
        None,
        None,
        "https://a.example/two",
    ]
    again = list(steps(file, found[3].offset))
    assert again == found[3:]
    assert again[0].page is not None
    assert again[0].page.body.decode() == "<p>zwei ü</p>"


def test_an_archive_that_is_not_packed_can_be_gone_on_with_too(tmp_path: Path) -> None:
    file = tmp_path / "a.warc"
    file.write_bytes(b"".join(response(f"https://a.example/{n}", f"<p>{n}</p>") for n in range(4)))

    found = list(steps(file))

    assert len(found) == 4
    assert list(steps(file, found[2].offset)) == found[2:]


def test_the_text_of_a_wet_file_is_read(tmp_path: Path) -> None:
    file = packed(tmp_path / "a.warc.wet.gz", [conversion("https://a.example/", "Just text")])

    (step,) = steps(file)

    assert step.page == ArchivedPage("https://a.example/", AT, "text/plain; charset=utf-8", b"Just text", plain=True)


def test_a_body_is_unpacked_and_a_huge_one_is_cut_and_says_so(tmp_path: Path) -> None:
    body = gzip.compress(b"<p>" + b"x" * (MOST_BYTES + 10))
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + body
    record = response("https://a.example/", "").partition(b"Content-Length")[0]
    file = packed(tmp_path / "a.warc.gz", [record + b"Content-Length: %d\r\n\r\n" % len(http) + http + b"\r\n\r\n"])

    (step,) = steps(file)

    assert step.page is not None
    assert step.page.cut
    assert len(step.page.body) == MOST_BYTES
    assert step.page.body.startswith(b"<p>xxx")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"no archive at all, just words\n", "not readable as WARC"),
        (gzip.compress(b"no archive at all, just words\n"), "not readable as WARC"),
        (b"\x28\xb5\x2f\xfd0000", "zstd"),
        (b"", "holds no WARC record"),
        (gzip.compress(response("https://a.example/", "<p>1</p>") * 2), "not readable as WARC"),
        (gzip.compress(response("https://a.example/", "<p>1</p>" * 3000))[:-40], "cut short"),
        (response("https://a.example/", "<p>1</p>")[:-12], "cut short"),
    ],
    ids=["words", "packed words", "zstd", "empty", "one member", "packed and cut", "cut"],
)
def test_a_file_that_is_no_whole_archive_is_told(tmp_path: Path, data: bytes, told: str) -> None:
    file = tmp_path / "a.warc.gz"
    file.write_bytes(data)

    with pytest.raises(ArchiveError, match=told):
        list(steps(file))
