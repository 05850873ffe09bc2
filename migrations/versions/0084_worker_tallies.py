"""What workers have counted, for who asks a web process how they do."""

import sqlalchemy as sa
from alembic import op

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "worker_tallies",
        sa.Column("sample", sa.String(64), nullable=False),
        sa.Column("labels", sa.String(512), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("sample", "labels", name="pk_worker_tallies"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("worker_tallies")
