"""Packages: what an export holds, that public tools accept it, and that nothing in it can be altered unseen."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from monitor.evidence.chain import parse_lines
from monitor.evidence.packages import parts
from monitor.evidence.packages.check import check
from monitor.evidence.packages.statement import NOT_PROVED, PROVES
from monitor.evidence.stamps import Roots, read_roots
from tests.monitor.authority import Authority
from tests.monitor.evidence_shop import FIRST, HOST, THEN, Shop, read_twice
from tests.programs import Stage

PAGE = f"http://{HOST}/therapy"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, authority: Authority, stage: Stage) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "roots.pem").write_bytes(authority.roots)
    with read_twice(folder, stage) as shop:
        shop.web.routes["/tsa"] = authority.answer
        choice = {"authority": f"http://{shop.web.address}/tsa", "roots": str(folder / "roots.pem")}
        shop.configure("2026-11-18", evidence=choice)
        stamped = shop.exowatch("evidence", "stamp")
        assert stamped.returncode == 0, stamped.stderr
        yield shop


@pytest.fixture(scope="module")
def file(shop: Shop) -> Path:
    out = shop.file.with_name("x.wacz")
    done = shop.exowatch("evidence", "export", str(shop.claim(THEN)), "--out", str(out))
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def package(file: Path) -> bytes:
    return file.read_bytes()


@pytest.fixture(scope="module")
def stamped(package: bytes) -> int:
    """Number of the chain's line that the time stamp is over."""
    return parse_lines(parts.unpack(package)[parts.CHAIN], parts.CHAIN)[-1].link.number


@pytest.fixture(scope="module")
def roots(shop: Shop) -> Roots:
    return read_roots(shop.file.with_name("roots.pem"))


Exowatch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def exowatch(stage: Stage, tmp_path: Path) -> Exowatch:
    """Where there is no configuration and no database."""
    return partial(stage.run, "monitor", folder=tmp_path)


def test_it_is_checked_where_nothing_of_ours_is(file: Path, tmp_path: Path, exowatch: Exowatch) -> None:
    copy = tmp_path / "away.wacz"
    copy.write_bytes(file.read_bytes())

    said = exowatch("evidence", "verify", "away.wacz")
    assert (said.returncode, said.stderr) == (0, "")
    assert f"“{THEN}”" in said.stdout
    assert "all of it holds" in said.stdout
    assert "2026-11-18 07:30:00 UTC by CN=Stamps of Tests; who signed it was NOT checked" in said.stdout
    assert "REHEARSAL" in said.stdout
    assert NOT_PROVED in said.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["away.wacz"]


def test_the_time_stamp_is_checked_against_roots_that_are_given(
    file: Path, shop: Shop, tmp_path: Path, stamped: int, exowatch: Exowatch
) -> None:
    said = exowatch("evidence", "verify", str(file), "--roots", str(shop.file.with_name("roots.pem")))
    assert (said.returncode, "checked against a trusted root" in said.stdout) == (0, True)
    (tmp_path / "others.pem").write_bytes(Authority().roots)
    said = exowatch("evidence", "verify", str(file), "--roots", "others.pem")
    assert said.returncode == 1
    assert f"stamp evidence/chain-{stamped}.tsr: no trusted root certificate stands behind it" in said.stdout
    assert "DO NOT RELY ON IT" in said.stdout


def test_the_stamp_is_over_the_line_itself(package: bytes, roots: Roots, stamped: int) -> None:
    files = parts.unpack(package)
    line = files[parts.CHAIN].splitlines()[-1]
    assert hashlib.sha256(line).digest() in files[parts.stamp_file(stamped)]
    assert check(package, roots).stamp.endswith("checked against a trusted root")


