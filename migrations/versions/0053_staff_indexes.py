"""Staff: the indexes that their pages read.

They are of their own, so that all of it can be done again: an index that had to wait for too long leaves half
of itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

INDEXES = (
    # The old ones of one column go: these begin with it and keep the order of a list, too.
    ("ix_webhook_deliveries_type_id", "webhook_deliveries", ["type", "id"], None),
    ("ix_webhook_deliveries_outcome_id", "webhook_deliveries", ["outcome", "id"], None),
    ("ix_webhook_deliveries_customer_id_id", "webhook_deliveries", ["customer_id", "id"], None),
    ("ix_webhook_deliveries_open", "webhook_deliveries", ["received_at"], "handled_at IS NULL"),
    (
        "ix_billing_customers_unclaimed",
        "billing_customers",
        ["email"],
        "external_id IS NULL AND user_id IS NULL AND deleted_at IS NULL",
    ),
)


def upgrade() -> None:
    """Create them without holding up those who write."""
    with _beside_writers() as concurrently:
        for name, table, columns, where in INDEXES:
            only = sa.text(where) if where else None
            op.drop_index(name, table, if_exists=True, **concurrently)
            op.create_index(
                name, table, columns, sqlite_where=only, postgresql_where=only, **concurrently
            )
        op.drop_index("ix_users_email_prefix", "users", if_exists=True, **concurrently)
        op.create_index("ix_users_email_prefix", "users", _email(), **concurrently)
        for column in ("outcome", "type"):
            old = f"ix_webhook_deliveries_{column}"
            op.drop_index(old, "webhook_deliveries", if_exists=True, **concurrently)


def downgrade() -> None:
    """Take them away again."""
    for column in ("outcome", "type"):
        op.create_index(f"ix_webhook_deliveries_{column}", "webhook_deliveries", [column])
    op.drop_index("ix_users_email_prefix", "users")
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table)


@contextmanager
def _beside_writers() -> Iterator[dict[str, bool]]:
    """Let PostgreSQL build an index without a lock on the table; SQLite knows no such thing."""
    if op.get_context().dialect.name != "postgresql":
        yield {}
        return
    with op.get_context().autocommit_block():
        yield {"postgresql_concurrently": True}


def _email() -> list[str | sa.TextClause]:
    if op.get_context().dialect.name == "postgresql":
        return [sa.text('email COLLATE "C"')]
    return ["email"]
