"""Leads to sites that nobody reads yet, and what people decided about them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.tables.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_lead",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("found_on", sa.Text(), nullable=False),
        sa.Column("strong", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("seen_at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("site", "kind", "key"),
    )
    with op.batch_alter_table("site_lead", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_site_lead_site"), ["site"], unique=False)

    op.create_table(
        "links_read",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["page_version.id"]),
        sa.PrimaryKeyConstraint("version_id"),
    )
    op.create_table(
        "site_choice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("at", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("site_choice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_site_choice_site"), ["site"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("site_choice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_site_choice_site"))

    op.drop_table("site_choice")
    op.drop_table("links_read")
    with op.batch_alter_table("site_lead", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_site_lead_site"))

    op.drop_table("site_lead")
