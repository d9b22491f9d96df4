"""Hostile text on its way to people."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from monitor.commands.common import counts
from reports.render import clean, day, differing, environment, header, href, line, render, short
from reports.words import happenings


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "java\nscript:alert(1)",
        "file:///etc/passwd",
        "//host.example/x",
        "https://",
        "https://[broken",
        "https://a.example/x\u202e",
        "https://a.example/a b",
        "",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert href(url) == ""
    assert "<a " not in environment().get_template("macros.html").module.outside(url, "label")  # type: ignore[attr-defined]


def test_a_link_to_the_outside_follows_nothing_and_tells_nothing() -> None:
    link = environment().get_template("macros.html").module.outside("https://a.example/?q=1&b=2", "A & B")  # type: ignore[attr-defined]
    assert 'href="https://a.example/?q=1&amp;b=2"' in link
    assert 'rel="nofollow noopener noreferrer ugc"' in link
    assert ">A &amp; B<" in link


def test_characters_that_mislead_are_shown_and_invisible_ones_go() -> None:
    assert clean("a\u202eb\x07c\u200bd\u00ade") == "a\ufffdb\ufffdcde"
    assert clean("two\nlines\r\nkept\tso") == "two\nlines\nkept\tso"


@given(st.text())
def test_a_line_is_one_line_without_controls(text: str) -> None:
    flat = line(text)
    assert len(flat.splitlines()) <= 1
    assert not any(ord(character) < 32 or 0x202A <= ord(character) <= 0x202E for character in flat)


@given(st.text())
def test_a_header_cannot_begin_another(text: str) -> None:
    value = header(f"Digest {text}\r\nBcc: all@victim.example")
    assert not set(value) & set("\r\n\0\x0b\x0c\x85\u2028\u2029")
    assert len(value) <= 900


@given(st.text())
def test_whatever_is_scraped_is_escaped(text: str) -> None:
    shown = environment().from_string("{% autoescape true %}{{ text }}{% endautoescape %}").render(text=text)
    assert "<" not in shown
    assert '"' not in shown


def test_markup_of_our_own_is_left_as_it_is() -> None:
    assert environment().from_string("{{ css }}").render(css=Markup("a > b")) == "a > b"


def test_a_missing_value_stops_the_page() -> None:
    with pytest.raises(UndefinedError):
        render("error.html", here="", rehearsal=False)


def test_a_long_text_is_cut_at_a_word() -> None:
    assert short("one two three", 9) == "one two …"
    assert day(date(2026, 11, 7)) == "7 Nov 2026"
    assert day(None) == "not given"


def test_long_texts_are_shown_where_they_differ() -> None:
    start = "one and the same word " * 20
    before, after = differing(f"{start}vitamins and peptides", f"{start}vitamins and placenta")
    assert before.startswith("… ")
    assert before.endswith("vitamins and peptides")
    assert after.endswith("vitamins and placenta")
    assert max(len(before), len(after)) <= 122
    assert differing("open", "closed\n") == ("open", "closed")
    same = "語" * 300
    assert differing(f"{same}甲", f"{same}乙")[1].endswith("乙")
    assert differing("", start)[0] == ""


def test_what_a_run_brought_is_counted_in_the_plural() -> None:
    brought = {"notice_published": 3, "claim_appeared": 1, "baseline_read": 1, "source_blind": 1, "page_gone": 0}
    assert happenings(brought) == "first reading, 1 claim appeared, 3 notices published, source went blind"
    assert counts(brought) == "1 baseline read, 1 claim appeared, 3 notices published, 1 source blind"
