"""Two ids of one person become one (contract/roadmap/identity §2): what moves, what stays, what is refused."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import psycopg
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from evpower.accounts.aliases import Aliases
from evpower.accounts.rows.merges import MOVE, ClientMerge
from evpower.billing.errors import ClientBlocked, ClientDeleted
from evpower.billing.ledger import adjustment_entry
from evpower.billing.rows.clients import lock_client
from evpower.billing.rows.ledger import check_ledger, post_entry
from evpower.db.listening import Listening
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import (
    AlreadyExists,
    ClientNotFound,
    EvPowerError,
    InvalidRequest,
    PaymentPending,
    SessionAlreadyActive,
)
from evpower.identifiers import ClientId, ConnectorId
from evpower.push.recipient import Recipient
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, ONE, TWO, World
from tests.worlds.push import phone

#: Sorts before and after CLIENT: locks are taken in the order of ids, whichever way the merge goes.
AFTER, BEFORE = ClientId("zz-other"), ClientId("aa-other")
WHY = "один человек"
ANN = "operator ann"


#: Tables whose client's id is left as it was, and why.
STAYS = {
    "evpower.account_deletions": "a client whose end was asked for is not merged",
    "evpower.displaced_phones": "a phone that was never to be read",
    "evpower.ledger_postings": "never changed",
    "evpower.payment_audit_log": "never changed",
    "evpower.unverified_phones": "goes with the phone, which a merge gives by itself",
    "evpower.staff_elevations": "staff's",
    "evpower.sign_in_links": "staff's",
    "evpower.staff_locations": "staff's",
    "evpower.staff_money": "staff's",
    "evpower.staff_totp": "staff's",
    "public.locations": "staff's",
    "public.payment_transactions": "never changed",
    "public.stations": "staff's",
}


async def merge(world: World, old: ClientId = CLIENT, into: ClientId = AFTER) -> ClientMerge:
    return await world.app.merging.merge(old, into, WHY, ANN)


async def row(world: World, client: ClientId) -> dict[str, Any]:
    return (await world.sql("SELECT * FROM clients WHERE id = %s", client))[0]


async def money(world: World, client: ClientId) -> tuple[int, int]:
    now = await row(world, client)
    return int(now["balance"] * 100), int(now["debt_amount"] * 100)


async def owe(world: World, client: ClientId, debt_wh: int = 1_000, connector: ConnectorId = ONE) -> None:
    """A debt of 13.50 som for each kWh of it, and nothing left: a charge that delivered more than was held."""
    await world.give(13_50, client, key="to be spent")
    session_id = (await world.order(energy_wh=1_000, client=client, connector=connector)).session.session_id
    await world.charge(session_id, 1_000 + debt_wh, connector=connector)


@pytest.mark.parametrize("into", [AFTER, BEFORE])
async def test_the_old_ids_money_is_the_other_ones(world: World, into: ClientId) -> None:
    await world.give(100_00)
    await world.give(23_45, into)
    merged = await merge(world, CLIENT, into)
    assert (await money(world, CLIENT), await money(world, into)) == ((0, 0), (123_45, 0))
    assert (merged.balance_tyiyn, merged.debt_tyiyn, merged.actor, merged.reason) == (100_00, 0, ANN, WHY)


async def test_money_moves_by_one_balanced_entry_and_both_statements_say_why(world: World) -> None:
    await world.give(100_00)
    await world.give(23_45, AFTER)
    await merge(world)
    entries = await world.sql(
        "SELECT e.key, e.actor, p.account, p.client_id, p.amount_tyiyn FROM evpower.ledger_entries e "
        "JOIN evpower.ledger_postings p ON p.entry_id = e.id WHERE e.kind = 'client_merge' ORDER BY p.id"
    )
    shown = {"key": f"client_merge:{CLIENT}", "actor": ANN, "account": "client"}
    assert entries == [
        {**shown, "client_id": CLIENT, "amount_tyiyn": -100_00},
        {**shown, "client_id": AFTER, "amount_tyiyn": 100_00},
    ]
    lines = await world.sql(
        "SELECT client_id, balance_before::float, balance_after::float, description FROM payment_transactions "
        "WHERE description LIKE 'Объединение%' ORDER BY id"
    )
    assert [tuple(line.values())[:3] for line in lines] == [(CLIENT, 100, 0), (AFTER, 23.45, 123.45)]
    assert {line["description"] for line in lines} == {f"Объединение аккаунтов: {WHY}"}


async def test_clients_without_money_are_merged_too(world: World) -> None:
    await world.give(1_00)
    await world.app.billing.balance(AFTER)
    await merge(world, AFTER, CLIENT)
    assert await world.sql("SELECT id FROM evpower.ledger_entries WHERE kind = 'client_merge'") == []
    assert await world.sql("SELECT old_id, into_id, actor, reason FROM evpower.client_merges") == [
        {"old_id": AFTER, "into_id": CLIENT, "actor": ANN, "reason": WHY}
    ]


@pytest.mark.parametrize(
    ("old", "into", "left"),
    [
        ("debt", "nothing", (0, 13_50)),
        ("debt", "debt", (0, 27_00)),
        ("debt", "little", (0, 3_50)),
        ("debt", "much", (86_50, 0)),
        ("little", "debt", (0, 3_50)),
        ("much", "debt", (86_50, 0)),
        ("nothing", "debt", (0, 13_50)),
    ],
)
async def test_a_debt_moves_and_is_paid_by_the_money_it_meets(
    world: World, old: str, into: str, left: tuple[int, int]
) -> None:
    """`little` is 10 som, `much` 100, a debt 13.50; what a debt was for stays with the charge that left it."""
    given = {"nothing": 0, "little": 10_00, "much": 100_00}
    for client, what, connector in ((CLIENT, old, ONE), (AFTER, into, TWO)):
        await world.app.billing.balance(client)
        if what == "debt":
            await owe(world, client, connector=connector)
        elif given[what]:
            await world.give(given[what], client)
    await merge(world)
    assert (await money(world, CLIENT), await money(world, AFTER)) == ((0, 0), left)
    (owed,) = await world.sql("SELECT coalesce(sum(debt_amount), 0)::float AS debt FROM charging_sessions")
    assert owed == {"debt": left[1] / 100}


async def test_charges_top_ups_cards_agreements_and_favorites_are_the_other_ones(world: World) -> None:
    await world.give(500_00)
    await world.app.billing.balance(AFTER)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.charge(session_id, 1_000)
    for statement in (
        "INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, payment_provider, status) "
        "VALUES ('i', 'o', 'client-1', 1, 'OBANK', 'canceled')",
        "INSERT INTO evpower.ocpp_authorization (id_tag, client_id, created_at) VALUES ('CARD', 'client-1', now())",
        "INSERT INTO client_tariffs (id, client_id) VALUES ('a', 'client-1')",
        "INSERT INTO locations (id, name, address) VALUES ('EVP-LOC-002', 'B', 'B')",
        "INSERT INTO user_favorites (user_id, location_id) VALUES ('client-1', 'EVP-LOC-001'), "
        "('client-1', 'EVP-LOC-002'), ('zz-other', 'EVP-LOC-001')",
        "INSERT INTO evpower.client_profiles (client_id, birthday, updated_at) "
        "VALUES ('client-1', '1987-06-05', now())",
        "INSERT INTO evpower.favorite_watches (client_id, location_id, created_at, until) VALUES "
        "('client-1', 'EVP-LOC-001', now(), now()), ('client-1', 'EVP-LOC-002', now(), now()), "
        "('zz-other', 'EVP-LOC-001', now(), now())",
        "INSERT INTO evpower.idempotency_keys (client_id, key, method, path, body_hash, created_at) VALUES "
        "('client-1', 'k1', 'POST', '/', 'h', now()), ('client-1', 'k2', 'POST', '/', 'h', now()), "
        "('zz-other', 'k2', 'POST', '/', 'h', now())",
    ):
        await world.sql(statement)
    await merge(world)
    for table, column in (
        ("charging_sessions", "user_id"),
        ("balance_topups", "client_id"),
        ("evpower.ocpp_authorization", "client_id"),
        ("client_tariffs", "client_id"),
        ("user_favorites", "user_id"),
        ("evpower.client_profiles", "client_id"),
        ("evpower.favorite_watches", "client_id"),
        ("evpower.start_attempts", "client_id"),
    ):
        assert {each[column] for each in await world.sql(f"SELECT {column} FROM {table}")} == {AFTER}, table
    favorites = await world.sql("SELECT location_id FROM user_favorites ORDER BY location_id")
    assert [each["location_id"] for each in favorites] == ["EVP-LOC-001", "EVP-LOC-002"]
    keys = await world.sql("SELECT client_id, key FROM evpower.idempotency_keys ORDER BY client_id, key")
    assert [tuple(each.values()) for each in keys] == [(CLIENT, "k2"), (AFTER, "k1"), (AFTER, "k2")]


async def test_a_person_has_the_name_phone_and_mail_it_had_and_those_it_lacked(world: World) -> None:
    await world.give(1_00)
    await world.give(1_00, AFTER)
    person = "UPDATE clients SET name = %s, phone = %s, email = %s WHERE id = %s"
    await world.sql(person, "Old", "+996555000001", "old@example.com", CLIENT)
    await world.sql(person, "New", None, None, AFTER)
    await merge(world)
    old, new = await row(world, CLIENT), await row(world, AFTER)
    assert (new["name"], new["phone"], new["email"]) == ("New", "+996555000001", "old@example.com")
    assert (old["name"], old["phone"], old["email"], old["status"], old["merged_into"]) == (
        None,
        None,
        None,
        "active",
        AFTER,
    )


async def test_a_repeat_changes_nothing_and_returns_the_merge_there_was(world: World) -> None:
    await world.give(100_00)
    await world.give(1_00, AFTER)
    first = await merge(world)
    world.clock.advance(60)
    assert await world.app.merging.merge(CLIENT, AFTER, "another reason", "operator bob") == first
    assert await money(world, AFTER) == (101_00, 0)


async def test_an_alias_is_not_merged_into_a_third_one(world: World) -> None:
    for client in (CLIENT, AFTER, BEFORE):
        await world.give(1_00, client)
    await merge(world)
    with pytest.raises(AlreadyExists, match=AFTER):
        await merge(world, CLIENT, BEFORE)


async def test_an_alias_leads_to_the_last_one_in_one_step(world: World) -> None:
    for client in (CLIENT, AFTER, BEFORE):
        await world.give(1_00, client)
    await merge(world, CLIENT, AFTER)
    await merge(world, AFTER, BEFORE)
    assert (await row(world, CLIENT))["merged_into"] == BEFORE
    assert [world.app.aliases.resolve(each) for each in (CLIENT, AFTER, BEFORE)] == [BEFORE] * 3
    assert (await merge(world, CLIENT, AFTER)).old_id == CLIENT  # a repeat, whatever the other one became


async def test_into_an_alias_is_into_whose_alias_it_is(world: World) -> None:
    for client in (CLIENT, AFTER, BEFORE):
        await world.give(1_00, client)
    await merge(world, CLIENT, AFTER)
    assert (await merge(world, BEFORE, CLIENT)).into_id == AFTER
    assert await money(world, AFTER) == (3_00, 0)


async def test_a_client_is_not_merged_into_itself(world: World) -> None:
    await world.give(1_00)
    await world.give(1_00, AFTER)
    with pytest.raises(InvalidRequest):
        await merge(world, CLIENT, CLIENT)
    await merge(world, CLIENT, AFTER)
    with pytest.raises(InvalidRequest):
        await merge(world, AFTER, CLIENT)


@pytest.mark.parametrize(("old", "into"), [(CLIENT, "unknown"), ("unknown", CLIENT), ("unknown", "unknown")])
async def test_unknown_clients_are_not_merged(world: World, old: str, into: str) -> None:
    await world.give(1_00)
    with pytest.raises((ClientNotFound, InvalidRequest)):
        await merge(world, ClientId(old), ClientId(into))
    assert await world.sql("SELECT id FROM clients WHERE id = 'unknown'") == []


@pytest.mark.parametrize("which", [CLIENT, AFTER])
@pytest.mark.parametrize(("status", "error"), [("blocked", ClientBlocked), ("inactive", ClientDeleted)])
async def test_a_blocked_or_deleted_client_is_not_merged(
    world: World, which: ClientId, status: str, error: type[EvPowerError]
) -> None:
    """A block would be gone with its id."""
    await world.give(1_00)
    await world.give(1_00, AFTER)
    await world.sql("UPDATE clients SET status = %s WHERE id = %s", status, which)
    with pytest.raises(error):
        await merge(world)
    assert await money(world, CLIENT) == (1_00, 0)


@pytest.mark.parametrize("which", [CLIENT, AFTER])
async def test_while_either_charges_nothing_is_merged(world: World, which: ClientId) -> None:
    await world.give(500_00)
    await world.give(500_00, AFTER)
    session_id = (await world.order(energy_wh=1_000, client=which)).session.session_id
    with pytest.raises(SessionAlreadyActive):
        await merge(world)
    await world.charge(session_id, 1_000)
    await merge(world)


TOP_UP = (
    "INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, payment_provider) "
    "VALUES ('i', 'o', %s, 1, 'OBANK')"
)
ORDER = (
    "INSERT INTO evpower.top_up_orders (topup_id, number, method, phase, phase_at, amount_tyiyn) "
    "SELECT id, 1, 'qr', %s, now(), 100 FROM balance_topups"
)


@pytest.mark.parametrize("which", [CLIENT, AFTER])
@pytest.mark.parametrize("phase", ["created", "processing"])
async def test_while_a_top_up_of_either_is_pending_nothing_is_merged(world: World, which: ClientId, phase: str) -> None:
    await world.give(1_00)
    await world.give(1_00, AFTER)
    await world.sql(TOP_UP, which)
    await world.sql(ORDER, phase)
    with pytest.raises(PaymentPending):
        await merge(world)
    await world.sql("UPDATE evpower.top_up_orders SET phase = 'canceled'")
    await merge(world)


async def test_while_a_refund_is_open_nothing_is_merged(world: World) -> None:
    await world.give(1_00)
    await world.give(1_00, AFTER)
    await world.sql(TOP_UP, CLIENT)
    await world.sql(ORDER, "canceled")
    await world.sql(
        "INSERT INTO evpower.top_up_refunds (topup_id, trans_id, amount_tyiyn, before_tyiyn, state, asked_by, reason, "
        "created_at) SELECT id, 't', 1, 0, 'open', 'ann', 'r', now() FROM balance_topups"
    )
    with pytest.raises(PaymentPending):
        await merge(world)
    await world.sql("UPDATE evpower.top_up_refunds SET state = 'completed'")
    await merge(world)


async def test_a_merge_that_dies_leaves_both_as_they_were(world: World) -> None:
    """The last statement fails: nothing before it is there."""
    await owe(world, CLIENT)
    await world.give(100_00, AFTER)
    people = await row(world, CLIENT), await row(world, AFTER)
    await world.sql("ALTER TABLE evpower.client_merges ADD CONSTRAINT no CHECK (false)")
    with pytest.raises(psycopg.errors.CheckViolation):
        await merge(world)
    assert (await row(world, CLIENT), await row(world, AFTER)) == people
    assert {each["user_id"] for each in await world.sql("SELECT user_id FROM charging_sessions")} == {CLIENT}


async def test_who_waited_for_the_old_ids_lock_gets_the_survivor(world: World) -> None:
    await world.give(100_00)
    await world.give(1_00, AFTER)
    found = []

    async def waits() -> None:
        async with unit_of_work(world.pool) as uow:
            found.append(await lock_client(uow.conn, CLIENT))

    async with trio.open_nursery() as nursery, unit_of_work(world.pool) as uow:
        await lock_client(uow.conn, CLIENT)
        for job in (partial(merge, world), waits):  # PostgreSQL grants a row's lock in the order of asking
            nursery.start_soon(job)
            await wait_all_tasks_blocked(0.2)
    assert [(each.id, each.balance_tyiyn) for each in found] == [(AFTER, 101_00)]


@pytest.mark.parametrize(
    ("old", "survivor", "expected"),
    [
        (("+996555000001", False), (None, True), ("+996555000001", False)),
        (("+996555000001", True), (None, True), ("+996555000001", True)),
        (("+996555000001", False), ("+996555000002", True), ("+996555000002", True)),
        (("+996555000001", True), ("+996555000002", True), ("+996555000002", True)),
        (("+996555000001", True), ("+996555000002", False), ("+996555000001", True)),
        (("+996555000001", False), ("+996555000002", False), ("+996555000002", False)),
        ((None, True), ("+996555000002", False), ("+996555000002", False)),
    ],
)
async def test_a_merge_vouches_for_no_number_and_a_verified_one_prevails(
    world: World, old: tuple[str | None, bool], survivor: tuple[str | None, bool], expected: tuple[str, bool]
) -> None:
    await world.give(1_00)
    await world.sql("INSERT INTO clients (id) VALUES (%s)", AFTER)
    for client, (number, verified) in ((CLIENT, old), (AFTER, survivor)):
        await world.sql("UPDATE clients SET phone = %s WHERE id = %s", number, client)
        if not verified:
            await world.sql("INSERT INTO evpower.unverified_phones VALUES (%s)", client)
    await merge(world)
    unverified = [each["client_id"] for each in await world.sql("SELECT client_id FROM evpower.unverified_phones")]
    assert ((await row(world, AFTER))["phone"], AFTER not in unverified) == expected
    assert CLIENT not in unverified


async def test_a_phone_that_is_signed_in_with_the_old_id_stays_so_as_the_survivor(world: World) -> None:
    await world.give(1_00)
    await world.give(1_00, AFTER)
    signed_in = "INSERT INTO evpower.sign_ins (id, person_id, kind, signed_in_at) VALUES ('s', %s, %s, now())"
    await world.sql(signed_in, CLIENT, "client")
    await merge(world)
    assert await world.sql("SELECT person_id, ended_at FROM evpower.sign_ins") == [
        {"person_id": AFTER, "ended_at": None}
    ]


async def test_the_end_of_an_alias_is_the_end_of_the_survivor(world: World) -> None:
    """Where a process has not heard of the merge yet."""
    await world.give(1_00)
    await world.give(1_00, AFTER)
    await merge(world)
    assert (await world.app.accounts.request_deletion(CLIENT, "test")).client_id == AFTER
    assert ((await row(world, CLIENT))["status"], (await row(world, AFTER))["status"]) == ("active", "inactive")


async def test_a_start_under_the_old_id_is_the_survivors(world: World) -> None:
    await world.give(500_00)
    await world.give(1_00, AFTER)
    await merge(world)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    assert await world.sql("SELECT id, user_id FROM charging_sessions") == [{"id": session_id, "user_id": AFTER}]


async def test_no_money_comes_to_an_alias(world: World) -> None:
    """Whatever read the id before the merge finds the door shut, and looks again."""
    await world.give(100_00)
    await world.give(1_00, AFTER)
    await merge(world)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="is merged into"):
        async with unit_of_work(world.pool) as uow:
            await post_entry(uow.conn, adjustment_entry(CLIENT, 5_00, "late", "late", "test"), world.clock.now())
    assert await money(world, CLIENT) == (0, 0)


async def _both(*jobs: Callable[[], Awaitable[object]]) -> list[object]:
    """What became of jobs that run at once: their results and refusals."""
    outcomes: list[object] = []

    async def one(job: Callable[[], Awaitable[object]]) -> None:
        try:
            outcomes.append(await job())
        except EvPowerError as error:
            outcomes.append(error)

    async with trio.open_nursery() as nursery:
        for job in jobs:
            nursery.start_soon(one, job)
    return outcomes


async def test_two_merges_in_opposite_directions_do_not_make_a_circle(world: World) -> None:
    await world.give(100_00)
    await world.give(1_00, AFTER)
    outcomes = await _both(lambda: merge(world, CLIENT, AFTER), lambda: merge(world, AFTER, CLIENT))
    assert sorted(type(each).__name__ for each in outcomes) == ["ClientMerge", "InvalidRequest"]
    assert sorted([(await money(world, CLIENT))[0], (await money(world, AFTER))[0]]) == [0, 101_00]


async def test_the_same_merge_ten_times_at_once_moves_once(world: World) -> None:
    await world.give(100_00)
    await world.give(1_00, AFTER)
    outcomes = await _both(*[lambda: merge(world)] * 10)
    assert {each.balance_tyiyn for each in outcomes if isinstance(each, ClientMerge)} == {100_00}
    assert len(outcomes) == 10
    assert await money(world, AFTER) == (101_00, 0)


async def test_a_start_and_a_merge_at_once_leave_no_charge_with_the_alias(world: World) -> None:
    """Either the charge is first and the merge is refused, or the merge is and the charge is refused or the other's."""
    await world.give(500_00)
    await world.give(1_00, AFTER)
    await _both(lambda: merge(world), lambda: world.order(energy_wh=1_000))
    merged = (await row(world, CLIENT))["merged_into"] is not None
    owners = {each["user_id"] for each in await world.sql("SELECT user_id FROM charging_sessions")}
    assert owners <= ({AFTER} if merged else {CLIENT})


