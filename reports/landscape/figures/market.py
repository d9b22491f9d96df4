"""What sellers claim: over time, by category, severity, jurisdiction, source material and route; who came and went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.queries.facts import severity_rank
from monitor.queries.landscape_rows import ClaimCount, Landscape, SellerCount
from reports.landscape.figures.making import Making, named, row
from reports.landscape.view import Cell, Figure, Row, Series
from reports.product_words import FACTS

CLAIMS = "claims-by-category"
SELLERS = "sellers"


class Totals(NamedTuple):
    """Sums over all claims, each once."""

    start: int = 0
    end: int = 0
    flagged: int = 0
    appeared: int = 0
    withdrawn: int = 0
    gone: int = 0
    first_read: int = 0
    appeared_before: int = 0
    withdrawn_before: int = 0


def totals(counts: Iterable[ClaimCount]) -> Totals:
    """Of a grouping in which each claim stands once."""
    found = list(counts)
    return Totals(*(sum(getattr(one, name) for one in found) for name in Totals._fields))


def figures(make: Making, rows: Landscape) -> Iterator[Figure]:
    yield _over_time(make, rows)
    yield from _judged(make, rows)
    yield from _stated_of_products(make, rows)
    yield _sellers(make, rows)
    yield _came(make, rows)
    yield _went(make, rows)


def _judged(make: Making, rows: Landscape) -> Iterator[Figure]:
    """By what our rules make of the claims."""
    claims = rows.claims
    whole = totals(claims.by_severity)
    yield _grouped(
        make,
        CLAIMS,
        make.gettext("Claims by category"),
        make.gettext("Category"),
        make.gettext("By what they say, as they are judged now."),
        "claim.category",
        _merged(claims.by_category),
        make.words.category,
        whole,
    )
    yield _grouped(
        make,
        "claims-by-severity",
        make.gettext("Claims by severity"),
        make.gettext("Severity"),
        make.gettext("By the highest severity over the jurisdictions that their pages address."),
        "claim.severity",
        _by_rank(claims.by_severity),
        lambda key: make.words.severity(key) if key else make.gettext("not assessed"),
        whole,
    )
    yield _grouped(
        make,
        "claims-by-jurisdiction",
        make.gettext("Claims by jurisdiction"),
        make.gettext("Jurisdiction"),
        make.gettext(
            "By the jurisdictions that their pages address and that have a sourced rule. A claim stands under each of "
            "them; the last line counts it once. Of what is not assessed nothing is asserted."
        ),
        "finding.jurisdiction",
        claims.by_jurisdiction,
        make.place,
        whole,
    )


def _stated_of_products(make: Making, rows: Landscape) -> Iterator[Figure]:
    """By what pages state of the claims' products."""
    claims = rows.claims
    whole = totals(claims.by_severity)
    yield _grouped(
        make,
        "claims-by-material",
        make.gettext("Claims by source material"),
        make.gettext("Source material"),
        _stated(make),
        "product_fact (source_material), claim.product_id",
        claims.by_material,
        lambda key: fact(make, key),
        whole,
    )
    yield _grouped(
        make,
        "claims-by-route",
        make.gettext("Claims by route"),
        make.gettext("Route"),
        _stated(make),
        "product_fact (route), claim.product_id",
        claims.by_route,
        lambda key: fact(make, key),
        whole,
    )


def fact(make: Making, value: str) -> str:
    """A value of a product's fact in words; one that has none yet as its code tells it."""
    return make.speech.translated(FACTS[value]) if value in FACTS else make.words.spoken(value)


def _stated(make: Making) -> str:
    return make.gettext(
        "By what the pages of the claim's product state of it, in words that are kept as quotes. A claim stands under "
        "each value that is stated; the last line counts it once. Unstated: no page says so, or the claim is tied to "
        "no product."
    )


def _merged(counts: Iterable[ClaimCount]) -> list[ClaimCount]:
    """By the first part of the key alone."""
    found: dict[str, list[ClaimCount]] = {}
    for one in counts:
        found.setdefault(one.key[0], []).append(one)
    merged = [ClaimCount((key,), *totals(several)) for key, several in found.items()]
    return sorted(merged, key=lambda one: (-one.end, -one.appeared, one.key))


def _by_rank(counts: Iterable[ClaimCount]) -> list[ClaimCount]:
    """The gravest first."""
    return sorted(counts, key=lambda one: severity_rank(one.key[0]))


