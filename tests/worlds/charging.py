"""The whole application over a real PostgreSQL, a set clock and a fake charger; and short words to drive it with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from evpower.billing.ledger import adjustment_entry
from evpower.billing.rows.clients import ensure_client
from evpower.billing.rows.ledger import check_ledger, post_entry
from evpower.charging.session import SessionView, StartedSession, StartOrder
from evpower.charging.transaction import BegunTransaction, TransactionStart, TransactionStop
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId, WireTransactionId
from evpower.metering.meter_value import MeterReport, Sample
from evpower.network.station import Boot
from evpower.network.status import StatusReport
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.server.app import App, build_app
from evpower.server.operator import Operator
from evpower.settings.config import Config
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import CountingIds, FakeLink, SetClock

STATION = StationId("EVP-001-01")
CLIENT = ClientId("client-1")
ONE, TWO = ConnectorId(1), ConnectorId(2)

NETWORK = """
INSERT INTO locations (id, name, address, city)
VALUES ('EVP-LOC-001', 'ТЦ Дордой Плаза', 'ул. Московская, 123', 'Бишкек');
INSERT INTO stations (id, serial_number, model, manufacturer, location_id, power_capacity, connector_types,
                      connectors_count, is_available, last_heartbeat_at)
VALUES ('EVP-001-01', 'EVPCS-001', 'ChargePoint Express 250', 'ChargePoint', 'EVP-LOC-001', 22, '{GBT,GBT}', 3, true,
        '2026-11-23 06:00:00+00');
INSERT INTO connectors (id, station_id, connector_number, connector_type, power_kw, status, ocpp_status)
VALUES ('EVP-001-01-1', 'EVP-001-01', 1, 'GBT', 22, 'available', 'Available'),
       ('EVP-001-01-2', 'EVP-001-01', 2, 'GBT', 22, 'available', 'Available');
