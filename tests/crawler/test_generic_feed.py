"""The reader of feeds: every trap that publishers' feeds are known for, and every way in which one is no feed."""

from __future__ import annotations

import json
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.generic import feed
from crawler.source import BlockedError, LayoutChangedError
from monitor.records import NoticeRecord, NoticeType
from tests.crawler.cards import LIST, a_card
from tests.crawler.responses import response_of
from tests.samples import samples

FOLDER = Path(__file__).with_name("generic")
XML = "application/rss+xml; charset=utf-8"


def item(title: str = "Kelda kit", link: str = "https://office.example/1", more: str = "") -> str:
    return f"<item><title>{escape(title)}</title><link>{escape(link)}</link>{more}</item>"


def rss(*items: str, head: str = '<?xml version="1.0" encoding="utf-8"?>', base: str = "") -> str:
    spaces = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f'{head}<rss version="2.0" {spaces}{base}><channel><title>News</title>{"".join(items)}</channel></rss>'


def read(body: bytes | str, kind: str = XML, language: str = "en", **options: Any) -> list[NoticeRecord]:
    records = list(feed.read(response_of(LIST, body, kind), a_card("feed", language=language, **options)))
    assert all(isinstance(record, NoticeRecord) for record in records)
    return [record for record in records if isinstance(record, NoticeRecord)]


# The kinds of feed


@pytest.mark.parametrize("name", ["rss20.xml", "atom.xml", "rdf.xml", "rss091.xml"])
def test_every_kind_of_feed_is_read(name: str) -> None:
    found = [
        [record.key, record.title, str(record.posted), str(record.updated), record.summary]
        for record in read((FOLDER / name).read_bytes())
    ]

    assert found == json.loads((FOLDER / "feeds.json").read_text(encoding="utf-8"))[name]


# Dates


@pytest.mark.parametrize(
    ("printed", "language", "day"),
    [
        ("Wed, 19 Aug 2026 23:30:00 -0400", "en", date(2026, 8, 19)),
        ("Wed, 19 Aug 2026 15:57:00 EDT", "en", date(2026, 8, 19)),
        ("Thu, 20 Aug 2026 00:10:00 +0900", "ja", date(2026, 8, 20)),
        ("19 Aug 2026 10:00:00", "en", date(2026, 8, 19)),
        ("Mi, 19 Aug 2026 15:57:00 +0200", "de", date(2026, 8, 19)),
        ("Qua, 19 Ago 2026 15:57:00 -0300", "pt", date(2026, 8, 19)),
        ("mer., 19 août 2026 15:57:00 +0200", "fr", date(2026, 8, 19)),
        ("2026-08-19 09:00:00", "ko", date(2026, 8, 19)),
        ("2026-08-19T23:59:00-05:00", "en", date(2026, 8, 19)),
        ("2026.08.19", "ko", date(2026, 8, 19)),
        ("2026年8月19日", "ja", date(2026, 8, 19)),
        ('<time datetime="2019-05-04T03:21:28Z">Fri, 05/03/2019 - 23:21</time>', "en", date(2019, 5, 3)),
    ],
)
def test_a_date_is_the_day_that_is_printed(printed: str, language: str, day: date) -> None:
    (record,) = read(rss(item(more=f"<pubDate>{printed}</pubDate>")), language=language)

    assert (record.posted, record.unread) == (day, ())


def test_feedparsers_own_date_is_another_day() -> None:
    parsed = feedparser.parse(rss(item(more="<pubDate>Wed, 19 Aug 2026 23:30:00 -0400</pubDate>")))

    assert parsed.entries[0].published_parsed[:3] == (2026, 8, 20), "it is moved to UTC: read it as printed instead"


def test_without_a_date_there_is_none_and_a_strange_one_is_named() -> None:
    none, strange = read(rss(item(), item(link="https://office.example/2", more="<pubDate>soon</pubDate>")))

    assert (none.posted, none.unread) == (None, ())
    assert strange.posted is None
    assert strange.unread == ("posted date: no date that could be read: 'soon'",)


def test_a_date_that_comes_late_is_a_change_and_another_date_is_none() -> None:
    def digest(more: str) -> str:
        (entry,) = feed.listing(response_of(LIST, rss(item(more=more)), XML), a_card("feed")).entries
        return entry.digest

    assert digest("") != digest("<pubDate>Wed, 19 Aug 2026 10:00:00 GMT</pubDate>")
    assert digest("<pubDate>Thu, 20 Aug 2026 10:00:00 GMT</pubDate>") == digest(
        "<pubDate>Wed, 19 Aug 2026 10:00:00 GMT</pubDate>"
    )