def test_the_public_validator_accepts_it(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wacz", "validate", "-f", str(file)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation succeeded, the passed WACZ is valid" in done.stdout


def test_warcios_own_checker_accepts_every_record(
    package: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evidence.warc.gz"
    path.write_bytes(parts.unpack(package)[parts.ARCHIVE])

    assert _warcio_check(path) == 0
    told = capsys.readouterr().out
    assert told.count("digest pass") == 10
    assert "no digest" not in told
    members = list(parts.members_of(path.read_bytes()))
    *before, last, _request = members
    spoilt = gzip.decompress(last.packed).replace(b"treats", b"threat")
    path.write_bytes(b"".join([*(one.packed for one in before), gzip.compress(spoilt)]))
    assert _warcio_check(path) == 1


def _warcio_check(path: Path) -> int:
    class Command:
        inputs = (str(path),)
        verbose = True

    return int(Checker(Command()).process_all())


def test_it_holds_exactly_what_the_finding_rests_on(package: bytes, shop: Shop) -> None:
    files = parts.unpack(package)
    records = list(ArchiveIterator(io.BytesIO(files[parts.ARCHIVE])))
    exchange = [("response", f"http://{HOST}/go"), ("request", f"http://{HOST}/go")]
    exchange += [("response", PAGE), ("request", PAGE)]

    kinds = [(one.rec_type, one.rec_headers.get_header("WARC-Target-URI")) for one in records]
    assert kinds == [("warcinfo", None), *exchange, ("warcinfo", None), *exchange]
    for one in parts.members_of(files[parts.ARCHIVE]):  # byte for byte as they lie in the runs
        assert sum(one.packed in warc.read_bytes() for warc in shop.warcs) == 1
    finding = parts.Packaged.model_validate_json(files[parts.FINDING])
    assert [(one.quote, one.current) for one in finding.wordings] == [(FIRST, False), (THEN, True)]
    assert "us" in [one.jurisdiction for one in finding.findings if one.assessed]
    for wording in finding.wordings:
        assert files[wording.text].decode()[wording.start : wording.end] == wording.quote


def test_one_jurisdiction_can_be_asked_for_alone(shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "us.wacz"
    done = shop.exowatch("evidence", "export", f"{shop.claim(THEN)}/us", "--out", str(out))
    assert done.returncode == 0, done.stderr
    finding = parts.Packaged.model_validate_json(parts.unpack(out.read_bytes())[parts.FINDING])
    assert [one.jurisdiction for one in finding.findings] == ["us"]


def test_bodies_are_kept_as_received_and_read_unpacked(package: bytes) -> None:
    files = parts.unpack(package)
    bodies = [one.payload for one in parts.members_of(files[parts.ARCHIVE]) if one.url == PAGE and one.payload]
    first = [body for body in bodies if body.startswith(b"\x1f\x8b")]
    assert len(bodies) == 2
    assert len(first) == 1
    assert FIRST.encode() in gzip.decompress(first[0])


def test_it_says_what_it_proves_and_what_not(package: bytes, stamped: int) -> None:
    files = parts.unpack(package)
    datapackage = json.loads(files[parts.DATAPACKAGE])
    readme = files[parts.README].decode()

    for text in (datapackage["description"], readme):
        assert PROVES in text
        assert NOT_PROVED in text
        assert "REHEARSAL" in text
        assert THEN in text
    assert datapackage["mainPageURL"] == PAGE
    assert datapackage["mainPageDate"].startswith("2026-11-18T06:00:")
    assert f"evidence/chain-{stamped}.tsr, over line number {stamped}" in readme


def test_the_index_and_the_pages_point_at_the_records(package: bytes) -> None:
    files = parts.unpack(package)
    entries = [json.loads(line.split(b" ", 2)[2]) for line in files[parts.INDEX].splitlines()]

    assert files[parts.INDEX].splitlines() == sorted(files[parts.INDEX].splitlines())
    for entry in entries:
        member = files[parts.ARCHIVE][entry["offset"] : entry["offset"] + entry["length"]]
        record = next(iter(ArchiveIterator(io.BytesIO(member))))
        assert record.rec_headers.get_header("WARC-Target-URI") == entry["url"]
    header, *pages = [json.loads(line) for line in files[parts.PAGES].splitlines()]
    assert header["format"] == "json-pages-1.0"
    assert [(page["url"], page["ts"][:10]) for page in pages] == [(PAGE, "2026-11-18"), (PAGE, "2026-11-11")]
    stamps = [line.split()[1].decode() for line in files[parts.INDEX].splitlines()]
    assert all("".join(char for char in page["ts"] if char.isdigit()) in stamps for page in pages)


def test_one_altered_byte_anywhere_is_found_and_named(package: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(package)) as zipped:
        names = zipped.namelist()
    named: set[str] = set()
    # every byte of the zip's own structure and of the two files that seal the others; of the rest a sample
    body = parts.unpack(package)
    plain = {name: package.index(data) for name, data in body.items() if len(data) > 100}
    skipped = [range(at + 40, at + len(body[name]) - 40) for name, at in plain.items() if name != parts.DIGEST]
    for place in range(len(package)):
        if place % 211 and any(place in one for one in skipped):
            continue
        altered = bytearray(package)
        altered[place] ^= 1
        broken = check(bytes(altered)).broken
        assert broken, f"byte {place} was altered unseen"
        assert all(one.where and one.message for one in broken)
        named.update(name for name in names for one in broken if name in f"{one.where} {one.message}")
    assert named == set(names)


def altered(package: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Somebody changes files and makes the seals of zip and data package anew, as a forger would."""
    files = parts.unpack(package)
    change(files)
    datapackage = json.loads(files.pop(parts.DATAPACKAGE))
    files.pop(parts.DIGEST)
    datapackage["resources"] = [
        {"name": name.rpartition("/")[2].lower(), "path": name, "hash": parts.digest_of(data), "bytes": len(data)}
        for name, data in files.items()
    ]
    sealed = parts.json_bytes(datapackage)
    return parts.pack({**files, parts.DATAPACKAGE: sealed, parts.DIGEST: parts.digest_file(sealed)})


def replaced(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    return change


def with_forged_body(files: dict[str, bytes]) -> None:
    """The page says something else, and the record's own digests are made to fit."""
    members = list(parts.members_of(files[parts.ARCHIVE]))
    forged = b""
    for member in members:
        plain = gzip.decompress(member.packed)
        if b"in older adults" in plain:
            head, _, http = plain.partition(b"\r\n\r\n")
            block = http[:-4].replace(b"in older adults", b"in elder adults")
            body = block.partition(b"\r\n\r\n")[2]
            lines = [line for line in head.split(b"\r\n") if b"-Digest" not in line]
            lines += [
                f"WARC-{kind}-Digest: sha256:{hashlib.sha256(data).hexdigest()}".encode()
                for kind, data in (("Block", block), ("Payload", body))
            ]
            plain = b"\r\n".join(lines) + b"\r\n\r\n" + block + b"\r\n\r\n"
        forged += gzip.compress(plain)
    files[parts.ARCHIVE] = forged


@pytest.mark.parametrize(
    ("change", "kind", "told"),
    [
        (with_forged_body, "capture", "another address, body, time or status than its run's list says"),
        (replaced(parts.FINDING, b"in older adults", b"in elder adults"), "quote", "in older adults"),
        (replaced("evidence/text-2.txt", b"in older adults", b"in elder adults"), "text", "does not have the digest"),
        (replaced(parts.FINDING, b'"start": ', b'"start": 1'), "quote", "not 'Our exosome"),
        (replaced(parts.INDEX, b'"offset": ', b'"offset": 1'), "package", "does not point at a record"),
        (replaced(parts.PAGES, b"/therapy", b"/theory"), "package", "not among the captures"),
        (replaced("evidence/text-2.txt", b"Exosome", b"\xff\xfe"), "text", "another text than"),
        (replaced(parts.CHAIN, b'"number":2', b'"number":9'), "chain", "lines were removed"),
        (replaced(parts.CHAIN, b"2026-11-11T06", b"2026-11-11T05"), "chain", "altered, or put in the place"),
    ],
    ids=["archive", "quote", "text", "offsets", "index", "pages", "no-utf-8", "chain-number", "chain-line"],
)
def test_a_forgery_under_new_seals_is_found(
    package: bytes, change: Callable[[dict[str, bytes]], None], kind: str, told: str
) -> None:
    broken = check(altered(package, change)).broken
    assert any(one.kind == kind and told in one.message for one in broken), broken


def test_forged_lists_of_a_run_are_found(package: bytes) -> None:
    files = parts.unpack(package)
    captures, run = (next(name for name in files if name.endswith(end)) for end in (".captures.jsonl", ".run.json"))

    (flaw,) = check(altered(package, replaced(captures, b'"status":302', b'"status":301'))).broken[:1]
    assert (flaw.kind, "captures.jsonl does not have the digest that its run.json gives" in flaw.message) == (
        "run",
        True,
    )
    (flaw,) = check(altered(package, replaced(run, b'"finished"', b'"shutdown"'))).broken[:1]
    assert (flaw.kind, "does not have the digest that the chain gives" in flaw.message) == ("run", True)


def test_a_forged_last_line_of_the_chain_is_found_by_its_stamp(package: bytes, stamped: int) -> None:
    def forge(files: dict[str, bytes]) -> None:
        *lines, last = files[parts.CHAIN].splitlines(keepends=True)
        files[parts.CHAIN] = b"".join([*lines, last.replace(b"2026-11-18T06", b"2026-11-18T05")])

    (flaw,) = check(altered(package, forge)).broken
    assert (flaw.kind, flaw.where) == ("stamp", parts.stamp_file(stamped))


def test_files_added_or_taken_away_are_named(package: bytes) -> None:
    files = parts.unpack(package)
    (flaw,) = check(parts.pack({**files, "evidence/more.txt": b"more"})).broken
    assert (flaw.where, "added" in flaw.message) == ("evidence/more.txt", True)
    less = {name: data for name, data in files.items() if name != "evidence/text-1.txt"}
    (flaw,) = check(parts.pack(less)).broken
    assert (flaw.where, "removed" in flaw.message) == ("evidence/text-1.txt", True)


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"<html>", base64.b64encode(b"x" * 500)])
def test_what_is_no_package_is_said_to_be_none(data: bytes) -> None:
    (flaw,) = check(data).broken
    assert flaw.kind == "package"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("export", "7000", "--out", "y.wacz"), "no such claim: 7000"),
        (("export", "CLAIM/fr", "--out", "y.wacz"), "has no finding for fr; it has: us"),
        (("export", "hair", "--out", "y.wacz"), "hair: give a claim's number, such as 12"),
        (("export", "1", "--out", "y.zip"), "y.zip: must end in .wacz"),
        (("export", "1", "--out", "nowhere/y.wacz"), "nowhere/y.wacz: No such file or directory"),
        (("verify", "nowhere.wacz"), "nowhere.wacz: No such file or directory"),
        (("verify", "--roots", "x.pem"), "--roots goes with a package"),
        (("prune",), "say how old"),
        (("prune", "--older-than", "soon"), "--older-than: soon is no date"),
    ],
)
def test_what_cannot_be_done_is_said(shop: Shop, arguments: tuple[str, ...], told: str) -> None:
    said = shop.exowatch("evidence", *(one.replace("CLAIM", str(shop.claim(THEN))) for one in arguments))
    assert (said.returncode, told in said.stderr) == (2, True), said.stderr


