"""Trials by status and indication, papers by quarter, and new rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from monitor.queries.landscape_rows import Landscape, RegisteredCount
from reports.landscape.figures.making import Making, named, row, summed
from reports.landscape.view import Chart, Figure, Row, Series

TRIALS = "trials-by-status"
PAPERS = "papers-by-quarter"
RULES = "new-rules"
MOST_CONDITIONS = 25
BASIS = "queries.landscape; trial, event"


def figures(make: Making, rows: Landscape) -> Iterator[Figure]:
    yield _trials_by_status(make, rows)
    yield _trials_by_condition(make, rows)
    yield _trials_by_quarter(make, rows)
    if rows.asked.jurisdictions is None:
        yield _papers(make, rows)
    yield _rules(make, rows)


def _status(written: str) -> str:
    """A status as its register writes it, without its capitals: two registers' words for one thing stay two."""
    return named(written.replace("_", " ").lower())


def _by_name(counts: Iterable[RegisteredCount]) -> list[tuple[str, int, int, int]]:
    found: dict[str, Counter[str]] = {}
    for one in counts:
        found.setdefault(_status(one.key), Counter()).update(total=one.total, now=one.now, before=one.before)
    rows = [(name, n["total"], n["now"], n["before"]) for name, n in found.items()]
    return sorted(rows, key=lambda one: (-one[1], -one[2], one[0]))


def _trials_by_status(make: Making, rows: Landscape) -> Figure:
    trials = rows.trials
    found = _by_name(trials.by_status)
    table = [row(*one, quoted=True) for one in found]
    title = make.gettext("Trials by status")
    notes = [make.gettext("A registry lists what sponsors enter: being listed is no approval of any kind.")]
    if trials.other:
        notes.append(
            make.ngettext(
                "%(num)s trial on other matters is not counted here.",
                "%(num)s trials on other matters are not counted here.",
                trials.other,
            )
        )
    return Figure(
        id=TRIALS,
        section="trials",
        title=title,
        means=make.gettext(
            "Trials that name exosomes or the like, or cell and tissue products, registered by the end of the period, "
            "by the recruitment status that their registry gave at that end or, where a trial was read only later, at "
            "its first reading. A trial that stands in two registries counts in each."
        ),
        basis=BASIS,
        says=(
            make.gettext(
                "Known: %(total)s; registered in %(period)s: %(now)s, in %(earlier)s: %(before)s; changes of status "
                "told in %(period)s: %(changed)s.",
                total=trials.total,
                now=trials.now,
                before=trials.before,
                changed=trials.changed,
                period=make.now,
                earlier=make.before,
            ),
        ),
        columns=(make.gettext("Status"), *_registered(make)),
        rows=tuple(table),
        total=summed(make.gettext("All"), table) if table else None,
        chart=_known(make, title, found),
        notes=tuple(notes),
    )


def _registered(make: Making) -> tuple[str, str, str]:
    registered = make.gettext("registered in %(period)s", period=make.now)
    return make.gettext("known"), registered, make.gettext("registered in %(period)s", period=make.before)


def _known(make: Making, title: str, found: Iterable[tuple[str, int, int, int]]) -> Chart | None:
    chart = make.bars(title, make.gettext("trials"), [(name, total, None) for name, total, _, _ in found])
    if chart is None:
        return None
    known = chart.series[0].model_copy(update={"name": make.gettext("known")})
    return make.chart("bars", title, chart.axis, chart.labels, (known,))


def _trials_by_condition(make: Making, rows: Landscape) -> Figure:
    trials = rows.trials
    counts = trials.by_condition
    shown = counts[:MOST_CONDITIONS]
    table = [row(named(one.key), one.total, one.now, one.before, quoted=True) for one in shown]
    title = make.gettext("Trials by indication")
    notes = []
    if len(counts) > len(shown):
        notes.append(
            make.ngettext(
                "%(num)s further indication is named and not listed here.",
                "%(num)s further indications are named and not listed here.",
                len(counts) - len(shown),
            )
        )
    if trials.without_condition:
        notes.append(
            make.ngettext(
                "%(num)s trial names no indication.",
                "%(num)s trials name no indication.",
                trials.without_condition,
            )
        )
    return Figure(
        id="trials-by-indication",
        section="trials",
        title=title,
        means=make.gettext(
            "The same trials by the conditions that their registry names, in its own words; different words are not "
            "brought together. A trial stands under each of its conditions."
        ),
        basis=BASIS,
        columns=(make.gettext("Indication"), *_registered(make)),
        rows=tuple(table),
        total=row(make.gettext("All, each once"), trials.total, trials.now, trials.before) if table else None,
        chart=_known(make, title, [(one.label, *_numbers(one)) for one in table]),
        notes=tuple(notes),
        says=() if table else (make.gettext("None."),),
    )


