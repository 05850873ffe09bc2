"""Staff: who they are, what they did, and plans they give away; 0053 has the indexes their pages read."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns."""
    op.add_column("users", sa.Column("staff_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("webhook_deliveries", sa.Column("customer_id", sa.String(36), nullable=True))
    _create_audit_log()
    _create_comps()


def downgrade() -> None:
    """Take it all away again."""
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
