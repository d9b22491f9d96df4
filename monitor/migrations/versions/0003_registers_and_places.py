"""Trials, publications, authorisations; the same notice in several sources; what a run filled; backfills"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

import monitor.tables.db
from monitor.intake.same import marks_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _backfill()
    _authorisation()
    _publication()
    _record_revision()
    _trial()
    _notice_mark()
    _notice_place()
    _publication_name()
    _publication_place()
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("filled", sa.JSON(), server_default="{}", nullable=False))
    _mark_held_notices()


def _backfill() -> None:
    op.create_table(
        "backfill",
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("started_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Date(), nullable=True),
        sa.Column("done_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("source_id"),
    )


def _authorisation() -> None:
    op.create_table(
        "authorisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("substance", sa.Text(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_text", sa.String(), nullable=False),
        sa.Column("authorised", sa.Date(), nullable=True),
        sa.Column("ended", sa.Date(), nullable=True),
        sa.Column("updated", sa.Date(), nullable=True),
        sa.Column("indication", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("capture_id", sa.String(), nullable=False),
        sa.Column("first_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_id", "key"),
    )
    _index("authorisation", "first_seen", "jurisdiction", "source_id", "status")


def _publication() -> None:
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("published", sa.Date(), nullable=True),
        sa.Column("posted", sa.Date(), nullable=True),
        sa.Column("updated", sa.Date(), nullable=True),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("retracted", sa.Boolean(), nullable=False),
        sa.Column("preprint", sa.Boolean(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("tier_terms", sa.JSON(), nullable=False),
        sa.Column("unread", sa.JSON(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("capture_id", sa.String(), nullable=False),
        sa.Column("first_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    _index("publication", "first_seen", "published", "retracted", "source_id", "tier")


def _record_revision() -> None:
    op.create_table(
        "record_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("object_kind", sa.String(), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("capture_id", sa.String(), nullable=False),
        sa.Column("seen_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("object_kind", "object_id", "source_id", "number"),
    )


def _trial() -> None:
    op.create_table(
        "trial",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("why_stopped", sa.Text(), nullable=False),
        sa.Column("study_type", sa.String(), nullable=False),
        sa.Column("phases", sa.JSON(), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("interventions", sa.JSON(), nullable=False),
        sa.Column("sponsor", sa.String(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("enrolment", sa.Integer(), nullable=True),
        sa.Column("started", sa.Date(), nullable=True),
        sa.Column("completed", sa.Date(), nullable=True),
        sa.Column("posted", sa.Date(), nullable=True),
        sa.Column("updated", sa.Date(), nullable=True),
        sa.Column("has_results", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("tier_terms", sa.JSON(), nullable=False),
        sa.Column("unread", sa.JSON(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("capture_id", sa.String(), nullable=False),
        sa.Column("first_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_id", "key"),
    )
    _index("trial", "first_seen", "jurisdiction", "posted", "source_id", "status", "tier")


def _notice_mark() -> None:
    op.create_table(
        "notice_mark",
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"]),
        sa.PrimaryKeyConstraint("notice_id", "kind", "value"),
    )
    _index("notice_mark", "value")


def _notice_place() -> None:
    op.create_table(
        "notice_place",
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("capture_id", sa.String(), nullable=False),
        sa.Column("first_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"]),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("source_id", "key"),
    )
    _index("notice_place", "notice_id")


def _publication_name() -> None:
    op.create_table(
        "publication_name",
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"]),
        sa.PrimaryKeyConstraint("value"),
    )
    _index("publication_name", "publication_id")


def _publication_place() -> None:
    op.create_table(
        "publication_place",
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("capture_id", sa.String(), nullable=False),
        sa.Column("first_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"]),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("publication_id", "source_id"),
    )


def _index(table: str, *columns: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in columns:
            batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)


def _mark_held_notices() -> None:
    """Notices that are held already can then be met in another source too."""
    connection = op.get_bind()
    held = connection.execute(
        sa.text(
            "SELECT n.id, n.url, r.record FROM notice n JOIN notice_revision r ON r.notice_id = n.id "
            "WHERE r.number = (SELECT max(number) FROM notice_revision WHERE notice_id = n.id)"
        )
    ).all()
    for notice_id, url, record in held:
        references = (json.loads(record) if isinstance(record, str) else record).get("references") or ()
        for kind, value in marks_of(url, references):
            connection.execute(
                sa.text("INSERT INTO notice_mark (notice_id, kind, value) VALUES (:id, :kind, :value)"),
                {"id": notice_id, "kind": kind, "value": value},
            )


def downgrade() -> None:
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_column("filled")

    op.drop_table("publication_place")
    with op.batch_alter_table("publication_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_publication_name_publication_id"))

    op.drop_table("publication_name")
    with op.batch_alter_table("notice_place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_place_notice_id"))

    op.drop_table("notice_place")
    with op.batch_alter_table("notice_mark", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_mark_value"))

    op.drop_table("notice_mark")
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trial_tier"))
        batch_op.drop_index(batch_op.f("ix_trial_status"))
        batch_op.drop_index(batch_op.f("ix_trial_source_id"))
        batch_op.drop_index(batch_op.f("ix_trial_posted"))
        batch_op.drop_index(batch_op.f("ix_trial_jurisdiction"))
        batch_op.drop_index(batch_op.f("ix_trial_first_seen"))

    op.drop_table("trial")
    op.drop_table("record_revision")
    with op.batch_alter_table("publication", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_publication_tier"))
        batch_op.drop_index(batch_op.f("ix_publication_source_id"))
        batch_op.drop_index(batch_op.f("ix_publication_retracted"))
        batch_op.drop_index(batch_op.f("ix_publication_published"))
        batch_op.drop_index(batch_op.f("ix_publication_first_seen"))

    op.drop_table("publication")
    with op.batch_alter_table("authorisation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_authorisation_status"))
        batch_op.drop_index(batch_op.f("ix_authorisation_source_id"))
        batch_op.drop_index(batch_op.f("ix_authorisation_jurisdiction"))
        batch_op.drop_index(batch_op.f("ix_authorisation_first_seen"))

    op.drop_table("authorisation")
    op.drop_table("backfill")
