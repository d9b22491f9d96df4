"""Which words of a claim's statement claim. Of claims judged before that, all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = ("words_start", "words_end")


def upgrade() -> None:
    with op.batch_alter_table("claim", schema=None, recreate="never") as batch_op:  # others point at it
        for name in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    claim = sa.table("claim", sa.column("quote", sa.String), sa.column("words_end", sa.Integer))
    op.execute(claim.update().values(words_end=sa.func.length(claim.c.quote)))


def downgrade() -> None:
    with op.batch_alter_table("claim", schema=None, recreate="never") as batch_op:  # others point at it
        for name in _COLUMNS:
            batch_op.drop_column(name)
