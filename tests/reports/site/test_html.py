"""Every page of the site held against HTML and WCAG 2.2: parsed strictly, walked through, and measured in a browser."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import html5lib
import httpx
import pytest
import tinycss2
from fastapi import FastAPI
from fastapi.routing import APIRoute
from lxml import etree
from playwright.sync_api import Browser
from sqlmodel import select

from monitor.config import Config, Watchlist
from monitor.tables.db import open_engine, transaction
from monitor.tables.models import Notice, Page
from reports.render import stylesheet
from reports.site.app import create_app
from tests.reports import factory
from tests.reports.conftest import Stored, served
from tests.reports.exports.test_export_tables import fill

LEVELS = ("h1", "h2", "h3", "h4", "h5", "h6")
LISTED = {"ul": {"li"}, "ol": {"li"}, "dl": {"dt", "dd", "div"}, "tr": {"td", "th"}, "tbody": {"tr"}, "thead": {"tr"}}
PHRASING_ONLY = {"p", "h1", "h2", "h3", "h4", "span", "a", "q", "mark", "label", "button", "code", "strong", "em", "dt"}
BLOCKS = {"p", "div", "ul", "ol", "dl", "table", "section", "blockquote", "header", "footer", "nav", "main", *LEVELS}
NOT_HTML = re.compile(
    r"/(static|export/|feeds/|unsubscribe|landscape/.*/tables/)|/export/\{|/feeds/\{|\{file\}|picture"
)
"""Addresses that answer with something else than a page, or only to a secret."""


@dataclass(frozen=True)
class Site:
    """A site with one of everything on it; `texts` are what its pages answer, by address."""

    app: FastAPI
    address: str
    ids: dict[str, Any]
    texts: dict[str, str]
    parsed: dict[str, etree._Element]
    errors: dict[str, list[Any]]

    @property
    def trees(self) -> Iterator[tuple[str, etree._Element]]:
        yield from self.parsed.items()


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("html")
    shutil.copy(sqlite_template, folder / "exowatch.db")
    engine = open_engine(f"sqlite:///{folder}/exowatch.db")
    config = Config(data=folder, watchlists=(Watchlist(name="Arthritis watch", terms=("arthritis",)),))
    ids = fill(engine)
    with transaction(engine) as session:
        session.get_one(Page, ids["page"]).language = "de"
        for notice in session.exec(select(Notice)):
            notice.language = "ja"
    Stored(engine, config, ids).digest()
    app = create_app(engine, config, factory.law)
    with served(app) as address:
        # One connection each: an address that fails closes its own alone.
        answers = {path: httpx.get(address + path, timeout=60) for path in addresses(ids)}
        refused = {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200}
        assert refused == {"/no-such-page": 404, "/feeds/news.atom?x=1": 400}
        texts = {path: answer.text for path, answer in answers.items()}
        parsed, errors = {}, {}
        for path, text in texts.items():
            parser = html5lib.HTMLParser(html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)
            parsed[path] = parser.parse(text).getroot()
            errors[path] = parser.errors
        yield Site(app, address, ids, texts, parsed, errors)
    engine.dispose()


def addresses(ids: dict[str, Any]) -> list[str]:
    return [
        "/", "/search", "/search?q=arthritis", "/search?q=nothingatall", "/health", "/feeds", "/export",
        *(f"/claims/{ids[name]}" for name in ("arthritis", "hair", "safe", "scalp")),
        "/products", "/products?claims=flagged&form=gel",
        f"/products/{ids['serum']}", f"/notices/{ids['new']}", f"/notices/{ids['bad']}", f"/notices/{ids['old']}",
        f"/organisations/{ids['glow']}", f"/organisations/{ids['hostile']}", "/trials/1", "/publications/1",
        "/authorisations/1", "/digests", "/digests/2026-W47", "/landscape", "/landscape/2026-Q4",
        "/market", "/market/site_glow_example", f"/pages/{ids['page']}", f"/pages/{ids['page']}?every=true",
        "/no-such-page", "/feeds/news.atom?x=1",
    ]  # fmt: skip


def name_of(element: etree._Element) -> str:
    """What an assistive program calls it, nearly: its label, or its text with the alternatives of pictures."""
    if element.get("aria-label"):
        return str(element.get("aria-label")).strip()
    alternatives = [str(image.get("alt") or "") for image in element.iter("img")]
    titles = ["".join(title.itertext()) for title in element.iter("title")]
    return " ".join(["".join(element.itertext()), *alternatives, *titles]).strip()


def test_every_page_of_the_site_is_looked_at(site: Site) -> None:
    asked = [address.partition("?")[0] for address in site.texts]
    for route in site.app.routes:
        if isinstance(route, APIRoute) and "GET" in route.methods and not NOT_HTML.search(route.path):
            assert any(route.path_regex.match(address) for address in asked), f"no address here for {route.path}"


def test_every_page_is_html_without_an_error(site: Site) -> None:
    for address, text in site.texts.items():
        assert site.errors[address] == [], (address, site.errors[address][:3])
        assert text.startswith("<!doctype html>"), address
        assert "Internal Server Error" not in text, address


def test_elements_stand_where_they_may(site: Site) -> None:
    for address, tree in site.trees:
        for parent, children in LISTED.items():
            for element in tree.iter(parent):
                found = {child.tag for child in element if isinstance(child.tag, str)}
                assert found <= children | {"script", "template"}, (address, parent, found)
        for tag in PHRASING_ONLY:
            for element in tree.iter(tag):
                inside = {child.tag for child in element.iterdescendants() if isinstance(child.tag, str)}
                assert not inside & BLOCKS, (address, tag, inside & BLOCKS)
        assert not tree.xpath("//a//a | //a//button | //button//a | //label//label"), address


def test_headings_go_down_one_step_at_a_time(site: Site) -> None:
    for address, tree in site.trees:
        levels = [int(element.tag[1]) for element in tree.iter(*LEVELS)]
        assert levels.count(1) == 1, address
        assert levels[0] == 1, address
        assert all(later <= before + 1 for before, later in itertools.pairwise(levels)), (address, levels)
        assert all(name_of(element) for element in tree.iter(*LEVELS)), address


def test_pages_have_their_landmarks(site: Site) -> None:
    for address, tree in site.trees:
        assert re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", str(tree.get("lang"))), address
        assert "".join(tree.find(".//title").itertext()).strip(), address
        (main,) = tree.iter("main")
        skip = next(tree.iter("a"))
        assert (skip.get("class"), skip.get("href")) == ("skip", f"#{main.get('id')}"), address
        assert all(nav.get("aria-label") for nav in tree.iter("nav")), address
        viewport = tree.find(".//meta[@name='viewport']").get("content")
        assert "user-scalable" not in viewport
        assert "maximum-scale" not in viewport


def test_tables_say_what_their_heads_are_for(site: Site) -> None:
    for address, tree in site.trees:
        for table in tree.iter("table"):
            heads = list(table.iter("th"))
            assert heads, address
            assert all(head.get("scope") in ("col", "row", "colgroup", "rowgroup") for head in heads), address
            widths = {
                sum(int(cell.get("colspan", "1")) for cell in row if cell.tag in ("td", "th"))
                for row in table.iter("tr")
                if not row.xpath(".//*[@rowspan]")
            }
            assert len(widths) == 1, (address, widths, "".join(heads[0].itertext()))


def test_everything_that_can_be_used_has_a_name(site: Site) -> None:
    for address, tree in site.trees:
        labels = {label.get("for") for label in tree.iter("label")}
        for control in tree.iter("input", "select", "textarea"):
            assert control.get("type") == "hidden" or control.get("id") in labels or control.get("aria-label"), address
        for element in (*tree.iter("a"), *tree.iter("button"), *tree.iter("summary")):
            assert name_of(element), (address, etree.tostring(element)[:200])
            shown = " ".join("".join(element.itertext()).split()).lower()
            assert shown in name_of(element).lower() or not element.get("aria-label"), (address, "2.5.3 label in name")
        for image in tree.iter("img"):
            assert image.get("alt") is not None, address
        for picture in tree.iter("svg"):
            told = picture.get("aria-label") or picture.get("aria-labelledby") or picture.find(".//title") is not None
            assert picture.get("aria-hidden") == "true" or (picture.get("role") == "img" and told), address


def test_ids_are_given_once_and_referred_to_rightly(site: Site) -> None:
    for address, tree in site.trees:
        ids = [element.get("id") for element in tree.iter() if element.get("id") is not None]
        assert len(ids) == len(set(ids)), (address, {one for one in ids if ids.count(one) > 1})
        assert all(one and not re.search(r"\s", one) for one in ids), address
        for attribute in ("aria-labelledby", "aria-describedby", "for", "aria-controls"):
            for element in tree.xpath(f"//*[@{attribute}]"):
                assert set(element.get(attribute).split()) <= set(ids), (address, attribute)
        for link in tree.iter("a"):
            href = str(link.get("href"))
            if href.startswith("#"):
                assert href[1:] in ids, (address, href)


def test_nothing_runs_and_nothing_is_styled_in_place(site: Site) -> None:
    for address, tree in site.trees:
        assert not list(tree.iter("script", "iframe", "object", "embed")), address
        for element in tree.iter():
            assert not [name for name in element.attrib if name.startswith("on") or name == "style"], address
        for link in tree.iter("a"):
            assert not str(link.get("href", "")).lower().startswith(("javascript:", "data:")), address


@pytest.mark.parametrize(
    ("quote", "language"),
    [("treats arthritis in two weeks", "de"), ("It does not cure anything.", "de"), ("Letter to Glow Labs", "ja")],
)
def test_what_is_quoted_says_in_which_language(site: Site, quote: str, language: str) -> None:
    """WCAG 3.1.2: the pages of this site are in German, its letters in Japanese, and our own words in English."""
    pages = [path for path in site.texts if path.startswith(("/claims/", "/notices/", "/digests/", "/organisations/"))]
    found = 0
    for address, tree in site.trees:
        for element in tree.find("body").iter():
            if address in pages and element.tag not in ("title", "q") and quote in str(element.text):
                around = [element, *element.iterancestors()]
                told = next(each.get("lang") for each in around if each.get("lang"))
                # “Cite this” gives our own sentence, with the quote in it; a digest keeps no language of what its
                # watchlists met, and gives the direction alone.
                if not any(each.get("class") == "cite" or each.get("aria-labelledby") == "watch" for each in around):
                    assert told == language, (address, etree.tostring(element)[:200])
                    found += 1
    assert found > 2


def colours(number: int) -> dict[str, str]:
    block = re.findall(r":root \{([^}]+)\}", str(stylesheet()))[number]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block))


def test_the_stylesheet_is_sound_and_its_colours_have_names() -> None:
    palette = colours(0)
    assert set(colours(1)) == set(palette), "dark names every colour anew"
    for rule in tinycss2.parse_stylesheet(str(stylesheet()), skip_comments=True, skip_whitespace=True):
        assert rule.type != "error", rule
        if rule.type == "at-rule" and rule.at_keyword == "media":
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            assert not [each for each in inner if each.type == "error"]
    outside = re.sub(r":root \{[^}]+\}", "", str(stylesheet()))
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", outside)) <= set(palette)
    bare = re.sub(r"@media print \{.*", "", outside, flags=re.DOTALL)
    assert not re.findall(r"(?:color|background|fill|stroke)[a-z-]*:[^;]*#[0-9a-f]{3}", bare), "a colour without a name"


def test_a_printed_page_has_what_is_read_and_no_more() -> None:
    printed = str(stylesheet()).partition("@media print")[2]
    assert re.search(r"\.bar[^{]*\.skip[^{]*\.find[^{]*\{ display: none", printed)
    assert "break-inside: avoid" in printed
    assert "--paper: #fff" in printed
    assert "--ink: #000" in printed


CONTRAST = """
() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = text => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat([1]);
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = el => { const stack = []; for (let e = el; e; e = e.parentElement)
      stack.push(rgba(getComputedStyle(e).backgroundColor));
    return stack.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]); };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !el.checkVisibility() || el.closest('svg, .skip, option')) continue;
    const style = getComputedStyle(el), back = ground(el), ink = over(rgba(style.color), back);
    const [a, b] = [light(ink.slice(0, 3)), light(back.slice(0, 3))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5))
      poor.push([walk.currentNode.data.trim().slice(0, 40), style.color, back.join(), ratio.toFixed(2)]);
  }
  return poor;
}
"""


@pytest.mark.browser
def test_every_text_stands_out_in_light_and_dark(browser: Browser, site: Site) -> None:
    """WCAG 1.4.3, on the colours that a browser shows."""
    # The site lets no script run on its pages; the one that measures is ours.
    page = browser.new_context(bypass_csp=True).new_page()
    for address in site.texts:
        page.goto(site.address + address)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert page.evaluate(CONTRAST) == [], (address, scheme)
