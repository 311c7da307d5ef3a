"""A client's phone is a number in E.164's writing, and of one client (safe by default 9)."""

from __future__ import annotations

import re

import pytest
from psycopg import errors

from evpower.billing.rows.clients import DisplacedPhone
from evpower.db.pool import Pool
from evpower.identifiers import PHONE, ClientId
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import World

NUMBER = "+996555000001"
INSERT = "INSERT INTO clients (id, phone) VALUES (%s, %s)"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (NUMBER, NUMBER),
        ("996555000001", NUMBER),
        (" +996 (555) 000-001 ", NUMBER),
        ("+77011234567", "+77011234567"),
        ("", None),
        (" ", None),
    ],
)
async def test_what_can_be_read_as_a_number_is_written_as_one(pool: Pool, written: str, kept: str | None) -> None:
    """The owner's app writes clients directly, with what its sign-in knows: digits alone."""
    async with by_hand(pool) as conn:
        await conn.execute(INSERT, ("a", written))
        await conn.execute("UPDATE clients SET phone = NULL")
        await conn.execute("UPDATE clients SET phone = %s", (written,))
        assert await (await conn.execute("SELECT phone FROM clients")).fetchall() == [{"phone": kept}]


@pytest.mark.parametrize(
    "text", ["0555000001", "+0555000001", "+12345", "+1234567890123456", "CARD-1", "+99655500000a"]
)
async def test_anything_else_is_refused_and_the_rows_other_columns_are_not(pool: Pool, text: str) -> None:
    async with by_hand(pool) as conn:
        with pytest.raises(errors.CheckViolation, match="clients_phone_is_e164"):
            await conn.execute(INSERT, ("a", text))
        await conn.execute(INSERT, ("a", NUMBER))
        with pytest.raises(errors.CheckViolation, match="clients_phone_is_e164"):
            await conn.execute("UPDATE clients SET phone = %s", (text,))
        await conn.execute("UPDATE clients SET name = 'Айбек', email = 'a@example.kg'")


async def test_a_number_is_one_clients(pool: Pool) -> None:
    async with by_hand(pool) as conn:
        await conn.execute(INSERT, ("a", NUMBER))
        with pytest.raises(errors.UniqueViolation, match="clients_phone"):
            await conn.execute(INSERT, ("b", NUMBER.removeprefix("+")))
        for other in ("b", "c"):
            await conn.execute(INSERT, (other, None))


async def test_the_tables_rule_is_the_files(pool: Pool) -> None:
    """`PHONE` is what a fleet file may state, the CHECK what a row may hold."""
    query = "SELECT pg_get_constraintdef(oid) AS rule FROM pg_constraint WHERE conname = 'clients_phone_is_e164'"
    async with by_hand(pool) as conn:
        (row,) = await (await conn.execute(query)).fetchall()
    (pattern,) = re.findall(r"'\^(.*)\$'", row["rule"])
    assert pattern == PHONE.pattern


async def test_a_displaced_phone_is_listed_until_its_client_has_one_again(world: World) -> None:
    await world.give(1_00)
    await world.sql("INSERT INTO clients (id, phone) VALUES ('keeper', %s), ('later', NULL)", NUMBER)
    await world.sql(
        "INSERT INTO evpower.displaced_phones (client_id, phone, reason) VALUES ('later', %s, 'duplicate')", NUMBER
    )
    listed = DisplacedPhone(ClientId("later"), NUMBER, "duplicate", ClientId("keeper"))
    assert await world.app.billing.displaced_phones() == [listed]
    await world.sql("UPDATE clients SET phone = '+996555000002' WHERE id = 'later'")
    assert await world.app.billing.displaced_phones() == []


async def test_a_displaced_phone_of_a_client_that_was_merged_is_no_matter_any_more(world: World) -> None:
    await world.sql("INSERT INTO clients (id, merged_into) VALUES ('keeper', NULL), ('later', 'keeper')")
    await world.sql(
        "INSERT INTO evpower.displaced_phones (client_id, phone, reason) VALUES ('later', '0', 'unverified')"
    )
    assert await world.app.billing.displaced_phones() == []


async def test_whoever_is_erased_leaves_no_displaced_phone(world: World) -> None:
    await world.sql("INSERT INTO clients (id) VALUES ('later')")
    await world.sql("INSERT INTO evpower.displaced_phones (client_id, phone, reason) VALUES ('later', '0', 'not_e164')")
    await world.sql("UPDATE clients SET anonymized = true")
    assert await world.sql("SELECT 1 FROM evpower.displaced_phones") == []