def test_a_dry_pruning_says_what_would_go_and_keeps_what_the_finding_rests_on(shop: Shop, package: bytes) -> None:
    said = shop.exowatch("evidence", "prune", "--older-than", "2026-12-31", "--dry-run")
    assert said.returncode == 0, said.stderr
    assert "runs from before 2026-12-31 would be removed" in said.stdout
    finding = parts.Packaged.model_validate_json(parts.unpack(package)[parts.FINDING])
    assert not any(one.rpartition("/")[0] in said.stdout for one in finding.captures)
    assert all(warc.exists() for warc in shop.warcs)


def test_all_that_is_kept_is_verified_and_what_was_altered_is_named(shop: Shop) -> None:
    said = shop.exowatch("evidence", "verify")
    assert (said.returncode, "1 time stamp: all hold" in said.stdout) == (0, True), said.stdout
    warc = shop.warcs[0]
    kept = warc.read_bytes()
    try:
        warc.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        said = shop.exowatch("evidence", "verify")
    finally:
        warc.write_bytes(kept)
    assert said.returncode == 1
    assert f"run {warc.parent.name}: " in said.stdout


def test_a_package_that_is_there_is_not_written_over(shop: Shop, file: Path) -> None:
    said = shop.exowatch("evidence", "export", str(shop.claim(THEN)), "--out", str(file))
    assert (said.returncode, "File exists" in said.stderr) == (2, True)


def test_evidence_that_was_altered_is_not_exported(shop: Shop, package: bytes) -> None:
    finding = parts.Packaged.model_validate_json(parts.unpack(package)[parts.FINDING])
    warc = shop.config.runs_folder / finding.captures[-1].rpartition("/")[0] / "run.warc.gz"
    kept = warc.read_bytes()
    try:
        warc.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        said = shop.exowatch("evidence", "export", str(finding.claim), "--out", str(shop.file.with_name("no.wacz")))
    finally:
        warc.write_bytes(kept)
    assert (said.returncode, "altered or cut" in said.stderr) == (1, True)
    assert not shop.file.with_name("no.wacz").exists()
