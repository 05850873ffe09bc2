"""Billing: whom a customer without an account waits for, also after Polar has forgotten our id."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; 0083 fills it and makes its index."""
    op.add_column("billing_customers", sa.Column("awaits", sa.String(), nullable=True))


def downgrade() -> None:
    """Drop it again."""
    op.drop_column("billing_customers", "awaits")
