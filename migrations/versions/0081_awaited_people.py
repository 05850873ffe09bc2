"""Billing: whom a customer without an account waits for, also after Polar has forgotten our id."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0070"
branch_labels = None
depends_on = None

TABLE = "billing_customers"
INDEX = "ix_billing_customers_awaits"


def upgrade() -> None:
    """Add the column, then its index; on PostgreSQL without holding up those who write."""
    op.add_column(TABLE, sa.Column("awaits", sa.String(), nullable=True))
    op.execute(
        "UPDATE billing_customers SET awaits = external_id"
        " WHERE user_id IS NULL AND external_id IS NOT NULL"
    )
    if op.get_context().dialect.name != "postgresql":
        op.create_index(INDEX, TABLE, ["awaits"])
        return
    with op.get_context().autocommit_block():
        op.create_index(INDEX, TABLE, ["awaits"], postgresql_concurrently=True)


def downgrade() -> None:
    """Drop it again."""
    op.drop_index(INDEX, TABLE)
    op.drop_column(TABLE, "awaits")
