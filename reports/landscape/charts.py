"""Pictures of figures: SVG for pages, PNG for mail and PDF. The same data give the same bytes.

Readable without colour: each number stands beside its bar, and what stands beside one another differs in pattern as
well as in hue (palette of Okabe and Ito, https://jfly.uni-koeln.de/color/).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from io import BytesIO, StringIO
from statistics import median
from typing import TYPE_CHECKING, Any

from reports.landscape.svg import for_pages
from reports.landscape.view import Chart
from reports.languages import Speech
from reports.render import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDTH = 7.2
"""Inches; on a page the picture takes the width that there is."""
DPI = 160
LONGEST_LABEL = 40
MOST_TOLD = 20
"""Labels that the text alternative goes through; the table has all."""
INK, EDGE, PALE, PAPER = "#1d1d1b", "#2a2a28", "#b9b4a9", "#fdfcf9"
FILLS = ("#0072b2", "#e69f00", "#56b4e9", "#d55e00", "#999999", "#009e73")
PATTERNS = ("", "////", "\\\\\\\\", "xxxx", "", "----")
_FONT = "DejaVu Sans"
"""Comes with matplotlib: the same everywhere."""
_SETTINGS: dict[str, Any] = {
    "font.family": [_FONT],
    "font.size": 9.0,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "exowatch",
    "hatch.linewidth": 0.7,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
Labels = Callable[[int, str], str]
"""Number of a label, the label → what is drawn."""


def svg(chart: Chart, key: str) -> str:
    """The picture as markup for a page. `key` keeps its ids apart from those of others on the same page."""
    return _svg(chart, key)


def png(chart: Chart) -> bytes:
    """The picture for mail and PDF, on white."""
    return _png(chart)


@lru_cache(maxsize=128)
def _svg(chart: Chart, key: str) -> str:
    texts: dict[str, str] = {}

    def drawn(number: int, label: str) -> str:
        texts[f"label-{number}"] = label
        # Measured in letters that the font has; the reader's own program sets the words.
        return label if _is_drawable(label) else "n" * _width(label)

    written = StringIO()
    with _settings():
        canvas = _draw(chart, drawn)
        canvas.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return for_pages(written.getvalue(), key=key, texts=texts, title=chart.title, description=chart.alternative)


@lru_cache(maxsize=128)
def _png(chart: Chart) -> bytes:
    left_out: list[int] = []

    def drawn(number: int, label: str) -> str:
        if _is_drawable(label):
            return label
        left_out.append(number)
        return f"({number + 1})"

    written = BytesIO()
    with _settings():
        canvas = _draw(chart, drawn)
        if left_out and chart.numbered:
            canvas.text(0.01, 0.012, chart.numbered, fontsize=7, color=INK)
        canvas.savefig(written, format="png", dpi=DPI, facecolor="#ffffff", metadata={"Software": None})
    return written.getvalue()


def _settings() -> Any:
    # A second and 40 MB: only for whoever draws.
    import matplotlib

    matplotlib.use("agg")
    settings: Any = _SETTINGS
    return matplotlib.rc_context(settings)


@cache
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont(FontProperties(family=_FONT))).get_charmap())


def _is_drawable(label: str) -> bool:
    """True if the font has every letter, and none runs from right to left or joins its neighbours."""
    return all(
        ord(char) in _letters() and unicodedata.bidirectional(char) not in ("R", "AL", "AN", "NSM") for char in label
    )


def _width(label: str) -> int:
    """About how many Latin letters wide it is."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in label)


def _draw(chart: Chart, drawn: Labels) -> Canvas:
    drawing: Canvas = _DRAWING[chart.kind](chart, drawn)
    return drawing


def _canvas(height: float, left: float, bottom: float, top: float) -> tuple[Canvas, Axes]:
    """A picture and its axes; margins in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(canvas)
    right = 0.55
    axes = canvas.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - bottom - top) / height)
    )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    return canvas, axes


def _fit(labels: Sequence[str]) -> float:
    """Inches that labels at the left take."""
    return min(3.1, 0.35 + 0.075 * max((_width(label) for label in labels), default=0))


def _name(axes: Axes, which: str, labels: Sequence[str], drawn: Labels, **more: Any) -> None:
    """Write the labels beside or below their places, each marked with its number."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_ticks(list(range(len(labels))), [drawn(number, label) for number, label in enumerate(labels)], **more)
    for number, text in enumerate(axis.get_ticklabels()):
        text.set_gid(f"label-{number}")


def _whole_numbers(axes: Axes, which: str) -> None:
    """A scale that starts at nought and has no half notices."""
    from matplotlib.ticker import MaxNLocator

    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.grid(visible=True, axis="x" if which == "x" else "y", color=PALE, linewidth=0.4)
    axes.set_axisbelow(True)


