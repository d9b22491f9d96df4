"""Pictures: the same bytes for the same data, words that tell them, and nothing that a page's policy refuses."""

from __future__ import annotations

import ast
import struct
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.landscape import charts
from reports.landscape.view import Chart, Series, Stretches
from reports.languages import speech

HOSTILE = '<script>alert(1)</script> & "$x$"'
ARABIC, JAPANESE = "وزارة الصحة", "厚生労働省"


def made(**changes: object) -> Chart:
    values: dict[str, object] = {
        "kind": "bars", "title": "Notices by authority", "axis": "notices", "numbered": "(n): line n",
        "labels": ("Office of Tests", HOSTILE, ARABIC, JAPANESE),
        "series": (Series(name="now", values=(12, 3, 1, 0)), Series(name="before", values=(9, 0, 4, 2))),
    }  # fmt: skip
    chart = Chart.model_validate({**values, **changes})
    return chart.model_copy(update={"alternative": charts.alternative(chart, speech())})


QUARTERS = ("2026-Q2", "2026-Q3", "2026-Q4")
ALL = {
    "bars": made(),
    "columns": made(kind="columns", labels=QUARTERS, series=(
        Series(name="letters", values=(1, 2, 3)), Series(name="recalls", values=(0, 0, 4)),
    )),
    "pairs": made(kind="pairs", labels=QUARTERS, series=(
        Series(name="appeared", values=(1, 2, 3)), Series(name="withdrawn", values=(0, 5, 4)),
    )),
    "dots": made(kind="dots", labels=(), axis="days", series=(
        Series(name="withdrawn", values=(3, 10, 10, 40)), Series(name="still standing", values=(200,)),
    )),
    "spans": made(
        kind="spans", labels=(), series=(), ticks=((0, "1 Oct"), (31, "1 Nov")),
        sorts=(("read", "seen"), ("blind", "blind"), ("unread", "not yet read")),
        spans=(Stretches(label=ARABIC, spans=((0, 9, "unread"), (10, 19, "blind"), (20, 91, "read"))),),
    ),
}  # fmt: skip


class Markup(HTMLParser):
    """The elements of a picture, with their attributes and texts."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


@pytest.mark.parametrize("kind", ALL)
def test_the_same_data_give_the_same_bytes(kind: str) -> None:
    first = charts.svg(ALL[kind], "a"), charts.png(ALL[kind])
    charts._svg.cache_clear()
    charts._png.cache_clear()
    assert (charts.svg(ALL[kind], "a"), charts.png(ALL[kind])) == first


@pytest.mark.parametrize("kind", ALL)
def test_a_page_s_policy_refuses_nothing_in_it(kind: str) -> None:
    found = Markup(charts.svg(ALL[kind], "a"))
    assert "style" not in found.names
    assert not {"style", "script", "metadata", "image"} & set(found.tags)
    assert not [name for name in found.names if name.startswith("on")]


def test_pictures_on_one_page_share_no_id() -> None:
    both = Markup(charts.svg(ALL["columns"], "a") + charts.svg(ALL["columns"], "b"))
    assert len(both.ids) == len(set(both.ids)) > 4


def test_it_is_named_and_described_from_its_data() -> None:
    markup = charts.svg(ALL["bars"], "a")
    assert 'role="img"' in markup
    assert 'aria-labelledby="a-title"' in markup
    assert 'aria-describedby="a-desc"' in markup
    found = Markup(markup)
    assert "Notices by authority" in found.texts
    assert ALL["bars"].alternative in found.texts
    assert ALL["bars"].alternative.startswith("Notices by authority (now, before). Office of Tests: 12, 9; ")


def test_strangers_letters_stand_in_the_page_as_they_are() -> None:
    found = Markup(charts.svg(ALL["bars"], "a"))
    assert {ARABIC, JAPANESE, HOSTILE} <= set(found.texts)
    assert "script" not in found.tags


def test_every_number_stands_beside_its_bar() -> None:
    texts = Markup(charts.svg(ALL["bars"], "a")).texts
    assert {"12 (9)", "3 (0)", "1 (4)", "0 (2)"} <= set(texts)


def test_colours_are_those_of_the_stylesheet() -> None:
    markup = charts.svg(ALL["columns"], "a")
    assert "var(--chart-1, #0072b2)" in markup
    assert 'fill="#0072b2"' not in markup


def test_a_png_is_as_wide_as_mail_wants_and_says_no_time() -> None:
    data = charts.png(ALL["bars"])
    assert struct.unpack(">I", data[16:20]) == (int(charts.WIDTH * charts.DPI),)
    assert b"Software" not in data
    assert b"tIME" not in data


def test_what_cannot_be_drawn_is_numbered() -> None:
    assert charts._is_drawable("Office of Tests, Ärzte, ς")
    assert not charts._is_drawable(ARABIC)
    assert not charts._is_drawable(JAPANESE)
    plain = made(labels=("a", "b", "c", "d"))
    assert charts.png(made()) != charts.png(plain)


def test_words_tell_spans_in_days_and_stop_where_the_table_goes_on() -> None:
    assert "seen 72, blind 10, not yet read 10" in ALL["spans"].alternative
    labels = tuple(f"Office {number}" for number in range(25))
    long = made(labels=labels, series=(Series(name="now", values=tuple(range(25))),))
    assert long.alternative.endswith("Office 19: 19. 5 more stand in the table.")
    assert "Office 20" not in long.alternative


def test_matplotlib_is_imported_in_one_place_and_only_to_draw() -> None:
    home = Path(charts.__file__)
    files = [path for room in ("reports", "monitor", "crawler") for path in (home.parents[2] / room).rglob("*.py")]
    assert [path for path in files if "import matplotlib" in (text := path.read_text(encoding="utf-8"))
            or "from matplotlib" in text] == [home]  # fmt: skip
    begin = [
        node
        for node in ast.parse(home.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert "matplotlib" not in " ".join(map(ast.unparse, begin))
