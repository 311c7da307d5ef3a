"""Which price holds at a station: fresh for a start, cached for the public (billing-rules §7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from evpower.billing.rows.tariffs import read_price_book, read_shown_books, record_price
from evpower.billing.tariff import Price, PriceBook
from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId

#: What the public sees, and until when.
ShownPrices: TypeAlias = dict[StationId, tuple[Price, datetime]]


@dataclass(frozen=True)
class PricingRules:
    """The owner's default price, the zone its windows are read in, and how old a shown price may be."""

    default_rate: Decimal
    timezone: ZoneInfo
    cache_s: float


class StartPrice(NamedTuple):
    """What a start at a connector would cost, and the connector's power where it is known."""

    price: Price
    power_kw: float | None


@dataclass(frozen=True)
class PriceQuestion:
    """Whose price, at which kind of connector; None: nobody's in particular, as at the station's first connector."""

    client_id: ClientId | None = None
    connector_type: str | None = None
    power_kw: float | None = None


class Pricing:
    """Chooses prices from the tariff rows."""

    def __init__(self, clock: Clock, rules: PricingRules) -> None:
        self._clock = clock
        self._rules = rules
        self._shown: ShownPrices = {}

    async def for_start(
        self,
        conn: Conn,
        station_id: StationId,
        connector_id: ConnectorId | None,
        client_id: ClientId,
        at: datetime,
    ) -> StartPrice:
        """The price valid at this very moment, never cached: what a session is billed by. None: the first connector."""
        book = await read_price_book(conn, station_id, connector_id, client_id, at, self._rules.default_rate)
        local = at.astimezone(self._rules.timezone)
        return StartPrice(replace(book.price(local), schedule=book.schedule(local)), book.power_kw)

    async def reservation(
        self,
        conn: Conn,
        station_id: StationId,
        connector_id: ConnectorId | None,
        client_id: ClientId | None,
        at: datetime,
    ) -> tuple[Decimal, Decimal]:
        """What keeping a connector costs at a moment, som: for a minute, and when nobody comes."""
        book = await read_price_book(conn, station_id, connector_id, client_id, at, self._rules.default_rate)
        local = at.astimezone(self._rules.timezone)
        return book.fee("reservation_per_minute", local), book.fee("no_show_fee", local)

    async def quote(self, conn: Conn, station_id: StationId, asked: PriceQuestion, at: datetime) -> Price:
        """The price at a moment, by the same rule as a start's."""
        return (await self.book(conn, station_id, asked, at)).price(at.astimezone(self.timezone))

    async def book(self, conn: Conn, station_id: StationId, asked: PriceQuestion, at: datetime) -> PriceBook:
        """What prices are chosen from; which agreement of the client counts is that of the moment."""
        book = await read_price_book(conn, station_id, None, asked.client_id, at, self._rules.default_rate)
        connector_type = book.connector_type if asked.connector_type is None else asked.connector_type
        power_kw = book.power_kw if asked.power_kw is None else asked.power_kw
        return replace(book, connector_type=connector_type, power_kw=power_kw)

    @property
    def timezone(self) -> ZoneInfo:
        """In which days and windows are read."""
        return self._rules.timezone

    async def shown(self, conn: Conn, station_ids: Sequence[StationId]) -> dict[StationId, Price]:
        """The price the public sees at each station; as old as the cache allows, never older than its next change."""
        now, shown = self._clock.now(), self._shown
        missing = [each for each in station_ids if each not in shown or shown[each][1] <= now]
        if missing:
            await self._read_shown(conn, missing, now, shown)
        return {each: shown[each][0] for each in station_ids if each in shown}

    async def record(self, conn: Conn, session_id: SessionId, station_id: StationId, price: Price, at: datetime) -> int:
        """Write the price a start used into `pricing_history`; its row id."""
        return await record_price(conn, session_id, station_id, price, at)

    def forget(self) -> None:
        """Drop every shown price: tariffs or stations were changed."""
        self._shown = {}  # another one: a reading in progress must not put an old price back

    async def _read_shown(
        self, conn: Conn, station_ids: Sequence[StationId], now: datetime, shown: ShownPrices
    ) -> None:
        books = await read_shown_books(conn, station_ids, self._rules.default_rate)
        until = now + timedelta(seconds=self._rules.cache_s)
        # Stations of one plan and kind share their price, and looking eight days ahead for its next change costs.
        prices = {book: book.price(now.astimezone(self._rules.timezone)) for book in set(books.values())}
        for station_id, book in books.items():
            price = prices[book]
            shown[station_id] = price, min(until, price.next_rate_change or until)