def _legend(canvas: Canvas, axes: Axes, names: Sequence[str]) -> None:
    """What the patterns mean, in the order of the series."""
    handles, said = axes.get_legend_handles_labels()
    in_order = [handles[said.index(name)] for name in names]
    canvas.legend(
        in_order, names, loc="upper left", bbox_to_anchor=(0.005, 1.0), ncols=len(names), frameon=False,
        fontsize=8.5, handlelength=1.8, columnspacing=1.4, borderaxespad=0.2,
    )  # fmt: skip


def _shorter(chart: Chart) -> list[str]:
    return [short(label, LONGEST_LABEL) for label in chart.labels]


def _bars(chart: Chart, drawn: Labels) -> Canvas:
    labels = _shorter(chart)
    values, before = chart.series[0], chart.series[1] if len(chart.series) > 1 else None
    canvas, axes = _canvas(0.95 + 0.27 * len(labels), _fit(labels), 0.5, 0.35)
    places = list(range(len(labels)))
    axes.barh(places, values.values, height=0.62, color=FILLS[0], label=values.name)
    if before:
        # A line with a gap below and above: seen beside the bar, across it, and where there is no bar at all.
        axes.scatter(before.values, places, marker="|", s=190, linewidths=4.2, color=PAPER, zorder=3)
        axes.scatter(
            before.values, places, marker="|", s=190, linewidths=2.0, color=FILLS[3], zorder=4, label=before.name
        )
    widest = max([*values.values, *(before.values if before else ()), 1])
    for place in places:
        at = max(values.values[place], before.values[place] if before else 0)
        said = f"{values.values[place]}" + (f" ({before.values[place]})" if before else "")
        axes.text(at + widest * 0.015, place, said, va="center", fontsize=8.5)
    axes.set_xlim(0, widest * 1.12)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel(chart.axis)
    _whole_numbers(axes, "x")
    _name(axes, "y", labels, drawn)
    _legend(canvas, axes, [series.name for series in chart.series])
    return canvas


def _columns(chart: Chart, drawn: Labels) -> Canvas:
    canvas, axes = _upright(chart, drawn)
    foot = [0] * len(chart.labels)
    for number, series in enumerate(chart.series):
        axes.bar(
            range(len(foot)), series.values, bottom=foot, width=0.72, label=series.name, edgecolor=EDGE, linewidth=0.4,
            color=FILLS[number % len(FILLS)], hatch=PATTERNS[number % len(PATTERNS)],
        )  # fmt: skip
        foot = [low + value for low, value in zip(foot, series.values, strict=True)]
    highest = max([*foot, 1])
    for place, value in enumerate(foot):
        axes.text(place, value + highest * 0.02, f"{value}", ha="center", fontsize=8.5)
    axes.set_ylim(0, highest * 1.14)
    _legend(canvas, axes, [series.name for series in chart.series])
    return canvas


def _pairs(chart: Chart, drawn: Labels) -> Canvas:
    canvas, axes = _upright(chart, drawn)
    count = len(chart.series)
    width = 0.8 / count
    highest = max([1, *(value for series in chart.series for value in series.values)])
    for number, series in enumerate(chart.series):
        places = [place - 0.4 + width * (number + 0.5) for place in range(len(chart.labels))]
        axes.bar(
            places, series.values, width=width, label=series.name, edgecolor=EDGE, linewidth=0.4,
            color=FILLS[number % len(FILLS)], hatch=PATTERNS[number % len(PATTERNS)],
        )  # fmt: skip
        for place, value in zip(places, series.values, strict=True):
            if value:
                axes.text(place, value + highest * 0.02, f"{value}", ha="center", fontsize=7.5)
    axes.set_ylim(0, highest * 1.14)
    _legend(canvas, axes, [series.name for series in chart.series])
    return canvas


def _upright(chart: Chart, drawn: Labels) -> tuple[Canvas, Axes]:
    labels = _shorter(chart)
    crowded = sum(_width(label) + 2 for label in labels) > 110
    canvas, axes = _canvas(3.0 + (0.35 if crowded else 0.0), 0.6, 0.7 if crowded else 0.45, 0.35)
    _name(axes, "x", labels, drawn, fontsize=8, rotation=45 if crowded else 0, ha="right" if crowded else "center")
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.set_ylabel(chart.axis)
    _whole_numbers(axes, "y")
    return canvas, axes


