"""The same wording on several sites"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cluster_wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("nameless", sa.Text(), nullable=False),
        sa.Column("cluster", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("cluster_wording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cluster_wording_cluster"), ["cluster"], unique=False)

    op.create_table(
        "cluster_band",
        sa.Column("band", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["wording_id"], ["cluster_wording.id"]),
        sa.PrimaryKeyConstraint("band", "wording_id"),
    )
    with op.batch_alter_table("cluster_band", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cluster_band_wording_id"), ["wording_id"], unique=False)

    op.create_table(
        "claim_cluster",
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"]),
        sa.ForeignKeyConstraint(["wording_id"], ["cluster_wording.id"]),
        sa.PrimaryKeyConstraint("claim_id"),
    )
    with op.batch_alter_table("claim_cluster", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claim_cluster_wording_id"), ["wording_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("claim_cluster", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_claim_cluster_wording_id"))

    op.drop_table("claim_cluster")
    with op.batch_alter_table("cluster_band", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cluster_band_wording_id"))

    op.drop_table("cluster_band")
    with op.batch_alter_table("cluster_wording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cluster_wording_cluster"))

    op.drop_table("cluster_wording")
