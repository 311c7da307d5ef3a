"""What the app writes directly as a signed-in client, and nothing beside it (field ruling 6.8, identity §2)."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing
from psycopg import errors

from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.favorites.errors import TooManyFavorites
from evpower.favorites.service import FAVORITES_MOST, Favorites
from evpower.identifiers import ClientId
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import SetClock
from tests.worlds.supabase import see

MAKE_OWN = "INSERT INTO clients (id, name, phone, email) VALUES ('{}', 'Айгүл', '+996555000001', 'a@example.com') "
FAVORITE = "INSERT INTO user_favorites (user_id, location_id) VALUES ('{}', '{}') RETURNING user_id, location_id"


async def as_client(pool: Pool, *statements: str, subject: str = "newcomer") -> list[dict[str, Any]]:
    """Several statements of one signed-in client; the last one's rows, and nothing stays."""
    return await see(pool, "authenticated", *statements, subject=subject)


async def test_a_client_makes_its_own_row(supabase: Pool) -> None:
    (row,) = await as_client(supabase, MAKE_OWN.format("newcomer") + "RETURNING *")
    assert (row["name"], row["phone"], row["email"]) == ("Айгүл", "+996555000001", "a@example.com")


async def test_a_client_that_makes_its_own_row_begins_with_nothing(supabase: Pool) -> None:
    """Whatever it sends of money and of its state."""
    (row,) = await as_client(
        supabase,
        "INSERT INTO clients (id, balance, debt_amount, status, delete_requested_at, deleted_at, anonymized, "
        "created_at) VALUES ('newcomer', 1000000, 5, 'blocked', now(), now(), true, '2001-01-01') "
        "RETURNING *, created_at > '2026-01-01' AS created_now",
    )
    assert (row["balance"], row["debt_amount"], row["status"], row["anonymized"]) == (0, 0, "active", False)
    assert row["delete_requested_at"] is None
    assert row["deleted_at"] is None
    assert row["created_now"]


async def test_nobody_makes_another_ones_row(supabase: Pool) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await as_client(supabase, MAKE_OWN.format("somebody"))


async def test_a_token_without_a_subject_makes_no_row(supabase: Pool) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await see(supabase, "authenticated", MAKE_OWN.format("somebody"), subject=None)


async def test_a_client_row_is_no_store_for_something_else(supabase: Pool) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await as_client(supabase, "INSERT INTO clients (id, name) VALUES ('newcomer', repeat('x', 501))")
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await as_client(supabase, "UPDATE clients SET name = repeat('x', 501)", subject="me")


async def test_a_client_changes_its_name_phone_and_e_mail(supabase: Pool) -> None:
    rows = await as_client(
        supabase,
        "UPDATE clients SET name = 'N', phone = '+996555000002', email = 'n@example.com' RETURNING id, name, balance",
        subject="me",
    )
    assert rows == [{"id": "me", "name": "N", "balance": 100}]


async def test_an_update_without_a_condition_touches_the_own_row_alone(supabase: Pool) -> None:
    """And one that names another's row touches none."""
    assert (
        await as_client(supabase, "UPDATE clients SET name = 'N' WHERE id = 'other' RETURNING id", subject="me") == []
    )


async def test_an_erased_account_is_not_filled_again(supabase: Pool) -> None:
    erased = "UPDATE clients SET deleted_at = now() WHERE id = 'me'"
    changed = await see(
        supabase, "authenticated", "UPDATE clients SET name = 'N' RETURNING id", subject="me", before=erased
    )
    assert changed == []
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await see(
            supabase,
            "authenticated",
            "DELETE FROM user_favorites",
            FAVORITE.format("me", "EVP-LOC-001"),
            subject="me",
            before=erased,
        )


async def test_a_client_adds_and_removes_its_own_favorites(supabase: Pool) -> None:
    own = ("DELETE FROM user_favorites RETURNING user_id", FAVORITE.format("me", "EVP-LOC-001"))
    assert await as_client(supabase, own[0], subject="me") == [{"user_id": "me"}]
    assert await as_client(supabase, *own, subject="me") == [{"user_id": "me", "location_id": "EVP-LOC-001"}]


FILL = """
INSERT INTO user_favorites (user_id, location_id) SELECT '{}', 'old-' || n FROM generate_series(1, {}) n
"""


