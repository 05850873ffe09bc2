"""Staff: who they are, what they did, plans they give away, and the indexes their pages read."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0040"
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
    """Add tables and columns, then the indexes without holding up those who write."""
    op.add_column("users", sa.Column("staff_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("webhook_deliveries", sa.Column("customer_id", sa.String(36), nullable=True))
    _create_audit_log()
    _create_comps()
    with _beside_writers() as concurrently:
        for name, table, columns, where in INDEXES:
            only = sa.text(where) if where else None
            op.create_index(
                name, table, columns, sqlite_where=only, postgresql_where=only, **concurrently
            )
        op.create_index("ix_users_email_prefix", "users", _email(), **concurrently)
        for column in ("outcome", "type"):
            op.drop_index(f"ix_webhook_deliveries_{column}", "webhook_deliveries", **concurrently)


def downgrade() -> None:
    """Take it all away again."""
    for column in ("outcome", "type"):
        op.create_index(f"ix_webhook_deliveries_{column}", "webhook_deliveries", [column])
    op.drop_index("ix_users_email_prefix", "users")
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table)
    op.drop_table("billing_comps")
    op.drop_table("audit_entries")
    op.drop_column("webhook_deliveries", "customer_id")
    op.drop_column("users", "staff_since")


def _create_audit_log() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(254), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    for column in ("actor", "action", "subject"):
        op.create_index(f"ix_audit_entries_{column}", "audit_entries", [column, "id"])


def _create_comps() -> None:
    op.create_table(
        "billing_comps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.String(36), nullable=False),
        sa.Column("product_name", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("recurring_interval", sa.String(32), nullable=True),
        sa.Column("recurring_interval_count", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("given_by", sa.String(254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_billing_comps_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_billing_comps"),
    )
    op.create_index("ix_billing_comps_user_id", "billing_comps", ["user_id"])


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
