"""Billing: our copy of customers, products, benefits, subscriptions, orders and grants."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create one table for each kind of object."""
    op.create_table(
        "billing_customers",
        *_snapshot(),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name="fk_billing_customers_user_id_users",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("polar_id", name="pk_billing_customers"),
    )
    op.create_index("ix_billing_customers_email", "billing_customers", ["email"])
    op.create_index("ix_billing_customers_external_id", "billing_customers", ["external_id"])
    op.create_index("ix_billing_customers_user_id", "billing_customers", ["user_id"])
    op.create_table(
        "billing_products",
        *_snapshot(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("visibility", sa.String(32), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("recurring_interval", sa.String(32), nullable=True),
        sa.Column("recurring_interval_count", sa.Integer(), nullable=True),
        sa.Column("trial_interval", sa.String(32), nullable=True),
        sa.Column("trial_interval_count", sa.Integer(), nullable=True),
        sa.Column("prices", sa.JSON(), nullable=False),
        sa.Column("benefits", sa.JSON(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("polar_id", name="pk_billing_products"),
    )
    op.create_table(
        "billing_benefits",
        *_snapshot(),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("polar_id", name="pk_billing_benefits"),
    )
    op.create_table(
        "billing_subscriptions",
        *_snapshot(),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("product_id", sa.String(36), nullable=False),
        sa.Column("checkout_id", sa.String(36), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("recurring_interval", sa.String(32), nullable=False),
        sa.Column("recurring_interval_count", sa.Integer(), nullable=False),
        sa.Column("current_period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trial_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("past_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("resumes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pending_update", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("polar_id", name="pk_billing_subscriptions"),
    )
    op.create_index(
        "ix_billing_subscriptions_customer_id", "billing_subscriptions", ["customer_id"]
    )
    op.create_table(
        "billing_orders",
        *_snapshot(),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("product_id", sa.String(36), nullable=True),
        sa.Column("subscription_id", sa.String(36), nullable=True),
        sa.Column("checkout_id", sa.String(36), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("billing_reason", sa.String(64), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("total_amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded_amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded_tax_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("invoice_number", sa.String(), nullable=True),
        sa.Column("is_invoice_generated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("polar_id", name="pk_billing_orders"),
    )
    op.create_index("ix_billing_orders_checkout_id", "billing_orders", ["checkout_id"])
    op.create_index("ix_billing_orders_customer_id", "billing_orders", ["customer_id"])
    op.create_table(
        "billing_grants",
        *_snapshot(),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("benefit_id", sa.String(36), nullable=False),
        sa.Column("subscription_id", sa.String(36), nullable=True),
        sa.Column("order_id", sa.String(36), nullable=True),
        sa.Column("is_granted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("polar_id", name="pk_billing_grants"),
    )
    op.create_index("ix_billing_grants_customer_id", "billing_grants", ["customer_id"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("billing_grants")
    op.drop_table("billing_orders")
    op.drop_table("billing_subscriptions")
    op.drop_table("billing_benefits")
    op.drop_table("billing_products")
    op.drop_table("billing_customers")


def _snapshot() -> list[sa.Column]:
    """Return the columns that every copied object has."""
    return [
        sa.Column("polar_id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
    ]