"""


class World:
    """One client's and one charger's view of the application."""

    def __init__(self, app: App, pool: Pool, clock: SetClock, link: FakeLink) -> None:
        self.app = app
        self.pool = pool
        self.clock = clock
        self.link = link

    async def sql(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of a query, or nothing."""
        async with by_hand(self.pool) as conn:
            cursor = await conn.execute(query, parameters or None)
            return await cursor.fetchall() if cursor.description else []

    async def give(self, amount_tyiyn: int, client: ClientId = CLIENT, key: str = "gift") -> None:
        """Credit a client, who is created when new."""
        now = self.clock.now()
        async with unit_of_work(self.pool) as uow:
            await ensure_client(uow.conn, client, now)
            entry = adjustment_entry(client, amount_tyiyn, f"{key}:{client}", "test", "test")
            await post_entry(uow.conn, entry, now)

    async def rate(self, power_kw: float | None) -> None:
        """The power of the connectors; charges are judged by what it was when they began."""
        await self.sql("UPDATE connectors SET power_kw = %s", power_kw)

    async def order(
        self,
        *,
        energy_wh: int | None = None,
        amount_tyiyn: int | None = None,
        client: ClientId = CLIENT,
        connector: ConnectorId = ONE,
        station: StationId = STATION,
    ) -> StartedSession:
        """A phone asks for a charge."""
        return await self.app.charging.start_session(StartOrder(client, station, connector, energy_wh, amount_tyiyn))

    async def tag_of(self, session_id: SessionId) -> IdTag:
        """The tag the charger was told for a session."""
        return IdTag((await self.sql("SELECT id_tag FROM charging_sessions WHERE id = %s", session_id))[0]["id_tag"])

    async def begin(
        self, tag: IdTag, *, connector: ConnectorId = ONE, meter_wh: int = 1000, station: StationId = STATION
    ) -> BegunTransaction:
        """The charger reports StartTransaction."""
        start = TransactionStart(connector, tag, meter_wh, self.clock.now(), b"{}")
        return await self.app.reports.begin_transaction(station, start)

    async def meter(
        self,
        transaction_id: WireTransactionId | None,
        register_wh: int,
        *,
        power_w: float | None = None,
        connector: ConnectorId = ONE,
    ) -> None:
        """The charger reports MeterValues."""
        sample = Sample(self.clock.now(), register_wh, power_w)
        await self.app.reports.record_meter_values(STATION, MeterReport(connector, transaction_id, (sample,), b"[]"))

    async def end(self, transaction_id: WireTransactionId, register_wh: int | None, reason: str = "Local") -> None:
        """The charger reports StopTransaction."""
        stop = TransactionStop(
            transaction_id, register_wh, self.clock.now(), reason, None, (), b"{}", "StopTransaction"
        )
        await self.app.reports.end_transaction(STATION, stop)

    async def boot(self) -> None:
        """The charger reports BootNotification."""
        await self.app.reports.boot(STATION, Boot("ChargePoint", "Express250", "1.2.3"))

    async def say(self, status: str, *, connector: ConnectorId = ONE, error: str = "NoError") -> None:
        """The charger reports StatusNotification."""
        await self.app.reports.connector_status(STATION, StatusReport(connector, status, error, self.clock.now()))

    async def charge(self, session_id: SessionId, energy_wh: int, *, connector: ConnectorId = ONE) -> None:
        """A whole charge at 22 kW, settled at its end."""
        begun = await self.begin(await self.tag_of(session_id), connector=connector)
        self.clock.advance(energy_wh * 3600 / 22_000)
        await self.meter(begun.wire_transaction_id, 1000 + energy_wh, connector=connector)
        await self.end(begun.wire_transaction_id, 1000 + energy_wh)
        await self.app.settler.work_due()

    async def estimate(self, session_id: SessionId, energy_wh: int) -> WireTransactionId:
        """An hour of it until its last reading, by which a stop without the station's own bills it."""
        wire_id = (await self.begin(await self.tag_of(session_id))).wire_transaction_id
        self.clock.advance(3600)
        await self.meter(wire_id, 1_000 + energy_wh)
        await self.app.charging.stop_session(session_id, caller=None, actor="test")
        return wire_id

    async def session(self, session_id: SessionId) -> SessionView:
        """The session as the phone sees it."""
        return await self.app.charging.session(session_id)

    async def balance(self, client: ClientId = CLIENT) -> int:
        """The client's free money in tyiyn."""
        return (await self.app.billing.balance(client)).balance_tyiyn

    async def at_rest(self) -> None:
        """Return when all that was begun waits for a clock, or for a station: the database has answered everything."""
        await wait_all_tasks_blocked(0.02)
        while self.pool.usage.in_use:
            await wait_all_tasks_blocked(0.02)

    def operator(self) -> Operator:
        """What an operator sees."""
        app = self.app
        return Operator(self.pool, self.clock, self.link, app, 300, FailedLogins())

    async def statement(self, client: ClientId = CLIENT) -> list[tuple[str, float, float]]:
        """The client's statement after the gifts: (type, amount, balance after), in som."""
        rows = await self.sql(
            "SELECT type, amount, balance_after FROM payment_transactions "
            "WHERE client_id = %s AND type <> 'admin_adjustment' ORDER BY created_at, id",
            client,
        )
        return [(row["type"], float(row["amount"]), float(row["balance_after"])) for row in rows]


@asynccontextmanager
async def open_world(pool: Pool, config: Config | None = None) -> AsyncIterator[World]:
    """A world with the journal's writer and the look-ups running; leaving it checks the ledger (design §5)."""
    config = config or Config()
    clock, ids = SetClock(), CountingIds()
    link = FakeLink(clock)
    link.connected.add(STATION)
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
    async with trio.open_nursery() as workers:
        watch = ClockWatch(clock, clock.steady_s)
        app = build_app(config, pool, link, clock, ids, workers, watch=watch, room=lambda _path: (50, 100))
        await workers.start(app.journal.run)
        await workers.start(app.lookups.run)
        await workers.start(app.limits.run)
        if app.redis is not None:
            await workers.start(app.redis.run)
        yield World(app, pool, clock, link)
        workers.cancel_scope.cancel()
    async with by_hand(pool) as conn:
        checked = await check_ledger(conn)
    assert checked.ok, checked.problems


def impatient(config: Config | None = None) -> Config:
    """Settings under which nothing is waited for that the fake charger never sends by itself."""
    config = config or Config()
    return replace(config, charging=replace(config.charging, stop_wait_s=0.05, start_repeat_s=0.05))