def _dots(chart: Chart, drawn: Labels) -> Canvas:
    """A line of dots for each series; those of one value stand on top of one another."""
    names = [series.name for series in chart.series]
    canvas, axes = _canvas(0.85 + 0.75 * len(names), _fit(names), 0.5, 0.2)
    longest = max([1, *(value for series in chart.series for value in series.values)])
    for line, series in enumerate(chart.series):
        seen: dict[int, int] = {}
        for value in sorted(series.values):
            near = round(value / longest * 70)
            seen[near] = seen.get(near, 0) + 1
            rise = min(seen[near] - 1, 6) * 0.1
            axes.plot(
                [value], [line - rise], marker="o", markersize=5.5, markeredgewidth=1.1, markeredgecolor=FILLS[0],
                markerfacecolor=FILLS[0] if line == 0 else "none",
            )  # fmt: skip
        if line == 0 and series.values:
            middle = median(series.values)
            axes.plot([middle, middle], [line - 0.75, line + 0.3], color=FILLS[3], linewidth=2)
            axes.text(middle, line - 0.8, f"{middle:g}", ha="center", va="bottom", fontsize=8.5)
    _whole_numbers(axes, "x")
    axes.set_xlim(-longest * 0.03, longest * 1.05)
    axes.set_ylim(len(names) - 0.5, -1.15)
    axes.set_xlabel(chart.axis)
    _name(axes, "y", names, drawn)
    return canvas


def _spans(chart: Chart, drawn: Labels) -> Canvas:
    from matplotlib.patches import Patch

    labels = [short(one.label, LONGEST_LABEL) for one in chart.spans]
    days = max([1, *(last + 1 for one in chart.spans for _, last, _ in one.spans)])
    canvas, axes = _canvas(0.85 + 0.23 * len(labels), _fit(labels), 0.4, 0.35)
    looks: dict[str, dict[str, Any]] = {
        sort: {"facecolor": FILLS[number], "hatch": PATTERNS[number], "edgecolor": EDGE, "linewidth": 0.4}
        for number, (sort, _) in enumerate(chart.sorts)
    }
    if len(chart.sorts) > 2:
        looks[chart.sorts[2][0]] = {"facecolor": "none", "edgecolor": PALE, "linewidth": 0.6}
    for line, one in enumerate(chart.spans):
        for first, last, sort in one.spans:
            axes.barh(line, last - first + 1, left=first, height=0.6, **looks[sort])
    axes.set_xlim(0, days)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xticks([day for day, _ in chart.ticks], [text for _, text in chart.ticks], fontsize=8)
    axes.grid(visible=True, axis="x", color=PALE, linewidth=0.4)
    axes.set_axisbelow(True)
    _name(axes, "y", labels, drawn)
    handles = [Patch(label=name, **looks[sort]) for sort, name in chart.sorts]
    canvas.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.005, 1.0), ncols=3, frameon=False, fontsize=8.5,
        borderaxespad=0.2,
    )  # fmt: skip
    return canvas


_DRAWING: dict[str, Callable[[Chart, Labels], Any]] = {
    "bars": _bars, "columns": _columns, "pairs": _pairs, "dots": _dots, "spans": _spans,
}  # fmt: skip


def alternative(chart: Chart, speech: Speech) -> str:
    """The picture in words, from the same data."""
    if chart.kind == "spans":
        return _spans_told(chart, speech)
    if chart.kind == "dots":
        told = [f"{series.name}: {', '.join(map(str, sorted(series.values))) or '–'}" for series in chart.series]
        return f"{chart.title} ({chart.axis}). {'; '.join(told)}."
    names = ", ".join(series.name for series in chart.series)
    rows = [
        f"{label}: {', '.join(speech.number(series.values[number]) for series in chart.series)}"
        for number, label in enumerate(chart.labels[:MOST_TOLD])
    ]
    return f"{chart.title} ({names}). {'; '.join(rows)}.{_rest(len(chart.labels), speech)}"


def _spans_told(chart: Chart, speech: Speech) -> str:
    names = dict(chart.sorts)
    rows = []
    for one in chart.spans[:MOST_TOLD]:
        days: dict[str, int] = {}
        for first, last, sort in one.spans:
            days[sort] = days.get(sort, 0) + last - first + 1
        told = ", ".join(f"{names[sort]} {speech.number(days[sort])}" for sort, _ in chart.sorts if sort in days)
        rows.append(f"{one.label}: {told}")
    return f"{chart.title} ({chart.axis}). {'; '.join(rows)}.{_rest(len(chart.spans), speech)}"


def _rest(number: int, speech: Speech) -> str:
    more = number - MOST_TOLD
    if more <= 0:
        return ""
    return " " + speech.ngettext("%(num)s more stands in the table.", "%(num)s more stand in the table.", more)
