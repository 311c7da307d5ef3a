"""Supabase's roles: an anonymous reader sees the network, a signed-in client its own money too, nobody writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
import trio
from psycopg import errors
from psycopg.conninfo import make_conninfo

from evpower.db.migrate import migrate
from evpower.db.pool import Pool, open_pool
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import NETWORK
from tests.worlds.fakes import NOON

ROLES = ("anon", "authenticated")
OPEN = ("locations", "stations", "connectors", "tariff_plans", "tariff_rules")
#: Table → whose row it is.
OWNED = {
    "clients": "id",
    "client_tariffs": "client_id",
    "charging_sessions": "user_id",
    "balance_topups": "client_id",
    "payment_transactions": "client_id",
    "payment_transactions_odengi": "client_id",
    "user_favorites": "user_id",
}
CLOSED = ("users", "pricing_history")
EVERYTHING = (*OPEN, *OWNED, *CLOSED)

#: What Supabase itself grants before any migration runs.
SUPABASE = """
GRANT USAGE ON SCHEMA public TO anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated;
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
INSERT INTO charging_sessions (id, user_id, station_id, connector_id, status)
VALUES (%(id)s, %(id)s, 'EVP-001-01', 1, 'stopped');
INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, payment_provider)
VALUES (%(id)s, %(id)s, %(id)s, 1, 'ODENGI');
INSERT INTO payment_transactions (client_id, type, amount, balance_before, balance_after)
VALUES (%(id)s, 'balance_topup', 100, 0, 100);
INSERT INTO user_favorites (user_id, location_id) VALUES (%(id)s, 'EVP-LOC-001');
"""


@pytest.fixture(scope="module")
def supabase_url(postgres_server: str, template: str) -> Iterator[str]:
    """A database as Supabase makes it. Roles are the whole server's: made if missing, and then dropped again."""
    assert template  # migrated before the roles exist, so that no other test's database depends on them
    name = f"{template}_supabase"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        present = {row[0] for row in server.execute("SELECT rolname FROM pg_roles").fetchall()}
        made = [role for role in ROLES if role not in present]
        for role in made:
            server.execute(f"CREATE ROLE {role} NOLOGIN".encode())
        server.execute(f"CREATE DATABASE {name}".encode())
        url = make_conninfo(postgres_server, dbname=name)
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(SUPABASE)
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        for role in made:
            server.execute(f"DROP ROLE {role}".encode())


@pytest.fixture(scope="module")
def filled_url(supabase_url: str) -> str:
    """Migrated twice, with two clients and something of each kind."""

    async def prepare() -> None:
        async with open_pool(supabase_url, size=1) as pool:
            assert await migrate(pool, NOON) != []
            assert await migrate(pool, NOON) == []
            async with by_hand(pool) as conn:
                await conn.execute((NETWORK + PEOPLE).encode())
                for owner in ("me", "other"):
                    for statement in OF_EACH.split(";")[:-1]:
                        await conn.execute(statement.encode(), {"id": owner})

    trio.run(prepare)
    return supabase_url


@pytest.fixture
async def supabase(filled_url: str) -> AsyncIterator[Pool]:
    async with open_pool(filled_url, size=2) as pool:
        yield pool


async def see(pool: Pool, role: str, query: str, subject: str | None = "me") -> list[dict[str, Any]]:
    """Rows as Supabase's REST layer reads them: a role, the claims of the token, and nothing stays."""
    claims = "" if subject is None else f'{{"sub": "{subject}", "role": "{role}"}}'
    async with by_hand(pool) as conn, conn.transaction(force_rollback=True):
        await conn.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
        await conn.execute(f"SET LOCAL ROLE {role}".encode())
        cursor = await conn.execute(query.encode())
        return await cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize("table", OPEN)
@pytest.mark.parametrize("role", ROLES)
async def test_everybody_sees_the_network_and_its_prices(supabase: Pool, role: str, table: str) -> None:
    assert len(await see(supabase, role, f"SELECT * FROM {table}", None if role == "anon" else "me")) > 0


@pytest.mark.parametrize("table", [*OWNED, *CLOSED])
async def test_an_anonymous_reader_sees_nothing_of_people_and_money(supabase: Pool, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, "anon", f"SELECT * FROM {table}", None)


