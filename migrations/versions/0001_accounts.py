"""Accounts: who can sign in."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of users."""
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(36), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("auth_key", sa.String(64), nullable=False),
        sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmation_nonce", sa.String(32), nullable=True),
        sa.Column("confirmation_browser", sa.String(64), nullable=True),
        sa.Column("reset_nonce", sa.String(32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("public_id", name="uq_users_public_id"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.UniqueConstraint("auth_key", name="uq_users_auth_key"),
        sa.UniqueConstraint("confirmation_nonce", name="uq_users_confirmation_nonce"),
        sa.UniqueConstraint("reset_nonce", name="uq_users_reset_nonce"),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("users")
