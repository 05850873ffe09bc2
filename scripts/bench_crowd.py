"""Fill a PostgreSQL database with a crowd: users, subscriptions, deliveries, all made inside the database.

The catalogue has to be there (``bench_pages.seed``). What is made looks like the real thing where it matters
to an index: the kinds and outcomes of deliveries come as often as they do with Polar, bodies are small.
"""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

STAFF_EMAIL = "demo@example.com"


@dataclass(frozen=True)
class Crowd:
    """How many of each."""

    users: int
    subscriptions: int
    deliveries: int

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.users:,} users, {self.subscriptions:,} subscriptions, "
            f"{self.deliveries:,} deliveries"
        )


# The first letters of addresses are spread as those of md5; every person can be found by a number.
PEOPLE = """
INSERT INTO users (public_id, email, password_hash, auth_key, email_confirmed_at, created_at)
SELECT md5('user' || i)::uuid::text, left(md5(i::text), 6) || '.' || i || '@example.com', '!',
       md5('key' || i), now() - i * interval '1 second', now() - i * interval '1 second'
FROM generate_series(1, :users) i
"""
CUSTOMERS = """
INSERT INTO billing_customers
       (polar_id, created_at, modified_at, observed_at, external_id, email, user_id)
SELECT md5('customer' || i)::uuid::text, now(), now(), now(), u.public_id, u.email, u.id
FROM generate_series(1, :subscriptions) i
JOIN users u ON u.public_id = md5('user' || (i * :every))::uuid::text
"""
SUBSCRIPTIONS = """
INSERT INTO billing_subscriptions
       (polar_id, created_at, modified_at, observed_at, customer_id, product_id, status, amount,
        currency, recurring_interval, recurring_interval_count, current_period_end,
        cancel_at_period_end, pause_at_period_end, started_at)
SELECT md5('subscription' || i)::uuid::text, now(), now(), now(), md5('customer' || i)::uuid::text,
       p.ids[1 + i % cardinality(p.ids)],
       CASE WHEN i % 20 = 0 THEN 'past_due' WHEN i % 10 = 0 THEN 'canceled' ELSE 'active' END,
       2000, 'usd', 'month', 1, now() + interval '20 days', i % 15 = 0, false, now()
FROM generate_series(1, :subscriptions) i,
     (SELECT array_agg(polar_id ORDER BY polar_id) ids FROM billing_products
      WHERE recurring_interval = 'month') p
"""
GRANTS = """
INSERT INTO billing_grants
       (polar_id, created_at, modified_at, observed_at, customer_id, benefit_id, subscription_id,
        is_granted)
SELECT md5('grant' || i || b.polar_id)::uuid::text, now(), now(), now(),
       md5('customer' || i)::uuid::text, b.polar_id, md5('subscription' || i)::uuid::text,
       i % 10 <> 0
FROM generate_series(1, :subscriptions) i,
     (SELECT polar_id FROM billing_benefits WHERE type = 'feature_flag'
      ORDER BY polar_id LIMIT 2) b
"""
ORDERS = """
INSERT INTO billing_orders
       (polar_id, created_at, modified_at, observed_at, customer_id, subscription_id, status,
        billing_reason, description, total_amount, refunded_amount, refunded_tax_amount, currency,
        is_invoice_generated)
SELECT md5('order' || i || '-' || n)::uuid::text, now() - n * interval '30 days', now(), now(),
       md5('customer' || i)::uuid::text, md5('subscription' || i)::uuid::text, 'paid',
       'subscription_cycle', 'Pro Monthly', 2000, 0, 0, 'usd', false
FROM generate_series(1, :subscriptions) i, generate_series(1, 3) n
"""
# One in 500 has failed, half of those for good; one in 5,000 is of a type that nobody knows.
DELIVERIES = """
INSERT INTO webhook_deliveries
       (webhook_id, type, customer_id, body, headers, received_at, outcome, attempts, error,
        handled_at, next_attempt_at)
SELECT md5('delivery' || i)::uuid::text, d.type, d.customer_id,
       convert_to(format('{"type":"%s","timestamp":"2026-11-20T12:00:00Z","data":'
                         '{"id":"%s","customer_id":"%s","status":"active","amount": 2000,'
                         '"currency":"usd","metadata":{"plan":"pro"}}}',
                         d.type, md5(i::text)::uuid, d.customer_id), 'UTF8'),
       '{"user-agent": "polar.sh webhooks", "content-type": "application/json"}',
       now() - (:deliveries - i) * interval '1 second', d.outcome, 1,
       CASE WHEN d.outcome = 'failed' THEN 'subscription.status: unknown value ''frozen''' END,
       CASE WHEN d.outcome <> 'failed' THEN now() - (:deliveries - i) * interval '1 second' END,
       CASE WHEN d.outcome = 'failed' AND i % 1000 = 0 THEN now() + interval '6 hours' END
FROM (SELECT i,
             CASE WHEN i % 5000 = 1 THEN 'brand.new'
                  ELSE (ARRAY['subscription.updated', 'order.updated', 'customer.state_changed',
                              'order.paid', 'order.created', 'subscription.cycled',
                              'checkout.updated', 'benefit_grant.cycled', 'subscription.active',
                              'customer.updated', 'subscription.updated', 'order.updated'])
                       [1 + i % 12] END AS type,
             CASE WHEN i % 500 = 0 THEN 'failed' WHEN i % 5000 = 1 THEN 'unknown'
                  WHEN i % 12 = 6 THEN 'ignored' ELSE 'applied' END AS outcome,
             md5('customer' || (1 + i % :subscriptions))::uuid::text AS customer_id
      FROM generate_series(1, :deliveries) i) d
"""
LOG = """
INSERT INTO audit_entries (at, actor, action, subject, reason, details, request_id, address)
SELECT now() - (:entries - i) * interval '1 minute', 'staff' || i % 7 || '@example.com',
       (ARRAY['user.viewed', 'user.synced', 'delivery.replayed', 'comp.given'])[1 + i % 4],
       md5('user' || (1 + i % :users))::uuid::text, 'Because.', '{}', '', '192.0.2.1'
FROM generate_series(1, :entries) i
"""
COMPS = """
INSERT INTO billing_comps (user_id, product_id, product_name, amount, recurring_interval,
                           recurring_interval_count, reason, given_by, created_at, ends_at)
SELECT u.id, p.polar_id, p.name, 2000, 'month', 1, 'Because.', 'staff@example.com', now(),
       now() + interval '10 days'
FROM generate_series(1, :users, 100) i
JOIN users u ON u.public_id = md5('user' || i)::uuid::text,
     (SELECT polar_id, name FROM billing_products ORDER BY polar_id LIMIT 1) p
"""
HIRE = "UPDATE users SET staff_since = now() WHERE email = :email"


