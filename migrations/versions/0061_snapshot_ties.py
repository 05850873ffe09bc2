"""Billing: what decides between two snapshots of the same moment."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

TABLES = ("customers", "products", "benefits", "subscriptions", "orders", "grants")


def upgrade() -> None:
    """Add the column; the release before leaves it alone."""
    for name in TABLES:
        column = sa.Column("tie", sa.BigInteger(), nullable=False, server_default="0")
        op.add_column(f"billing_{name}", column)


def downgrade() -> None:
    """Drop it again."""
    for name in TABLES:
        op.drop_column(f"billing_{name}", "tie")
