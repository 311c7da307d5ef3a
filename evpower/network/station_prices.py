"""What a charge at a station costs, now, then, or in the course of a day (contract/rest-api §7.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from evpower.billing.pricing import PriceQuestion, Pricing
from evpower.billing.tariff import Price
from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import StationId
from evpower.network.rows.stations import read_named

#: Further away nobody plans a charge.
WITHIN = timedelta(days=366)
TOO_FAR = "не дальше 366 дней от текущего момента"


@dataclass(frozen=True)
class PriceWindow:
    """A price that holds from a moment on and not any more at the other one."""

    begins_at: datetime
    ends_at: datetime
    price: Price


class StationPrices:
    """Asked of the tariff rows each time: what a start would be billed by."""

    def __init__(self, pool: Pool, clock: Clock, pricing: Pricing) -> None:
        self._pool = pool
        self._clock = clock
        self._pricing = pricing

    async def price(self, name: str, asked: PriceQuestion, at: datetime | None) -> tuple[StationId, Price]:
        """The price at a moment, None: now. Raises StationNotFound, InvalidRequest (`at`)."""
        now = self._clock.now()
        moment = at or now
        if abs(moment - now) > WITHIN:
            raise InvalidRequest(("at", TOO_FAR))
        async with reading(self._pool) as conn:
            station_id = await _station(conn, name)
            return station_id, await self._pricing.quote(conn, station_id, asked, moment)

    def next_at(self, clock_time: time, now: datetime) -> datetime:
        """When it is next this time of day where the network is: today, or tomorrow when that is over."""
        local = now.astimezone(self._pricing.timezone)
        at = datetime.combine(local.date(), clock_time, self._pricing.timezone)
        return at if at >= local else datetime.combine(local.date() + timedelta(days=1), clock_time, at.tzinfo)

    async def day(
        self, name: str, asked: PriceQuestion, day: date | None
    ) -> tuple[StationId, date, tuple[PriceWindow, ...]]:
        """The prices of a day (None: today) of the network's time zone: windows without a gap, midnight to midnight.

        Raises StationNotFound, InvalidRequest (`date`).
        """
        now = self._clock.now().astimezone(self._pricing.timezone)
        day = day or now.date()
        if abs(day - now.date()) > WITHIN:
            raise InvalidRequest(("date", TOO_FAR))
        at = datetime.combine(day, time(0), self._pricing.timezone)
        end = datetime.combine(day + timedelta(days=1), time(0), self._pricing.timezone)
        windows: list[PriceWindow] = []
        async with reading(self._pool) as conn:
            station_id = await _station(conn, name)
            book = await self._pricing.book(conn, station_id, asked, now if day == now.date() else at)
        while at < end:
            price = book.price(at)
            until = min(price.next_rate_change or end, end)
            windows.append(PriceWindow(at, until, price))
            at = until
        return station_id, day, tuple(windows)


async def _station(conn: Conn, name: str) -> StationId:
    """By id or serial number. Raises StationNotFound, also for one that is not shown."""
    named = await read_named(conn, name)
    if named is None or named.is_inactive:
        raise StationNotFound
    return named.id
