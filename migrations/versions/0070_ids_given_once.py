"""Ids that SQLite gives once, like PostgreSQL: what names a row that is gone must not fit another."""

from alembic import op

revision = "0070"
down_revision = "0061"
branch_labels = None
depends_on = None

TABLES = (
    "users",
    "sign_ins",
    "jobs",
    "audit_entries",
    "webhook_deliveries",
    "billing_notices",
    "billing_comps",
    "billing_sync_runs",
)


def upgrade() -> None:
    """Copy each table into one that counts on; SQLite has no other way. PostgreSQL has sequences."""
    if op.get_context().dialect.name != "sqlite":
        return
    for table in TABLES:
        options = {"sqlite_autoincrement": True}
        with op.batch_alter_table(table, recreate="always", table_kwargs=options):
            pass


def downgrade() -> None:
    """Leave it: older versions do not mind."""