# Links and ids


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/news/1", "https://office.example/news/1"),
        ("http://office.example/news/1", "https://office.example/news/1"),
        ("https://office.example/news/1?utm_source=rss&utm_medium=feed&seq=7", "https://office.example/news/1?seq=7"),
        ("https://office.example/news/1#part", "https://office.example/news/1"),
        (" https://office.example/news/1\n", "https://office.example/news/1"),
        ("http://other.example/news/1", "http://other.example/news/1"),
    ],
)
def test_a_link_is_made_whole_and_freed_of_tracking(link: str, url: str) -> None:
    (record,) = read(rss(item(link=link)))

    assert (record.key, record.url) == (url, url)


def test_a_relative_link_stands_to_the_feeds_own_base() -> None:
    (record,) = read(rss(item(link="1.html"), base=' xml:base="https://office.example/news/"'))

    assert record.url == "https://office.example/news/1.html"


def test_an_empty_link_element_with_the_address_behind_it() -> None:
    body = rss("<item><title>Kelda</title><link/>https://office.example/9<description>x</description></item>")

    assert not feedparser.parse(body).entries[0].link, "feedparser takes it for an entry without a link"
    assert [record.url for record in read(body)] == ["https://office.example/9"]


def test_a_guid_that_is_no_link_is_no_address() -> None:
    guid = '<guid isPermaLink="false">tag:office.example,2026:7</guid>'
    bare = f"<item><title>Kelda</title>{guid}</item>"

    linked, alone = read(rss(item(more=guid), bare))
    assert linked.key == "https://office.example/1"
    assert (alone.key, alone.url) == ("tag:office.example,2026:7", LIST)
    (by_guid,) = read(rss(item(more=guid), bare), id_from="guid")
    assert (by_guid.key, by_guid.url) == ("tag:office.example,2026:7", "https://office.example/1")


def test_a_guid_that_is_a_link_serves_where_there_is_none() -> None:
    (record,) = read(rss("<item><title>Kelda</title><guid>https://office.example/5</guid></item>"))

    assert record.url == "https://office.example/5"


def test_an_id_in_the_query_or_by_a_pattern() -> None:
    body = rss(item(link="https://office.example/ar/news/71?seq=12&page=3"))

    assert [record.key for record in read(body, id_from="query.seq")] == ["12"]
    assert [record.key for record in read(body, id_pattern=r"/news/(\d+)")] == ["71"]
    with pytest.raises(LayoutChangedError, match=r"query\.number"):
        read(body, id_from="query.number")


def test_an_entry_without_link_and_guid_has_nothing_to_be_known_by() -> None:
    with pytest.raises(LayoutChangedError, match="neither a link nor a guid"):
        read(rss("<item><title>Kelda</title></item>"))


def test_one_strange_entry_does_not_hide_the_others_and_is_counted() -> None:
    listing = feed.listing(response_of(LIST, rss(item(), "<item><title>x</title></item>"), XML), a_card("feed"))

    assert len(listing.entries) == 1
    assert listing.strange == (
        "entry 2 of the feed: it has neither a link nor a guid, so nothing tells it from others",
    )


# Texts


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("&lt;p&gt;Serum &amp;amp; cream&lt;/p&gt;", "Serum & cream"),
        ("<![CDATA[<p>Serum &amp; cream</p>]]>", "Serum & cream"),
        ("Serum &amp;amp; cream", "Serum & cream"),
        ("&amp;lt;p&amp;gt;Serum&amp;lt;/p&amp;gt;", "Serum"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Serum", "Serum"),
        ("A dose of &amp;lt; 5 mg", "A dose of < 5 mg"),
    ],
)
def test_html_in_a_field_is_read_as_text(written: str, text: str) -> None:
    (record,) = read(rss(item(more=f"<description>{written}</description>")))

    assert record.summary == text


def test_the_whole_text_in_the_feed_is_the_notices_text() -> None:
    whole = "<content:encoded><![CDATA[<p>Buy at www.kelda.example</p>]]></content:encoded>"

    (record,) = read(rss(item(more=f"<description>Short</description>{whole}")))

    assert (record.summary, record.text) == ("Short", "Buy at www.kelda.example")
    assert record.quoted_urls == ("https://www.kelda.example",)


def test_the_type_is_told_by_title_or_label() -> None:
    body = rss(item("Recall of a batch"), item(link="https://office.example/2", more="<category>Recall</category>"))

    found = read(body, types={"recall": "recall"}, notice_type="news")

    assert [record.notice_type for record in found] == [NoticeType.RECALL, NoticeType.RECALL]
    assert [record.classification for record in found] == ["", "Recall"]


# Encodings

