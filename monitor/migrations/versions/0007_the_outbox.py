"""The outbox: what is sent, to whom, since when, and who wants no more"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.tables.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _outbox()
    _outbox_match()
    _subscription()
    _suppression()


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("watchlists", sa.JSON(), nullable=False),
        sa.Column("created_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("next_attempt", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.Column("lease_until", monitor.tables.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("handed_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("sent_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("recipient", "key"),
        sa.UniqueConstraint("reference"),
    )
    _index("outbox", "recipient", "created_at", "state", "next_attempt")


def _outbox_match() -> None:
    op.create_table(
        "outbox_match",
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("match_id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["outbox.id"]),
        sa.ForeignKeyConstraint(["match_id"], ["watch_match.id"]),
        sa.PrimaryKeyConstraint("recipient", "match_id"),
    )
    _index("outbox_match", "letter_id")


def _subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("since", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("after_match", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "what"),
    )


def _suppression() -> None:
    op.create_table(
        "suppression",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", "scope"),
    )


def _index(table: str, *columns: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in columns:
            batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)


def downgrade() -> None:
    for table in ("suppression", "subscription", "outbox_match", "outbox"):
        op.drop_table(table)