def _columns(make: Making, first: str) -> tuple[str, ...]:
    return (
        first,
        make.gettext("standing at the beginning"),
        make.gettext("standing at the end"),
        make.gettext("of these flagged"),
        make.gettext("appeared"),
        make.gettext("withdrawn"),
        make.gettext("gone with page"),
        make.gettext("first readings"),
        make.gettext("appeared, period before"),
        make.gettext("withdrawn or gone, period before"),
    )


def _cells(one: ClaimCount | Totals) -> tuple[int, ...]:
    return tuple(getattr(one, name) for name in Totals._fields)


def _grouped(
    make: Making, key: str, title: str, first: str, means: str, basis: str,
    counts: Sequence[ClaimCount], name: Callable[[str], str], whole: Totals,
) -> Figure:  # fmt: skip
    table = [row(name(one.key[0]), *_cells(one)) for one in counts]
    chart = make.bars(
        title, make.gettext("standing claims"), [(name(one.key[0]), one.end, one.start) for one in counts]
    )
    if chart:
        ends = [make.gettext("at the end"), make.gettext("at the beginning")]
        series = tuple(one.model_copy(update={"name": end}) for one, end in zip(chart.series, ends, strict=True))
        chart = make.chart("bars", chart.title, chart.axis, chart.labels, series)
    return Figure(
        id=key,
        section="claims",
        title=title,
        means=means,
        basis=f"queries.landscape_claims; event, claim, {basis}",
        says=_said(make, whole) if key == CLAIMS else (),
        columns=_columns(make, first),
        rows=tuple(table),
        total=row(make.gettext("All, each once"), *_cells(whole)) if table else None,
        chart=chart,
    )


def _said(make: Making, whole: Totals) -> tuple[str, ...]:
    if not (whole.start or whole.end or whole.appeared):
        return (make.gettext("No claim stood in this period."),)
    flagged = make.share(whole.flagged, whole.end)
    return (
        make.gettext(
            "Claims standing at the beginning: %(start)s, at the end: %(end)s; of these flagged: %(flagged)s%(share)s; "
            "the others wait for a person.",
            end=whole.end,
            start=whole.start,
            flagged=whole.flagged,
            share=flagged,
        ),
    )


def _over_time(make: Making, rows: Landscape) -> Figure:
    cells = {(one.step, one.kind): one.number for one in rows.claims.steps}
    steps = make.asked.steps if cells else ()
    table = [
        row(step.name, cells.get((number, "appeared"), 0), cells.get((number, "withdrawn"), 0))
        for number, step in enumerate(steps)
    ]
    title = make.gettext("Claims that appeared and were withdrawn")
    names = (make.gettext("appeared"), make.gettext("withdrawn"))
    whole = totals(rows.claims.by_severity)
    numbers = [[cells.get((number, kind), 0) for number in range(len(steps))] for kind in ("appeared", "withdrawn")]
    series = [Series(name=name, values=tuple(values)) for name, values in zip(names, numbers, strict=True)]
    return Figure(
        id="claims-over-time",
        section="claims",
        title=title,
        means=make.gettext(
            "Changes that sellers made: claims new or back on pages that had been read before, and claims withdrawn, "
            "each in the part of the period in which the run that told it ended. Not counted: first readings, our "
            "changed rules, claims that went with their page, and claims that a person dismissed."
        ),
        basis="queries.landscape_claims; event, run, claim",
        says=_changes(make, whole),
        columns=(make.gettext("Part of the period"), *names),
        rows=tuple(table),
        total=row(make.gettext("All"), sum(numbers[0]), sum(numbers[1])) if table else None,
        chart=make.chart("pairs", title, make.gettext("claims"), [one.label for one in table], series)
        if cells and table
        else None,
        notes=_left_out(make, rows, whole),
    )


def _changes(make: Making, whole: Totals) -> tuple[str, ...]:
    return (
        make.gettext(
            "Appeared: %(appeared)s; withdrawn: %(withdrawn)s; gone with their page: %(gone)s. In %(earlier)s "
            "appeared: %(appeared_before)s; withdrawn or gone with their page: %(left_before)s.",
            appeared=whole.appeared,
            withdrawn=whole.withdrawn,
            gone=whole.gone,
            earlier=make.before,
            appeared_before=whole.appeared_before,
            left_before=whole.withdrawn_before,
        ),
    )


def _left_out(make: Making, rows: Landscape, whole: Totals) -> tuple[str, ...]:
    notes = []
    if whole.first_read:
        notes.append(
            make.ngettext(
                "%(num)s claim came with a first reading: it is history, and may have stood there for years.",
                "%(num)s claims came with first readings: they are history, and may have stood there for years.",
                whole.first_read,
            )
        )
    if rows.claims.dismissed:
        notes.append(
            make.ngettext(
                "%(num)s standing claim that a person dismissed is left out everywhere.",
                "%(num)s standing claims that a person dismissed are left out everywhere.",
                rows.claims.dismissed,
            )
        )
    return tuple(notes)


