"""What regulators published: over time, by authority, by kind, by jurisdiction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from monitor.queries.landscape_notices import COUNTED
from monitor.queries.landscape_rows import Landscape, NoticeCount
from reports.landscape.figures.making import Making, named, ranked, row, summed
from reports.landscape.view import Figure, Row, Series

NOW, BEFORE = 0, 1
MOST_KINDS = 4
"""Kinds that a column is divided into; the rest is one part."""
LATEST = 8
"""Quarters that the table of authorities over time has."""
ID = "notices-over-time"


def figures(make: Making, rows: Landscape) -> Iterator[Figure]:
    counted = [one for one in rows.notices.counts if one.sort in COUNTED]
    yield _over_time(make, rows)
    yield _by_authority(make, rows, counted)
    yield _authorities_over_time(make, rows)
    yield _by_kind(make, counted)
    yield _by_jurisdiction(make, counted)


def totals(rows: Landscape) -> tuple[Counter[str], Counter[str]]:
    """By sort, of the period and of the period before."""
    found: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for one in rows.notices.counts:
        found[one.stretch][one.sort] += one.number
    return found


def _meaning(make: Making) -> str:
    return make.gettext(
        "Notices that name exosomes or the like, related ones, and those of which only the entry in a list was read, "
        "which says too little to sort them. Each counts once, on the day on which it was posted or, failing that, "
        "issued, whenever it was read. The same notice in two feeds is one."
    )


def _over_time(make: Making, rows: Landscape) -> Figure:
    trend = _trend(rows)
    weight: Counter[str] = Counter()
    for one in trend:
        weight[one.notice_type] += one.number
    chosen = [kind for kind, _ in sorted(weight.items(), key=lambda item: (-item[1], item[0]))[:MOST_KINDS]]
    cells: dict[int, Counter[str]] = defaultdict(Counter)
    for one in trend:
        cells[one.stretch][one.notice_type if one.notice_type in chosen else ""] += one.number
    kinds = [*chosen, *([""] if len(weight) > len(chosen) else [])]
    names = [make.words.spoken(kind) if kind else make.gettext("other kinds") for kind in kinds]
    more = len(kinds) > 1
    quarters = enumerate(make.asked.quarters) if weight else ()
    table = [
        row(quarter.name, *(cells[number][kind] for kind in kinds), *([cells[number].total()] if more else []))
        for number, quarter in quarters
    ]
    title = make.gettext("Notices by quarter")
    total = sum(weight.values())
    chart = make.chart(
        "columns", title, make.gettext("notices"), [one.label for one in table],
        [Series(name=name, values=tuple(_number(one, place) for one in table)) for place, name in enumerate(names)],
    ) if total else None  # fmt: skip
    return Figure(
        id=ID,
        section="notices",
        title=title,
        means=_meaning(make),
        basis="queries.landscape_notices; notice, source",
        says=_over_time_says(make, rows, total),
        columns=(make.gettext("Quarter"), *names, *([make.gettext("All")] if more else [])),
        rows=tuple(table),
        total=summed(make.gettext("All"), table) if table else None,
        chart=chart,
        notes=_entry_note(make, rows),
    )


def _number(one: Row, place: int) -> int:
    cell = one.cells[place]
    return cell if isinstance(cell, int) else 0


def _over_time_says(make: Making, rows: Landscape, total: int) -> tuple[str, ...]:
    quarters, older = make.asked.quarters, rows.notices.older
    told = make.gettext(
        "From %(first)s to %(last)s: %(total)s.", first=quarters[0].name, last=quarters[-1].name, total=total
    )
    if not older:
        return (told,)
    return (
        told,
        make.gettext("Older ones held: %(older)s, from %(day)s on.", older=older, day=make.day(rows.notices.oldest)),
    )


def _entry_note(make: Making, rows: Landscape) -> tuple[str, ...]:
    notes = []
    if rows.notices.entries_in_trend:
        unsorted = sum(one.number for one in rows.notices.trend if one.sort == "entry")
        notes.append(
            make.gettext(
                "Held as index entry, text not read: %(entries)s of these; of which the entry says too little to tell "
                "whether they are on another matter: %(unsorted)s.",
                entries=rows.notices.entries_in_trend,
                unsorted=unsorted,
            )
        )
    if rows.notices.undated:
        notes.append(make.gettext("Without a date, so in no period: %(undated)s.", undated=rows.notices.undated))
    return tuple(notes)


def _by_authority(make: Making, rows: Landscape, counted: Iterable[NoticeCount]) -> Figure:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in counted:
        found[_authority(rows, one)][one.sort if one.stretch == NOW else "before"] += one.number
    for one in _trend(rows):
        found[_authority(rows, one)]["all"] += one.number
    order = ranked({name: (sum(n[sort] for sort in COUNTED), n["before"], n["all"]) for name, n in found.items()})
    table = [row(name, *(found[name][sort] for sort in COUNTED), *numbers, quoted=True) for name, numbers in order]
    title, axis = make.gettext("Notices by authority"), make.gettext("notices")
    bars = [(name, now, old) for name, (now, old, _) in order]
    quarters = f"{make.asked.quarters[0].name} – {make.asked.quarters[-1].name}"
    return Figure(
        id="notices-by-authority",
        section="notices",
        title=title,
        means=make.gettext(
            "The same notices by the authority that publishes the source, in the period, in the one before and in all "
            "the quarters above."
        ),
        basis="queries.landscape_notices; notice, source.card",
        columns=(make.gettext("Authority"), *_sorts(make), make.now, make.before, quarters),
        rows=tuple(table),
        total=summed(make.gettext("All"), table) if table else None,
        chart=make.bars(title, axis, bars),
        says=_compared(make, rows),
    )


def _authority(rows: Landscape, one: NoticeCount) -> str:
    return named(rows.authorities.get(one.source_id, one.source_id))


def _trend(rows: Landscape) -> list[NoticeCount]:
    return [one for one in rows.notices.trend if one.sort in COUNTED]


def _authorities_over_time(make: Making, rows: Landscape) -> Figure:
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for one in _trend(rows):
        found[_authority(rows, one)][one.stretch] += one.number
    places = range(len(make.asked.quarters))[-LATEST:]
    order = ranked({name: (n.total(),) for name, n in found.items() if any(n[place] for place in places)})
    table = [row(name, *(found[name][place] for place in places), quoted=True) for name, _ in order]
    return Figure(
        id="authorities-by-quarter",
        section="notices",
        title=make.gettext("Authorities by quarter"),
        means=make.gettext("The same notices by authority, in each of the latest quarters."),
        basis="queries.landscape_notices; notice, source.card",
        columns=(make.gettext("Authority"), *(make.asked.quarters[place].name for place in places)),
        rows=tuple(table),
        total=summed(make.gettext("All"), table) if table else None,
        says=() if table else (make.gettext("None."),),
    )


def _sorts(make: Making) -> tuple[str, str, str]:
    return make.gettext("on exosomes"), make.gettext("related"), make.gettext("unsorted entries")


def _compared(make: Making, rows: Landscape) -> tuple[str, ...]:
    now, before = totals(rows)
    told = make.gettext(
        "In %(period)s: %(now)s, in %(earlier)s: %(before)s.",
        now=sum(now[sort] for sort in COUNTED),
        before=sum(before[sort] for sort in COUNTED),
        period=make.now,
        earlier=make.before,
    )
    other = make.ngettext(
        "%(num)s further notice on other matters is not counted here.",
        "%(num)s further notices on other matters are not counted here.",
        now["other"],
    )
    return (told, other) if now["other"] else (told,)


def _by_kind(make: Making, counted: Iterable[NoticeCount]) -> Figure:
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for one in counted:
        found[one.notice_type][one.stretch] += one.number
    order = ranked({kind: (n[NOW], n[BEFORE]) for kind, n in found.items()})
    table = [row(make.words.spoken(kind), *numbers) for kind, numbers in order]
    title = make.gettext("Notices by kind")
    unverified = "adverse_event_report" in found
    return Figure(
        id="notices-by-kind",
        section="notices",
        title=title,
        means=make.gettext("The same notices by the kind of document."),
        basis="queries.landscape_notices; notice.notice_type",
        columns=(make.gettext("Kind"), make.now, make.before),
        rows=tuple(table),
        total=summed(make.gettext("All"), table) if table else None,
        chart=make.bars(
            title, make.gettext("notices"), [(make.words.spoken(kind), now, old) for kind, (now, old) in order]
        ),
        notes=(make.gettext("Nobody has established that the product caused a reported adverse event."),)
        if unverified
        else (),
    )


def _by_jurisdiction(make: Making, counted: Iterable[NoticeCount]) -> Figure:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in counted:
        found[one.jurisdiction][one.sort if one.stretch == NOW else "before"] += one.number
    order = ranked({code: (sum(n[sort] for sort in COUNTED), n["before"]) for code, n in found.items()})
    table = [row(make.place(code), *(found[code][sort] for sort in COUNTED), *numbers) for code, numbers in order]
    title = make.gettext("Notices by jurisdiction")
    return Figure(
        id="notices-by-jurisdiction",
        section="notices",
        title=title,
        means=make.gettext("The same notices by the jurisdiction of the authority."),
        basis="queries.landscape_notices; notice.jurisdiction",
        columns=(make.gettext("Jurisdiction"), *_sorts(make), make.now, make.before),
        rows=tuple(table),
        total=summed(make.gettext("All"), table) if table else None,
        chart=make.bars(title, make.gettext("notices"), [(make.place(code), now, old) for code, (now, old) in order]),
    )
