"""Checks a package anywhere: no database, no configuration, no web. Every flaw is named with where it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from monitor.evidence import stamps
from monitor.evidence.chain import Broken, Chained, check_links, parse_lines
from monitor.evidence.packages import parts
from monitor.evidence.packages.parts import Member, Packaged, PackagedWording
from monitor.evidence.runfolder import EvidenceError, Payload
from monitor.evidence.stamps import StampError
from monitor.reading.captured import read_captured
from monitor.records import CaptureRecord, RunRecord


@dataclass(frozen=True)
class Checked:
    """What a package says, and what of it does not hold."""

    broken: tuple[Broken, ...]
    finding: Packaged | None = None
    runs: tuple[RunRecord, ...] = ()
    records: int = 0
    stamp: str = ""
    """What the time stamp says and how far it was checked, or that there is none."""


def check(package: bytes, roots: stamps.Roots = ()) -> Checked:
    """Recompute everything. `roots`: certificates of time-stamping authorities that whoever checks trusts."""
    try:
        files = parts.unpack(package)
    except EvidenceError as error:
        return Checked((Broken("package", "zip", str(error)),))
    broken = [*_check_zip(package, files), *_check_digests(files)]
    if broken:  # what is inside is not what was packed: no need to say it of each part once more
        return Checked(tuple(broken))
    return _check_inside(files, roots)


def _check_zip(package: bytes, files: dict[str, bytes]) -> Iterator[Broken]:
    again = parts.pack(files)
    if again == package:
        return
    place = next((at for at, (one, other) in enumerate(zip(package, again, strict=False)) if one != other), None)
    where = min(len(package), len(again)) if place is None else place
    yield Broken("package", "zip", f"is not as it was written, at byte {where} ({_near(files, where)})")


def _near(files: dict[str, bytes], where: int) -> str:
    """Which part of the zip a byte belongs to. A member's head has 30 bytes and its name."""
    start = 0
    for name, data in files.items():
        start += 30 + len(name.encode()) + len(data)
        if where < start:
            return f"in the head of {name}"
    return "in the list of files at its end"


