"""A station whose plan has prices for keeping a connector, and short words for what clients do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from evpower.db.pool import Pool
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.network.listing import ListedStation
from evpower.push.recipient import Device, Recipient
from evpower.reservations.opening import ReservationOrder
from evpower.reservations.service import ReservationView
from tests.worlds.charging import CLIENT, ONE, STATION, World, impatient, open_world

OTHER = ClientId("client-2")
PRICES = """
INSERT INTO tariff_plans (id, name) VALUES ('P', 'p');
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price)
VALUES ('P-m', 'P', 'minute', 'reservation_per_minute', 1), ('P-n', 'P', 'no-show', 'no_show_fee', 50);
UPDATE stations SET tariff_plan_id = 'P'
"""


class ParkingLot(World):
    """The world of a charge, with reservations: 1 som a minute, 50 when nobody comes."""

    async def reserve(
        self,
        *,
        client: ClientId = CLIENT,
        connector: ConnectorId | None = ONE,
        station: StationId = STATION,
        minutes: int = 15,
        after_s: float | None = None,
    ) -> ReservationView:
        """A phone asks to have a connector kept, now or `after_s` from now."""
        start_time = None if after_s is None else self.clock.now() + timedelta(seconds=after_s)
        order = ReservationOrder(client, station, connector, minutes, start_time)
        return await self.app.reservations.service.create(order)

    async def read(self, made: ReservationView) -> ReservationView:
        """It as its client sees it now."""
        return await self.app.reservations.service.one(made.record.client_id, made.record.id)

    async def cancel(self, made: ReservationView) -> tuple[ReservationView, bool]:
        return await self.app.reservations.service.cancel(made.record.client_id, made.record.id)

    async def work(self, after_s: float = 0) -> datetime:
        """So much later, everything that is due is done."""
        self.clock.advance(after_s)
        await self.app.reservations.worker.work_due()
        return self.clock.now()

    async def page(self) -> ListedStation:
        """The station as the public sees it."""
        return (await self.app.station_pages.station(STATION)).station

    async def register_phone(self) -> None:
        """The client has a device, and messages are set up."""
        self.app.push.outbox.is_on = True
        await self.app.push.devices.register(Recipient("client", CLIENT), Device("fcm", "t" * 140))

    async def messages(self) -> list[str]:
        """What holders get, in order."""
        return [row["event"] for row in await self.sql("SELECT event FROM evpower.push_outbox ORDER BY id")]

    async def held(self) -> int:
        """What all reservations hold, in tyiyn."""
        rows = await self.sql(
            "SELECT coalesce(sum(p.amount_tyiyn), 0)::bigint AS held FROM evpower.ledger_postings p"
            " JOIN evpower.ledger_entries e ON e.id = p.entry_id"
            " WHERE p.account = 'held' AND e.kind LIKE 'reservation%%'"
        )
        return int(rows[0]["held"])

    def asked(self, action: str) -> list[dict[str, object]]:
        """What stations were sent of this action."""
        return [payload for name, payload in self.link.commanded if name == action]


@asynccontextmanager
async def open_lot(pool: Pool) -> AsyncIterator[ParkingLot]:
    """Leaving it checks the ledger."""
    async with open_world(pool, impatient()) as world:
        lot = ParkingLot(world.app, world.pool, world.clock, world.link)
        await lot.sql(PRICES)
        yield lot