NAME = "Décision n° 7 – Kélda"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xef\xbb\xbf" + rss(item(NAME)).encode(), XML),
        (rss(item(NAME), head='<?xml version="1.0" encoding="windows-1252"?>').encode("cp1252"), "application/xml"),
        (rss(item(NAME)).encode("cp1252"), "application/xml"),
        (rss(item(NAME), head='<?xml version="1.0" encoding="us-ascii"?>').encode(), "text/xml; charset=utf-8"),
        (rss(item(NAME), head='<?xml version="1.0" encoding="utf-16"?>').encode("utf-16"), "application/xml"),
        (b"\n" + rss(item(NAME)).encode(), XML),
    ],
    ids=["BOM", "declared", "lying", "ascii declared, utf-8 sent", "utf-16", "blank line first"],
)
def test_encodings_that_are_declared_left_out_or_lie(body: bytes, kind: str) -> None:
    (record,) = read(body, kind)

    assert record.title == NAME


# No feed


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<!DOCTYPE html><html><head><title>News</title></head><body>No feed</body></html>", "a feed was expected"),
        ('{"items": []}', "a feed was expected"),
        ("", "a feed was expected"),
        (rss(), "holds no entry"),
        (rss(item(), item())[:-40], "breaks off"),
        ('<?xml version="1.0"?><urlset></urlset>', "breaks off|no feed of any known kind"),
        (
            rss(item(), head='<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>'),
            "entities of its own",
        ),
        (
            rss(item(), head='<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
            "entities of its own",
        ),
        (rss(*("<item/>" for _ in range(6000))), "6000 entries"),
    ],
)
def test_what_is_no_whole_feed_says_so(body: str, complaint: str) -> None:
    with pytest.raises(LayoutChangedError, match=complaint):
        read(body)


def test_a_feed_may_be_empty_if_its_card_says_so() -> None:
    assert read(rss(), empty_ok=True) == []


def test_a_captcha_in_the_place_of_the_feed_is_a_block() -> None:
    page = "<html><head><title>Just a moment...</title></head><body>verify you are human</body></html>"

    with pytest.raises(BlockedError):
        read(page, "text/html")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(
    parts=st.lists(
        st.sampled_from(
            [
                *("<rss version='2.0'>", "<channel>", "<item>", "</item>", "<title>Kelda</title>", "<link>x</link>"),
                *("<link/>http://", "<guid>", "</guid>", "<pubDate>", "</pubDate>", "</channel>", "</rss>", "<feed>"),
                *("<entry>", "</entry>", "</feed>", "&amp;lt;", "<![CDATA[", "]]>", "\x00", "Wed, 31 Feb 2026"),
            ]
        )
        | st.text(max_size=8),
        max_size=20,
    )
)
def test_the_reader_never_falls_over_a_feed(parts: list[str]) -> None:
    body = '<?xml version="1.0"?><rss version="2.0"><channel>' + "".join(parts) + "</channel></rss>"
    try:
        records = read(body)
    except (LayoutChangedError, BlockedError):
        return
    assert all(record.title and record.key for record in records)


# Recorded responses


def recorded(path: str, start: str) -> list[NoticeRecord]:
    body = samples(path).read_bytes()
    return [
        record
        for record in feed.read(response_of(start, body, XML), a_card("feed", start=start))
        if isinstance(record, NoticeRecord)
    ]


def test_the_recorded_feed_of_fda() -> None:
    found = recorded("us/fda_rss/food-safety-recalls.rss.excerpt.xml", "https://www.fda.gov/rss.xml")

    assert [record.posted for record in found] == [date(2026, 8, 19), date(2026, 8, 17), date(2026, 8, 13)]
    assert all(record.key.startswith("https://www.fda.gov/safety/") for record in found), "http:// was made https://"
    assert "Apulian Almond & Cocoa Spread" in found[1].summary, "it is escaped twice"
    assert "&amp;" not in "".join(record.summary + record.title for record in found)


def test_the_recorded_feed_of_ansm() -> None:
    (record,) = recorded("world/fr_ansm/informations_securite_rss_TRANSCRIBED.xml", "https://ansm.sante.fr/rss/x")

    assert record.posted == date(2026, 5, 2)
    assert record.summary.startswith("L'ANSM rappelle")


def test_the_recorded_atom_feed_of_gov_uk() -> None:
    (record,) = recorded("world/uk_govuk/drug-device-alerts_atom_TRANSCRIBED.xml", "https://www.gov.uk/x.atom")

    assert (record.posted, record.updated) == (None, date(2026, 4, 29)), "it prints no date of publication"
    assert record.key == "https://www.gov.uk/drug-device-alerts/mhra-safety-roundup-april-2026"
