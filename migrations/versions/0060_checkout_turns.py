"""Billing: whose turn it is to prepare a checkout."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "billing_checkout_turns",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(36), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name="fk_billing_checkout_turns_user_id_users",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_billing_checkout_turns"),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("billing_checkout_turns")
