"""Beside years of charges a charge reads its own rows: no statement of it looks through a table of the past.

Every statement that a charge sends is noted, and planned again where the past is long.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest

from evpower.charging.rows.due_sessions import ENDED_BEFORE_START
from evpower.charging.rows.sessions import CHARGING_WITH_TAG
from evpower.db.connection import TrioConnection
from evpower.db.driver.statement import TrioCursor
from evpower.db.pool import Pool, open_pool
from evpower.identifiers import IdTag
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, ONE, STATION, World, impatient, open_world

#: What grows with every charge, and what people are.
OF_THE_PAST = (
    *("charging_sessions", "session_phases", "ocpp_transactions", "receipts", "session_curves", "clients"),
    *("ledger_entries", "ledger_postings", "payment_transactions", "start_attempts", "plug_ins"),
)
PAST = """
SET session_replication_role = replica;
CREATE TEMPORARY TABLE old AS
SELECT n, 'old-' || n AS id, 'past-' || n % 500 AS client_id, 'P' || n % 300 AS station_id, n % 20 = 0 AS released,
       now() - interval '1 year' + n * interval '5 minutes' AS at
FROM generate_series(0, 9999) n;
INSERT INTO public.clients (id) SELECT DISTINCT client_id FROM old;
INSERT INTO public.charging_sessions (id, user_id, station_id, connector_id, start_time, stop_time, status, energy,
                                      amount, settled_at, id_tag, created_at)
SELECT id, client_id, station_id, 1, at, at, 'stopped', 1, 13.5, at, 'TAG' || n % 500, at FROM old;
INSERT INTO evpower.session_phases (session_id, phase, phase_at)
SELECT id, CASE WHEN released THEN 'released' ELSE 'settled' END, at FROM old;
INSERT INTO evpower.ocpp_transactions (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh,
    meter_last_wh, meter_stop_wh, started_at, stopped_at, received_at, stop_received_at, status, charging_session_id)
SELECT station_id, id, 1, 'TAG' || n % 500, 'Accepted', n, n, n, at, at, at, at, 'Stopped', id
FROM old WHERE NOT released;
INSERT INTO evpower.ledger_entries (kind, key, session_id, actor, created_at) SELECT 'settle', id, id, 't', at FROM old;
INSERT INTO evpower.ledger_postings (entry_id, account, client_id, amount_tyiyn, statement_type)
SELECT e.id, 'client', o.client_id, -1350, 'charge' FROM evpower.ledger_entries e JOIN old o ON o.id = e.session_id;
INSERT INTO public.payment_transactions (client_id, type, amount, balance_before, balance_after, charging_session_id,
                                         created_at) SELECT client_id, 'charge_refund', 1, 0, 1, id, at FROM old;
INSERT INTO evpower.receipts (year, serial, session_id, revision, issued_at, energy_wh, minutes, amount_tyiyn)
SELECT 2025, 100000 + n, id, 1, at, 1000, 30, 1350 FROM old;
INSERT INTO evpower.session_curves (session_id, points, rising_s, max_power_w, drawn_at)
SELECT id, '[]', 0, 0, at FROM old;
INSERT INTO evpower.start_attempts (attempted_at, client_id, station_id, connector_id, door, answer, session_id)
SELECT at, client_id, station_id, 1, 'card', 'accepted', id FROM old;
INSERT INTO evpower.plug_ins (station_id, connector_id, plugged_at, left_at) SELECT station_id, 1, at, at FROM old;
SET session_replication_role = origin;
ANALYZE
"""
PLANNED = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
CARD = IdTag("CARD")
ISSUED = (
    "INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at) VALUES (%s, 'Accepted', %s, now())"
)


class Noted:
    """Each statement that was sent, once, with the values of its first time."""

    def __init__(self) -> None:
        self.statements: dict[str, Any] = {}

    def note(self, query: Any, params: Any) -> None:
        if isinstance(query, str) and PLANNED.match(query):
            self.statements.setdefault(query, params)

    def connection(self) -> type[TrioConnection]:
        """Of connections that note what they send."""
        note = self.note

        class Cursor(TrioCursor):
            async def execute(self, query: Any, params: Any = None, **how: Any) -> Self:
                note(query, params)
                return await super().execute(query, params, **how)

        class Connection(TrioConnection):
            def __init__(self, *arguments: Any, **how: Any) -> None:
                super().__init__(*arguments, **how)
                self.cursor_factory = Cursor

            async def later(self, query: str, params: dict[str, Any]) -> None:
                note(query, params)
                await super().later(query, params)

        return Connection


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
async def noting_pool(database_url: str, noted: Noted) -> AsyncIterator[Pool]:
    async with open_pool(database_url, size=8, connect=noted.connection().open) as pool:
        yield pool


async def by_phone(world: World) -> None:
    started = await world.order()
    await world.charge(started.session.session_id, 2000)
    await world.session(started.session.session_id)


async def by_card(world: World) -> None:
    await world.sql(ISSUED, CARD, CLIENT)
    await world.say("Preparing")
    begun = await world.begin(CARD)
    assert begun.verdict.status == "Accepted"
    await world.say("Charging")
    world.clock.advance(600)
    await world.meter(begun.wire_transaction_id, 2000)
    await world.end(begun.wire_transaction_id, 2500)
    await world.say("Available")
    await world.app.settler.work_due()


async def a_return(world: World) -> None:
    await world.order()
    await world.boot()
    await world.app.commands.take_up(STATION)


async def sweeps(world: World) -> None:
    """What workers look for every few seconds."""
    app = world.app
    await app.settler.work_due()
    await app.recovery.check()
    await app.register_watch.check()
    await app.reservations.worker.work_due()
    await app.idle_fees.look()
    await app.payments.poller.work_due()
    await app.payments.refunds.work_due()


CHARGES = {"by phone": by_phone, "by card": by_card, "a station's return": a_return, "sweeps": sweeps}


@pytest.mark.parametrize("what", CHARGES)
async def test_nothing_of_it_looks_through_the_past(noting_pool: Pool, noted: Noted, what: str) -> None:
    async with open_world(noting_pool, impatient()) as world:
        await world.give(1_000_00)
        noted.statements.clear()
        await CHARGES[what](world)
        await world.at_rest()
        statements = dict(noted.statements)
    assert len(statements) > 10
    async with by_hand(noting_pool) as conn:
        for statement in PAST.split(";\n"):
            await conn.execute(statement)
        plans = {query: await plan_of(conn, query, params) for query, params in statements.items()}
    assert {query: plan for query, plan in plans.items() if seeks(plan)} == {}


@pytest.mark.parametrize("query", [ENDED_BEFORE_START, CHARGING_WITH_TAG], ids=["to wait for", "its card's"])
async def test_a_start_looks_for_others_among_what_is_not_settled(pool: Pool, query: str) -> None:
    """The index of phases has a dead entry for each charge since its last vacuum: 28 ms a start were seen."""
    wanted = {"client_id": CLIENT, "station_id": STATION, "connector_id": ONE, "id_tag": CARD}
    async with by_hand(pool) as conn:
        for statement in PAST.split(";\n"):
            await conn.execute(statement)
        plan = await plan_of(conn, query, wanted)
    assert "session_phases_open" not in plan, plan


async def plan_of(conn: TrioConnection, query: str, params: Any) -> str:
    cursor = await conn.execute("EXPLAIN " + query, params)
    return "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())


def seeks(plan: str) -> bool:
    """Whether a table of the past is read from end to end."""
    return any(re.search(rf"Seq Scan on {table}\b", plan) for table in OF_THE_PAST)