async def test_a_correction_after_the_merge_is_the_other_ones(world: World) -> None:
    """An estimated bill was too high: what comes back comes to who has the charge now."""
    await world.give(500_00)
    await world.app.billing.balance(AFTER)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 9_000)
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="test")
    billed = (await money(world, CLIENT))[0]
    await merge(world)
    assert await money(world, AFTER) == (billed, 0)
    await world.end(begun.wire_transaction_id, 8_000)
    await world.app.settler.work_due()
    session = await world.session(session_id)
    assert session.energy_wh >= 7_000
    assert await money(world, CLIENT) == (0, 0)


async def test_a_merge_is_a_line_of_money_and_a_line_of_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await world.give(100_00)
    await world.give(1_00, AFTER)
    await merge(world)
    assert [line for line in caplog.messages if "merge" in line.lower()] == [
        f"💳 CLIENT_MERGE: client_id={CLIENT}, into={AFTER}, amount=100.00, debt=0.00, actor={ANN}",
        f"client merged: client_id={CLIENT}, into={AFTER}, by={ANN}",
    ]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE clients SET balance = 1 WHERE id = 'client-1'",
        "UPDATE clients SET debt_amount = 1 WHERE id = 'client-1'",
        "UPDATE charging_sessions SET user_id = 'client-1'",
        "UPDATE balance_topups SET client_id = 'client-1'",
        "UPDATE clients SET merged_into = 'client-1' WHERE id = 'zz-other'",
    ],
)
async def test_the_ledger_check_finds_what_is_left_of_an_alias(world: World, tampering: str) -> None:
    await world.give(500_00)
    await world.give(1_00, AFTER)
    await world.charge((await world.order(energy_wh=1_000)).session.session_id, 1_000)
    await world.sql(TOP_UP, CLIENT)
    await merge(world)
    async with by_hand(world.pool) as conn:
        assert (await check_ledger(conn)).ok
        await conn.execute("BEGIN")
        await conn.execute(tampering.encode())
        found = await check_ledger(conn)
        await conn.execute("ROLLBACK")
    assert found.problems["merged clients that something is left of"]


