"""Recorded excerpts that no source's own tests read: each with the trap that it shows."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from crawler.source import LayoutChangedError, load_cards, spider_module
from crawler.sources import us_fda_warning_letters, us_openfda_enforcement
from crawler.sources.reading import american_date, quoted_addresses
from monitor.records import NoticeRecord
from tests.crawler.responses import response_of
from tests.samples import samples

CARDS = load_cards()
LETTERS = "https://www.fda.gov/inspections-compliance-enforcement-and-criminal-investigations/warning-letters"


def test_a_letter_without_its_metadata_is_not_half_read() -> None:
    """The excerpt's description lists were cut away: a letter without them has no dates, no numbers, no addressee."""
    body = samples("us/fda_warning_letters/citra100mg-722606-03042026-excerpt.html").read_bytes()
    response = response_of(f"{LETTERS}/citra100mg-722606-03042026", body)

    with pytest.raises(LayoutChangedError):
        list(spider_module(CARDS["us_fda_warning_letters"]).read(response, CARDS["us_fda_warning_letters"]))


def test_fdas_times_are_days_of_its_own_zone() -> None:
    """`datetime` is the day's beginning in New York, told in UTC, or that of UTC: only the printed day counts."""
    body = samples("us/fda_warning_letters/listing-excerpt.html").read_bytes()
    page = response_of(LETTERS, body)

    times = page.css("time")
    told = [(time.attrib["datetime"], time.css("::text").get("")) for time in times]
    assert [moment[11:] for moment, _ in told] == ["04:00:00Z", "00:00:00Z"]
    assert [american_date(printed) for _, printed in told] == [date(2026, 7, 24), date(2026, 3, 4)]
    rows = [
        [f'<time datetime="{moment}">{printed}</time>', "07/24/2026", link, "Office", "Subject", "", "", ""]
        for (moment, printed), link in zip(told, page.css("td.views-field-company-name a").getall(), strict=True)
    ]

    total, entries, strange = us_fda_warning_letters.read_list({"recordsTotal": "2", "data": rows}, LETTERS)

    assert (total, strange) == (2, [])
    assert [entry.posted for entry in entries] == [date(2026, 7, 24), date(2026, 3, 4)]


def test_a_letter_names_the_site_that_it_is_about_and_fdas_own_sites_are_none() -> None:
    text = samples("us/fda_warning_letters/dynamic-stem-cell-therapy-712579-02112026.txt").read_text(encoding="utf-8")

    found = quoted_addresses(text, "www.fda.gov")

    assert found[0] == "https://stemcellpowernow.com"
    assert not [address for address in found if ".gov" in address]


@pytest.mark.parametrize("noun", ["drug", "food", "device"])
def test_every_field_of_enforcement_reports_that_is_read_is_one_that_fda_describes(noun: str) -> None:
    described = yaml.safe_load(samples(f"us/openfda/fields_{noun}enforcement.yaml").read_text(encoding="utf-8"))
    asked: set[str] = set()

    class Report(dict[str, str]):
        """Notes which fields are read of it, and has something in each."""

        def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
            asked.add(name)
            return "20260801" if "date" in name or name == "initial_firm_notification" else name

    card = CARDS[f"us_openfda_{noun}_enforcement"]

    assert isinstance(us_openfda_enforcement.notice_of(Report(), card, "run/1"), NoticeRecord)
    assert len(asked) > 15
    assert asked - set(described["properties"]) == {"postal_code"}, "in the reports, and not in their description"
