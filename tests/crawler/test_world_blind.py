"""Registers, literature and the dedicated sources of the world when what comes is no content: it is said, and how."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scrapy.http import Response

from crawler.source import BlockedError, LayoutChangedError, load_cards, spider_module
from monitor.records import AnyRecord, Outcome, RunRecord
from tests.crawler.conftest import Crawls
from tests.crawler.responses import response_of
from tests.crawler.test_source_runs import use
from tests.loopback import Loopback, Reply

CARDS = load_cards()
OF_JSON = (
    "us_clinicaltrials_trials",
    "eu_europepmc_publications",
    "uk_mhra_alerts",
    "uk_govuk_search",
    "eu_ema_medicines",
    "es_aemps_notices",
)
OF_XML = ("us_ncbi_pubmed", "eu_safety_gate_alerts", "eu_ema_news")
SOURCES = (*OF_JSON, *OF_XML, "uk_asa_rulings", "uk_opss_product_safety", "uk_mhra_drug_safety_update")

CAPTCHA = "<html><title>Just a moment...</title><body>Verify you are human to go on.</body></html>"
SHELL = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Our new site is here.</p></body></html>"


def read(source: str, response: Response) -> list[AnyRecord]:
    return list(spider_module(CARDS[source]).read(response, CARDS[source]))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_captcha_is_a_block_whatever_its_status(source: str, status: int) -> None:
    with pytest.raises(BlockedError):
        read(source, response_of(CARDS[source].start, CAPTCHA, status=status))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ["text/html", "application/json", "application/xml"])
def test_another_page_is_never_content_and_never_nothing_new(source: str, kind: str) -> None:
    with pytest.raises(LayoutChangedError):
        read(source, response_of(CARDS[source].start, SHELL, kind))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("body", [b"", b"\x1f\x8b\x08\x00broken", b"\x00\x01\x02", b"{", b"<"])
def test_broken_bytes_are_said_to_be_broken(source: str, body: bytes) -> None:
    kind = "application/json" if source in OF_JSON else "application/xml" if source in OF_XML else "text/html"
    with pytest.raises(LayoutChangedError):
        read(source, response_of(CARDS[source].start, body, kind))


def judged(web: Loopback, crawls: Crawls, source: str, reply: Reply) -> RunRecord:
    """The run of a source whose whole host answers the same."""
    use(crawls, source)
    host = CARDS[source].start.partition("://")[2]
    web.routes[host] = reply
    return crawls.run().run


@pytest.mark.parametrize("source", ["us_ncbi_pubmed", "uk_mhra_alerts", "uk_asa_rulings", "eu_safety_gate_alerts"])
@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(CAPTCHA, 403), "blocked"), (Reply("gone", 410), "http_error")],
    ids=["captcha", "gone"],
)
def test_each_kind_of_blind_is_told_as_that_kind(
    web: Loopback, crawls: Crawls, source: str, reply: Reply, kind: str
) -> None:
    run = judged(web, crawls, source, reply)

    assert {problem.kind for problem in run.problems} == {kind}
    assert run.outcome is (Outcome.BLOCKED if kind == "blocked" else Outcome.ERRORS)
    assert (run.items, run.listed or 0) == ({}, 0)


# Anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), JSON, max_size=len(names))


STUDY = st.fixed_dictionaries(
    {
        "protocolSection": objects("identificationModule", "statusModule", "designModule", "armsInterventionsModule")
        | JSON
    }
)
PAPER = objects("id", "source", "doi", "pmid", "title", "pubType", "authorList", "firstIndexDate", "abstractText")
ITEM = objects("content_id", "base_path", "title", "details", "links", "withdrawn_notice", "public_updated_at")
RESULT = objects("link", "title", "content_id", "public_timestamp", "format")
MEDICINE = objects("name_of_medicine", "ema_product_number", "medicine_status", "last_updated_date", "category")
ANSWERS = st.one_of(
    JSON,
    st.fixed_dictionaries({"studies": st.lists(STUDY | JSON, max_size=2)}),
    st.fixed_dictionaries(
        {"hitCount": st.just(1), "resultList": st.fixed_dictionaries({"result": st.lists(PAPER | JSON, max_size=2)})}
    ),
    ITEM,
    st.fixed_dictionaries({"total": st.just(1), "results": st.lists(RESULT | JSON, max_size=2)}),
    st.fixed_dictionaries({"data": st.lists(MEDICINE, max_size=2)}),
)
TAGS = st.sampled_from(
    [
        *("<PubmedArticleSet>", "</PubmedArticleSet>", "<PubmedArticle>", "</PubmedArticle>", "<MedlineCitation>"),
        *("</MedlineCitation>", "<PMID>7</PMID>", "<Article>", "</Article>", "<ArticleTitle>T</ArticleTitle>"),
        *("<Safety-Gate>", "</Safety-Gate>", "<report_date>1/2/2026</report_date>", "<notifications>", "&#0;", "&x;"),
        *(
            "</notifications>",
            "<caseNumber>A</caseNumber>",
            "<product>null &lt;b</product>",
            "<!DOCTYPE x>",
            "<![CDATA[",
        ),
        *(
            "<div id='rulings'>",
            "</div>",
            "<li class='icon-listing-item'>",
            "<h4 class='heading'>",
            "<a href='/r.html'>K",
        ),
        *(
            "</a>",
            "</h4>",
            "<ul class='meta-listing'>",
            "<li class='meta-listing-item'>1 July 2026</li>",
            "</ul>",
            "</li>",
        ),
        *("<h1 class='heading'>ASA Ruling on K</h1>", "<div class='main-content'>", "<h2>CAP Code</h2>", "12.1"),
    ]
)


def only_named_errors(source: str, response: Response) -> None:
    try:
        records = read(source, response)
    except (LayoutChangedError, BlockedError):
        return
    assert all(record.source == source for record in records)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(body=ANSWERS)
def test_a_reader_never_falls_over_json(body: Any) -> None:
    for source in OF_JSON:
        only_named_errors(source, response_of(CARDS[source].start, json.dumps(body), "application/json"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    body=st.lists(TAGS | st.text(max_size=8), max_size=25).map("".join) | st.binary(max_size=60),
    kind=st.sampled_from(["text/xml", "application/xml", "text/html", "image/png", ""]),
)
def test_a_reader_never_falls_over_markup(body: str | bytes, kind: str) -> None:
    for source in (*OF_XML, "uk_asa_rulings"):
        raw = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
        only_named_errors(source, response_of(CARDS[source].start, raw, kind))