async def test_devices_and_what_is_wanted_of_messages_are_the_other_ones(world: World) -> None:
    """What the survivor chose prevails; staff of the same id is somebody else."""
    old, into, staff = Recipient("client", CLIENT), Recipient("client", AFTER), Recipient("owner", CLIENT)
    await world.give(1_00)
    await world.give(1_00, AFTER)
    devices = world.app.push.devices
    for recipient, name in ((old, "1"), (into, "2"), (staff, "3")):
        await devices.register(recipient, phone(name))
        await devices.choose(recipient, {"promotions": recipient == into})
    await merge(world)
    rows = await world.sql("SELECT owner_type, owner_id FROM evpower.push_targets ORDER BY address")
    assert [(row["owner_type"], row["owner_id"]) for row in rows] == [
        ("client", AFTER),
        ("client", AFTER),
        ("owner", CLIENT),
    ]
    assert [(await devices.preferences(recipient)).promotions for recipient in (into, staff)] == [True, False]
    assert len(await world.sql("SELECT 1 FROM evpower.push_preferences")) == 2


async def test_every_column_that_names_a_client_moves_or_stays_for_a_reason(world: World) -> None:
    """A new one fails here until somebody decides."""
    columns = await world.sql(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.columns "
        "JOIN information_schema.tables USING (table_schema, table_name) WHERE table_type = 'BASE TABLE' "
        "AND table_schema IN ('public', 'evpower') AND column_name IN ('client_id', 'user_id', 'owner_id')"
    )
    moved = " ".join(MOVE.values())
    left = {each["name"] for each in columns if each["name"] not in moved}
    assert left == set(STAYS)


