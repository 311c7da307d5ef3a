"""A database as Supabase makes it: its two roles, what it grants, and who comes through its REST layer."""

from __future__ import annotations

from typing import Any

from evpower.db.pool import Pool
from tests.worlds.by_hand import by_hand

ROLES = ("anon", "authenticated")
#: What Supabase itself grants before any migration runs.
SUPABASE = """
GRANT USAGE ON SCHEMA public TO anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated;
SET client_min_messages = error;  -- a publication says that a test server's wal_level is too low for it
CREATE PUBLICATION supabase_realtime;
CREATE TABLE public.of_the_operators_own (id int);
"""
PEOPLE = """
INSERT INTO tariff_plans (id, name) VALUES ('plan', 'Plan');
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price) VALUES ('rule', 'plan', 'Rule', 'per_kwh', 13);
INSERT INTO users (id, role) VALUES ('boss', 'admin');
INSERT INTO pricing_history (station_id, calculation_time, rate_per_kwh) VALUES ('EVP-001-01', now(), 13.5);
"""
#: One row for each owner in each owned table.
OF_EACH = """
INSERT INTO clients (id, balance) VALUES (%(id)s, 100);
INSERT INTO client_tariffs (id, client_id) VALUES (%(id)s, %(id)s);
INSERT INTO charging_sessions (id, user_id, station_id, connector_id, status, settled_at)
VALUES (%(id)s, %(id)s, 'EVP-001-01', 1, 'stopped', now());
INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, payment_provider)
VALUES (%(id)s, %(id)s, %(id)s, 1, 'ODENGI');
INSERT INTO payment_transactions (client_id, type, amount, balance_before, balance_after)
VALUES (%(id)s, 'balance_topup', 100, 0, 100);
INSERT INTO user_favorites (user_id, location_id) VALUES (%(id)s, 'EVP-LOC-001');
"""


async def see(
    pool: Pool, role: str, *queries: str, subject: str | None = "me", before: str | None = None
) -> list[dict[str, Any]]:
    """Rows of the last query as Supabase's REST layer reads them: a role, the claims of the token, and nothing stays.

    `before` is what the server itself does first.
    """
    claims = "" if subject is None else f'{{"sub": "{subject}", "role": "{role}"}}'
    async with by_hand(pool) as conn, conn.transaction(force_rollback=True):
        if before is not None:
            await conn.execute(before.encode())
        await conn.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
        await conn.execute(f"SET LOCAL ROLE {role}".encode())
        for query in queries:
            cursor = await conn.execute(query.encode())
        return await cursor.fetchall() if cursor.description else []