def _numbers(one: Row) -> tuple[int, int, int]:
    total, now, before = (cell if isinstance(cell, int) else 0 for cell in one.cells)
    return total, now, before


def _trials_by_quarter(make: Making, rows: Landscape) -> Figure:
    trials = rows.trials
    table = [row(quarter.name, number) for quarter, number in zip(make.asked.quarters, trials.trend, strict=True)]
    table = table if sum(trials.trend) else []
    title = make.gettext("Trials registered by quarter")
    series = Series(name=make.gettext("trials"), values=trials.trend)
    return Figure(
        id="trials-by-quarter",
        section="trials",
        title=title,
        means=make.gettext("The same trials by the day on which their registry posted them first."),
        basis=BASIS,
        columns=(make.gettext("Quarter"), make.gettext("trials")),
        rows=tuple(table),
        total=summed(make.gettext("All"), table) if table else None,
        chart=make.chart("columns", title, make.gettext("trials"), [one.label for one in table], [series])
        if sum(trials.trend)
        else None,
        notes=(make.ngettext("%(num)s trial bears no such day.", "%(num)s trials bear no such day.", trials.undated),)
        if trials.undated
        else (),
        says=() if sum(trials.trend) else (make.gettext("None."),),
    )


def _papers(make: Making, rows: Landscape) -> Figure:
    papers = rows.publications
    numbers = zip(make.asked.quarters, papers.core, papers.adjacent, strict=True)
    table = [row(quarter.name, core, related, core + related) for quarter, core, related in numbers]
    title = make.gettext("Papers by quarter")
    some = sum(papers.core) + sum(papers.adjacent)
    table = table if some else []
    names = (make.gettext("on exosomes"), make.gettext("related"))
    series = [Series(name=name, values=one) for name, one in zip(names, (papers.core, papers.adjacent), strict=True)]
    return Figure(
        id=PAPERS,
        section="papers",
        title=title,
        means=make.gettext(
            "Papers by the day of publication that their index gives, electronic or print, whichever is first; where "
            "it gives a month or a year alone, its first day. A paper in two indexes counts once. Indexes are late: "
            "the newest quarter grows for months."
        ),
        basis="queries.landscape; publication, event",
        says=(
            make.gettext(
                "In %(period)s: %(now)s, of these preprints: %(preprints)s; in %(earlier)s: %(before)s. Retractions "
                "told: %(retracted)s.",
                now=papers.now,
                preprints=papers.preprints,
                before=papers.before,
                retracted=papers.retracted,
                period=make.now,
                earlier=make.before,
            ),
        ),
        columns=(make.gettext("Quarter"), *names, make.gettext("All")),
        rows=tuple(table),
        total=summed(make.gettext("All"), table) if table else None,
        chart=make.chart("columns", title, make.gettext("papers"), [one.label for one in table], series)
        if some
        else None,
        notes=_paper_notes(make, rows),
    )


def _paper_notes(make: Making, rows: Landscape) -> tuple[str, ...]:
    notes = []
    if rows.publications.undated:
        notes.append(
            make.ngettext("%(num)s paper bears no date.", "%(num)s papers bear no date.", rows.publications.undated)
        )
    if rows.publications.other:
        notes.append(
            make.ngettext(
                "%(num)s paper on other matters is not counted here.",
                "%(num)s papers on other matters are not counted here.",
                rows.publications.other,
            )
        )
    return tuple(notes)


def _rules(make: Making, rows: Landscape) -> Figure:
    table = [
        row(
            named(rule.title),
            make.words.spoken(rule.notice_type),
            make.place(rule.jurisdiction),
            named(rule.authority),
            rule.dated,
            rule.effective,
            rule.closes,
            path=f"/notices/{rule.id}",
            quoted=True,
        )
        for rule in rows.rules
    ]
    return Figure(
        id=RULES,
        section="rules",
        title=make.gettext("New rules, guidance and consultations"),
        means=make.gettext(
            "Notices of these kinds that bear a day of the period. The days on which a rule takes effect and a "
            "consultation closes are given where their source gives them as data; elsewhere they are not known here, "
            "and may stand in the document."
        ),
        basis="queries.landscape_notices; notice",
        says=(make.gettext("In the period: %(number)s.", number=len(table)),),
        columns=(
            make.gettext("Title"),
            make.gettext("Kind"),
            make.gettext("Jurisdiction"),
            make.gettext("Authority"),
            make.gettext("Dated"),
            make.gettext("Takes effect"),
            make.gettext("Closes"),
        ),
        rows=tuple(table),
    )
