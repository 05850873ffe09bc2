"""Billing: the changes of plan within a period, which Polar charges with the next invoice."""

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "billing_price_changes",
        sa.Column("subscription_id", sa.String(36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.String(36), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "at", name="pk_billing_price_changes"),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("billing_price_changes")
