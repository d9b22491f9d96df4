"""The invented sites: long, varied, flickering where they should, and changed as the weeks say."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from crawler.demo.loopback import Question
from crawler.demo.sites import Site, load_sites, marked_claims, read_page, unmarked, visible
from crawler.demo.web import DemoWeb
from crawler.demo.weeks import DATA, Edit, Weeks
from tests.crawler.demo.asking import WEEK_1, WEEK_2, Asker


def shown(html: str) -> str:
    soup = BeautifulSoup(html, "html.parser")
    for hidden in soup(["script", "style"]):
        hidden.decompose()
    return re.sub(r"\s+", " ", soup.get_text(" "))


def test_every_page_is_long_and_has_one_heading_of_first_rank(web: DemoWeb) -> None:
    for site in web.sites.values():
        for week in web.weeks.all:
            for page in site.pages(week):
                html = site.render(page.head.path, week, tick=3)
                where = f"{site.host}{page.head.path}"
                assert 5_000 < len(html.encode()) < 50_000, where
                assert len(shown(html)) > 3_000, where
                assert html.count("<h1") == 1, where
                assert "@@" not in html, where
                assert "{{" not in html, where


def test_there_are_ten_sites_in_several_languages_and_structures(web: DemoWeb) -> None:
    assert len(web.sites) == 10
    languages = {
        page.head.lang or site.file.lang for site in web.sites.values() for page in site.pages(web.weeks.first)
    }
    assert {language[:2] for language in languages} == {"en", "de", "es", "fr"}
    everything = "".join(page.source for site in web.sites.values() for page in site.pages(web.weeks.first))
    for element in ("<table", "<dl", "<details", "<figure", "<blockquote", 'class="card', "itemscope", 'alt="', "<ol"):
        assert element in everything


def test_no_name_outside_the_reserved_ones_is_in_the_data() -> None:
    hosts: set[str] = set()
    for path in DATA.rglob("*"):
        if path.is_file():
            hosts |= {
                urlsplit(found).hostname or "" for found in re.findall(r"https?://[^\s\"'<>)]+", path.read_text())
            }
    shapes = {"schema.org", "ogp.me", "www.sitemaps.org", "$host"}
    assert {host for host in hosts - shapes if host and not host.endswith(".example")} == set()


def test_links_within_a_site_lead_to_pages_that_are_there(web: DemoWeb, ask: Asker) -> None:
    for site in web.sites.values():
        html = ask.get(f"{site.origin}/").text
        links = {a["href"] for a in BeautifulSoup(html, "html.parser").select("nav a[href^='/']")}
        assert len(links) >= 3, site.host
        for link in links:
            assert ask.get(site.origin + str(link)).status == 200, f"{site.host}{link}"


def test_sitemaps_name_every_listed_page_of_the_week(web: DemoWeb, ask: Asker) -> None:
    url = "https://www.boreal-biologics.example/sitemap.xml"
    first, second = ask.get(url, WEEK_1), ask.get(url, WEEK_2)
    assert first.headers["Content-Type"].startswith("application/xml")
    assert "boreal-exo-30" not in first.text
    assert "boreal-exo-30" in second.text
    index = ask.get("https://www.lumen-vale.example/sitemap.xml").text
    child = re.search(r"<loc>([^<]+)</loc>", index)
    assert "<sitemapindex" in index
    assert child
    assert ask.get(child[1]).text.count("<url>") == len(
        list(web.sites["www.lumen-vale.example"].pages(web.weeks.first))
    )
    assert ask.get("https://www.clinica-aurelia.example/sitemap.xml").status == 404


def test_robots_txt_says_what_may_not_be_read(ask: Asker) -> None:
    text = ask.get("https://www.halden-regen.example/robots.txt").text
    assert "Disallow: /patient-portal/" in text
    assert "Sitemap: https://www.halden-regen.example/sitemap.xml" in text


def test_every_host_has_a_robots_txt_or_none(web: DemoWeb, ask: Asker) -> None:
    for host in web.hosts:
        assert ask.get(f"https://{host}/robots.txt", WEEK_2).status in (200, 404), host


def test_a_page_is_gone_in_the_second_week_and_was_there_in_the_first(ask: Asker) -> None:
    url = "https://www.clinica-aurelia.example/exosomas-articulaciones"
    assert (ask.get(url, WEEK_1).status, ask.get(url, WEEK_2).status) == (200, 404)


@pytest.mark.parametrize("day", ["2020-01-01", "2026-11-09", "2026-11-15"])
def test_days_before_the_second_week_show_the_first(ask: Asker, day: str) -> None:
    text = ask.get("https://www.halden-regen.example/treatments/exosome-joints", day).text
    assert "rebuild cartilage" in text


@pytest.mark.parametrize("day", ["2026-11-16", "2026-11-22", "2027-05-01"])
def test_days_from_the_second_week_on_show_the_last(ask: Asker, day: str) -> None:
    text = ask.get("https://www.halden-regen.example/treatments/exosome-joints", day).text
    assert "rebuild cartilage" not in text


def test_what_flickers_claims_nothing(web: DemoWeb) -> None:
    site = web.sites["www.halden-regen.example"]
    pages = [site.render("/", web.weeks.first, tick) for tick in range(6)]
    assert len(set(pages)) == 6
    assert len({tuple(re.findall(r"<p>[^<]{80,}</p>", page)) for page in pages}) == 1


def test_hidden_characters_stand_in_claims_only(web: DemoWeb) -> None:
    site = web.sites["www.cellebra-derm.example"]
    for page in site.pages(web.weeks.first):
        outside = re.sub(r"\{\{.*?\}\}", "", page.source, flags=re.DOTALL)
        assert "\u200b" not in outside
        assert not re.search(r"[Ѐ-ӿ]", outside)
        for claim in marked_claims(page.source):
            assert "\u200b" in claim.quote or re.search(r"[Ѐ-ӿ]", claim.quote)


def test_hostile_text_is_shown_and_never_live(web: DemoWeb) -> None:
    html = web.sites["shop.glowmarkt.example"].render("/item/exosome-gel-811", web.weeks.first)
    soup = BeautifulSoup(html, "html.parser")
    assert soup.h1 is not None
    assert "<script>alert('glow')</script>" in soup.h1.get_text()
    assert not any("alert" in script.get_text() for script in soup("script"))


def test_frames_hold_no_claims() -> None:
    for frame in [*DATA.glob("sites/*/_frame.html"), *DATA.glob("parts/*.html")]:
        assert marked_claims(frame.read_text(encoding="utf-8")) == []


def test_marks_are_taken_out_and_read() -> None:
    source = "<p>{{hair_regrowth,testimonial|It&nbsp;grows <b>back</b>.}} Then this.</p>"
    assert unmarked(source) == "<p>It&nbsp;grows <b>back</b>. Then this.</p>"
    assert [(claim.quote, claim.categories) for claim in marked_claims(source)] == [
        ("It\xa0grows back.", ("hair_regrowth", "testimonial"))
    ]
    assert visible("a\n  <i>b</i> &amp; c ") == "a b & c"


def small_site(
    folder: Path, edits: list[dict[str, object]], page: str = "path: /\ntitle: T\n---\n<p>one two</p>"
) -> Site:
    home = folder / "small.example"
    home.mkdir()
    (home / "site.yaml").write_text("{name: S, about: a, lang: en, country: us, flagged: false, stable: true}")
    (home / "_frame.html").write_text("<title>@@title@@</title>@@body@@")
    (home / "index.html").write_text(page)
    weeks = folder / "weeks.yaml"
    second = {"id": "2026-W02", "first_day": "2026-01-05", "edits": edits}
    weeks.write_text(yaml.safe_dump({"weeks": [{"id": "2026-W01", "first_day": "2025-12-29"}, second]}))
    return load_sites(Weeks.load(weeks), folder)["small.example"]


def test_an_edit_changes_the_page_from_its_week_on(tmp_path: Path) -> None:
    edit: dict[str, object] = {"page": "https://small.example/", "replace": "two", "by": "three", "event": "noise"}
    site = small_site(tmp_path, [edit])
    before = site.answer(Question("small.example", "/", day=date(2026, 1, 4)))
    after = site.answer(Question("small.example", "/", day=date(2026, 1, 5)))
    assert b"one two" in before.payload
    assert b"one three" in after.payload
    assert before.etag != after.etag
    assert before.modified is not None
    assert after.modified is not None
    assert after.modified > before.modified


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ({"page": "https://small.example/", "replace": "four", "by": "x", "event": "noise"}, "exactly once"),
        ({"page": "https://small.example/lost", "gone": True, "event": "gone"}, "no page"),
        ({"page": "https://lost.example/", "gone": True, "event": "gone"}, "sites that are not there"),
    ],
)
def test_an_edit_that_fits_nothing_stops_the_server(tmp_path: Path, edit: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        small_site(tmp_path, [edit])


def test_an_edit_is_one_thing() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Edit(page="https://small.example/", replace="a", gone=True, event="noise")
    with pytest.raises(ValueError, match="needs the address"):
        Edit(gone=True, event="gone")


def test_a_page_without_a_head_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<p>no head</p>")
    with pytest.raises(ValueError, match=r"page\.html"):
        read_page(path)


def test_weeks_must_be_in_order() -> None:
    weeks = Weeks.load()
    with pytest.raises(ValueError, match="order"):
        Weeks(tuple(reversed(weeks.all)))
