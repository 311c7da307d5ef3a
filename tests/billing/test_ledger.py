"""The ledger, by raw SQL: what the database itself refuses, writes and keeps in order (design §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import trio
from psycopg import errors

from evpower.billing.ledger import Entry, Posting
from evpower.billing.rows.clients import ensure_client
from evpower.billing.rows.ledger import check_ledger, post_entry
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ClientId
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, World, open_world
from tests.worlds.fakes import NOON

ENTRY = """
INSERT INTO evpower.ledger_entries (kind, key, actor, created_at)
VALUES ('test', %(key)s, 'test', '2026-11-23 06:00Z') RETURNING id
"""
POSTING = """
INSERT INTO evpower.ledger_postings (entry_id, account, client_id, amount_tyiyn, statement_type)
VALUES (%(entry)s, %(account)s, %(client)s, %(tyiyn)s, %(type)s)
"""


@pytest.fixture
async def ledger(pool: Pool) -> Pool:
    """A database with one client without money."""
    async with unit_of_work(pool) as uow:
        await ensure_client(uow.conn, CLIENT, NOON)
    return pool


async def rows(pool: Pool, query: str, *parameters: object) -> list[dict[str, Any]]:
    async with by_hand(pool) as conn:
        return await (await conn.execute(query, parameters or None)).fetchall()


async def book(pool: Pool, key: str, *postings: tuple[str, int], type: str = "admin_adjustment") -> None:
    """One entry by raw SQL."""
    async with unit_of_work(pool) as uow:
        row = await (await uow.conn.execute(ENTRY, {"key": key})).fetchone()
        assert row is not None
        for account, tyiyn in postings:
            parameters = {
                "entry": row["id"],
                "account": account,
                "client": CLIENT,
                "tyiyn": tyiyn,
                "type": type if account == "client" else None,
            }
            await uow.conn.execute(POSTING, parameters)


async def money(pool: Pool) -> tuple[float, float]:
    """The client's balance and debt, in som."""
    (row,) = await rows(pool, "SELECT balance, debt_amount FROM clients WHERE id = %s", CLIENT)
    return float(row["balance"]), float(row["debt_amount"])


def gift(tyiyn: int, key: str = "gift") -> Entry:
    return Entry(
        "test", key, "test", (Posting("client", tyiyn, CLIENT, "balance_topup"), Posting("provider:test", -tyiyn))
    )


async def test_an_unbalanced_entry_is_refused_at_commit(ledger: Pool) -> None:
    with pytest.raises(errors.IntegrityConstraintViolation, match="not balanced: 2 postings sum to 1"):
        await book(ledger, "k", ("client", 100), ("adjustment", -99))
    assert await money(ledger) == (0, 0)


async def test_a_single_posting_is_refused(ledger: Pool) -> None:
    with pytest.raises(errors.IntegrityConstraintViolation, match="not balanced"):
        await book(ledger, "k", ("client", 100))


async def test_an_entry_without_postings_is_refused(ledger: Pool) -> None:
    with pytest.raises(errors.IntegrityConstraintViolation, match="not balanced: 0 postings"):
        await book(ledger, "k")


async def test_a_posting_added_to_a_balanced_entry_later_is_refused(ledger: Pool) -> None:
    await book(ledger, "k", ("client", 100), ("adjustment", -100))
    (entry,) = await rows(ledger, "SELECT id FROM evpower.ledger_entries")
    with pytest.raises(errors.IntegrityConstraintViolation, match="not balanced"):
        async with unit_of_work(ledger) as uow:
            parameters = {"entry": entry["id"], "account": "revenue", "client": CLIENT, "tyiyn": 1, "type": None}
            await uow.conn.execute(POSTING, parameters)


async def test_a_posting_of_nothing_is_refused(ledger: Pool) -> None:
    with pytest.raises(errors.CheckViolation):
        await book(ledger, "k", ("held", 0), ("revenue", 0))