@pytest.mark.parametrize("table", OWNED)
async def test_a_signed_in_client_sees_its_own_rows_only(supabase: Pool, table: str) -> None:
    rows = await see(supabase, "authenticated", f"SELECT * FROM {table}")
    assert [row[OWNED[table]] for row in rows] == ["me"]


@pytest.mark.parametrize("table", OWNED)
async def test_a_signed_in_reader_who_is_no_client_sees_no_rows(supabase: Pool, table: str) -> None:
    assert await see(supabase, "authenticated", f"SELECT * FROM {table}", "stranger") == []


@pytest.mark.parametrize("table", OWNED)
async def test_a_token_without_a_subject_sees_no_rows(supabase: Pool, table: str) -> None:
    assert await see(supabase, "authenticated", f"SELECT * FROM {table}", None) == []


async def test_the_older_setting_of_the_subject_counts_too(supabase: Pool) -> None:
    query = "SELECT set_config('request.jwt.claim.sub', 'other', true)"
    async with by_hand(supabase) as conn:
        await conn.execute("BEGIN")
        await conn.execute(query)
        await conn.execute("SET LOCAL ROLE authenticated")
        rows = await (await conn.execute("SELECT id FROM clients")).fetchall()
        await conn.execute("ROLLBACK")
    assert rows == [{"id": "other"}]


@pytest.mark.parametrize("table", CLOSED)
async def test_staff_and_price_history_are_nobodys_to_read(supabase: Pool, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, "authenticated", f"SELECT * FROM {table}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", EVERYTHING)
async def test_nobody_outside_inserts(supabase: Pool, role: str, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, role, f"INSERT INTO {table} (id) VALUES (NULL)")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", EVERYTHING)
async def test_nobody_outside_updates(supabase: Pool, role: str, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, role, f"UPDATE {table} SET id = NULL")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", EVERYTHING)
async def test_nobody_outside_deletes(supabase: Pool, role: str, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, role, f"DELETE FROM {table}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", [name for name in EVERYTHING if name != "payment_transactions_odengi"])
async def test_nobody_outside_truncates(supabase: Pool, role: str, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, role, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_outside_moves_a_sequence(supabase: Pool, role: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, role, "SELECT setval('public.payment_transactions_id_seq', 1)")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", ["SELECT * FROM evpower.ledger_entries", "SELECT * FROM evpower.ocpp_frames"])
async def test_the_private_schema_is_out_of_reach(supabase: Pool, role: str, what: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="schema evpower"):
        await see(supabase, role, what)


async def test_the_server_itself_reads_everything(supabase: Pool) -> None:
    async with by_hand(supabase) as conn:
        rows = await (await conn.execute("SELECT id FROM clients ORDER BY id")).fetchall()
    assert rows == [{"id": "me"}, {"id": "other"}]


async def test_the_operators_own_tables_keep_their_grants(supabase: Pool) -> None:
    assert await see(supabase, "anon", "SELECT * FROM of_the_operators_own") == []


async def test_realtime_publishes_what_the_app_subscribes_to(supabase: Pool) -> None:
    async with by_hand(supabase) as conn:
        cursor = await conn.execute("SELECT tablename FROM pg_publication_tables WHERE pubname = 'supabase_realtime'")
        published = {row["tablename"] for row in await cursor.fetchall()}
    assert {"clients", "charging_sessions", "locations", "stations", "connectors", "tariff_rules"} <= published
    assert not published & {"payment_transactions", "users"}


async def test_every_public_table_has_row_security(supabase: Pool) -> None:
    """A table that a later migration forgets would be open to whoever is granted it by default."""
    async with by_hand(supabase) as conn:
        cursor = await conn.execute(
            "SELECT relname AS name FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relrowsecurity "
            "AND relname <> 'of_the_operators_own'"
        )
        assert await cursor.fetchall() == []


async def test_a_database_without_these_roles_is_migrated_too(pool: Pool) -> None:
    async with by_hand(pool) as conn:
        cursor = await conn.execute("SELECT count(*) AS policies FROM pg_policies")
        assert await cursor.fetchone() == {"policies": 0}
