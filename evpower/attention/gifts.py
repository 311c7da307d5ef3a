"""What stations give away, in money, for To do (operator-pages §3.1): energy of a day at the price drivers see."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from evpower.attention.conditions import Gift
from evpower.attention.rows.gifts import read_gifts
from evpower.billing.pricing import Pricing
from evpower.billing.rates import Rates
from evpower.db.connection import Conn


class Gifts:
    """Reads it."""

    def __init__(self, pricing: Pricing, limit_tyiyn: int) -> None:
        self._pricing = pricing
        self._limit_tyiyn = limit_tyiyn

    async def read(self, conn: Conn, now: datetime) -> tuple[Gift, ...]:
        """Of each station that gives energy away now, what it gave in the last 24 hours."""
        given = await read_gifts(conn, now)
        prices = await self._pricing.shown(conn, [each.station_id for each in given]) if given else {}
        return tuple(
            Gift(each.station_id, each.since, each.charges, each.energy_wh, worth_tyiyn, self._limit_tyiyn)
            for each in given
            if (price := prices.get(each.station_id)) is not None
            and (worth_tyiyn := Rates(price.rate_per_kwh, Decimal(0), Decimal(0)).cost_tyiyn(each.energy_wh, 0)) > 0
        )
