"""A shop that is built wholly by script, in a real Chromium: its claims are found, and the manners hold."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select
from warcio.archiveiterator import ArchiveIterator

from crawler.market.card import card_of
from monitor import knowledge
from monitor.config import Config, Site
from monitor.evidence import recomputed as evidence
from monitor.evidence.packages.check import check
from monitor.evidence.packages.export import export
from monitor.intake import runs as intake
from monitor.records import Outcome, PageRecord
from monitor.tables.models import Claim, Finding
from tests.crawler.conftest import Crawls, Ended
from tests.crawler.market.building import as_json, plain
from tests.loopback import Loopback, Reply

HOST = "www.kelso.example"
HOME = f"http://{HOST}/"
CURE = "Our exosomes cure arthritis."
FRAME = (
    "<html lang='en'><head><title>Kelso</title><link rel='stylesheet' href='/style.css'></head>"
    "<body><noscript>Please enable JavaScript.</noscript><div id='root'></div>"
    "<script src='/app.js'></script></body></html>"
)
APP = """
const root = document.getElementById('root');
const tried = [];
const quietly = (what) => what.catch(() => tried.push('refused'));
async function build() {
  const products = await (await fetch('/api/products')).json();
  await quietly(fetch('/secret/prices'));
  await quietly(fetch('http://127.0.0.1:9/inside'));
  await quietly(fetch('http://printer.local/inside'));
  await quietly(fetch('/api/orders', {method: 'POST', body: '{}'}));
  const wanted = products.filter((one) => location.pathname === '/' || location.pathname.endsWith(one.slug));
  const links = products.map((one) => `<a href="/p/${one.slug}">${one.name}</a>`).join(' ');
  const shown = wanted.map((one) => `<h1>${one.name}</h1><p>${one.says}</p><p>$49.00</p>`).join('');
  root.innerHTML = `${shown}<nav>${links}</nav><img src="/photo.jpg"><iframe src="/frame"></iframe>`;
  const file = document.createElement('a');
  file.href = '/brochure.zip'; file.download = 'brochure.zip'; document.body.append(file); file.click();
  window.open('/beside');
  try { new WebSocket('ws://www.kelso.example/live'); } catch { tried.push('refused'); }
}
build();
"""
PRODUCTS = [
    {"slug": "drops", "name": "Exo Drops", "says": CURE},
    {"slug": "balm", "name": "Lip Balm", "says": "Soft lips all day."},
]


def shop(web: Loopback, app: str = APP) -> None:
    web.routes = {
        f"{HOST}/robots.txt": plain("User-agent: *\nDisallow: /secret\n"),
        f"{HOST}/": Reply(FRAME, headers={"ETag": '"frame"'}),
        f"{HOST}/p/drops": Reply(FRAME, headers={"ETag": '"frame"'}),
        f"{HOST}/p/balm": Reply(FRAME),
        f"{HOST}/app.js": Reply(app, content_type="text/javascript"),
        f"{HOST}/api/products": as_json(PRODUCTS),
        f"{HOST}/secret/prices": as_json({}),
    }


def read(crawls: Crawls, *arguments: str, script: bool = True, **site: Any) -> Ended:
    crawls.card = card_of(Site(url=HOME, country="us", script=script, **site)).model_dump(mode="json")
    return crawls.run(*arguments)


def test_without_a_browser_nothing_of_it_is_read_and_the_run_says_so(web: Loopback, crawls: Crawls) -> None:
    shop(web)

    ended = read(crawls, script=False)

    assert ended.records == []
    assert ended.run.outcome is Outcome.ERRORS
    assert "`script: true`" in ended.problems["layout_changed"]
    assert ended.run.not_kept["unread pages: built by script"] == 1


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"PATH": "/nowhere"}, "apt-get install chromium"),
        ({"EXOWATCH_CHROMIUM": "/nowhere/chromium"}, "EXOWATCH_CHROMIUM names '/nowhere/chromium'"),
    ],
)
def test_a_missing_browser_is_told_before_anything_is_asked(
    web: Loopback, crawls: Crawls, environment: dict[str, str], says: str
) -> None:
    shop(web)
    crawls.environment = environment

    ended = read(crawls)

    assert ended.code == 3
    assert says in ended.err
    assert web.asked == []


def chromium_or_skip() -> None:
    if not Path("/usr/bin/chromium").exists() and not os.environ.get("CI"):
        pytest.skip("no browser at /usr/bin/chromium; apt-get install chromium")


@pytest.mark.browser
def test_what_scripts_build_is_read_kept_and_proved(
    web: Loopback, crawls: Crawls, sqlite_engine: Engine, tmp_path: Path
) -> None:
    chromium_or_skip()
    shop(web)
    site = Site(url=HOME, country="us", script=True)

    ended = read(crawls)

    assert ended.run.outcome is Outcome.OK, ended.run.problems
    pages = [record for record in ended.records if isinstance(record, PageRecord)]
    assert {page.url.removeprefix(HOME) for page in pages} == {"", "p/drops", "p/balm"}
    assert all(not page.etag for page in pages), "the frame's tag says nothing about the page"
    the_manners_held(web, ended)
    the_archive_tells_both(ended)

    config = Config(data=tmp_path, sites=(site,))
    taken = intake.take_in(sqlite_engine, ended.folder, config, knowledge.load(), now=ended.run.finished_at)
    assert taken.state == "taken_in", taken.reasons
    with Session(sqlite_engine) as session:
        claim = session.exec(select(Claim).where(Claim.quote == CURE)).one()
        finding = session.exec(select(Finding).where(Finding.claim_id == claim.id)).first()
        assert finding is not None
        package = export(session, config, claim.id or 0, "", ended.run.finished_at)
    assert evidence.verify(sqlite_engine, config).broken == ()
    assert check(package).broken == ()

    again = crawls.replay(ended.folder)
    assert again.code == 0, again.err
    assert [page.url for page in again.records if isinstance(page, PageRecord)] == [page.url for page in pages]


def the_manners_held(web: Loopback, ended: Ended) -> None:
    asked = web.paths(HOST)
    assert asked.count("/app.js") == 1, "the same on every page: asked for once"
    assert not {"/secret/prices", "/photo.jpg", "/frame", "/beside", "/brochure.zip", "/live"} & set(asked)
    assert {one.method for one in web.asked} == {"GET"}
    assert {one.headers["User-Agent"].split("/")[0] for one in web.asked} == {"Exowatch"}
    assert {one.host for one in web.asked} == {HOST}
    assert {"refused_address", "robots"} <= set(ended.problems)
    assert ended.run.not_kept["parts of pages: POST requests: only GET is made"] == 3


def the_archive_tells_both(ended: Ended) -> None:
    with (ended.folder / "run.warc.gz").open("rb") as file:
        records = [(one.rec_type, one.rec_headers, one.content_stream().read()) for one in ArchiveIterator(file)]
    received = [body for kind, heads, body in records if kind == "response" and heads["WARC-Target-URI"] == HOME]
    built = [(heads, body) for kind, heads, body in records if kind == "conversion"]
    ids = {heads["WARC-Record-ID"]: kind for kind, heads, _ in records}
    assert received == [FRAME.encode()]
    assert len(built) == 3
    assert all(ids[heads["WARC-Refers-To"]] == "response" for heads, _ in built)
    assert CURE.encode() in b"".join(body for _, body in built)
    lines = [json.loads(line) for line in (ended.folder / "captures.jsonl").read_text().splitlines()]
    assert sum(bool(line["rendered_from"]) for line in lines) == 3


@pytest.mark.browser
def test_a_page_that_never_ends_is_unread_and_costs_no_other(web: Loopback, crawls: Crawls) -> None:
    chromium_or_skip()
    endless = "if (location.pathname === '/p/drops') { for (;;) {} }\n" + APP
    shop(web, endless)
    crawls.config["network"] = {"timeout_seconds": 8}

    ended = read(crawls)

    pages = {record.url.removeprefix(HOME) for record in ended.records if isinstance(record, PageRecord)}
    assert pages == {"", "p/balm"}
    assert "its content was not read" in ended.problems["download_error"]
