"""The one way rows of the network are written: by a file, by an administrator, or by accepting a stranger."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from evpower.billing.pricing import Pricing
from evpower.billing.service import BillingService
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading
from evpower.events import Event, EventBus
from evpower.money import som_fixed
from evpower.network_file.parts import Client, Fleet
from evpower.network_file.rows.apply import Difference, FleetReport, Tally, apply_fleet, lock_imports, read_openings
from evpower.network_file.rows.doubts import configuration_doubts
from evpower.security.passwords import Passwords

__all__ = ["Difference", "FleetReport", "NetworkFile", "lock_imports", "log_doubts"]

log = logging.getLogger("evpower.fleet")


class NetworkFile:
    """Writes a fleet, or the part of one that an administrator changes."""

    def __init__(
        self, clock: Clock, passwords: Passwords, pricing: Pricing, billing: BillingService, bus: EventBus
    ) -> None:
        self._clock = clock
        self._passwords = passwords
        self._pricing = pricing
        self._billing = billing
        self._bus = bus

    async def write(
        self, uow: UnitOfWork, fleet: Fleet, *news: Event, move_app_tags: bool = False, compares: bool = False
    ) -> FleetReport:
        """Write rows in this unit of work; after its commit the shown prices are forgotten and `news` is published.

        What wants a look is in the report, and in the log unless it was so before. Raises InvalidRequest when the rows
        contradict what is stored, such as a serial number of another station, or a tag of the app with another client
        unless `move_app_tags`. With `compares` the report has every difference.
        """
        known = await configuration_doubts(uow.conn, [station.id for station in fleet.stations])
        tally = Tally(compares=compares)
        now = self._clock.now()
        doubts = await apply_fleet(uow.conn, fleet, now, self._passwords, tally, move_app_tags=move_app_tags)
        doubts += await self._open_balances(uow, fleet.clients, tally)
        warnings = (*fleet.warnings, *doubts)
        report = FleetReport(tally.created, tally.changed, tally.unchanged, warnings, tuple(tally.differences))

        def publish() -> None:
            for warning in report.warnings:
                if warning not in known:
                    log.warning("%s", warning)
            self._pricing.forget()
            for event in news:
                self._bus.publish(event)

        uow.after_commit(publish)
        return report

    async def _open_balances(self, uow: UnitOfWork, clients: Iterable[Client], tally: Tally) -> list[str]:
        """Book each opening balance once; a doubt for each that the file changed since."""
        keys = {client.id: f"opening:{client.id}" for client in clients if client.opening_balance_tyiyn}
        booked = await read_openings(uow.conn, list(keys.values()))
        doubts: list[str] = []
        created = 0
        for client in clients:
            amount_tyiyn = client.opening_balance_tyiyn
            if client.id not in keys:
                continue
            if client.id not in booked:
                await self._billing.adjust(
                    uow, client.id, amount_tyiyn, keys[client.id], reason="Начальный баланс", actor="import"
                )
                created += 1
            elif booked[client.id] != amount_tyiyn:
                doubts.append(
                    f"clients {client.id}: the opening balance was booked as {som_fixed(booked[client.id])} som and is"
                    f" not changed to {som_fixed(amount_tyiyn)}"
                )
        tally.add("opening_balances", len(keys), created, 0)
        return doubts


async def log_doubts(pool: Pool) -> None:
    """Log each station whose rows cannot all be true (seed §4): nothing is refused for it."""
    async with reading(pool) as conn:
        for doubt in await configuration_doubts(conn):
            log.warning("%s", doubt)
