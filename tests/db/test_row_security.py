"""Supabase's roles: an anonymous reader sees the network, a signed-in client its own money too; what it may write is in
`test_row_security_writes.py`, and everything else is refused here."""

from __future__ import annotations

import pytest
from psycopg import errors

from evpower.db.pool import Pool
from tests.worlds.by_hand import by_hand
from tests.worlds.supabase import ROLES, see

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
CLOSED = ("pricing_history",)
EVERYTHING = (*OPEN, *OWNED, "users", *CLOSED)
#: Where the app writes directly (field ruling 6.8), as a signed-in client.
WRITTEN = {"insert": ("clients", "user_favorites"), "update": ("clients",), "delete": ("user_favorites",)}


def refused(what: str) -> list[tuple[str, str]]:
    """Every role and table that has no business with this."""
    return [(role, table) for role in ROLES for table in EVERYTHING if role == "anon" or table not in WRITTEN[what]]


@pytest.mark.parametrize("table", OPEN)
@pytest.mark.parametrize("role", ROLES)
async def test_everybody_sees_the_network_and_its_prices(supabase: Pool, role: str, table: str) -> None:
    assert len(await see(supabase, role, f"SELECT * FROM {table}", subject=None if role == "anon" else "me")) > 0


@pytest.mark.parametrize("table", [*OWNED, "users", *CLOSED])
async def test_an_anonymous_reader_sees_nothing_of_people_and_money(supabase: Pool, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, "anon", f"SELECT * FROM {table}", subject=None)


@pytest.mark.parametrize("table", OWNED)
async def test_a_signed_in_client_sees_its_own_rows_only(supabase: Pool, table: str) -> None:
    rows = await see(supabase, "authenticated", f"SELECT * FROM {table}")
    assert [row[OWNED[table]] for row in rows] == ["me"]


@pytest.mark.parametrize("table", OWNED)
async def test_a_signed_in_reader_who_is_no_client_sees_no_rows(supabase: Pool, table: str) -> None:
    assert await see(supabase, "authenticated", f"SELECT * FROM {table}", subject="stranger") == []


@pytest.mark.parametrize("table", OWNED)
async def test_a_token_without_a_subject_sees_no_rows(supabase: Pool, table: str) -> None:
    assert await see(supabase, "authenticated", f"SELECT * FROM {table}", subject=None) == []


async def test_the_older_setting_of_the_subject_counts_too(supabase: Pool) -> None:
    query = "SELECT set_config('request.jwt.claim.sub', 'other', true)"
    async with by_hand(supabase) as conn:
        await conn.execute("BEGIN")
        await conn.execute(query)
        await conn.execute("SET LOCAL ROLE authenticated")
        rows = await (await conn.execute("SELECT id FROM clients")).fetchall()
        await conn.execute("ROLLBACK")
    assert rows == [{"id": "other"}]


async def test_a_staff_person_sees_its_own_row(supabase: Pool) -> None:
    rows = await see(supabase, "authenticated", "SELECT * FROM users", subject="boss")
    assert [(row["id"], row["role"]) for row in rows] == [("boss", "admin")]


async def test_a_client_sees_no_staff(supabase: Pool) -> None:
    assert await see(supabase, "authenticated", "SELECT * FROM users") == []


@pytest.mark.parametrize("table", CLOSED)
async def test_the_price_history_is_nobodys_to_read(supabase: Pool, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, "authenticated", f"SELECT * FROM {table}")


@pytest.mark.parametrize(("role", "table"), refused("insert"))
async def test_nobody_outside_inserts(supabase: Pool, role: str, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, role, f"INSERT INTO {table} (id) VALUES (NULL)")


@pytest.mark.parametrize(("role", "table"), refused("update"))
async def test_nobody_outside_updates(supabase: Pool, role: str, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, role, f"UPDATE {table} SET id = NULL")


@pytest.mark.parametrize(
    "column", ["id", "balance", "debt_amount", "status", "delete_requested_at", "deleted_at", "created_at"]
)
async def test_a_client_changes_nothing_of_its_row_but_name_phone_and_e_mail(supabase: Pool, column: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, "authenticated", f"UPDATE clients SET {column} = DEFAULT WHERE id = 'me'")


@pytest.mark.parametrize(("role", "table"), refused("delete"))
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