async def test_a_client_keeps_two_hundred_favorites_at_most(supabase: Pool) -> None:
    """The limit of the door holds for what the app writes directly; one that is there already is no new one."""
    before = FILL.format("me", FAVORITES_MOST - 1)
    again = FAVORITE.replace(") RETURNING", ") ON CONFLICT DO NOTHING RETURNING").format("me", "EVP-LOC-001")
    assert await see(supabase, "authenticated", again, subject="me", before=before) == []
    left = "DELETE FROM user_favorites WHERE location_id = 'EVP-LOC-001'"
    full = FILL.format("me", FAVORITES_MOST)
    with pytest.raises(errors.CheckViolation) as refusal:
        await see(supabase, "authenticated", left, FAVORITE.format("me", "EVP-LOC-001"), subject="me", before=full)
    assert refusal.value.diag.message_hint == "too_many_favorites"
    assert await see(supabase, "authenticated", left, FAVORITE.format("me", "EVP-LOC-001"), subject="me", before=before)


async def test_nobody_learns_how_many_another_has(supabase: Pool) -> None:
    full = FILL.format("other", FAVORITES_MOST)
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await see(supabase, "authenticated", FAVORITE.format("other", "EVP-LOC-002"), subject="me", before=full)


async def test_a_merge_is_not_limited(supabase: Pool) -> None:
    """What two ids had together stays: the server is not bound."""
    full = FILL.format("me", FAVORITES_MOST + 50)
    counted = "SELECT count(*) AS favorites FROM user_favorites"
    assert await see(supabase, "authenticated", counted, subject="me", before=full) == [
        {"favorites": FAVORITES_MOST + 51}
    ]


@pytest.mark.parametrize("rival", ["the app", "the door"])
async def test_the_last_of_two_hundred_is_one_of_those_written_at_once(supabase: Pool, rival: str) -> None:
    refused: list[str] = []
    claims = "SELECT set_config('request.jwt.claims', '{\"sub\": \"crowded\"}', true)"

    async def write(conn: Conn, location_id: str) -> None:
        for statement in (claims, "SET LOCAL ROLE authenticated", FAVORITE.format("crowded", location_id)):
            await conn.execute(statement.encode())

    async def compete() -> None:
        try:
            if rival == "the door":
                await Favorites(supabase, SetClock()).add(ClientId("crowded"), "EVP-LOC-001")
            else:
                async with by_hand(supabase) as other, other.transaction():
                    await write(other, "EVP-LOC-001")
        except (TooManyFavorites, errors.CheckViolation):
            refused.append(rival)

    async with by_hand(supabase) as conn:
        await conn.execute("INSERT INTO locations (id, name, address) VALUES ('EVP-LOC-009', 'ЦУМ', 'Чүй')")
        await conn.execute("INSERT INTO clients (id) VALUES ('crowded')")
        await conn.execute(FILL.format("crowded", FAVORITES_MOST - 1).encode())
        try:
            with trio.fail_after(20):
                async with trio.open_nursery() as phones, conn.transaction():
                    await write(conn, "EVP-LOC-009")
                    phones.start_soon(compete)
                    await trio.testing.wait_all_tasks_blocked(0.05)
            stored = await (
                await conn.execute("SELECT count(*) AS n FROM user_favorites WHERE user_id = 'crowded'")
            ).fetchone()
        finally:
            with trio.move_on_after(10, shield=True):
                await conn.execute("DELETE FROM clients WHERE id = 'crowded'")
                await conn.execute("DELETE FROM locations WHERE id = 'EVP-LOC-009'")
    assert (stored, refused) == ({"n": FAVORITES_MOST}, [rival])


async def test_a_client_removes_no_favorite_of_another(supabase: Pool) -> None:
    """A statement without a condition, too: it reads nothing, so the rule for reading does not protect."""
    left = ("DELETE FROM user_favorites", "RESET ROLE", "SELECT user_id FROM user_favorites")
    assert await as_client(supabase, *left, subject="me") == [{"user_id": "other"}]


async def test_nobody_adds_to_another_ones_favorites(supabase: Pool) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await as_client(supabase, FAVORITE.format("other", "EVP-LOC-001"), subject="me")


async def test_a_favorite_is_a_location_that_exists(supabase: Pool) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await as_client(supabase, FAVORITE.format("me", "anything"), subject="me")


async def test_a_client_asks_for_the_end_of_its_account_and_takes_it_back(supabase: Pool) -> None:
    look = "SELECT status, delete_requested_at IS NOT NULL AS asked FROM clients"
    ask, restore = "SELECT public.request_account_deletion()", "SELECT public.restore_account()"
    assert await as_client(supabase, ask, look, subject="me") == [{"status": "inactive", "asked": True}]
    assert await as_client(supabase, ask, ask, restore, look, subject="me") == [{"status": "active", "asked": False}]
    (answer,) = await as_client(supabase, ask, subject="me")
    assert answer == {"request_account_deletion": {"success": True, "message": "Удаление аккаунта запрошено"}}


