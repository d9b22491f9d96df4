"""Feeds: the whole history, in documents that keep the rules of their formats, whatever was read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import httpx
import pytest
from fastapi import FastAPI
from feedgen.entry import FeedEntry as FeedgenEntry
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from monitor import queries
from monitor.config import Config, Watchlist
from monitor.queries import feeds as feed_queries
from monitor.queries.feeds import BLOCK, LEAST, FeedAsk
from monitor.tables.db import open_engine, transaction
from monitor.tables.models import Event, EventKind, Page, Run, Source
from reports.__main__ import main
from reports.exports import feed_formats, feeds
from reports.exports.feeds import Feed, Item
from reports.site.app import create_app
from reports.site.feeds import is_unchanged
from tests.reports import factory
from tests.reports.conftest import Stored, served
from tests.reports.exports.feed_rules import ARCHIVE, ATOM, LANG, check_atom, check_json, check_rss
from tests.reports.two_weeks import two_weeks

CHECKS: dict[str, Callable[[bytes], Any]] = {"atom": check_atom, "rss": check_rss, "json": check_json}
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
WATCHLIST = "Arthritis watch"


def document(engine: Engine, asked: FeedAsk, number: int | None = None, base: str = "https://e.example") -> Feed:
    frame = queries.feed_frame(engine, asked, number)
    assert frame is not None
    return feeds.feed(engine, asked, frame, base=base, address=lambda n: base + feeds.address_of(asked, "atom", n))


def titles(engine: Engine, **asked: Any) -> list[str]:
    return [item.title for item in document(engine, FeedAsk(**asked)).items]


def many(session: Session, count: int, start: int = 0) -> None:
    """So many events of one run, each about a notice that is not stored."""
    if start == 0:
        make = factory.Factory(session)
        make.run(make.source("us_letters", "Warning letters"), LONG_AGO)
    run = session.exec(select(Run)).one()
    session.add_all(
        Event(
            at=LONG_AGO + timedelta(minutes=number), kind=EventKind.NOTICE_PUBLISHED, cause="source",
            source_id=run.source_id, run_id=run.id, object_kind="notice", object_id=str(number + 10_000),
            jurisdictions=["uk" if number % 7 == 0 else "us"], dedupe_key=f"{run.id}|{number}",
            detail={"title": f"Letter {number}", "url": f"https://r.example/{number}", "tier": "core"},
        )
        for number in range(start, start + count)
    )  # fmt: skip


def chain(engine: Engine, asked: FeedAsk) -> Iterator[Feed]:
    """Every document of a feed, the newest first."""
    number: int | None = None
    while True:
        frame = queries.feed_frame(engine, asked, number)
        assert frame is not None
        yield document(engine, asked, number)
        if frame.older is None:
            return
        number = frame.older


def watching(stored: Stored) -> FastAPI:
    config = stored.config.model_copy(update={"watchlists": (Watchlist(name=WATCHLIST, terms=("arthritis",)),)})
    return create_app(stored.engine, config, factory.law)


@pytest.fixture(scope="module")
def kept(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """For tests that only read."""
    folder = tmp_path_factory.mktemp("feeds")
    shutil.copy(sqlite_template, folder / "exowatch.db")
    engine = open_engine(f"sqlite:///{folder}/exowatch.db")
    yield Stored(engine, Config(data=folder), two_weeks(engine))
    engine.dispose()


@pytest.fixture(scope="module")
def client(kept: Stored) -> Iterator[httpx.Client]:
    with served(watching(kept)) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.mark.parametrize("form", list(feeds.FORMATS))
def test_every_format_keeps_its_rules(kept: Stored, form: str) -> None:
    for asked in (FeedAsk(), FeedAsk(news=False), FeedAsk(watchlist=WATCHLIST), FeedAsk(sources=("none",))):
        written = feed_formats.written(document(kept.engine, asked), form)
        CHECKS[form](written)
        if form != "json":
            read = feedparser.parse(written)
            assert not read.bozo, read.bozo_exception
            assert len(read.entries) == len(document(kept.engine, asked).items)


def test_news_is_no_history_and_no_other_matter(stored: Stored) -> None:
    with transaction(stored.engine) as session:
        for told in session.exec(select(Event).where(Event.object_kind == "notice")):
            told.detail = {"title": f"notice {told.object_id}", "tier": "other" if told.id == 6 else "core"}
            session.add(told)
    news = document(stored.engine, FeedAsk())
    whole = document(stored.engine, FeedAsk(news=False))
    assert not [item for item in news.items if item.facts.get("history") or item.title.startswith("History")]
    history = [item for item in whole.items if item.facts.get("history")]
    assert history
    assert all(item.title.startswith("History. ") for item in history)
    assert all(("history", "known from the first reading of the source") in item.tags for item in history)
    assert {item.id for item in news.items} < {item.id for item in whole.items}
    assert 6 in {item.facts["event"] for item in whole.items} - {item.facts["event"] for item in news.items}


def test_history_is_dated_by_its_own_day_and_news_by_when_it_was_seen(stored: Stored) -> None:
    with transaction(stored.engine) as session:
        for told in session.exec(select(Event).where(Event.object_kind == "notice")):
            told.detail = {"title": "T", "posted": "2025-03-01"}
            session.add(told)
    found = document(stored.engine, FeedAsk(news=False, sources=("us_letters",))).items
    old = next(item for item in found if item.facts.get("history"))
    new = next(item for item in found if not item.facts.get("history"))
    assert old.published == datetime(2025, 3, 1, tzinfo=UTC)
    assert old.updated == factory.EARLIER
    assert new.published == new.updated == factory.MONDAY


def test_what_is_known_later_than_it_happened_says_both(stored: Stored) -> None:
    with transaction(stored.engine) as session:
        told = session.exec(select(Event).where(Event.kind == EventKind.CLAIM_WITHDRAWN)).one()
        told.at = factory.MONDAY - timedelta(days=2)
        session.add(told)
    (item,) = document(stored.engine, FeedAsk(kinds=("claim_withdrawn",))).items
    assert (item.published, item.updated) == (factory.MONDAY - timedelta(days=2), factory.MONDAY)


def test_causes_are_told_apart(stored: Stored) -> None:
    with transaction(stored.engine) as session:
        run = session.exec(select(Run).where(Run.source_id == "site_glow_example")).first()
        assert run
        factory.Factory(session, counter=900).event(
            EventKind.CLAIM_REVIEWED, run, "claim", stored.ids["safe"], cause="review",
            detail={"state": "confirmed", "quote": "No side effects at all", "reason": "read twice"},
        )  # fmt: skip
    causes = {item.facts["cause"]: item for item in document(stored.engine, FeedAsk()).items}
    assert set(causes) == {"seller", "regulator", "rules", "review", "reading"}
    assert causes["review"].title.startswith("Decided in review: confirmed: “No side effects at all”")
    assert "our rules changed, not the page" in causes["rules"].html
    assert "Reason: read twice" in causes["review"].html


def test_a_watchlist_feed_says_why(kept: Stored) -> None:
    (item,) = document(kept.engine, FeedAsk(watchlist=WATCHLIST)).items
    assert "Met by your watchlist because of terms: arthritis (“treats arthritis in two weeks”)." in item.html
    assert item.facts["why"][0]["term"] == "arthritis"
    assert "<p>Before:</p>" in item.html
    assert "treats arthritis in four weeks" in item.html


def test_each_filter_narrows(engine: Engine) -> None:
    ids = two_weeks(engine)
    with transaction(engine) as session:
        for told in session.exec(select(Event).where(Event.object_kind == "claim")):
            told.jurisdictions = ["us", "uk"] if told.object_id == str(ids["arthritis"]) else ["us"]
            told.detail = {**told.detail, "category": "hair_regrowth" if told.object_id == str(ids["hair"]) else "x"}
            session.add(told)
    assert titles(engine, kinds=("page_gone",)) == ["Page gone: Serum"]
    assert titles(engine, jurisdictions=("br",)) == ["Page gone: Serum"]
    assert len(titles(engine, jurisdictions=("uk",))) == 1
    assert len(titles(engine, jurisdictions=("uk", "br"))) == 2
    assert titles(engine, categories=("hair_regrowth",)) == ["Withdrawn: “may help hair grow”, glow.example"]
    assert {"Medium severity" in item.html or "Severity: Medium" in item.html for item in
            document(engine, FeedAsk(severities=("Medium",))).items} == {True}  # fmt: skip
    assert all("site_glow_example" in str(item.tags) for item in
               document(engine, FeedAsk(sources=("site_glow_example",))).items)  # fmt: skip
    assert titles(engine, jurisdictions=('%"',)) == []
    assert titles(engine, watchlist="Another") == []


def test_the_whole_history_stands_in_the_chain_once_and_in_order(engine: Engine) -> None:
    with transaction(engine) as session:
        many(session, 2 * BLOCK + 120)
    documents = list(chain(engine, FeedAsk()))
    assert [len(each.items) for each in documents] == [121, BLOCK, BLOCK - 1]  # numbers begin with 1
    assert [each.archive for each in documents] == [False, True, True]
    numbers = [item.facts["event"] for each in documents for item in each.items]
    assert numbers == list(range(2 * BLOCK + 120, 0, -1))
    assert len({each.id for each in documents}) == 1
    assert documents[0].older == documents[1].address
    assert documents[2].newer == documents[1].address
    assert (documents[2].current, documents[2].older, documents[1].newer) == (documents[0].address, "", "")


def test_archives_never_change(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine) as session:
        many(session, 2 * BLOCK + 10)
    before = {each.address: feed_formats.atom(each) for each in chain(sqlite_engine, FeedAsk()) if each.archive}
    with transaction(sqlite_engine) as session:
        many(session, BLOCK, start=2 * BLOCK + 10)
    after = {each.address: each for each in chain(sqlite_engine, FeedAsk()) if each.archive}
    assert set(before) < set(after)
    for address, was in before.items():
        now = check_atom(feed_formats.atom(after[address]))
        then = check_atom(was)
        assert now.findall(f"{ATOM}entry")
        texts = [["".join(entry.itertext()) for entry in each.findall(f"{ATOM}entry")] for each in (then, now)]
        assert texts[0] == texts[1]


def test_the_newest_document_is_never_nearly_empty(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine) as session:
        many(session, BLOCK + 3)
    newest, archive = chain(sqlite_engine, FeedAsk())
    assert len(newest.items) == LEAST
    assert {item.id for item in newest.items} & {item.id for item in archive.items}


def test_a_rare_feed_skips_empty_archives(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine) as session:
        many(session, 3 * BLOCK + 5)
        session.get_one(Event, 10).jurisdictions = ["br"]
        session.get_one(Event, 3 * BLOCK + 1).jurisdictions = ["br"]
    documents = list(chain(sqlite_engine, FeedAsk(jurisdictions=("br",))))
    assert [len(each.items) for each in documents] == [2, 1]
    assert documents[1].address.endswith("&archive=0")
    assert queries.feed_frame(sqlite_engine, FeedAsk(jurisdictions=("br",)), 1) is None
    assert queries.feed_frame(sqlite_engine, FeedAsk(), 3) is None, "not full yet"


def test_nothing_is_skipped_over_to_get_to_an_old_document(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine) as session:
        many(session, 4 * BLOCK)
    statements: list[tuple[str, tuple[Any, ...]]] = []
    event.listen(
        sqlite_engine, "before_cursor_execute", lambda _c, _k, text, values, *_: statements.append((text, values))
    )
    document(sqlite_engine, FeedAsk(), 0)
    assert 5 < len(statements) < 20
    assert [values[-1] for text, values in statements if "OFFSET" in text] in ([0], [0, 0])


def test_ids_rest_on_the_history_alone(kept: Stored) -> None:
    here = document(kept.engine, FeedAsk(), base="https://one.example")
    there = document(kept.engine, FeedAsk(), base="")
    assert (here.id, [item.id for item in here.items]) == (there.id, [item.id for item in there.items])
    assert all(item.id.startswith("urn:uuid:") for item in here.items)
    assert document(kept.engine, FeedAsk(kinds=("page_gone",))).id != here.id
    assert not [item for item in there.items if item.permalink]


def test_the_same_feed_is_the_same_bytes(kept: Stored) -> None:
    for form in feeds.FORMATS:
        once, again = (feed_formats.written(document(kept.engine, FeedAsk()), form) for _ in range(2))
        assert once == again


def test_hostile_texts_stay_texts(kept: Stored) -> None:
    feed = document(kept.engine, FeedAsk(sources=("us_letters",)))
    assert any("Glow<script>" in item.title for item in feed.items)
    assert not [item for item in feed.items if LexborHTMLParser(item.html).css("script, img, iframe, [onerror]")]
    assert "&lt;script&gt;" in "".join(item.html for item in feed.items)
    read = feedparser.parse(feed_formats.rss(feed))
    assert not read.bozo
    assert not [entry for entry in read.entries if "<script" in entry.title]


def test_a_quote_bears_its_language(stored: Stored) -> None:
    with transaction(stored.engine) as session:
        session.get_one(Page, stored.ids["page"]).language = "de-CH"
    feed = check_atom(feed_formats.atom(document(stored.engine, FeedAsk(kinds=("claim_appeared",)))))
    (summary,) = feed.iter(f"{ATOM}summary")
    assert (summary.get(LANG), summary.text) == ("de-CH", "No side effects at all")
    assert '<blockquote lang="de-CH">' in str(feed.findtext(f".//{ATOM}content"))
    with transaction(stored.engine) as session:
        session.get_one(Page, stored.ids["page"]).language = 'en" onload="x'
    (item,) = document(stored.engine, FeedAsk(kinds=("claim_appeared",))).items
    assert item.language == ""
    assert "onload" not in item.html


def test_an_address_that_is_no_web_address_is_no_link(stored: Stored) -> None:
    with transaction(stored.engine) as session:
        session.get_one(Page, stored.ids["page"]).url = "javascript:alert(1)"
    for item in document(stored.engine, FeedAsk(kinds=("claim_appeared",))).items:
        assert item.outside == ""
        assert not [link for link in LexborHTMLParser(item.html).css("a") if "javascript" in str(link.attributes)]


def item(text: str) -> Item:
    return Item(
        id="urn:uuid:00000000-0000-0000-0000-000000000001", title=f"T {text}", html=f"<p>{text}</p>",
        published=LONG_AGO, updated=LONG_AGO, summary=text, language="ja", tags=((f"t{text}", text),),
        outside="https://a.example/", facts={"quote": text},
    )  # fmt: skip


@given(st.text(st.characters(), max_size=60))
@settings(max_examples=80, deadline=None)
def test_whatever_a_text_holds_the_document_is_sound(text: str) -> None:
    feed = Feed("urn:uuid:00000000-0000-0000-0000-000000000002", f"T {text}", f"D {text}", "https://e.example/f",
                "https://e.example/", "", LONG_AGO, (item(text),), False, "", "", "")  # fmt: skip
    for form, check in CHECKS.items():
        check(feed_formats.written(feed, form))
    (summary,) = check_atom(feed_formats.atom(feed)).iter(f"{ATOM}summary") if text else (None,)
    if summary is not None:
        held = feed_formats.safe(text)
        assert str(summary.text or "").replace("\r\n", "\n").replace("\r", "\n") == held.replace("\r\n", "\n").replace(
            "\r", "\n"
        )


@pytest.mark.parametrize(
    "text", ["]]>", "<![CDATA[x]]>", "&lt;b&gt;", "&#0;", "\x00\x0b\x1f", "\ufffe\uffff", "\ud800"]
)
def test_what_xml_cannot_hold_breaks_nothing(text: str) -> None:
    feed = Feed("urn:uuid:00000000-0000-0000-0000-000000000002", f"T {text}", f"D {text}", "https://e.example/f",
                "https://e.example/", "", LONG_AGO, (item(text),), True, "", "", "")  # fmt: skip
    for form in ("atom", "rss"):
        read = feedparser.parse(feed_formats.written(feed, form))
        assert not read.bozo, (form, read.get("bozo_exception"))
    assert check_json(feed_formats.json_feed(feed))["items"]


def test_feedgen_loses_what_a_link_of_an_entry_is_for() -> None:
    """Why the link to the source is set beside feedgen: when this fails, feedgen can do it itself."""
    entry = FeedgenEntry()
    entry.id("urn:x:1")
    entry.title("t")
    entry.content("c", type="html")
    entry.link(href="https://a.example/", rel="via", type="text/html")
    (link,) = entry.atom_entry().findall("link")
    assert dict(link.attrib) == {"href": "https://a.example/"}


def test_the_site_gives_every_feed_that_it_lists(client: httpx.Client) -> None:
    page = LexborHTMLParser(client.get("/feeds").text)
    links = [str(link.attributes["href"]) for link in page.css("main td a")]
    assert len(links) > 60
    assert f"/feeds/news.atom?watchlist={WATCHLIST.replace(' ', '%20')}" in links
    for link in links[:9] + [one for one in links if "source=" in one]:
        answer = client.get(link)
        form = link.partition("?")[0].rpartition(".")[2]
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(feeds.FORMATS[form])
        CHECKS[form](answer.content)
        assert client.head(link).status_code == 200


def test_every_page_leads_to_the_feed(client: httpx.Client, kept: Stored) -> None:
    for address in ("/", "/health", f"/claims/{kept.ids['safe']}"):
        links = LexborHTMLParser(client.get(address).text).css("link[rel=alternate]")
        assert [link.attributes["type"] for link in links] == list(feeds.FORMATS.values())
        assert all(client.get(str(link.attributes["href"])).status_code == 200 for link in links)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/feeds/news.atom?jurisdiction=gb", "No such jurisdiction: gb"),
        ("/feeds/news.atom?category=hair_regrowht", "did you mean hair_regrowth?"),
        ("/feeds/news.atom?severity=high", "did you mean High?"),
        ("/feeds/news.atom?kind=x", "No such kind: x"),
        ("/feeds/news.atom?source=../x", "No source is named ../x"),
        ("/feeds/news.atom?watchlist=Deleted", "one that was deleted tells nothing more"),
        ("/feeds/news.atom?juristiction=uk", "is no filter"),
        ("/feeds/news.atom?archive=x", "An archive is named by its number"),
    ],
)
def test_a_feed_that_is_none_says_so(client: httpx.Client, address: str, says: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 400
    assert says in LexborHTMLParser(answer.text).body.text()  # type: ignore[union-attr]


@pytest.mark.parametrize("address", ["/feeds/news.xml", "/feeds/x.atom", "/feeds/news.atom?archive=0", "/feeds/"])
def test_what_is_not_there_is_not_there(client: httpx.Client, address: str) -> None:
    assert client.get(address, follow_redirects=False).status_code in (404, 307)


def test_who_has_it_already_is_told_so(stored: Stored, visit: Callable[[FastAPI], httpx.Client]) -> None:
    client = visit(watching(stored))
    for form in feeds.FORMATS:
        first = client.get(f"/feeds/news.{form}")
        etag = first.headers["etag"]
        again = client.get(f"/feeds/news.{form}", headers={"If-None-Match": f'"other", {etag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert client.get(f"/feeds/news.{form}", headers={"If-None-Match": '"other"'}).status_code == 200
    with transaction(stored.engine) as session:
        run = session.exec(select(Run).where(Run.source_id == "site_glow_example")).first()
        assert run
        factory.Factory(session, counter=900).event(EventKind.PAGE_BACK, run, "page", stored.ids["page"])
    assert client.get("/feeds/news.json", headers={"If-None-Match": etag}).status_code == 200


def test_a_date_is_given_only_once_it_can_be_trusted(kept: Stored) -> None:
    frame = queries.feed_frame(kept.engine, FeedAsk())
    assert frame
    told = factory.MONDAY + timedelta(hours=1)
    assert frame.newest_told == told
    assert feeds.last_modified(frame, told + timedelta(seconds=59)) is None
    assert feeds.last_modified(frame, told + timedelta(seconds=60)) == told
    given = {"if-modified-since": "Mon, 16 Nov 2026 06:00:00 GMT"}
    assert is_unchanged(given, 'W/"a"', told)
    assert not is_unchanged({**given, "if-none-match": '"b"'}, 'W/"a"', told), "a tag goes before a date"
    assert is_unchanged({"if-none-match": "*"}, 'W/"a"', None)
    assert not is_unchanged({"if-modified-since": "Wed, 18 Nov 2026 05:00:00 GMT"}, 'W/"a"', told)
    assert not is_unchanged({"if-modified-since": "yesterday"}, 'W/"a"', told)


def test_links_are_of_the_public_site(kept: Stored, visit: Callable[[FastAPI], httpx.Client]) -> None:
    config = kept.config.model_copy(update={"public_site": "https://watch.example/"})
    told = visit(create_app(kept.engine, config, factory.law)).get("/feeds/news.json").json()
    assert told["feed_url"] == "https://watch.example/feeds/news.json"
    assert any(one.get("url", "").startswith("https://watch.example/claims/") for one in told["items"])


def test_a_feed_as_files(sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"data: {tmp_path}\n", encoding="utf-8")
    shutil.copy(sqlite_template, tmp_path / "exowatch.db")
    engine = open_engine(f"sqlite:///{tmp_path}/exowatch.db")
    with transaction(engine) as session:
        many(session, BLOCK + 100)
    out = tmp_path / "letters.json"
    assert (
        main(["feed", "--config", str(config), "--out", str(out), "--address", "https://n.example/letters.json"]) == 0
    )
    assert capsys.readouterr().out.split() == [str(out), str(tmp_path / "letters-archive-00000.json")]
    newest, archive = (check_json(path.read_bytes()) for path in (out, tmp_path / "letters-archive-00000.json"))
    assert newest["feed_url"] == "https://n.example/letters.json"
    assert newest["next_url"] == "https://n.example/letters-archive-00000.json"
    assert len({one["id"] for one in (*newest["items"], *archive["items"])}) == BLOCK + 100
    assert archive["_exowatch"]["archive"] is True
    assert main(["feed", "--config", str(config), "--out", str(tmp_path / "a.atom"), "--jurisdiction", "uk"]) == 0
    feed = check_atom((tmp_path / "a-archive-00000.atom").read_bytes())
    assert feed.find(ARCHIVE) is not None
    assert [link.get("href") for link in feed.findall(f"{ATOM}link") if link.get("rel") == "current"] == ["a.atom"]
    assert main(["feed", "--config", str(config), "--watchlist", "None"]) == 2
    assert "no such watchlist: None" in capsys.readouterr().err
    assert main(["feeds", "--config", str(config), "--severity", "High"]) == 0
    assert "http://127.0.0.1:8017/feeds/news.atom?severity=High" in capsys.readouterr().out
    engine.dispose()


def test_a_rehearsal_says_so_in_every_entry(rehearsed: Stored) -> None:
    feed = document(rehearsed.engine, FeedAsk())
    assert all(one.title.startswith("Demonstration. ") for one in feed.items)
    assert all(json.loads(json.dumps(one.facts))["demonstration"] for one in feed.items)


def test_a_replay_of_a_rehearsal_is_one_too(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine) as session:
        make = factory.Factory(session)
        source = make.source("us_letters")
        first = make.run(source, LONG_AGO, mode="rehearsal")
        second = make.run(source, LONG_AGO + timedelta(hours=1), mode="replay")
        second.record = {**second.record, "replay_of": first.id}
        live = make.run(source, LONG_AGO + timedelta(hours=2))
        session.flush()
        names = {first.id, second.id, live.id}
        assert feed_queries._rehearsed(session, names) == {first.id, second.id}
        assert session.exec(select(col(Source.id))).one() == "us_letters"
