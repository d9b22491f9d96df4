"""Tables about regulators' notices, and about who is who: organisations and their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, func
from sqlmodel import Session, col, select

from monitor.queries.exports.shapes import Column, Filters, Row, Table, batches, equal, texts
from monitor.queries.facts import organisations_in, rehearsal_runs
from monitor.tables.models import (
    Capture,
    Notice,
    NoticeOrganisation,
    NoticeRevision,
    Organisation,
    OrganisationAlias,
    Product,
)

NOTICES = (
    Column("id", "Number of the notice in this database; its page is /notices/<id>", "number"),
    Column("title", "Title, as published"),
    Column("language", "Language of the document"),
    Column("type", "Kind of document: warning_letter, recall, alert …"),
    Column("authority", "The issuing office, as the document names it"),
    Column("jurisdiction", "Jurisdiction of the source"),
    Column("issued", "Date on the document", "date"),
    Column("posted", "Date on which it was posted", "date"),
    Column("updated", "Date on which its publisher last changed it", "date"),
    Column("summary", "The source’s own short text"),
    Column("concerns", "core: names exosomes or the like; adjacent: cell and tissue products, injectables; other"),
    Column("terms", "Words that decided what it concerns", "list"),
    Column("organisations", "Organisations that it names", "list"),
    Column("url", "Address of the document"),
    Column("source", "Id of the source"),
    Column("key", "Its id within the source"),
    Column("unread", "Parts that exist and could not be read", "list"),
    Column("first_seen", "When it was first seen", "time"),
    Column("last_seen", "When it was last seen", "time"),
    Column("history", "Whether it came with the source’s first reading", "boolean"),
    Column("capture", "Id of the capture that it was read from"),
    Column("demonstration", "Whether it was read from a rehearsal server, not from the web", "boolean"),
)


def _notices(session: Session, asked: Filters) -> Iterator[Row]:
    rehearsed = rehearsal_runs(session)
    for rows in batches(session, _asked_notices(asked), col(Notice.id)):
        named = organisations_in(session, [row[0] for row in rows])
        for row in rows:
            terms = tuple(dict.fromkeys(str(term.get("term", "")) for term in row[11]))
            yield (
                *row[:11],
                terms,
                tuple(one.name for one in named.get(row[0], ())),
                *row[12:15],
                texts(row[15]),
                *row[16:20],
                row[20] in rehearsed,
            )


def _asked_notices(asked: Filters) -> Select[Any]:
    """The notices asked for, with the run that each was read in; the notice's id comes first."""
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            Notice.id,
            Notice.title,
            Notice.language,
            Notice.notice_type,
            Notice.authority,
            Notice.jurisdiction,
            Notice.issued,
            Notice.posted,
            Notice.updated,
            Notice.summary,
            Notice.tier,
            Notice.tier_terms,
            Notice.url,
            Notice.source_id,
            Notice.key,
            Notice.unread,
            Notice.first_seen,
            Notice.last_seen,
            Notice.baseline,
            Notice.capture_id,
            Capture.run_id,
        )
        .select_from(Notice)
        .join(Capture, col(Capture.id) == Notice.capture_id)
        .where(
            *equal(
                {
                    col(Notice.jurisdiction): asked.jurisdiction,
                    col(Notice.source_id): asked.source,
                    col(Notice.notice_type): asked.kind,
                    col(Notice.id): asked.notice,
                }
            ),
            *asked.within(col(Notice.first_seen)),
            *asked.watched("notice", col(Notice.id)),
        )
    )
    if asked.organisation is not None:
        naming = select(NoticeOrganisation.notice_id).where(NoticeOrganisation.organisation_id == asked.organisation)
        statement = statement.where(col(Notice.id).in_(naming))
    return statement


REVISIONS = (
    Column("id", "Number of the revision in this database", "number"),
    Column("notice_id", "Number of the notice", "number"),
    Column("number", "First reading, second …", "number"),
    Column("seen", "When it was first seen so", "time"),
    Column("title", "Title in this revision"),
    Column("status", "Status in this revision, as the source writes it"),
    Column("classification", "Classification in this revision, as the source writes it"),
    Column("summary", "Short text in this revision"),
    Column("text", "The document’s whole text in this revision; empty if only its list entry was read"),
    Column("capture", "Id of the capture that it was read from"),
)


