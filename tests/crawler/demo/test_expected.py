"""`expected.yaml` says what the pages say, to the letter."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from crawler.demo.expected import EXPECTED_FILE, printed
from crawler.demo.web import DemoWeb
from tests.crawler.demo.asking import WEEK_1, WEEK_2, Asker

DAYS = {"2026-W46": WEEK_1, "2026-W47": WEEK_2}


@pytest.fixture(scope="module")
def listed() -> dict[str, Any]:
    return yaml.safe_load(EXPECTED_FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def readable(html: str) -> str:
    """All that a reader or a search engine is shown: text, descriptions of pictures, title and description."""
    soup = BeautifulSoup(html, "html.parser")
    for hidden in soup(["script", "style"]):
        hidden.decompose()
    shown = [soup.get_text(), *(str(image["alt"]) for image in soup.select("img[alt]"))]
    shown += [str(meta["content"]) for meta in soup.select("meta[name=description]")]
    return "\n".join(shown)


def test_the_file_is_what_the_pages_make_it(web: DemoWeb) -> None:
    assert EXPECTED_FILE.read_text(encoding="utf-8") == printed(web), (
        "run: python -m crawler.demo expected > crawler/demo/expected.yaml"
    )


@pytest.mark.parametrize("week", sorted(DAYS))
def test_every_quote_stands_on_its_page(ask: Asker, listed: dict[str, Any], week: str) -> None:
    for url, claims in listed["claims"][week].items():
        text = readable(ask.get(url, DAYS[week]).text)
        for claim in claims:
            assert claim["quote"] in text, url


@pytest.mark.parametrize("week", sorted(DAYS))
def test_every_page_of_every_site_is_named_once(web: DemoWeb, listed: dict[str, Any], week: str) -> None:
    named = [*listed["claims"][week], *listed["no_claims"][week]]
    there = {
        site.origin + page.head.path
        for site in web.sites.values()
        for page in site.pages(next(each for each in web.weeks.all if each.id == week))
    }
    assert len(named) == len(set(named))
    assert set(named) == there


def test_sites_that_make_no_claims_make_none_and_the_others_do(web: DemoWeb, listed: dict[str, Any]) -> None:
    claiming = {urlsplit(url).hostname for url in listed["claims"]["2026-W46"]}
    assert claiming == {host for host, site in web.sites.items() if site.file.flagged}
    assert len(claiming) == 7


def test_each_change_of_the_second_week_is_one_claim(listed: dict[str, Any]) -> None:
    events = listed["events"]["2026-W47"]
    assert [len(change["quotes"]) for change in events["appeared"]] == [1]
    assert [len(change["quotes"]) for change in events["withdrawn"]] == [1]
    assert len(events["reworded"]) == 1
    assert events["reworded"][0]["before"] != events["reworded"][0]["after"]
    assert [page["page"] for page in events["gone_pages"]] == [
        "https://www.clinica-aurelia.example/exosomas-articulaciones"
    ]
    assert events["blind_hosts"] == ["alerts.demo-agency.example"]


def test_an_edit_called_noise_changes_no_claim(listed: dict[str, Any]) -> None:
    first, second = listed["claims"]["2026-W46"], listed["claims"]["2026-W47"]
    for url in listed["events"]["2026-W47"]["no_event"]:
        assert sorted(claim["quote"] for claim in first.get(url, [])) == sorted(
            claim["quote"] for claim in second.get(url, [])
        )