async def test_other_processes_learn_of_a_merge(world: World) -> None:
    """By NOTIFY, whoever made it; and what was missed, at the next reading."""
    aliases = Aliases(world.pool)
    async with trio.open_nursery() as workers:
        await workers.start(aliases.run)
        await world.give(1_00)
        await world.give(1_00, AFTER)
        await merge(world)
        assert aliases.resolve(CLIENT) == CLIENT
        aliases.changed()
        await world.at_rest()
        assert aliases.resolve(CLIENT) == AFTER
        workers.cancel_scope.cancel()


async def test_a_merge_is_notified_to_every_process(world: World) -> None:
    heard = trio.Event()

    def hear(notification: str) -> None:
        if notification.endswith(f" merged {CLIENT}"):
            heard.set()

    listening = Listening(world.pool, hear, lambda: None)
    await world.give(1_00)
    await world.give(1_00, AFTER)
    async with trio.open_nursery() as workers:
        await workers.start(listening.run)
        await merge(world)
        with trio.fail_after(5):
            await heard.wait()
        workers.cancel_scope.cancel()


async def test_a_balance_corrected_by_the_old_id_is_the_survivors(world: World) -> None:
    await world.give(1_00)
    await world.sql("INSERT INTO clients (id) VALUES (%s)", AFTER)
    await merge(world)
    async with unit_of_work(world.pool) as uow:
        done = await world.app.billing.adjust_by_hand(uow, CLIENT, 50, "key", reason="by hand", actor="admin")
    assert (done.client_id, done.new_balance_tyiyn) == (AFTER, 1_50)
    assert (await world.app.billing.balance(AFTER)).balance_tyiyn == 1_50
