"""What a faultless reading of the demo web gives: made from the marks in its pages and the edits of its weeks.

`expected.yaml` is its printed form, kept beside the pages so that a person can check it and tests can hold
the whole program against it. `python -m crawler.demo expected` prints it anew.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from crawler.demo.regulators import ALERTS_HOST, ENFORCEMENT_PATH, LETTERS_HOST, OPEN_HOST, RECALLS_HOST
from crawler.demo.sites import Claim, Site
from crawler.demo.web import DemoWeb
from crawler.demo.weeks import Edit, Week

EXPECTED_FILE = Path(__file__).parent / "expected.yaml"
HEAD = """\
# What a faultless reading of the demo web gives. Made by `python -m crawler.demo expected`; the marks in the pages
# under data/sites and the edits in data/weeks.yaml are what it is made from. Do not edit it by hand.
#
# claims: by week and page, every claim that stands in the seller's own voice, in the order of the page.
#   quote       the words as printed (a sentence, a list item, a picture's description), with look-alikes and all
#   categories  what it claims, the leading one first; a finding is right if it has one of them and its quote overlaps
# no_claims: pages on which nothing may be flagged.
# events: what comes to pass in a week after the first.
"""


def expected(web: DemoWeb) -> dict[str, Any]:
    """The whole of `expected.yaml`."""
    weeks = web.weeks.all
    return {
        "claims": {week.id: _claims(web, week) for week in weeks},
        "no_claims": {week.id: _without_claims(web, week) for week in weeks},
        "events": {now.id: _events(web, before, now) for before, now in itertools.pairwise(weeks)},
    }


def printed(web: DemoWeb) -> str:
    return HEAD + yaml.safe_dump(expected(web), allow_unicode=False, sort_keys=False, width=110)


def _claims(web: DemoWeb, week: Week) -> dict[str, list[dict[str, Any]]]:
    return {
        site.origin + page.head.path: [_shown(claim) for claim in site.claims(page.head.path, week)]
        for site in web.sites.values()
        for page in site.pages(week)
        if site.claims(page.head.path, week)
    }


def _without_claims(web: DemoWeb, week: Week) -> list[str]:
    return [
        site.origin + page.head.path
        for site in web.sites.values()
        for page in site.pages(week)
        if not site.claims(page.head.path, week)
    ]


def _shown(claim: Claim) -> dict[str, Any]:
    return {"quote": claim.quote, "categories": list(claim.categories)}


def _events(web: DemoWeb, before: Week, now: Week) -> dict[str, Any]:
    edits = [(edit, web.sites[str(urlsplit(edit.page).hostname)]) for edit in now.edits if edit.page]
    events: dict[str, Any] = {
        "appeared": [
            _changed(edit, _lost_or_won(edit, site, now, before)) for edit, site in edits if edit.event == "appeared"
        ],
        "withdrawn": [
            _changed(edit, _lost_or_won(edit, site, before, now)) for edit, site in edits if edit.event == "withdrawn"
        ],
        "reworded": [
            {
                "page": edit.page,
                "before": _lost_or_won(edit, site, before, now)[0].quote,
                "after": _lost_or_won(edit, site, now, before)[0].quote,
            }
            for edit, site in edits
            if edit.event == "reworded"
        ],
        "gone_pages": [
            _changed(edit, site.claims(urlsplit(edit.page).path, before)) for edit, site in edits if edit.gone
        ],
        "new_pages": [
            {
                "page": site.origin + page.head.path,
                "quotes": [claim.quote for claim in site.claims(page.head.path, now)],
            }
            for site in web.sites.values()
            for page in site.pages(now)
            if page.head.week == now.id
        ],
        "no_event": [edit.page for edit, _ in edits if edit.event == "noise"],
        "blind_hosts": [edit.block for edit in now.edits if edit.block],
        "notices": _notices(web, before, now),
    }
    return events


def _changed(edit: Edit, claims: list[Claim]) -> dict[str, Any]:
    return {"page": edit.page, "quotes": [claim.quote for claim in claims]}


def _lost_or_won(edit: Edit, site: Site, week: Week, other: Week) -> list[Claim]:
    """Claims of the edited page that stand there in `week` and not in `other`."""
    path = urlsplit(edit.page).path
    there = set(site.claims(path, other))
    return [claim for claim in site.claims(path, week) if claim not in there]


def _notices(web: DemoWeb, before: Week, now: Week) -> dict[str, Any]:
    """By kind: keys as the spiders give them (a letter's path, a recall number, a NID)."""
    old_letters = {row.path for row in web.letters.rows(before)}
    old_reports = {report["recall_number"] for report in web.enforcement.reports(before)}
    records = {record["NID"]: record for record in web.recalls.records(before)}
    fresh = web.recalls.records(now)
    known = [record for record in fresh if record["NID"] in records and record != records[record["NID"]]]
    undated = [({**record, "Last updated": ""}, {**records[record["NID"]], "Last updated": ""}) for record in known]
    return {
        f"http://{LETTERS_HOST}/": {"published": [r.path for r in web.letters.rows(now) if r.path not in old_letters]},
        f"http://{OPEN_HOST}{ENFORCEMENT_PATH}": {
            "published": [
                report["recall_number"]
                for report in web.enforcement.reports(now)
                if report["recall_number"] not in old_reports
            ]
        },
        f"http://{RECALLS_HOST}/": {
            "published": [record["NID"] for record in fresh if record["NID"] not in records],
            "updated": [after["NID"] for after, old in undated if after != old],
            "only_dated_anew": [after["NID"] for after, old in undated if after == old],
        },
        f"http://{ALERTS_HOST}/": {"published": []},
    }
