"""The invented sellers, and those who write about them: pages on disk, put into each site's own frame.

`data/sites/<host>/site.yaml` says what the site is, `_frame.html` is its frame, every other `*.html`
is a page: a YAML head, a line `---`, and the page's own HTML. In it `{{category|text}}` marks a claim;
the marks are taken out before a page is served and are what `expected.yaml` is made of.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import yaml

from crawler.demo.loopback import HTML, TEXT, XML, Answer, Question, content_etag, not_found, redirect
from crawler.demo.weeks import DATA, Edit, Strict, Week, Weeks

SITES = DATA / "sites"
PARTS = DATA / "parts"
_MARK = re.compile(r"\{\{([a-z_,]+)\|(.*?)\}\}", re.DOTALL)
_SLOT = re.compile(r"@@([a-z_:.]+)@@")
_TAG = re.compile(r"<[^>]+>")
_XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"


class Link(Strict):
    text: str
    path: str


class SiteFile(Strict):
    """`site.yaml`."""

    name: str
    about: str
    """What this site is there to show."""
    lang: str
    country: str
    flagged: bool
    """Whether it makes claims that should be flagged."""
    sitemap: Literal["one", "index", "none"] = "one"
    stable: bool = False
    """True: pages carry ETag and Last-Modified and are the same at every request. False: they flicker."""
    compress: bool = False
    disallow: tuple[str, ...] = ()
    crawl_delay: float | None = None
    cookies: tuple[str, ...] = ("",)
    related: tuple[Link, ...] = ()
    """Links that stand in another order at every request."""
    viewers: str = ""
    """The counter's sentence, with {n}."""


class PageHead(Strict):
    """The head of a page file."""

    path: str
    title: str
    description: str = ""
    week: str = ""
    """Left out: there from the beginning."""
    lang: str = ""
    listed: bool = True
    """Whether the sitemap names it."""


@dataclass(frozen=True)
class Page:
    head: PageHead
    source: str


@dataclass(frozen=True)
class Claim:
    """A claim as marked in a page: the words as printed, and its categories, the leading one first."""

    quote: str
    categories: tuple[str, ...]


def marked_claims(source: str) -> list[Claim]:
    return [Claim(visible(text), tuple(names.split(","))) for names, text in _MARK.findall(source)]


def visible(fragment: str) -> str:
    """The fragment as a reader sees it: no tags, no entities, one space where there was white space."""
    return re.sub(r"[ \t\r\n]+", " ", html.unescape(_TAG.sub("", fragment))).strip()


def unmarked(source: str) -> str:
    return _MARK.sub(r"\2", source)


def read_page(path: Path) -> Page:
    head, separator, source = path.read_text(encoding="utf-8").partition("\n---\n")
    if not separator:
        raise ValueError(f"{path}: no line '---' between the page's head and its text")
    try:
        return Page(PageHead.model_validate(yaml.safe_load(head)), source)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