def _revisions(session: Session, asked: Filters) -> Iterator[Row]:
    record = col(NoticeRevision.record)
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            NoticeRevision.id,
            NoticeRevision.notice_id,
            NoticeRevision.number,
            NoticeRevision.seen_at,
            *(record[key].as_string() for key in ("title", "status", "classification", "summary", "text")),
            NoticeRevision.capture_id,
        )
        .join(Notice, col(Notice.id) == NoticeRevision.notice_id)
        .where(
            *equal(
                {
                    col(NoticeRevision.notice_id): asked.notice,
                    col(Notice.source_id): asked.source,
                    col(Notice.jurisdiction): asked.jurisdiction,
                }
            ),
            *asked.within(col(NoticeRevision.seen_at)),
        )
    )
    return (tuple(row) for rows in batches(session, statement, col(NoticeRevision.id)) for row in rows)


ORGANISATIONS = (
    Column("id", "Number of the organisation in this database; its page is /organisations/<id>", "number"),
    Column("name", "Name"),
    Column("country", "Country as a source wrote it"),
    Column("other_names", "Other names under which it appears", "list"),
    Column("hosts", "Web hosts that are held to be its own", "list"),
    Column("products", "Number of its products", "number"),
    Column("notices", "Number of notices that name it", "number"),
    Column("first_seen", "When it was first seen", "time"),
)


def _organisations(session: Session, asked: Filters) -> Iterator[Row]:
    products = select(func.count()).where(Product.organisation_id == Organisation.id).scalar_subquery()
    notices = select(func.count()).where(NoticeOrganisation.organisation_id == Organisation.id).scalar_subquery()
    statement: Select[Any] = select(  # type: ignore[call-overload]
        Organisation.id, Organisation.name, Organisation.country, products, notices, Organisation.first_seen
    ).where(
        *equal({col(Organisation.id): asked.organisation}),
        *asked.within(col(Organisation.first_seen)),
    )
    for rows in batches(session, statement, col(Organisation.id)):
        aliases: dict[tuple[int, str], list[str]] = defaultdict(list)
        held = select(OrganisationAlias.organisation_id, OrganisationAlias.kind, OrganisationAlias.value).where(
            col(OrganisationAlias.organisation_id).in_([row[0] for row in rows])
        )
        for owner, kind, value in session.execute(held.order_by(col(OrganisationAlias.value))):
            aliases[owner, kind].append(value)
        for key, name, country, product_count, notice_count, first_seen in rows:
            others = tuple(value for value in aliases[key, "name"] if value != name)
            yield key, name, country, others, tuple(aliases[key, "host"]), product_count, notice_count, first_seen


ALIASES = (
    Column("id", "Number of the entry", "number"),
    Column("organisation_id", "Number of the organisation", "number"),
    Column("organisation", "Name of the organisation"),
    Column("kind", "name or host"),
    Column("value", "The name or host"),
    Column("because", "Why it is held to be the same"),
)


def _aliases(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            OrganisationAlias.id,
            OrganisationAlias.organisation_id,
            Organisation.name,
            OrganisationAlias.kind,
            OrganisationAlias.value,
            OrganisationAlias.basis,
        )
        .join(Organisation, col(Organisation.id) == OrganisationAlias.organisation_id)
        .where(*equal({col(OrganisationAlias.organisation_id): asked.organisation}))
    )
    return (tuple(row) for rows in batches(session, statement, col(OrganisationAlias.id)) for row in rows)


TABLES = (
    Table(
        "notices",
        "Notices",
        "Regulators’ notices in their latest revision.",
        NOTICES,
        ("jurisdiction", "source", "kind", "watchlist", "since", "until", "notice", "organisation"),
        _notices,
    ),
    Table(
        "revisions",
        "Revisions of notices",
        "Every version of every notice that was read, with its whole text.",
        REVISIONS,
        ("jurisdiction", "source", "since", "until", "notice"),
        _revisions,
    ),
    Table(
        "organisations",
        "Organisations",
        "Who is behind pages and notices.",
        ORGANISATIONS,
        ("since", "until", "organisation"),
        _organisations,
    ),
    Table(
        "aliases",
        "Names and hosts",
        "Names and web hosts under which organisations appear, and why each is held to be theirs.",
        ALIASES,
        ("organisation",),
        _aliases,
    ),
)