async def test_a_blocked_client_is_blocked_again_after_it_is_restored(supabase: Pool) -> None:
    rows = await see(
        supabase,
        "authenticated",
        "SELECT public.request_account_deletion()",
        "SELECT public.restore_account()",
        "SELECT status FROM clients",
        subject="me",
        before="UPDATE clients SET status = 'blocked' WHERE id = 'me'",
    )
    assert rows == [{"status": "blocked"}]


@pytest.mark.parametrize(
    ("before", "name", "reason"),
    [
        ("UPDATE clients SET debt_amount = 0.01 WHERE id = 'me'", "forbidden", "debt"),
        ("UPDATE charging_sessions SET settled_at = NULL WHERE id = 'me'", "session_already_active", None),
    ],
)
async def test_an_account_with_a_debt_or_a_running_charge_is_not_deleted(
    supabase: Pool, before: str, name: str, reason: str | None
) -> None:
    """A refusal is an error: an app that looks at nothing else cannot take it for done."""
    with pytest.raises(errors.RaiseException) as refusal:
        await see(
            supabase,
            "authenticated",
            "SELECT public.request_account_deletion()",
            subject="me",
            before=before,
        )
    assert (refusal.value.diag.message_detail, refusal.value.diag.message_hint) == (name, reason)


async def test_an_account_is_not_restored_after_thirty_days(supabase: Pool) -> None:
    asked = "SELECT evpower.request_deletion('me', now() - interval '30 days')"
    with pytest.raises(errors.RaiseException) as refusal:
        await see(supabase, "authenticated", "SELECT public.restore_account()", subject="me", before=asked)
    assert refusal.value.diag.message_detail == "client_deleted"


async def test_an_unknown_client_has_nothing_to_delete(supabase: Pool) -> None:
    for function in ("request_account_deletion", "restore_account"):
        with pytest.raises(errors.RaiseException) as refusal:
            await as_client(supabase, f"SELECT public.{function}()")
        assert refusal.value.diag.message_detail == "client_not_found"


@pytest.mark.parametrize(
    "function",
    [
        "public.request_account_deletion()",
        "public.restore_account()",
        "evpower.request_deletion('me', now())",
        "evpower.restore_account('me', now())",
        "evpower.token_subject()",
        "evpower.token_client()",
    ],
)
async def test_an_anonymous_reader_calls_none_of_our_functions(supabase: Pool, function: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await see(supabase, "anon", f"SELECT {function}", subject="me")


async def test_a_client_calls_no_rule_for_another_client(supabase: Pool) -> None:
    for function in ("request_deletion", "restore_account"):
        with pytest.raises(errors.InsufficientPrivilege):
            await as_client(supabase, f"SELECT evpower.{function}('other', now())", subject="me")


MERGED = "UPDATE clients SET merged_into = 'other', status = 'inactive' WHERE id = 'me'"


async def test_a_token_of_an_id_that_was_merged_reads_and_changes_the_survivors_rows(supabase: Pool) -> None:
    ids = (
        "SELECT id FROM clients",
        "UPDATE clients SET name = 'N' RETURNING id",
        "SELECT user_id AS id FROM user_favorites",
    )
    for query in ids:
        assert await see(supabase, "authenticated", query, before=MERGED) == [{"id": "other"}]


async def test_the_survivors_token_reads_nothing_of_the_alias(supabase: Pool) -> None:
    rows = await see(supabase, "authenticated", "SELECT id FROM clients", subject="other", before=MERGED)
    assert rows == [{"id": "other"}]


async def test_the_end_of_an_alias_is_the_end_of_the_survivor(supabase: Pool) -> None:
    queries = "SELECT public.request_account_deletion()", "SELECT id, status FROM clients"
    assert await see(supabase, "authenticated", *queries, before=MERGED) == [{"id": "other", "status": "inactive"}]


async def test_nobody_makes_itself_an_alias(supabase: Pool) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await as_client(supabase, "UPDATE clients SET merged_into = 'other'", subject="me")
    rows = await as_client(
        supabase, "INSERT INTO clients (id, merged_into) VALUES ('newcomer', 'other')", "SELECT id FROM clients"
    )
    assert rows == [{"id": "newcomer"}]
