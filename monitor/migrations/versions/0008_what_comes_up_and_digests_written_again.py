"""What comes up: until when comments may be sent, from when a rule holds. What a digest said before it was rewritten."""

from __future__ import annotations

import re
from datetime import date

import sqlalchemy as sa
from alembic import op

import monitor.tables.db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DATES = re.compile(r"(comments close|effective) (\d{4}-\d{2}-\d{2})")
"""As the Federal Register's reader wrote them into the status before they had fields of their own."""


def upgrade() -> None:
    with op.batch_alter_table("notice", schema=None, recreate="never") as batch_op:  # others point at it
        batch_op.add_column(sa.Column("comments_close", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("effective", sa.Date(), nullable=True))
        batch_op.create_index(batch_op.f("ix_notice_comments_close"), ["comments_close"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_effective"), ["effective"], unique=False)
    op.create_table(
        "digest_rewriting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("written_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("counts_after", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("digest_rewriting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_digest_rewriting_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_digest_rewriting_replaced_at"), ["replaced_at"], unique=False)
    _fill_dates()


def _fill_dates() -> None:
    notices = sa.table(
        "notice",
        sa.column("id", sa.Integer),
        sa.column("source_id", sa.String),
        sa.column("comments_close", sa.Date),
        sa.column("effective", sa.Date),
    )
    revisions = sa.table(
        "notice_revision",
        sa.column("notice_id", sa.Integer),
        sa.column("number", sa.Integer),
        sa.column("record", sa.JSON),
    )
    bind = op.get_bind()
    held = bind.execute(
        sa.select(revisions.c.notice_id, revisions.c.record)
        .join(notices, notices.c.id == revisions.c.notice_id)
        .where(notices.c.source_id == "us_federal_register")
        .order_by(revisions.c.notice_id, revisions.c.number)
    ).all()
    latest = {notice: str((record or {}).get("status") or "") for notice, record in held}
    for notice, status in latest.items():
        found = {name.replace(" ", "_"): date.fromisoformat(on) for name, on in _DATES.findall(status)}
        if found:
            bind.execute(sa.update(notices).where(notices.c.id == notice).values(**found))


def downgrade() -> None:
    op.drop_table("digest_rewriting")
    with op.batch_alter_table("notice", schema=None, recreate="never") as batch_op:  # others point at it
        batch_op.drop_index(batch_op.f("ix_notice_effective"))
        batch_op.drop_index(batch_op.f("ix_notice_comments_close"))
        batch_op.drop_column("effective")
        batch_op.drop_column("comments_close")
