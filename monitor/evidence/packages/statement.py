"""What a package proves and what it does not, in plain words: for whoever opens it without knowing us."""

from __future__ import annotations

from monitor.evidence.packages.parts import Packaged
from monitor.records import RunRecord

PROVES = (
    "What it proves: the quoted words stand, letter for letter, in the bytes that are in this package; these bytes "
    "are the ones that the installation whose runs are named here kept when it asked for that address at that time; "
    "and they are unchanged since those runs were put into its chain of runs. With a time stamp, an independent "
    "authority vouches that the chain was already like this at the moment that the stamp names."
)
NOT_PROVED = (
    "What it does not prove: that the server sent the same to anyone else; who wrote the page or is answerable for "
    "it; the headers of the answers and the requests, which are sealed in this package but not one by one in the "
    "chain; that the site looked like this in a browser, for no script was run and no picture was read; that whoever "
    "held the files did not make them up before they were put into the chain, unless someone independent held a copy "
    "or stamped it. Nothing in it says that a statement is false or that anyone broke the law: a rule flagged it, and "
    "a person decides."
)
_REHEARSAL = (
    "REHEARSAL: this was read from a server on the operator's own machine, not from the web. It proves nothing about "
    "anyone."
)
_REPLAY = "REPLAY: these bytes are copies out of an earlier run, with the times of that run."
_CHECKS = """How to check it

1. Open the file in a web-archive player that reads WACZ (such as replayweb.page): it shows the page as archived.
2. `exowatch evidence verify FILE` checks everything below at once; it needs neither a database nor the web.
3. By hand, after unzipping:
   - `sha256sum` of each file gives the digest in datapackage.json; that of datapackage.json stands in
     datapackage-digest.json.
   - `warcio check archive/evidence.warc.gz` recomputes the digests inside the archive.
   - Each run's `.run.json` holds the sha256 of its `.captures.jsonl`, and that one the sha256 of each body.
   - evidence/chain.jsonl: each line holds the sha256 of the line before (without its line end) as `previous`, and
     the sha256 of a run's `.run.json` as `manifest`.
   - evidence/chain-N.tsr is a time stamp (RFC 3161) over line number N, without its line end:
     `openssl ts -verify -data LINE -in chain-N.tsr -CAfile ROOTS.pem`.
   - Each text-N.txt is a page's visible text; the quote is the characters from `start` to `end` in
     evidence/finding.json, counted in Unicode code points from 0.
"""


def plain(text: str) -> str:
    """Scraped text on one line: no character in it can end the line or move a cursor."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def notes_on(runs: list[RunRecord]) -> str:
    """What is special about how it was read, or nothing."""
    modes = {run.mode for run in runs}
    return " ".join(text for mode, text in (("rehearsal", _REHEARSAL), ("replay", _REPLAY)) if mode in modes)


def description(finding: Packaged, runs: list[RunRecord]) -> str:
    """For the metadata of the data package."""
    return " ".join(part for part in (notes_on(runs), _what(finding), PROVES, NOT_PROVED) if part)


def _what(finding: Packaged) -> str:
    current = next(one for one in finding.wordings if one.current)
    return f"Evidence for a flagged statement on {plain(current.page)}: “{plain(current.quote)}”."


def readme(finding: Packaged, runs: list[RunRecord], stamped: str) -> str:
    """`evidence/README.txt`. `stamped`: what time stamp is in the package, or that there is none."""
    lines = [f"Evidence for claim {finding.claim}", "", *((notes_on(runs), "") if notes_on(runs) else ())]
    lines += [f"Address  {plain(finding.page)}", *([f"Seller   {plain(finding.seller)}"] if finding.seller else [])]
    for wording in finding.wordings:
        role = "wording that was flagged" if wording.current else "an earlier wording"
        lines += ["", f"{role}: “{plain(wording.quote)}”", f"  seen {wording.seen_at:%Y-%m-%d %H:%M:%S} UTC"]
        lines += [f"  characters {wording.start} to {wording.end} of {wording.text}, read from {wording.capture}"]
    lines += ["", "Flagged under"]
    for one in finding.findings:
        law = f"touches {', '.join(one.legal_basis)}" if one.legal_basis else "names no provision"
        told = f"severity {one.severity}; {law}" if one.assessed else "not assessed: no rule there has a source"
        lines += [f"  {one.jurisdiction}: rule {one.rule_id}; {told}"]
    lines += ["", "Read by"]
    for run in runs:
        lines += [
            f"  {run.run_id} ({run.mode}), {run.software}, configuration sha256:{run.config_digest or 'not kept'}"
        ]
    lines += ["", stamped, "", PROVES, "", NOT_PROVED, "", _CHECKS]
    return "\n".join(lines)