async def test_an_account_nobody_knows_is_refused(ledger: Pool) -> None:
    with pytest.raises(errors.CheckViolation):
        await book(ledger, "k", ("pocket", 1), ("revenue", -1))


async def test_a_provider_account_needs_a_name(ledger: Pool) -> None:
    with pytest.raises(errors.CheckViolation):
        await book(ledger, "k", ("provider:", -1), ("client", 1))


@pytest.mark.parametrize("account", ["client", "receivable"])
async def test_a_clients_account_names_its_client(ledger: Pool, account: str) -> None:
    with pytest.raises(errors.CheckViolation, match="ledger_postings_names_client"):
        async with unit_of_work(ledger) as uow:
            row = await (await uow.conn.execute(ENTRY, {"key": "k"})).fetchone()
            assert row is not None
            kind = "admin_adjustment" if account == "client" else None
            parameters = {"entry": row["id"], "account": account, "client": None, "tyiyn": 1, "type": kind}
            await uow.conn.execute(POSTING, parameters)


async def test_a_second_entry_with_the_same_key_is_refused(ledger: Pool) -> None:
    await book(ledger, "same", ("client", 100), ("adjustment", -100))
    with pytest.raises(errors.UniqueViolation, match="ledger_entries_once"):
        await book(ledger, "same", ("client", 100), ("adjustment", -100))
    assert await money(ledger) == (1, 0)


async def test_a_replayed_entry_is_harmless(ledger: Pool) -> None:
    async with unit_of_work(ledger) as uow:
        first = await post_entry(uow.conn, gift(100_00), NOON)
        assert first is not None
        assert await post_entry(uow.conn, gift(100_00), NOON) is None
    assert await money(ledger) == (100, 0)


async def test_an_entry_that_moves_nothing_is_no_entry(ledger: Pool) -> None:
    async with unit_of_work(ledger) as uow:
        assert await post_entry(uow.conn, Entry("test", "k", "test", ()), NOON) is None
    assert await rows(ledger, "SELECT id FROM evpower.ledger_entries") == []


async def test_free_money_below_zero_is_refused(ledger: Pool) -> None:
    await book(ledger, "in", ("client", 100), ("adjustment", -100))
    with pytest.raises(errors.CheckViolation, match="clients_balance_not_negative"):
        await book(ledger, "out", ("client", -101), ("adjustment", 101))
    assert await money(ledger) == (1, 0)


async def test_a_debt_below_zero_is_refused(ledger: Pool) -> None:
    with pytest.raises(errors.CheckViolation, match="clients_debt_not_negative"):
        await book(ledger, "k", ("receivable", 100), ("revenue", -100))


async def test_a_client_who_does_not_exist_has_no_money(ledger: Pool) -> None:
    stranger = Posting("client", 100, ClientId("nobody"), "balance_topup")
    with pytest.raises(errors.ForeignKeyViolation):
        async with unit_of_work(ledger) as uow:
            entry = Entry("test", "k", "test", (stranger, Posting("provider:test", -100)))
            await post_entry(uow.conn, entry, NOON)