class Site:
    """One host of the demo web."""

    def __init__(self, folder: Path, weeks: Weeks) -> None:
        self.host = folder.name
        self.file = SiteFile.model_validate(yaml.safe_load((folder / "site.yaml").read_text(encoding="utf-8")))
        self._frame = (folder / "_frame.html").read_text(encoding="utf-8")
        self._weeks = weeks
        self._pages = {
            page.head.path: page
            for page in (read_page(path) for path in sorted(folder.glob("*.html")) if path.name != "_frame.html")
        }
        self._ticks = itertools.count(1)
        self._sources = {week.id: self._apply(week) for week in weeks.all}

    @property
    def origin(self) -> str:
        return f"https://{self.host}"

    def pages(self, week: Week) -> Iterator[Page]:
        """The pages that answer in this week, with the week's text."""
        for path, source in self._sources[week.id].items():
            yield Page(self._pages[path].head, source)

    def edits(self, week: Week) -> list[Edit]:
        return [edit for edit in week.edits if edit.page and urlsplit(edit.page).hostname == self.host]

    def claims(self, path: str, week: Week) -> list[Claim]:
        """The claims of one page in one week: title, description, then the page from top to bottom; each once.

        A frame never holds any.
        """
        head = self._pages[path].head
        found = marked_claims("\n".join((head.title, head.description, self._sources[week.id][path])))
        return list(dict.fromkeys(found))

    def answer(self, question: Question) -> Answer:
        week = self._weeks.on(question.day)
        if question.path == "/robots.txt":
            return Answer(self._robots(), content_type=TEXT)
        if self.file.sitemap != "none" and question.path in self._sitemaps(week):
            return Answer(self._sitemaps(week)[question.path], content_type=XML)
        path = question.path
        if path != "/" and path.endswith("/") and path.rstrip("/") in self._pages:
            return redirect(path.rstrip("/"))
        if path not in self._sources[week.id]:
            return not_found()
        return self._page(path, week)

    def render(self, path: str, week: Week, tick: int = 0) -> str:
        """The page's whole HTML; `tick` is what its flickering parts go by."""
        head = self._pages[path].head
        moment = datetime.combine(week.first_day, time(6), tzinfo=UTC) + timedelta(minutes=7 * tick)
        related = list(self.file.related)
        turn = tick % len(related) if related else 0
        slots = {
            "title": html.escape(head.title),
            "description": html.escape(head.description),
            "lang": head.lang or self.file.lang,
            "canonical": self.origin + path,
            "name": html.escape(self.file.name),
            "body": self._sources[week.id][path],
            "cookie": self.file.cookies[tick % len(self.file.cookies)],
            "viewers": self.file.viewers.format(n=3 + tick * 7 % 31),
            "moment": f"{moment:%Y-%m-%d %H:%M}",
            "related": "".join(
                f'<li><a href="{link.path}">{link.text}</a></li>' for link in related[turn:] + related[:turn]
            ),
        }
        return unmarked(self._fill(self._frame, slots))

    def _fill(self, template: str, slots: dict[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            kind, _, name = match[1].partition(":")
            if kind == "part":
                return self._fill((PARTS / name).read_text(encoding="utf-8"), slots)
            return self._fill(slots[kind], slots) if kind == "body" else slots[kind]

        return _SLOT.sub(value, template)

    def _page(self, path: str, week: Week) -> Answer:
        if not self.file.stable:
            body = self.render(path, week, next(self._ticks))
            return Answer(body, content_type=HTML, compress=self.file.compress, headers={"Cache-Control": "no-store"})
        body = self.render(path, week)
        changed = datetime.combine(self._changed(path, week).first_day, time(4, 30), tzinfo=UTC)
        return Answer(body, content_type=HTML, compress=self.file.compress, etag=content_etag(body), modified=changed)

    def _changed(self, path: str, week: Week) -> Week:
        """The last week in which this page's text changed."""
        changed = self._weeks.first
        for candidate in self._weeks.all:
            if candidate.first_day > week.first_day:
                break
            touched = any(urlsplit(edit.page).path == path for edit in self.edits(candidate))
            if touched or self._pages[path].head.week == candidate.id:
                changed = candidate
        return changed

    def _apply(self, now: Week) -> dict[str, str]:
        """Path → source of every page there is in this week. Raises ValueError for an edit that fits nothing."""
        sources = {
            path: page.source for path, page in self._pages.items() if self._weeks.has_begun(page.head.week, now)
        }
        for week, edit in self._weeks.edits_until(now):
            if not edit.page or urlsplit(edit.page).hostname != self.host:
                continue
            path = urlsplit(edit.page).path
            if path not in sources:
                raise ValueError(f"weeks.yaml, {week.id}: there is no page {edit.page} to edit")
            if edit.gone:
                del sources[path]
                continue
            if sources[path].count(edit.replace) != 1:
                raise ValueError(f"weeks.yaml, {week.id}: {edit.replace!r} must stand exactly once in {edit.page}")
            sources[path] = sources[path].replace(edit.replace, edit.by)
        return sources

    def _robots(self) -> str:
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in self.file.disallow)]
        if not self.file.disallow:
            lines.append("Disallow:")
        if self.file.crawl_delay is not None:
            lines.append(f"Crawl-delay: {self.file.crawl_delay:g}")
        if self.file.sitemap != "none":
            lines += ["", f"Sitemap: {self.origin}/sitemap.xml"]
        return "\n".join(lines) + "\n"

    def _sitemaps(self, week: Week) -> dict[str, str]:
        """Path → XML (sitemaps.org protocol 0.9). A page taken away stays listed, as it does in life."""
        listed = [
            page.head
            for page in self._pages.values()
            if page.head.listed and self._weeks.has_begun(page.head.week, week)
        ]
        entries = "".join(
            f"<url><loc>{self.origin}{head.path}</loc>"
            f"<lastmod>{self._changed(head.path, week).first_day}</lastmod></url>\n"
            for head in listed
        )
        urls = f'{_XML_HEAD}<urlset xmlns="{_SITEMAPS}">\n{entries}</urlset>\n'
        if self.file.sitemap == "one":
            return {"/sitemap.xml": urls}
        child = f"<sitemap><loc>{self.origin}/sitemap_pages_1.xml</loc></sitemap>"
        index = f'{_XML_HEAD}<sitemapindex xmlns="{_SITEMAPS}">\n{child}\n</sitemapindex>\n'
        return {"/sitemap.xml": index, "/sitemap_pages_1.xml": urls}


def load_sites(weeks: Weeks, folder: Path = SITES) -> dict[str, Site]:
    """Host → site. Raises ValueError naming the file or edit that is wrong."""
    sites = {path.parent.name: Site(path.parent, weeks) for path in sorted(folder.glob("*/site.yaml"))}
    hosts = {urlsplit(edit.page).hostname for week in weeks.all for edit in week.edits if edit.page}
    if lost := sorted(str(host) for host in hosts if host not in sites):
        raise ValueError(f"weeks.yaml edits pages of sites that are not there: {', '.join(lost)}")
    return sites