def _check_digests(files: dict[str, bytes]) -> Iterator[Broken]:
    for name in (parts.DATAPACKAGE, parts.DIGEST, parts.FINDING, parts.ARCHIVE, parts.INDEX, parts.PAGES, parts.CHAIN):
        if name not in files:
            yield Broken("package", name, "is not in the package")
            return
    if files[parts.DIGEST] != parts.digest_file(files[parts.DATAPACKAGE]):
        yield Broken("package", parts.DATAPACKAGE, f"does not have the digest that {parts.DIGEST} gives: altered")
    try:
        listed = {one["path"]: one for one in json.loads(files[parts.DATAPACKAGE])["resources"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        yield Broken("package", parts.DATAPACKAGE, f"is no data package: {error!r}")
        return
    for path, one in listed.items():
        if path not in files:
            yield Broken("package", path, "is listed in datapackage.json, but not in the package: removed")
        elif one.get("hash") != parts.digest_of(files[path]) or one.get("bytes") != len(files[path]):
            yield Broken("package", path, "does not have the digest that datapackage.json gives: altered")
    for path in files.keys() - listed.keys() - {parts.DATAPACKAGE, parts.DIGEST}:
        yield Broken("package", path, "is not listed in datapackage.json: added")


def _check_inside(files: dict[str, bytes], roots: stamps.Roots) -> Checked:
    try:
        finding = Packaged.model_validate_json(files[parts.FINDING])
        chained = parse_lines(files[parts.CHAIN], parts.CHAIN)
        runs = _runs(files, finding)
        captures = {one.id: one for run in runs for one in _captures(files, run)}
        members = list(parts.members_of(files[parts.ARCHIVE]))
    except (EvidenceError, ValidationError) as error:
        return Checked((Broken("package", "evidence", str(error)),))
    broken = [*check_links(chained, None)]
    for run in runs:
        broken += _check_run(files, run, chained)
    broken += _check_records(members)
    responses = {one.record_id: one for one in members if one.kind in ("response", "conversion")}
    received: dict[str, Member] = {}
    for capture_id in finding.captures:
        flaw, member = _find(capture_id, captures, responses)
        broken += [flaw] if flaw else []
        if member is not None:
            received[capture_id] = member
    extra = set(responses) - {one.record_id for one in received.values()}
    broken += [Broken("capture", one, "is in the archive, but the finding names no such capture") for one in extra]
    broken += _check_index(files[parts.INDEX], members)
    broken += _check_pages(files[parts.PAGES], received)
    for wording in finding.wordings:
        broken += _check_wording(files, wording, received)
    flaws, stamp = _check_stamps(files, chained, roots)
    return Checked((*broken, *flaws), finding, tuple(runs), len(members), stamp)


def _runs(files: dict[str, bytes], finding: Packaged) -> list[RunRecord]:
    """Each run that a capture is from. Raises EvidenceError."""
    found = []
    for run_id in dict.fromkeys(one.rpartition("/")[0] for one in finding.captures):
        for name in (parts.run_file(run_id), parts.captures_file(run_id)):
            if name not in files:
                raise EvidenceError(f"{name} is not in the package")
        run = RunRecord.model_validate_json(files[parts.run_file(run_id)])
        if run.run_id != run_id:
            raise EvidenceError(f"{parts.run_file(run_id)} is of another run ({run.run_id})")
        found.append(run)
    return found


def _captures(files: dict[str, bytes], run: RunRecord) -> Iterator[CaptureRecord]:
    for line in files[parts.captures_file(run.run_id)].splitlines():
        yield CaptureRecord.model_validate_json(line)


def _check_run(files: dict[str, bytes], run: RunRecord, chained: list[Chained]) -> Iterator[Broken]:
    manifest = hashlib.sha256(files[parts.run_file(run.run_id)]).hexdigest()
    links = [one.link for one in chained if one.link.run == run.run_id and one.link.kind == "run"]
    if not links:
        yield Broken("chain", run.run_id, "the chain in the package has no line for it")
    elif links[0].manifest != manifest:
        yield Broken("run", run.run_id, "its run.json does not have the digest that the chain gives: altered")
    listed = hashlib.sha256(files[parts.captures_file(run.run_id)]).hexdigest()
    if run.files.get("captures.jsonl") != listed:
        yield Broken("run", run.run_id, "its captures.jsonl does not have the digest that its run.json gives: altered")


def _check_records(members: list[Member]) -> Iterator[Broken]:
    for member in members:
        if member.digests_hold is False:
            yield Broken("capture", member.record_id, f"the {member.kind} record's own digests do not hold: altered")


def _find(
    capture_id: str, captures: dict[str, CaptureRecord], responses: dict[str, Member]
) -> tuple[Broken | None, Member | None]:
    """The record that a capture is in: a record's id follows from the capture's."""
    capture = captures.get(capture_id)
    if capture is None:
        return Broken("capture", capture_id, "its run's list does not have it"), None
    member = responses.get(parts.record_id(capture_id))
    if member is None:
        return Broken("capture", capture_id, f"{capture.url}: is not in the archive"), None
    status = member.status if member.kind == "response" else str(capture.status)
    held = (member.url, hashlib.sha256(member.payload).hexdigest(), _moment(member), status)
    if held != (capture.url, capture.payload_sha256, f"{capture.fetched_at:%Y%m%d%H%M%S}", str(capture.status)):
        told = "has another address, body, time or status than its run's list says: altered"
        return Broken("capture", capture_id, f"{capture.url}: {told}"), None
    return None, member


def _moment(member: Member) -> str:
    try:
        return member.timestamp
    except ValueError:
        return ""


def _check_index(index: bytes, members: list[Member]) -> Iterator[Broken]:
    by_offset = {one.offset: one for one in members}
    seen = set()
    for number, line in enumerate(index.decode("utf-8", "replace").splitlines(), start=1):
        try:
            key, timestamp, entry = line.split(" ", 2)
            told = json.loads(entry)
            member = by_offset[told["offset"]]
            holds = (
                key == parts.sort_key(member.url)
                and timestamp == _moment(member)
                and told["url"] == member.url
                and told["length"] == len(member.packed)
                and told["recordDigest"] == parts.digest_of(member.packed)
                and told["digest"] == parts.digest_of(member.payload)
            )
        except (ValueError, KeyError, TypeError):
            holds, member = False, None
        if not holds or member is None:
            yield Broken("package", f"{parts.INDEX}, line {number}", "does not point at a record of the archive")
        else:
            seen.add(member.offset)
    for member in members:
        if member.kind == "response" and member.offset not in seen:
            yield Broken("package", parts.INDEX, f"lacks the record {member.record_id}")


def _check_pages(pages: bytes, received: dict[str, Member]) -> Iterator[Broken]:
    """Whether each page that a player lists is one of the captures."""
    held = {(one.url, _moment(one)) for one in received.values()}
    for number, line in enumerate(pages.decode("utf-8", "replace").splitlines()[1:], start=2):
        try:
            page = json.loads(line)
            listed = (page["url"], "".join(char for char in page["ts"] if char.isdigit()))
        except (ValueError, KeyError, TypeError):
            listed = ("", "")
        if listed not in held:
            yield Broken("package", f"{parts.PAGES}, line {number}", "lists a page that is not among the captures")


def _check_wording(files: dict[str, bytes], wording: PackagedWording, received: dict[str, Member]) -> Iterator[Broken]:
    where = f"wording {wording.number}"
    data = files.get(wording.text)
    if data is None:
        yield Broken("text", where, f"{wording.text} is not in the package")
        return
    if hashlib.sha256(data).hexdigest() != wording.text_sha256:
        yield Broken("text", where, f"{wording.text} does not have the digest that the finding gives: altered")
    text = data.decode("utf-8", "replace")  # what is no UTF-8 has another digest, and is told of already
    if not wording.quote or text[wording.start : wording.end] != wording.quote:
        found = text[wording.start : wording.end]
        yield Broken("quote", where, f"the text at {wording.start}–{wording.end} is {found!r}, not {wording.quote!r}")
    member = received.get(wording.capture)
    if member is None:
        return  # told of the capture already
    try:
        body = Payload(member.payload, member.encoding, member.content_type).body()
        again = read_captured(body, member.content_type, wording.part).text
    except EvidenceError as error:
        yield Broken("text", where, str(error))
        return
    if again != text:
        yield Broken("text", where, f"the archived page, read again, gives another text than {wording.text}")


def _check_stamps(files: dict[str, bytes], chained: list[Chained], roots: stamps.Roots) -> tuple[list[Broken], str]:
    broken: list[Broken] = []
    told = []
    names = {parts.stamp_file(one.link.number): one for one in chained}
    for name in (one for one in files if one.endswith(".tsr")):
        try:
            if name not in names:
                raise StampError("there is no such line in the chain")
            line = names[name].line
            stamp = stamps.check(files[name], line, roots) if roots else stamps.read(files[name], line)
        except StampError as error:
            broken.append(Broken("stamp", name, str(error)))
            continue
        trust = "checked against a trusted root" if roots else "who signed it was NOT checked: give --roots"
        told.append(f"{stamp.at:%Y-%m-%d %H:%M:%S} UTC by {stamp.by}; {trust}")
    return broken, "; ".join(told) or "none"