@pytest.mark.parametrize("table", ["evpower.ledger_entries", "evpower.ledger_postings", "public.payment_transactions"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = DEFAULT", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_what_was_written_stays(ledger: Pool, table: str, change: str) -> None:
    await book(ledger, "k", ("client", 100), ("adjustment", -100))
    with pytest.raises(errors.IntegrityConstraintViolation, match="append-only"):
        async with unit_of_work(ledger) as uow:
            await uow.conn.execute(change.format(table).encode())
    assert len(await rows(ledger, f"SELECT id FROM {table}")) > 0


async def test_a_posting_writes_the_statement_and_the_running_total(ledger: Pool) -> None:
    await book(ledger, "in", ("client", 500_00), ("provider:odengi", -500_00), type="balance_topup")
    await book(ledger, "out", ("client", -270_00), ("held", 270_00), type="charge_reserve")
    assert await money(ledger) == (230, 0)
    statement = await rows(
        ledger,
        "SELECT type, transaction_type, amount, balance_before, balance_after, currency FROM payment_transactions "
        "WHERE client_id = %s ORDER BY created_at, id",
        CLIENT,
    )
    assert [tuple(row.values()) for row in statement] == [
        ("balance_topup", "balance_topup", 500, 0, 500, "KGS"),
        ("charge_reserve", "charge_reserve", -270, 500, 230, "KGS"),
    ]


@pytest.mark.parametrize("type", ["idle_fee", "reservation_hold", "reservation_release", "reservation_fee"])
async def test_a_fee_is_a_line_of_its_own_type_and_no_revenue(ledger: Pool, type: str) -> None:
    await book(ledger, "in", ("client", 100), ("adjustment", -100))
    await book(ledger, "out", ("client", -100), ("fees", 100), type=type)
    assert await money(ledger) == (0, 0)
    (line,) = await rows(ledger, "SELECT amount FROM payment_transactions WHERE type = %s", type)
    assert line["amount"] == -1


async def test_a_statement_line_names_the_session_the_top_up_and_the_reason(ledger: Pool) -> None:
    async with unit_of_work(ledger) as uow:
        await uow.conn.execute(
            "INSERT INTO balance_topups (id, invoice_id, order_id, client_id, requested_amount, payment_provider) "
            "VALUES (7, 'i', 'o', %s, 1, 'ODENGI')",
            (CLIENT,),
        )
        await post_entry(
            uow.conn,
            Entry("topup", "topup:7", "odengi", gift(100).postings, "Пополнение баланса", None, balance_topup_id=7),
            NOON,
        )
    (line,) = await rows(ledger, "SELECT balance_topup_id, description, created_at FROM payment_transactions")
    assert line == {"balance_topup_id": 7, "description": "Пополнение баланса", "created_at": NOON}


async def test_a_receivable_moves_the_debt_and_writes_no_statement(ledger: Pool) -> None:
    await book(ledger, "debt", ("receivable", -12_34), ("revenue", 12_34))
    assert await money(ledger) == (0, 12.34)
    await book(ledger, "paid", ("receivable", 2_34), ("adjustment", -2_34))
    assert await money(ledger) == (0, 10)
    assert await rows(ledger, "SELECT id FROM payment_transactions") == []


async def test_a_posting_moves_updated_at(ledger: Pool) -> None:
    later = NOON + timedelta(hours=1)
    async with unit_of_work(ledger) as uow:
        await post_entry(uow.conn, gift(100), later)
    assert await rows(ledger, "SELECT updated_at FROM clients") == [{"updated_at": later}]


async def test_a_statement_line_of_no_known_type_is_refused(ledger: Pool) -> None:
    with pytest.raises(errors.CheckViolation):
        await book(ledger, "k", ("client", 100), ("adjustment", -100), type="present")


async def test_parallel_postings_on_one_client_keep_the_chain(ledger: Pool) -> None:
    """Read as the contract says, by created_at and id, however late a writer got its turn."""

    async def post(number: int) -> None:
        async with unit_of_work(ledger) as uow:
            tyiyn = number if number % 3 else -1
            await post_entry(uow.conn, gift(tyiyn, f"gift-{number}"), NOON + timedelta(seconds=(number * 7) % 20))

    async with unit_of_work(ledger) as uow:
        await post_entry(uow.conn, gift(100), NOON)
    async with trio.open_nursery() as at_once:
        for number in range(1, 21):
            at_once.start_soon(post, number)
    lines = await rows(
        ledger,
        "SELECT balance_before AS before, balance_after AS after FROM payment_transactions ORDER BY created_at, id",
    )
    assert len(lines) == 21
    assert [line["before"] for line in lines] == [0, *[line["after"] for line in lines[:-1]]]
    assert float(lines[-1]["after"]) == (await money(ledger))[0]
    async with by_hand(ledger) as conn:
        assert (await check_ledger(conn)).ok


async def test_parallel_withdrawals_never_overdraw(ledger: Pool) -> None:
    refused = 0

    async def take(number: int) -> None:
        nonlocal refused
        try:
            async with unit_of_work(ledger) as uow:
                await post_entry(uow.conn, gift(-30_00, f"take-{number}"), NOON)
        except errors.CheckViolation:
            refused += 1

    async with unit_of_work(ledger) as uow:
        await post_entry(uow.conn, gift(100_00), NOON)
    async with trio.open_nursery() as at_once:
        for number in range(10):
            at_once.start_soon(take, number)
    assert (refused, await money(ledger)) == (7, (10, 0))


async def test_the_same_entry_posted_by_many_at_once_moves_money_once(ledger: Pool) -> None:
    posted: list[int | None] = []

    async def post() -> None:
        async with unit_of_work(ledger) as uow:
            posted.append(await post_entry(uow.conn, gift(100_00), NOON))

    async with trio.open_nursery() as at_once:
        for _ in range(8):
            at_once.start_soon(post)
    assert (len([id for id in posted if id is not None]), await money(ledger)) == (1, (100, 0))


TAMPERINGS = {
    "entries that do not sum to zero": "UPDATE evpower.ledger_postings SET amount_tyiyn = amount_tyiyn + 1 "
    "WHERE account = 'held' AND amount_tyiyn > 0",
    "entries without both sides": "DELETE FROM evpower.ledger_postings WHERE account = 'adjustment'",
    "clients whose balance is not the sum of their postings": "UPDATE clients SET balance = balance + 1",
    "clients whose debt is not the sum of their receivables": "UPDATE clients SET debt_amount = debt_amount + 1",
    "clients whose debt is not what their sessions left unpaid": "UPDATE charging_sessions SET debt_amount = 1 "
    "WHERE settled_at IS NOT NULL",
    "clients whose statement does not chain": "UPDATE payment_transactions "
    "SET balance_before = balance_before + 1, balance_after = balance_after + 1 WHERE type = 'charge_refund'",
    "statement lines that are no postings": "INSERT INTO payment_transactions "
    "(client_id, type, amount, balance_before, balance_after) SELECT id, 'balance_topup', 5, balance, balance + 5 "
    "FROM clients",
    "sessions whose hold is not what their phase says": "UPDATE charging_sessions "
    "SET reserved_amount = reserved_amount + 1 WHERE settled_at IS NULL",
    "charges whose last receipt is not their bill": "UPDATE evpower.receipts SET amount_tyiyn = amount_tyiyn + 1",
    "years whose receipts have a gap": "UPDATE evpower.receipts SET serial = serial + 1",
    "settled sessions whose revenue is not their amount": "UPDATE charging_sessions SET amount = amount + 1 "
    "WHERE settled_at IS NOT NULL",
}


@pytest.fixture
async def busy(pool: Pool) -> AsyncIterator[World]:
    """A world with a settled and a running session."""
    async with open_world(pool) as world:
        await world.give(500_00)
        settled = await world.order(energy_wh=20_000)
        await world.charge(settled.session.session_id, 15_000)
        await world.say("Available")
        await world.order(amount_tyiyn=100_00)
        yield world


@pytest.mark.parametrize("problem", TAMPERINGS)
async def test_the_check_finds_what_was_tampered_with(busy: World, problem: str) -> None:
    """As superuser with every trigger off, which is what it takes; undone before the world checks itself."""
    async with by_hand(busy.pool) as conn:
        assert (await check_ledger(conn)).ok
        await conn.execute("BEGIN")
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(TAMPERINGS[problem].encode())
        found = await check_ledger(conn)
        await conn.execute("ROLLBACK")
    assert not found.ok
    assert found.problems[problem]


async def test_a_statement_shifted_as_a_whole_is_found(busy: World) -> None:
    async with by_hand(busy.pool) as conn:
        await conn.execute("BEGIN")
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(
            "UPDATE payment_transactions SET balance_before = balance_before + 1, balance_after = balance_after + 1"
        )
        found = await check_ledger(conn)
        await conn.execute("ROLLBACK")
    assert found.problems["clients whose statement does not chain"]
