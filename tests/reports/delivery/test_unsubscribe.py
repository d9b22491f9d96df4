"""Leaving without login: a look changes nothing, one post leaves, and a link that was changed does nothing."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from monitor import queries
from monitor.config import Config, Mail, Recipient
from monitor.watching import outbox
from monitor.watching.outbox import Letter
from reports.delivery.unsubscribing import SECRET_VARIABLE, link, reference_in, secret_of, token
from reports.site.app import create_app
from reports.site.unsubscribe import MOST_BAD, MOST_EACH, WINDOW, Bound, add_unsubscribe
from tests.reports import factory

ANNA = "anna@reader.example"
NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    mail = Mail(sender="exo@watch.example", reply_to="desk@watch.example")
    recipients = (Recipient(address=ANNA, language="de"),)
    return Config(data=tmp_path, mail=mail, recipients=recipients, public_site="https://watch.example/exo/")


@pytest.fixture
def site(sqlite_engine: Engine, config: Config, visit: Callable[[FastAPI], httpx.Client]) -> httpx.Client:
    for kind in ("digest", "alert"):
        letter = Letter(ANNA, "mail", kind, f"{kind}-1", "s", "p")
        outbox.put(sqlite_engine, letter, now=NOW)
    return visit(create_app(sqlite_engine, config, factory.law))


def path_of(config: Config, kind: str) -> str:
    address = link(config, outbox.reference_of(ANNA, f"{kind}-1"))
    assert address.startswith("https://watch.example/exo/unsubscribe/")
    return address.removeprefix("https://watch.example/exo")


def held(engine: Engine) -> list[tuple[str, str]]:
    return [(row.scope, row.cause) for row in queries.suppressions(engine)]


def test_a_look_changes_nothing_and_asks(site: httpx.Client, sqlite_engine: Engine, config: Config) -> None:
    for method in ("GET", "HEAD"):
        answer = site.request(method, path_of(config, "digest"))
        assert answer.status_code == 200
    answer = site.get(path_of(config, "digest"))
    assert held(sqlite_engine) == []
    assert "Keine Übersichten mehr" in answer.text
    assert '<html lang="de">' in answer.text
    assert ANNA not in answer.text
    assert "a…@reader.example" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert len(re.findall("<h1>", answer.text)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
    ],
)
def test_one_post_leaves_in_whatever_form_it_comes(
    site: httpx.Client, sqlite_engine: Engine, config: Config, body: dict[str, object]
) -> None:
    answer = site.post(path_of(config, "digest"), **body)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert held(sqlite_engine) == [("digest", "unsubscribed")]
    # The alert still goes, and the digest that waited does not.
    letter = outbox.claim(sqlite_engine, now=NOW)
    assert letter is not None
    assert letter.kind == "alert"
    assert outbox.claim(sqlite_engine, now=NOW) is None
    assert site.post(path_of(config, "digest")).status_code == 200
    assert held(sqlite_engine) == [("digest", "unsubscribed")]


def test_the_forms_on_the_page_lead_where_they_say(site: httpx.Client, sqlite_engine: Engine, config: Config) -> None:
    page = site.get(path_of(config, "alert")).text
    # Relative: the site may lie below a path of its host.
    one, everything = (urljoin(path_of(config, "alert"), action) for action in re.findall(r'action="([^"]+)"', page))
    assert site.post(one).status_code == 200
    assert held(sqlite_engine) == [("alert", "unsubscribed")]
    assert site.post(everything).status_code == 200
    assert held(sqlite_engine) == [("alert", "unsubscribed"), ("all", "unsubscribed")]
    assert "desk@watch.example" in site.post(everything).text


def test_a_link_that_was_changed_does_nothing_and_says_so(
    site: httpx.Client, sqlite_engine: Engine, config: Config
) -> None:
    whole = path_of(config, "digest")
    other = outbox.reference_of("ben@reader.example", "digest-1")
    signature = whole.rpartition(".")[2]
    for broken in (whole[:-1], f"/unsubscribe/{other}.{signature}", "/unsubscribe/x", whole + "x"):
        for answer in (site.get(broken), site.post(broken)):
            assert answer.status_code == 400
            assert "This link does not unsubscribe" in answer.text
    unknown = token(secret_of(config), outbox.reference_of("ben@reader.example", "digest-1"))
    assert site.post(f"/unsubscribe/{unknown}").status_code == 400
    assert held(sqlite_engine) == []


def test_guessing_is_bounded_and_readers_leave_all_the_same(
    sqlite_engine: Engine, config: Config, visit: Callable[[FastAPI], httpx.Client]
) -> None:
    outbox.put(sqlite_engine, Letter(ANNA, "mail", "digest", "digest-1", "s", "p"), now=NOW)
    bound, app = Bound(), FastAPI()
    add_unsubscribe(app, sqlite_engine, config, bound)
    site = visit(app)
    for _ in range(MOST_BAD - 1):
        assert bound.allows("", MOST_BAD)
    assert site.get("/unsubscribe/guess").status_code == 400
    answer = site.get("/unsubscribe/guess")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert site.post(path_of(config, "digest")).status_code == 200
    assert held(sqlite_engine) == [("digest", "unsubscribed")]


def test_what_was_counted_is_forgotten_with_its_window() -> None:
    moment = [0.0]
    bound = Bound(lambda: moment[0])
    assert [bound.allows("one", MOST_EACH) for _ in range(MOST_EACH + 1)] == [True] * MOST_EACH + [False]
    assert bound.allows("another", MOST_EACH)
    moment[0] = WINDOW + 1
    assert bound.allows("one", MOST_EACH)


def test_the_secret_is_the_operators_or_made_once_and_read_by_nobody_else(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = secret_of(config)
    (file,) = [path for path in config.data.iterdir() if "secret" in path.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret_of(config) == secret
    assert len(secret) >= 48
    monkeypatch.setenv(SECRET_VARIABLE, "x" * 40)
    assert secret_of(config) == b"x" * 40
    monkeypatch.setenv(SECRET_VARIABLE, "short")
    with pytest.raises(ValueError, match=SECRET_VARIABLE):
        secret_of(config)
    assert list(config.data.iterdir()) == [file]


def test_where_readers_cannot_reach_the_site_there_is_no_link(tmp_path: Path) -> None:
    assert link(Config(data=tmp_path), "r" * 32) == ""
    assert list(tmp_path.iterdir()) == []


@given(st.text(), st.binary(min_size=32), st.binary(min_size=32))
def test_only_our_own_links_are_taken(text: str, ours: bytes, theirs: bytes) -> None:
    assert reference_in(ours, text) == ""
    reference = "a" * 32
    assert reference_in(ours, token(ours, reference)) == reference
    if ours.rstrip(b"\0") != theirs.rstrip(b"\0"):  # to HMAC, zeros at a key's end are no difference
        assert reference_in(theirs, token(ours, reference)) == ""


def test_the_health_page_shows_what_was_not_sent_and_to_nobody_by_name(
    site: httpx.Client, sqlite_engine: Engine
) -> None:
    letter = outbox.claim(sqlite_engine, now=NOW)
    assert letter is not None
    outbox.note_failed(sqlite_engine, letter, f"550 5.7.1 <{ANNA}> refused")
    page = site.get("/health").text
    assert "0 letters sent, 1 waiting, 0 held back" in page
    assert "1 failed" in page
    assert "a…@reader.example" in page
    assert ANNA not in page
