"""Billing: when the present period of a subscription began, for working out a plan change."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it fills with the next event or read of each subscription."""
    op.add_column(
        "billing_subscriptions",
        sa.Column("current_period_start", sa.DateTime(timezone=True), nullable=True),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_column("billing_subscriptions", "current_period_start")
