"""Money of a day or a month: each figure from the rows of what happened, beside the ledger's account (pages §7).

A figure of a time is what was posted in it. Its other side is what the top-ups, refunds and charges that the postings
belong to say themselves, less what was posted for them at other times: a row and an entry that contradict each other
differ here, on the day it concerns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from evpower.billing.rows import day_book as rows
from evpower.billing.rows.day_book import AccountLine, Adjustment, Compared, Debtor, ProviderMoney
from evpower.clock import midnight
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading

__all__ = [
    "AccountLine",
    "Adjustment",
    "BookedTime",
    "Compared",
    "DayBook",
    "Debtor",
    "PeriodMoney",
    "ProviderMoney",
    "Standing",
]


@dataclass(frozen=True)
class BookedTime:
    """From one moment up to another, in the operator's time zone a day or a month."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class PeriodMoney:
    """What moved in a period."""

    period: BookedTime
    top_ups: Sequence[ProviderMoney]
    refunds: Sequence[ProviderMoney]
    revenue: Compared
    adjustments: Compared


@dataclass(frozen=True)
class Standing:
    """What is held and owed now."""

    held: Compared
    debts: Compared


def day_of(day: date, zone: ZoneInfo) -> BookedTime:
    """A whole day."""
    return BookedTime(_begins(day, zone), _begins(day + timedelta(days=1), zone))


def month_of(day: date, zone: ZoneInfo) -> BookedTime:
    """The whole month that a day is in."""
    first = day.replace(day=1)
    return BookedTime(_begins(first, zone), _begins((first + timedelta(days=32)).replace(day=1), zone))


def _begins(day: date, zone: ZoneInfo) -> datetime:
    # Noon is in the day, whatever an hour is put forward or back by.
    return midnight(datetime(day.year, day.month, day.day, 12, tzinfo=zone), zone)


class DayBook:
    """Reads the books; nothing is moved here."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def money(self, period: BookedTime) -> PeriodMoney:
        """What moved in a period. Each figure and its other side are one statement's, so of one moment."""
        async with reading(self._pool) as conn:
            return PeriodMoney(
                period,
                await rows.read_top_ups(conn, period.since, period.until),
                await rows.read_refunds(conn, period.since, period.until),
                await rows.read_revenue(conn, period.since, period.until),
                await rows.read_adjusted(conn, period.since, period.until),
            )

    async def standing(self) -> Standing:
        """What is held and owed."""
        async with reading(self._pool) as conn:
            return Standing(await rows.read_held(conn), await rows.read_debts(conn))

    async def debtors(self) -> list[Debtor]:
        """Who owes, the largest debts first."""
        async with reading(self._pool) as conn:
            return await rows.list_debtors(conn)

    async def adjustments(self, since: datetime) -> list[Adjustment]:
        """Balances that people corrected, newest first."""
        async with reading(self._pool) as conn:
            return await rows.list_adjustments(conn, since)

    async def lines(self, period: BookedTime) -> AsyncIterator[Sequence[AccountLine]]:
        """Every posting of a period, in the order of entries, in parts. No connection is held between two parts."""
        after = 0
        while True:
            async with reading(self._pool) as conn:
                part = await rows.read_lines(conn, period.since, period.until, after)
            if not part:
                return
            yield part
            after = part[-1].id
