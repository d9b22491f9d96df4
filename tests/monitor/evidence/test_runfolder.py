"""A run folder is taken at its word only where its digests agree."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.evidence.runfolder import EvidenceError, UnreadableRunError, open_run_folder, read_payload
from tests.runs import RunMaker, notice_card

AT = datetime(2026, 11, 18, 6, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    maker = RunMaker(notice_card(), AT, tmp_path)
    maker.notice("a", "Kelda Labs", "Dear Sir or Madam, your website sells exosomes.")
    maker.notice("b", "Brae Clinic", "Your umbilical product is a drug.")
    return maker.write()


def test_a_whole_folder_is_read(folder: Path) -> None:
    opened = open_run_folder(folder)

    assert [record.title for record in opened.records if record.kind == "notice"] == ["Kelda Labs", "Brae Clinic"]
    assert opened.capture(opened.records[0].captures[0]).status == 200  # type: ignore[union-attr]


def test_the_body_comes_back_as_it_was_received(folder: Path) -> None:
    opened = open_run_folder(folder)
    for capture in opened.captures.values():
        payload = read_payload(folder, capture.offset, capture.length, capture.payload_sha256)
        assert payload.body().startswith((b"Dear", b"Your"))


@pytest.mark.parametrize("name", ["items.jsonl", "captures.jsonl", "run.warc.gz"])
def test_an_altered_file_is_named(folder: Path, name: str) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))

    with pytest.raises(UnreadableRunError, match=rf"{name}.*altered or cut"):
        open_run_folder(folder)


@pytest.mark.parametrize("name", ["items.jsonl", "captures.jsonl", "run.warc.gz", "run.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(UnreadableRunError, match=name.replace(".", r"\.")):
        open_run_folder(folder)


def test_an_unknown_key_in_run_json_is_refused(folder: Path) -> None:
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**run, "surprise": 1}))

    with pytest.raises(UnreadableRunError, match="surprise"):
        open_run_folder(folder)


def test_a_capture_with_another_digest_is_refused(folder: Path) -> None:
    capture = next(iter(open_run_folder(folder).captures.values()))

    with pytest.raises(EvidenceError, match="sha256"):
        read_payload(folder, capture.offset, capture.length, "0" * 64)


def test_a_wrong_place_in_the_archive_is_refused(folder: Path) -> None:
    capture = next(iter(open_run_folder(folder).captures.values()))

    with pytest.raises(EvidenceError, match="no readable WARC record"):
        read_payload(folder, capture.offset + 3, capture.length, capture.payload_sha256)


def test_content_encodings_are_undone_and_lies_named(tmp_path: Path) -> None:
    maker = RunMaker(notice_card(), AT, tmp_path)
    for body, coding in (
        (gzip.compress(b"hello"), "gzip"),
        (b"hello", "gzip"),
        (b"hello", "x-rot13"),
        (b"hello", "identity"),
        (base64.b64decode("KLUv/SAFKQAAaGVsbG8="), "zstd"),
        (b"hello", "zstd"),
    ):
        maker.capture("http://letters.example/x", body, **{"Content-Encoding": coding})
    folder = maker.write()
    payloads = [
        read_payload(folder, one.offset, one.length, one.payload_sha256)
        for one in open_run_folder(folder).captures.values()
    ]

    assert payloads[0].body() == b"hello"
    with pytest.raises(EvidenceError, match="does not decode as gzip"):
        payloads[1].body()
    with pytest.raises(EvidenceError, match="x-rot13"):
        payloads[2].body()
    assert payloads[3].body() == b"hello"
    assert payloads[4].body() == b"hello"
    with pytest.raises(EvidenceError, match="does not decode as zstd"):
        payloads[5].body()
