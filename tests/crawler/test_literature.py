"""Papers: PubMed by E-utilities, Europe PMC by REST, and one key for one paper in both."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.source import LayoutChangedError, load_cards
from crawler.sources import eu_europepmc_publications, literature, pubmed_article, us_ncbi_pubmed
from crawler.sources.safe_xml import xml_of
from monitor.records import Outcome, PublicationRecord
from tests.crawler.conftest import Crawls, Ended
from tests.crawler.responses import json_response, response_of
from tests.crawler.source_fixtures import read_fixture
from tests.crawler.test_source_runs import known_file, use
from tests.loopback import Asked, Loopback, Reply
from tests.samples import samples

CARDS = load_cards()
PUBMED, EUROPE = CARDS["us_ncbi_pubmed"], CARDS["eu_europepmc_publications"]
EUTILS = "eutils.ncbi.nlm.nih.gov/entrez/eutils"
JSON, XML = "application/json", "text/xml; charset=utf-8"


def papers(ended: Ended) -> list[PublicationRecord]:
    return [record for record in ended.records if isinstance(record, PublicationRecord)]


# One paper, one key


def test_a_paper_has_the_same_key_in_both_indexes() -> None:
    in_pubmed, in_europe = (next(iter(read_fixture(card))) for card in (PUBMED, EUROPE))

    assert isinstance(in_pubmed, PublicationRecord)
    assert isinstance(in_europe, PublicationRecord)
    assert in_pubmed.key == in_europe.key == "doi:10.5555/aid.2026.077"
    assert in_pubmed.title == in_europe.title
    assert in_pubmed.retracted
    assert in_europe.retracted
    assert set(in_europe.references) <= set(in_pubmed.references)


@pytest.mark.parametrize(
    ("written", "doi"),
    [
        ("10.5555/AbC.1", "10.5555/abc.1"),
        ("https://doi.org/10.5555/AbC.1", "10.5555/abc.1"),
        ("doi: 10.5555/s0001(26)1-2. ", "10.5555/s0001(26)1-2"),
        ("10.5555/a&lt;b&gt;c", "10.5555/a<b>c"),
        ("none", ""),
    ],
)
def test_a_doi_is_compared_without_case_and_resolver(written: str, doi: str) -> None:
    assert literature.doi_of(written) == doi


def test_without_a_doi_the_pubmed_number_is_the_key_and_then_the_index_s_own() -> None:
    assert literature.paper_key("10.1/x", "7", "agr:1") == "doi:10.1/x"
    assert literature.paper_key("", "7", "agr:1") == "pmid:7"
    assert literature.paper_key("", "", "agr:1") == "agr:1"


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        ("<i>BRCA</i>-negative", "BRCA-negative"),
        ("&lt;i&gt;ATM&lt;/i&gt; variants", "ATM variants"),
        ("&amp;lt;i&amp;gt;ATM&amp;lt;/i&amp;gt;", "ATM"),
        ("CD9<sup>+</sup> at P<0.05 and n>4", "CD9+ at P<0.05 and n>4"),
        ("<h4>Aim</h4>To see.<h4>End</h4>Seen.", "Aim\nTo see.\nEnd\nSeen."),
        ("a &amp; b", "a & b"),
    ],
)
def test_markup_goes_and_what_only_looks_like_it_stays(escaped: str, plain: str) -> None:
    assert literature.without_markup(escaped) == plain


@given(st.text(alphabet="<>&;/iplt x", max_size=40))
def test_a_title_is_always_read_to_some_text(text: str) -> None:
    once = literature.without_markup(text)

    assert "\x00" not in once
    assert once == "\n".join(line.strip() for line in once.split("\n"))


# PubMed


def test_the_question_names_the_tool_and_the_window() -> None:
    options = us_ncbi_pubmed.Options(term="exosom*[tiab] AND skin", first_days=400, days=45, email="desk@watch.example")

    url = us_ncbi_pubmed.search_address(PUBMED.start, options, options.term, {"reldate": "45"}, 0)

    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (asked["tool"], asked["email"], asked["reldate"]) == ("exowatch", "desk@watch.example", "45")
    assert asked["term"] == "exosom*[tiab] AND skin"


def a_search(*numbers: str, **result: Any) -> dict[str, Any]:
    return {"esearchresult": {"count": str(len(numbers)), "idlist": list(numbers), **result}}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (a_search("1", errorlist={"phrasesnotfound": ["exosomx"], "fieldsnotfound": []}), "exosomx"),
        (a_search("1", errorlist={"phrasesnotfound": [], "fieldsnotfound": ["tiabx"]}), "tiabx"),
        (a_search("1", warninglist={"quotedphrasesnotfound": ['"odd phrase"']}), "odd phrase"),
        ({"esearchresult": {"ERROR": "Search Backend failed"}}, "Search Backend failed"),
        ({"error": "API rate limit exceeded", "count": "4", "limit": "3"}, "rate limit"),
        ({"header": {}}, "esearchresult"),
        (a_search("1", count="many"), "count"),
        (a_search("12x"), "12x"),
        ([], "esearch"),
    ],
)
def test_a_word_that_pubmed_drops_is_a_failure_like_any_other(payload: Any, said: str) -> None:
    with pytest.raises(LayoutChangedError, match=re.escape(said)):
        us_ncbi_pubmed.read_search(payload, "here")


def test_an_ignored_stop_word_is_no_failure() -> None:
    found = us_ncbi_pubmed.read_search(a_search("7", warninglist={"phrasesignored": ["of"]}), "here")

    assert found == (1, ["7"])


@pytest.mark.parametrize(
    ("inside", "day"),
    [
        ("<Year>2026</Year><Month>Oct</Month><Day>9</Day>", date(2026, 10, 9)),
        ("<Year>2026</Year><Month>10</Month>", date(2026, 10, 1)),
        ("<Year>2026</Year><Season>Winter</Season>", date(2026, 1, 1)),
        ("<MedlineDate>2012 Jul-Aug</MedlineDate>", date(2012, 7, 1)),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", date(1998, 12, 1)),
        ("<MedlineDate>2000 Spring</MedlineDate>", date(2000, 1, 1)),
        ("<MedlineDate>2015 Nov 12-18</MedlineDate>", date(2015, 11, 12)),
        ("<MedlineDate>no date</MedlineDate>", None),
        ("", None),
    ],
)
def test_an_issue_s_date_is_the_first_day_of_what_is_printed(inside: str, day: date | None) -> None:
    assert pubmed_article.issue_date(fromstring(f"<PubDate>{inside}</PubDate>")) == day


def test_a_notice_of_retraction_is_not_itself_retracted() -> None:
    retracted, notice = read_fixture(PUBMED)

    assert isinstance(notice, PublicationRecord)
    assert isinstance(retracted, PublicationRecord)
    assert (retracted.retracted, notice.retracted) == (True, False)
    assert notice.title == "Rücknahme: Vesikel der Haut"
    assert "doi:10.5555/cited" not in retracted.references, "what a paper cites is not the paper"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><PubmedArticleSet>&b;</PubmedArticleSet>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><PubmedArticleSet>&f;</PubmedArticleSet>'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BOMB, "declares entities"),
        (OUTSIDE, "declares entities"),
        ("<PubmedArticleSet><PubmedArticle>", "no well-formed XML"),
        ("<PubmedArticleSet>&nbsp;</PubmedArticleSet>", "no well-formed XML"),
        ('<?xml version="1.0" encoding="utf-8"?><PubmedArticleSet>\udce9</PubmedArticleSet>', "no well-formed XML"),
        ('<?xml version="1.0" encoding="klingon"?><PubmedArticleSet/>', "no well-formed XML"),
        ("", "no well-formed XML"),
        ("<rss/>", "was expected"),
        ("<eFetchResult><ERROR>ID list is empty</ERROR></eFetchResult>", "ID list is empty"),
    ],
)
def test_hostile_or_broken_xml_is_named_and_not_expanded(body: str, said: str) -> None:
    response = response_of(PUBMED.start, body.encode("utf-8", "surrogateescape"), XML)

    with pytest.raises(LayoutChangedError, match=said):
        us_ncbi_pubmed.read_papers(response)


def test_a_page_in_place_of_xml_is_no_xml_however_well_formed() -> None:
    with pytest.raises(LayoutChangedError, match="text/html"):
        xml_of(response_of(PUBMED.start, "<PubmedArticleSet/>", "text/html"), "PubmedArticleSet")


class Pubmed:
    """Numbers by question, and papers by number."""

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.listed: list[str] = []
        self.retracted: list[str] = []
        self.gone: set[str] = set()
        web.routes[f"{EUTILS}/esearch.fcgi"] = self._search
        web.routes[f"{EUTILS}/efetch.fcgi"] = self._fetch

    def _search(self, asked: Asked) -> Reply:
        query = _query(asked)
        found = self.retracted if "retracted publication" in query["term"] else self.listed
        start, size = int(query["retstart"]), int(query["retmax"])
        page = {**a_search(*found[start : start + size])["esearchresult"], "count": str(len(found))}
        return Reply(json.dumps({"esearchresult": page}), content_type=JSON)

    def _fetch(self, asked: Asked) -> Reply:
        numbers = [number for number in _query(asked)["id"].split(",") if number not in self.gone]
        return Reply(f"<PubmedArticleSet>{''.join(map(self._paper, numbers))}</PubmedArticleSet>", content_type=XML)

    def _paper(self, number: str) -> str:
        kind = "Retracted Publication" if number in self.retracted else "Journal Article"
        return (
            f"<PubmedArticle><MedlineCitation><PMID>{number}</PMID><Article><ArticleTitle>Paper {number}</ArticleTitle>"
            f"<PublicationTypeList><PublicationType>{kind}</PublicationType></PublicationTypeList></Article>"
            "</MedlineCitation></PubmedArticle>"
        )

    @property
    def questions(self) -> list[dict[str, str]]:
        return [_query(asked) for asked in self.web.asked if "esearch" in asked.path]

    @property
    def fetched(self) -> list[str]:
        return [n for asked in self.web.asked if "efetch" in asked.path for n in _query(asked)["id"].split(",")]


def _query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}


@pytest.fixture
def pubmed(web: Loopback, crawls: Crawls) -> Pubmed:
    use(crawls, "us_ncbi_pubmed", page_size=2, batch=2)
    return Pubmed(web)


def test_numbers_are_paged_through_and_papers_fetched_in_batches(pubmed: Pubmed, crawls: Crawls) -> None:
    pubmed.listed, pubmed.retracted = ["5", "4", "3", "2", "1"], ["4", "900"]

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert sorted(paper.key for paper in papers(ended)) == [
        "pmid:1",
        "pmid:2",
        "pmid:3",
        "pmid:4",
        "pmid:5",
        "pmid:900",
    ]
    assert [paper.key for paper in papers(ended) if paper.retracted] == ["pmid:4", "pmid:900"]
    assert sum("efetch" in asked.path for asked in pubmed.web.asked) == 3
    assert ended.run.listed == 7
    first = next(q for q in pubmed.questions if "retracted" not in q["term"])
    assert (first["reldate"], first["datetype"]) == ("400", "edat")
    assert all("reldate" not in q for q in pubmed.questions if "retracted" in q["term"])


def test_a_paper_that_is_retracted_later_is_read_again(pubmed: Pubmed, crawls: Crawls) -> None:
    pubmed.listed = ["2", "1"]
    first = crawls.run()
    pubmed.web.asked.clear()
    pubmed.listed, pubmed.retracted = ["3"], ["1"]

    second = crawls.run("--known", known_file(crawls, first))

    assert pubmed.fetched == ["3", "1"]
    assert [(paper.key, paper.retracted) for paper in papers(second)] == [("pmid:3", False), ("pmid:1", True)]
    assert pubmed.questions[0]["reldate"] == "45"

    pubmed.web.asked.clear()
    third = crawls.run("--known", known_file(crawls, first, second))
    assert (pubmed.fetched, third.run.known, third.run.outcome) == ([], 2, Outcome.OK)


def test_since_is_a_window_of_its_own(pubmed: Pubmed, crawls: Crawls) -> None:
    pubmed.listed = ["1"]

    crawls.run("--since", "2026-09-01")

    question = next(q for q in pubmed.questions if "retracted" not in q["term"])
    assert (question["mindate"], "reldate" in question) == ("2026/09/01", False)


def test_a_paper_that_does_not_come_stays_owed(pubmed: Pubmed, crawls: Crawls) -> None:
    pubmed.listed, pubmed.gone = ["2", "1"], {"1"}
    first = crawls.run()

    assert first.run.not_kept == {"listed, and not delivered": 1}
    assert "1 of 2 papers" in first.problems["http_error"]
    assert "parse_error" not in first.problems

    pubmed.gone.clear()
    second = crawls.run("--known", known_file(crawls, first))
    assert [paper.key for paper in papers(second)] == ["pmid:1"]


def test_a_limit_leaves_the_rest_for_the_next_run(pubmed: Pubmed, crawls: Crawls) -> None:
    pubmed.listed = ["3", "2", "1"]

    part = crawls.run("--limit", "1")
    rest = crawls.run("--known", known_file(crawls, part))

    assert sorted(paper.key for paper in [*papers(part), *papers(rest)]) == ["pmid:1", "pmid:2", "pmid:3"]


def test_dropped_words_end_the_run_before_any_paper_is_fetched(pubmed: Pubmed, crawls: Crawls) -> None:
    body = a_search("1", errorlist={"phrasesnotfound": ["exosom"]})
    pubmed.web.routes[f"{EUTILS}/esearch.fcgi"] = Reply(json.dumps(body), content_type=JSON)

    ended = crawls.run()

    assert "left it out of the question" in ended.problems["layout_changed"]
    assert (ended.records, pubmed.fetched, ended.run.listed) == ([], [], None)


def test_the_recorded_searches_show_the_dropped_phrase_and_the_limit() -> None:
    folder = samples("us/pubmed")

    small = us_ncbi_pubmed.read_search(json.loads((folder / "esearch_small.json").read_bytes()), "small")
    assert small == (3, ["32150788", "29373119", "17427195"])
    with pytest.raises(LayoutChangedError, match=r"p\.E1317Q"):
        us_ncbi_pubmed.read_search(json.loads((folder / "esearch_large.json").read_bytes()), "large")
    with pytest.raises(LayoutChangedError, match="rate limit"):
        us_ncbi_pubmed.read_search(json.loads((folder / "error_rate_limit_429.json").read_bytes()), "limit")


def test_the_recorded_paper_is_read() -> None:
    body = samples("us/pubmed/efetch_citation_22663011.xml").read_bytes()

    (paper,) = us_ncbi_pubmed.read(response_of(PUBMED.start, body, XML), PUBMED)

    assert isinstance(paper, PublicationRecord)
    assert paper.key == "doi:10.1056/nejmoa1203421"
    assert (paper.published, paper.posted, paper.updated) == (date(2012, 6, 4), date(2012, 6, 6), date(2026, 5, 18))
    assert paper.references == ("doi:10.1056/nejmoa1203421", "pmid:22663011", "NCT01245062")
    assert "Becker JC" in paper.authors
    assert "METRIC Study Group" in paper.authors
    assert "Cinat G" not in paper.authors, "investigators are no authors"
    assert [line.split(":")[0] for line in paper.abstract.split("\n")] == [
        "BACKGROUND",
        "METHODS",
        "RESULTS",
        "CONCLUSIONS",
    ]
    assert "P<0.001" in paper.abstract
    assert not paper.retracted


# Europe PMC


def a_paper(number: int, indexed: str = "2026-10-01", **more: Any) -> dict[str, Any]:
    paper = {"id": str(number), "source": "MED", "pmid": str(number), "doi": f"10.5555/p{number}"}
    return {**paper, "title": f"Paper {number}", "pubType": "journal article", "firstIndexDate": indexed, **more}


class Index:
    """Papers in the order of the index, newest first, by cursor marks."""

    path = "www.ebi.ac.uk/europepmc/webservices/rest/search"

    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.papers: list[dict[str, Any]] = []
        web.routes[self.path] = self._answer

    def _answer(self, asked: Asked) -> Reply:
        query = _query(asked)
        assert query["sort"] == "FIRST_IDATE_D desc"
        retractions = "retracted publication" in query["query"]
        found = [p for p in self.papers if not retractions or "retracted" in p["pubType"]]
        mark, size = query["cursorMark"], int(query["pageSize"])
        start = 0 if mark == "*" else int(mark.removesuffix("=="))
        body: dict[str, Any] = {"hitCount": len(found), "resultList": {"result": found[start : start + size]}}
        if len(found) > size:  # where all fit one page there is none; at the end it stays as it was
            body["nextCursorMark"] = f"{min(start + size, len(found))}=="
            body["nextPageUrl"] = "https://elsewhere.example/raw spaces"
        return Reply(json.dumps(body), content_type=JSON)

    @property
    def questions(self) -> list[dict[str, str]]:
        return [_query(asked) for asked in self.web.asked if "europepmc" in asked.path]


@pytest.fixture
def index(web: Loopback, crawls: Crawls) -> Index:
    use(crawls, "eu_europepmc_publications", page_size=2)
    return Index(web)


def test_the_index_is_walked_through_by_cursor(index: Index, crawls: Crawls) -> None:
    index.papers = [a_paper(number) for number in (5, 4, 3, 2, 1)]

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert [paper.key for paper in papers(ended)] == [f"doi:10.5555/p{number}" for number in (5, 4, 3, 2, 1)]
    assert [q["cursorMark"] for q in index.questions if "retracted" not in q["query"]] == ["*", "2==", "4=="]
    assert ended.run.listed == 5


def test_a_first_reading_goes_back_some_days_and_retractions_all_the_way(index: Index, crawls: Crawls) -> None:
    old = [a_paper(number, "2020-01-01") for number in (6, 5, 4, 3)]
    index.papers = [a_paper(7), *old, a_paper(2, "2019-01-01", pubType="retracted publication; journal article")]

    ended = crawls.run()

    assert {paper.key: paper.retracted for paper in papers(ended)} == {"doi:10.5555/p7": False, "doi:10.5555/p2": True}
    assert ended.run.not_kept == {"older than 2025-08-27": 3}
    assert len([q for q in index.questions if "retracted" not in q["query"]]) == 2, "a page of older papers ends it"


def test_a_later_reading_stops_at_what_it_knows(index: Index, crawls: Crawls) -> None:
    index.papers = [a_paper(number) for number in range(8, 0, -1)]
    first = crawls.run()
    index.web.asked.clear()
    index.papers.insert(0, a_paper(9))
    index.papers[3]["pubType"] = "retracted publication"
    for paper in index.papers:
        paper["citedByCount"] = 77

    second = crawls.run("--known", known_file(crawls, first))

    assert {(paper.key, paper.retracted) for paper in papers(second)} == {
        ("doi:10.5555/p9", False),
        ("doi:10.5555/p6", True),
    }
    assert len([q for q in index.questions if "retracted" not in q["query"]]) <= 3


def test_the_same_paper_twice_in_the_index_is_one(index: Index, crawls: Crawls) -> None:
    index.papers = [a_paper(1), {**a_paper(1), "source": "PMC", "id": "PMC1"}]

    ended = crawls.run()

    assert len(papers(ended)) == 1
    assert ended.run.not_kept == {"listed twice": 1}


@pytest.mark.parametrize("payload", [{}, [], {"hitCount": 3}, {"errCode": 404, "errMsg": "unknown field"}])
def test_what_is_no_answer_of_the_index_is_said(payload: Any) -> None:
    with pytest.raises(LayoutChangedError):
        eu_europepmc_publications.read_answer(payload, "here")


def test_a_strange_paper_is_counted_and_does_not_hide_the_others(index: Index, crawls: Crawls) -> None:
    index.papers = [a_paper(2), {**a_paper(1), "firstIndexDate": "soon"}]

    ended = crawls.run()

    assert [paper.key for paper in papers(ended)] == ["doi:10.5555/p2"]
    assert "MED:1" in ended.problems["parse_error"]


def test_the_recorded_answers_of_europe_pmc_are_read() -> None:
    folder = samples("us/europepmc")
    found: dict[str, list[PublicationRecord]] = {}
    for file in sorted(folder.glob("*.json")):
        response = json_response(EUROPE.start, file.read_bytes())
        found[file.name] = list(eu_europepmc_publications.read(response, EUROPE))  # type: ignore[arg-type]

    demo = {paper.key: paper for paper in found["pyeuropepmc_demo_20251022.json"]}
    assert demo["agr:IND608974682"].published == date(2025, 12, 1)
    assert demo["doi:10.1038/s41590-025-02308-2"].types == ("review", "journal article")
    titles = [paper.title for papers in found.values() for paper in papers]
    assert not [title for title in titles if "<i>" in title or "&lt;" in title or "BRCA</" in title]
    assert any("in BRCA-Negative Finnish" in title for title in titles)
    assert any("variants in ATM, CHEK2 and PALB2" in title for title in titles), "escaped twice"
    counts = {
        name: eu_europepmc_publications.read_answer(json.loads((folder / name).read_bytes()), name) for name in found
    }
    assert counts["pyeuropepmc_demo_20251022.json"][2] == "AoIIQGrHhyg1NDA0NDEzNQ=="
    assert counts["search_lite_1.json"][2] == "", "no mark where all papers fit one page"
