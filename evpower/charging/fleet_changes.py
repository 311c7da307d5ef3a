"""The one way the network is changed, by a file, by an administrator or by accepting a stranger: written, then told."""

from __future__ import annotations

import logging
from datetime import datetime

from evpower.billing.pricing import Pricing
from evpower.db.fleet import FleetReport, Passwords, apply_fleet
from evpower.db.unit_of_work import UnitOfWork
from evpower.events import Event, EventBus
from evpower.fleet_rows import Fleet

log = logging.getLogger("evpower.fleet")


async def write_fleet(
    uow: UnitOfWork, fleet: Fleet, at: datetime, passwords: Passwords, pricing: Pricing, bus: EventBus, *news: Event
) -> FleetReport:
    """Write rows in this unit of work; after its commit the shown prices are forgotten and `news` is published.

    What wants a look is in the report, and in the log. Raises InvalidRequest when the rows contradict what is stored.
    """
    report = await apply_fleet(uow.conn, fleet, at, passwords)

    def tell() -> None:
        for warning in report.warnings:
            log.warning("%s", warning)
        pricing.forget()
        for event in news:
            bus.publish(event)

    uow.after_commit(tell)
    return report
