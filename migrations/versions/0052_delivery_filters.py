"""Webhooks: an index for looking at deliveries by type and outcome together.

It can be done again: an index that had to wait for too long leaves half of itself.
"""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_webhook_deliveries_type_outcome_id", "webhook_deliveries"


def upgrade() -> None:
    """Create it; on PostgreSQL without holding up those who write."""
    columns = ["type", "outcome", "id"]
    if op.get_context().dialect.name != "postgresql":
        op.create_index(NAME, TABLE, columns)
        return
    with op.get_context().autocommit_block():
        op.drop_index(NAME, TABLE, if_exists=True, postgresql_concurrently=True)
        op.create_index(NAME, TABLE, columns, postgresql_concurrently=True)


def downgrade() -> None:
    """Drop it again."""
    op.drop_index(NAME, TABLE)