class Movement(NamedTuple):
    """Sellers by what became of them in the period."""

    new: list[SellerCount]
    """Their first claim appeared in it, on a page that had been read before."""
    first_read: list[SellerCount]
    """Their first claim was found by a first reading in it."""
    vanished: list[SellerCount]
    """Made claims at its beginning, and every page of them was gone at its end."""
    silent: list[SellerCount]
    """Made claims at its beginning, and none at its end; pages of them are still there."""
    by_rules: list[SellerCount]
    """As silent, but it is our rules that changed."""


def movement(rows: Landscape) -> Movement:
    start = rows.asked.now.start
    found = Movement([], [], [], [], [])
    for one in rows.claims.sellers:
        if one.first_known >= start:
            (found.first_read if one.first_read else found.new).append(one)
        if one.start and not one.end:
            if one.pages and one.pages == one.pages_gone:
                found.vanished.append(one)
            else:
                (found.by_rules if one.by_rules else found.silent).append(one)
    return found


def _sellers(make: Making, rows: Landscape) -> Figure:
    moved = movement(rows)
    sellers = rows.claims.sellers
    start, end = sum(1 for one in sellers if one.start), sum(1 for one in sellers if one.end)
    table = [
        row(make.gettext("with standing claims at the beginning"), start),
        row(make.gettext("new"), len(moved.new)),
        row(make.gettext("read for the first time, so not known to be new"), len(moved.first_read)),
        row(make.gettext("vanished: every page gone"), len(moved.vanished)),
        row(make.gettext("silent: pages there, no claim any more"), len(moved.silent)),
        row(make.gettext("no claim any more under our changed rules"), len(moved.by_rules)),
        row(make.gettext("with standing claims at the end"), end),
    ]
    return Figure(
        id=SELLERS,
        section="sellers",
        title=make.gettext("Sellers"),
        means=make.gettext(
            "A seller is the organisation behind pages with claims or, where none is known, the host. New: its first "
            "claim appeared in the period on a page that had been read before, or on a new page of a site that had "
            "been read before. A site that cannot be read makes nobody vanish."
        ),
        basis="queries.landscape_claims; event, claim, page, organisation",
        says=(
            make.gettext(
                "Sellers with standing claims at the beginning: %(start)s, at the end: %(end)s. New: %(new)s; "
                "vanished: %(vanished)s; silent: %(silent)s.",
                end=end,
                start=start,
                new=len(moved.new),
                vanished=len(moved.vanished),
                silent=len(moved.silent),
            ),
        ),
        columns=(make.gettext("Sellers"), make.gettext("Number")),
        rows=tuple(table),
    )


def _who(one: SellerCount, *cells: Cell) -> Row:
    return row(named(one.name), *cells, path=f"/organisations/{one.id}" if one.id else "", quoted=True)


def _came(make: Making, rows: Landscape) -> Figure:
    moved = movement(rows)
    new, read = make.gettext("new"), make.gettext("read for the first time")
    table = [
        _who(one, how, one.first_known.astimezone(ZoneInfo(make.asked.timezone)).date(), one.end)
        for how, several in ((new, moved.new), (read, moved.first_read))
        for one in several
    ]
    return _by_name(
        make,
        "sellers-new",
        make.gettext("Sellers that came"),
        make.gettext("Those counted above as new or read for the first time, by name."),
        (make.gettext("First known"), make.gettext("Standing claims at the end")),
        table,
    )


def _went(make: Making, rows: Landscape) -> Figure:
    moved = movement(rows)
    named_so = (
        (make.gettext("vanished"), moved.vanished),
        (make.gettext("silent"), moved.silent),
        (make.gettext("our rules changed"), moved.by_rules),
    )
    table = [_who(one, how, one.start, one.pages - one.pages_gone) for how, several in named_so for one in several]
    return _by_name(
        make,
        "sellers-gone",
        make.gettext("Sellers that went"),
        make.gettext("Those counted above as vanished or silent, by name."),
        (make.gettext("Claims at the beginning"), make.gettext("Pages still there")),
        table,
    )


def _by_name(make: Making, id: str, title: str, means: str, columns: tuple[str, str], table: list[Row]) -> Figure:
    return Figure(
        id=id,
        section="sellers",
        title=title,
        means=means,
        basis="queries.landscape_claims; event, claim, page, organisation",
        columns=(make.gettext("Seller"), make.gettext("How"), *columns),
        rows=tuple(table),
        says=() if table else (make.gettext("None."),),
    )
