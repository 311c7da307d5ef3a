"""Which price holds at a station: fresh for a start, cached for the public (billing-rules §7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from evpower.billing.tariff import Price
from evpower.clock import Clock
from evpower.db.tariffs import read_price_book
from evpower.identifiers import ClientId, ConnectorId, StationId


@dataclass(frozen=True)
class PricingRules:
    """The owner's default price, the zone its windows are read in, and how old a shown price may be."""

    default_rate: Decimal
    timezone: ZoneInfo
    cache_s: float


class Pricing:
    """Chooses prices from the tariff rows."""

    def __init__(self, clock: Clock, rules: PricingRules) -> None:
        self._clock = clock
        self._rules = rules
        self._shown: dict[StationId, tuple[Price, datetime]] = {}

    async def for_start(
        self,
        conn: AsyncConnection[Any],
        station_id: StationId,
        connector_id: ConnectorId,
        client_id: ClientId,
        at: datetime,
    ) -> Price:
        """The price valid at this very moment, never cached: what a session is billed by."""
        return await self._read(conn, station_id, connector_id, client_id, at)

    async def shown(self, conn: AsyncConnection[Any], station_id: StationId) -> Price:
        """The price the public sees; as old as the cache allows, never older than the next change of rate."""
        now = self._clock.now()
        price, until = self._shown.get(station_id, (None, now))
        if price is not None and now < until:
            return price
        price = await self._read(conn, station_id, None, None, now)
        until = now + timedelta(seconds=self._rules.cache_s)
        self._shown[station_id] = price, min(until, price.next_rate_change or until)
        return price

    def forget(self) -> None:
        """Drop every shown price: tariffs or stations were changed."""
        self._shown.clear()

    async def _read(
        self,
        conn: AsyncConnection[Any],
        station_id: StationId,
        connector_id: ConnectorId | None,
        client_id: ClientId | None,
        at: datetime,
    ) -> Price:
        book = await read_price_book(conn, station_id, connector_id, client_id, at, self._rules.default_rate)
        return book.price(at.astimezone(self._rules.timezone))
