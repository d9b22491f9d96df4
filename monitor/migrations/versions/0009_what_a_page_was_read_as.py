"""Of which bytes, and by what, a page was read last, and with which answer its server's own marks came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEY = "seenitem_capture_id_fkey"


def upgrade() -> None:
    with op.batch_alter_table("page", schema=None, recreate="never") as batch_op:  # others point at it
        batch_op.add_column(sa.Column("reading", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("seenitem", schema=None) as batch_op:
        batch_op.add_column(sa.Column("capture_id", sa.String(), nullable=True))
        batch_op.create_foreign_key(_KEY, "capture", ["capture_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("seenitem", schema=None) as batch_op:
        batch_op.drop_constraint(_KEY, type_="foreignkey")
        batch_op.drop_column("capture_id")
    with op.batch_alter_table("page", schema=None, recreate="never") as batch_op:  # others point at it
        batch_op.drop_column("reading")
