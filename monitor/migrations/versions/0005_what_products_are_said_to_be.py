"""What products are said to be, with the place each fact was read from"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.tables.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_place",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("lacking", sa.Integer(), nullable=False),
        sa.Column("last_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"]),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"]),
        sa.ForeignKeyConstraint(["version_id"], ["page_version.id"]),
        sa.PrimaryKeyConstraint("product_id", "page_id"),
    )
    with op.batch_alter_table("product_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_place_page_id"), ["page_id"], unique=False)

    op.create_table(
        "product_fact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("capture_id", sa.String(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("first_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", monitor.tables.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("lacking", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"]),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"]),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"]),
        sa.ForeignKeyConstraint(["version_id"], ["page_version.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("product_fact", schema=None) as batch_op:
        batch_op.create_index("ix_product_fact_kind_value", ["kind", "value"], unique=False)
        batch_op.create_index(batch_op.f("ix_product_fact_page_id"), ["page_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_product_fact_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_product_fact_version_id"), ["version_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("product_fact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_product_fact_version_id"))
        batch_op.drop_index(batch_op.f("ix_product_fact_product_id"))
        batch_op.drop_index(batch_op.f("ix_product_fact_page_id"))
        batch_op.drop_index("ix_product_fact_kind_value")

    op.drop_table("product_fact")
    with op.batch_alter_table("product_place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_product_place_page_id"))

    op.drop_table("product_place")
