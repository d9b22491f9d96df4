"""The web site, asked as a browser asks it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine
from sqlmodel import select

from monitor import search
from monitor.config import Config
from monitor.tables.db import reading, transaction
from monitor.tables.models import Claim, Organisation, OrganisationAlias, Page
from reports import words
from reports.render import stylesheet
from reports.site.app import create_app
from tests.reports import factory
from tests.reports.conftest import Stored
from tests.reports.factory import HOSTILE

Visit = Callable[[FastAPI], httpx.Client]


@pytest.fixture
def client(stored: Stored, visit: Visit) -> httpx.Client:
    stored.digest()
    return visit(create_app(stored.engine, stored.config, factory.law))


def addresses(stored: Stored) -> list[str]:
    ids = stored.ids
    return [
        "/",
        "/search",
        "/search?q=arthritis",
        "/search?q=nothingatall",
        "/search?kind=notice",
        "/search?q=serum&jurisdiction=us&kind=claim&category=disease_treatment&severity=High",
        f"/claims/{ids['arthritis']}",
        f"/claims/{ids['scalp']}",
        f"/products/{ids['serum']}",
        f"/notices/{ids['new']}",
        f"/notices/{ids['bad']}",
        f"/organisations/{ids['glow']}",
        f"/organisations/{ids['hostile']}",
        "/digests",
        "/digests/2026-W47",
        "/health",
        "/no-such-page",
    ]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", LexborHTMLParser(html).body.text(separator=" "))  # type: ignore[union-attr]


def test_every_page_is_sound(client: httpx.Client, stored: Stored) -> None:
    for address in addresses(stored):
        answer = client.get(address)
        assert answer.status_code == (404 if "no-such" in address else 200), address
        tree = LexborHTMLParser(answer.text)
        assert len(tree.css("h1")) == 1, address
        assert tree.css_first("html").attributes["lang"] == "en"  # type: ignore[union-attr]
        assert tree.css_first("title").text().endswith("Exowatch")  # type: ignore[union-attr]
        assert tree.css_first("a.skip").attributes["href"] == "#main"  # type: ignore[union-attr]
        assert tree.css_first("main#main") is not None
        assert not tree.css("script, style, iframe, [style], [onclick], [onerror]"), address
        assert all(node.attributes.get("scope") for node in tree.css("th")), address
        ids = [node.attributes["id"] for node in tree.css("[id]")]
        assert len(ids) == len(set(ids)), address
        for control in tree.css("input, select"):
            assert tree.css_first(f"label[for='{control.attributes['id']}']") is not None
        assert not re.search(r"[\u202a-\u202e\x07]", answer.text), address
        levels = [int(str(node.tag)[1]) for node in tree.css("h1, h2, h3, h4")]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), address


def test_no_page_lets_anything_run(client: httpx.Client, stored: Stored) -> None:
    for address in [*addresses(stored), "/static/site.css"]:
        headers = client.get(address).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "script-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_every_link_within_leads_somewhere(client: httpx.Client, stored: Stored) -> None:
    seen: set[str] = set()
    waiting = ["/", "/digests/2026-W47", "/search?q=serum"]
    while waiting:
        address = waiting.pop()
        if address in seen or len(seen) > 150:
            continue
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code == 200, address
        if "html" in answer.headers["content-type"]:
            found = [str(link.attributes.get("href")) for link in LexborHTMLParser(answer.text).css("a, link")]
            # Downloads and feeds are asked for in tests of their own.
            waiting += [link for link in found if link.startswith("/") and not link.startswith(("/export/", "/feeds/"))]
    for name in ("arthritis", "safe", "scalp", "hair"):
        assert f"/claims/{stored.ids[name]}" in seen


def test_a_claim_shows_its_quote_in_its_place(client: httpx.Client, stored: Stored) -> None:
    answer = client.get(f"/claims/{stored.ids['arthritis']}")
    tree = LexborHTMLParser(answer.text)
    assert tree.css_first(".context mark").text() == "treats arthritis in two weeks"  # type: ignore[union-attr]
    assert tree.css_first(".context mark strong").text() == "treats arthritis"  # type: ignore[union-attr]
    text = text_of(answer.text)
    for told in (
        "treats arthritis in four weeks",
        "Letter to Glow Labs",
        "Medicines Regulations, reg. 2 (unverified)",
        "the source changed",
        "negated: a negation stands before it",
        "Cite this",
        "SHA-256",
    ):
        assert told in text


def test_a_quote_that_is_not_where_it_should_be_is_owned_up_to(client: httpx.Client, stored: Stored) -> None:
    with transaction(stored.engine) as session:
        session.get_one(Claim, stored.ids["safe"]).end -= 1
    assert "Do not rest on this claim" in client.get(f"/claims/{stored.ids['safe']}").text


def test_an_address_that_is_no_web_address_is_no_link(client: httpx.Client, stored: Stored) -> None:
    with transaction(stored.engine) as session:
        session.get_one(Page, stored.ids["page"]).url = "javascript:alert(document.domain)"
    for address in (f"/claims/{stored.ids['arthritis']}", f"/organisations/{stored.ids['glow']}"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert not [a for a in LexborHTMLParser(answer.text).css("a") if "javascript" in str(a.attributes["href"])]


def test_search_finds_marks_and_narrows(client: httpx.Client, stored: Stored) -> None:
    answer = client.get("/search", params={"q": "ARTHRITIS"})
    tree = LexborHTMLParser(answer.text)
    assert "1 result for “ARTHRITIS”" in text_of(answer.text)
    assert [mark.text() for mark in tree.css("li mark")] == ["arthritis"]
    assert tree.css_first("#q").attributes["value"] == "ARTHRITIS"  # type: ignore[union-attr]
    narrowing = [str(link.attributes["href"]) for link in tree.css(".facet a")]
    assert "/search?q=ARTHRITIS&jurisdiction=uk" in narrowing
    narrowed = LexborHTMLParser(client.get("/search?q=ARTHRITIS&jurisdiction=uk").text)
    assert narrowed.css_first("#jurisdiction option[selected]").attributes["value"] == "uk"  # type: ignore[union-attr]
    widening = [str(link.attributes["href"]) for link in narrowed.css(".facet a") if link.text() == "remove"]
    assert widening == ["/search?q=ARTHRITIS"]


def test_a_search_in_vain_says_what_to_try(client: httpx.Client) -> None:
    text = text_of(client.get("/search?q=zzzz").text)
    assert "0 results" in text
    assert "one filter less" in text


def test_pages_of_results(client: httpx.Client, stored: Stored) -> None:
    with transaction(stored.engine) as session:
        make = factory.Factory(session, counter=9000)
        for number in range(45):
            make.organisation(f"Firm {number}")
            search.index(session, "organisation", 500 + number, title=f"Quux {number}", body="", seen_at=factory.NOW)
    seen = set()
    address: str | None = "/search?q=quux"
    for _ in range(3):
        tree = LexborHTMLParser(client.get(str(address)).text)
        seen |= {link.text() for link in tree.css("ol.items h2 a")}
        later = tree.css_first("a[rel=next]")
        address = str(later.attributes["href"]) if later else None
    assert address is None
    assert len(seen) == 45
    beyond = client.get("/search?q=quux&page=9").text
    assert "There are not so many pages of results." in text_of(beyond)
    assert [link.attributes["href"] for link in LexborHTMLParser(beyond).css("main p > a")] == ["/search?q=quux"]


def test_a_hostile_search_is_shown_as_text(client: httpx.Client) -> None:
    answer = client.get("/search", params={"q": '"><script>alert(1)</script>\u202e'})
    assert answer.status_code == 200
    assert "<script" not in answer.text


@given(q=st.text(max_size=50), kind=st.text(max_size=8), jurisdiction=st.text(max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_search_breaks_the_site(client: httpx.Client, q: str, kind: str, jurisdiction: str) -> None:
    answer = client.get("/search", params={"q": q, "kind": kind, "jurisdiction": jurisdiction})
    known = kind in ("", *words.KINDS) and jurisdiction in ("", *words.JURISDICTIONS)
    assert answer.status_code == (200 if known else 400)


@pytest.mark.parametrize(
    "address",
    ["/claims/0", "/claims/999", f"/claims/{10**30}", "/claims/-1", "/claims/x", "/notices/999", "/products/999",
     "/organisations/999", "/digests/2026-W01", "/digests/..%2F..%2Fetc%2Fpasswd", "/digests/%00", "/docs",
     "/openapi.json"],
)  # fmt: skip
def test_what_is_not_there_is_a_page_that_helps(client: httpx.Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert 'action="/search"' in answer.text


def test_an_address_with_a_wrong_value_is_told_so(client: httpx.Client) -> None:
    answer = client.get("/search?page=two")
    assert answer.status_code == 400
    assert "not understood" in answer.text
    assert client.post("/search").status_code == 405


def test_a_digest_whose_file_is_gone_says_how_to_get_it_back(client: httpx.Client, stored: Stored) -> None:
    (stored.config.digests_folder / "2026-W47.json").unlink()
    answer = client.get("/digests/2026-W47")
    assert answer.status_code == 404
    assert "exowatch digest --week 2026-W47" in answer.text


def test_the_site_shows_the_digest_as_it_was_written(client: httpx.Client, stored: Stored) -> None:
    page = LexborHTMLParser(client.get("/digests/2026-W47").text)
    file = LexborHTMLParser((stored.config.digests_folder / "2026-W47.html").read_text())
    assert [node.text() for node in page.css("li.claim mark")] == [node.text() for node in file.css("li.claim mark")]
    assert page.css_first(f"a[href='/claims/{stored.ids['arthritis']}']") is not None


def test_a_rehearsal_says_so_on_every_page_that_shows_its_findings(rehearsed: Stored, visit: Visit) -> None:
    rehearsed.digest()
    client = visit(create_app(rehearsed.engine, rehearsed.config, factory.law))
    for address in addresses(rehearsed):
        if address.startswith(("/claims", "/products", "/notices", "/digests/")) or address in (
            "/",
            "/health",
            "/search?q=arthritis",
            "/search?kind=notice",
        ):
            assert "not from the web" in client.get(address).text, address


def test_an_empty_database_says_what_to_do(sqlite_engine: Engine, tmp_path: Path, visit: Visit) -> None:
    client = visit(create_app(sqlite_engine, Config(data=tmp_path), factory.law))
    assert "exowatch run" in client.get("/").text
    assert "No digest has been written yet" in client.get("/digests").text
    assert "No source has been read yet" in client.get("/health").text


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, 1.4.3."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("number", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_colour_can_be_read(number: int) -> None:
    block = re.findall(r":root \{([^}]+)\}", str(stylesheet()))[number]
    palette = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block))
    pairs = [
        (ink, ground) for ink in ("ink", "muted", "link", "high", "medium", "low") for ground in ("paper", "panel")
    ]
    pairs += [("mark-ink", "mark"), ("warn-ink", "warn"), ("link", "warn"), ("link", "mark"), ("medium", "warn")]
    for ink, ground in pairs:
        assert _contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)


def test_a_search_for_a_firm_leads_to_the_firm(client: httpx.Client, stored: Stored) -> None:
    """Its name is what it is: it stays text."""
    with reading(stored.engine) as session:
        hostile = session.exec(select(Organisation).where(Organisation.name == HOSTILE)).one().id
    answer = client.get("/search", params={"q": "glow"})
    links = {link.attributes.get("href"): link.text() for link in LexborHTMLParser(answer.text).css("main a")}
    assert links[f"/organisations/{hostile}"]
    assert "<script>alert" not in answer.text
    later = client.get("/search", params={"q": "glow", "page": 2})
    assert f"/organisations/{hostile}" not in later.text


def test_an_organisation_shows_no_name_that_only_programs_use(client: httpx.Client, stored: Stored) -> None:
    with transaction(stored.engine) as session:
        glow = session.exec(select(Organisation).where(Organisation.name == "Glow Labs")).one().id or 0
        session.add(OrganisationAlias(organisation_id=glow, kind="folded", value="glow labs folded", basis="x"))
    answer = client.get(f"/organisations/{glow}")
    assert "glow.example" in answer.text
    assert "glow labs folded" not in answer.text


@pytest.mark.parametrize(
    ("field", "value", "title", "choices"),
    [
        (
            "severity",
            "none",
            "No such severity",
            "Write severity= with one of these, or leave it out: High, Medium, Low.",
        ),
        ("kind", "<b>", "No such kind", "Write kind= with one of these, or leave it out: claim, "),
        (
            "jurisdiction",
            "zz",
            "No such jurisdiction",
            "Write jurisdiction= with one of these, or leave it out: us, uk, ",
        ),
        ("category", "hair", "No such category of claim", "Write category= with one of these"),
    ],
)
def test_a_choice_that_there_is_not_is_told_with_those_that_there_are(
    client: httpx.Client, field: str, value: str, title: str, choices: str
) -> None:
    answer = client.get("/search", params={"q": "glow", field: value})

    assert answer.status_code == 400
    tree = LexborHTMLParser(answer.text)
    assert tree.css_first("h1").text() == title
    assert choices in tree.css_first("main").text()


def test_a_choice_without_a_name_that_finds_something_is_shown_as_not_known(
    client: httpx.Client, stored: Stored
) -> None:
    with transaction(stored.engine) as session:
        search.index(
            session, "product", 1, title="Glow", body="", jurisdictions=["zz"], severity="", seen_at=factory.NOW
        )
    answer = client.get("/search", params={"q": "glow", "jurisdiction": "zz"})

    assert answer.status_code == 200
    chosen = [option.text() for option in LexborHTMLParser(answer.text).css("option[selected]")]
    assert chosen == ["zz (not known)"]
