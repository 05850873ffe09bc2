"""Billing: fill and index the column of 0081, which nobody has to wait for.

Both can be done again: an index that had to wait for too long leaves half of itself.
"""

from alembic import op

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_billing_customers_awaits", "billing_customers"
FILL = "UPDATE billing_customers SET awaits = external_id WHERE user_id IS NULL AND external_id IS NOT NULL"


def upgrade() -> None:
    """Fill it, then create the index; on PostgreSQL without holding up those who write."""
    if op.get_context().dialect.name != "postgresql":
        op.execute(FILL)
        op.create_index(NAME, TABLE, ["awaits"])
        return
    with op.get_context().autocommit_block():
        op.execute(FILL)
        op.drop_index(NAME, TABLE, if_exists=True, postgresql_concurrently=True)
        op.create_index(NAME, TABLE, ["awaits"], postgresql_concurrently=True)


def downgrade() -> None:
    """Drop it again."""
    op.drop_index(NAME, TABLE)