def fill(engine: Engine, crowd: Crowd) -> float:
    """Make the crowd. Returns the seconds it took."""
    started = time.monotonic()
    numbers = {
        "users": crowd.users,
        "subscriptions": crowd.subscriptions,
        "deliveries": crowd.deliveries,
        "every": crowd.users // crowd.subscriptions,
        "entries": crowd.users,
        "email": STAFF_EMAIL,
    }
    with engine.begin() as connection:
        indexes = _drop_indexes(connection)
        for statement in (
            PEOPLE,
            CUSTOMERS,
            SUBSCRIPTIONS,
            GRANTS,
            ORDERS,
            DELIVERIES,
            LOG,
            COMPS,
            HIRE,
        ):
            found = text(statement)
            wanted = {name: numbers[name] for name in found._bindparams}
            connection.execute(found, wanted)
        for definition in indexes:
            connection.execute(text(definition.replace(":", "\\:")))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return time.monotonic() - started


def _drop_indexes(connection: Connection) -> list[str]:
    """Drop what only slows the filling, and return how to make it again."""
    rows = connection.execute(
        text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
            "AND indexdef NOT LIKE 'CREATE UNIQUE%' AND tablename IN ('webhook_deliveries', "
            "'billing_orders', 'billing_grants', 'billing_customers', 'users', 'audit_entries')"
        )
    ).all()
    for name, _ in rows:
        connection.execute(text(f'DROP INDEX "{name}"'))
    return [str(definition) for _, definition in rows]
