"""Rows of `forecast_scores` and `forecast_reliability`: what the nightly backtest found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.forecast.backtest import DayScores

STORE_SCORES = f"""
INSERT INTO evpower.forecast_scores (day, horizon_min, method, n, squared)
SELECT %(day)s, horizon_min, method, n, total
FROM {batch_table("horizon_min int, method text, n int, total float8")} b
ON CONFLICT (day, horizon_min, method) DO UPDATE SET n = excluded.n, squared = excluded.squared
"""
STORE_SERVED = f"""
INSERT INTO evpower.forecast_reliability (day, horizon_min, twentieths, n, free)
SELECT %(day)s, horizon_min, twentieths, n, free
FROM {batch_table("horizon_min int, twentieths int, n int, free int")} b
ON CONFLICT (day, horizon_min, twentieths) DO UPDATE SET n = excluded.n, free = excluded.free
"""
SCORES = """
SELECT day, horizon_min, method, n, squared FROM evpower.forecast_scores
WHERE day >= %(since)s AND day < %(until)s ORDER BY day, horizon_min, method
"""
SERVED = """
SELECT horizon_min, twentieths, sum(n)::int AS n, sum(free)::int AS free FROM evpower.forecast_reliability
WHERE day >= %(since)s AND day < %(until)s GROUP BY 1, 2 ORDER BY 1, 2
"""
FIRST_DAY = "SELECT (min(hour_start) AT TIME ZONE %(zone)s)::date AS day FROM evpower.availability_hours"
SCORED_DAYS = "SELECT DISTINCT day FROM evpower.forecast_scores WHERE day >= %(since)s"


@dataclass(frozen=True)
class ScoreRow:
    """A day's squared errors of a method at a horizon."""

    day: date
    horizon_min: int
    method: str
    n: int
    squared: float


async def store_scores(conn: Conn, day: date, scores: DayScores) -> None:
    """Write the scores of a day; a day without any has one empty row, so that it is not scored again."""
    squared = [
        {"horizon_min": ahead, "method": method, "n": each.n, "total": each.total}
        for (ahead, method), each in scores.squared.items()
        if each.n
    ] or [{"horizon_min": 0, "method": "", "n": 0, "total": 0}]
    served = [
        {"horizon_min": ahead, "twentieths": bucket, "n": each.n, "free": round(each.total)}
        for (ahead, bucket), each in scores.served.items()
    ]
    await conn.execute(STORE_SCORES, {"day": day, **batch(squared)})
    await conn.execute(STORE_SERVED, {"day": day, **batch(served)})


async def read_scores(conn: Conn, since: date, until: date) -> list[ScoreRow]:
    """The scores of these days, the oldest first; `until` is not one of them."""
    cursor = await conn.execute(SCORES, {"since": since, "until": until})
    return [ScoreRow(**row) for row in await cursor.fetchall() if row["n"]]


async def read_day_scores(conn: Conn, since: date, until: date) -> tuple[DayScores, int]:
    """The sums of these days, and how many days have any."""
    rows = await read_scores(conn, since, until)
    scores = summed(rows)
    for served in await (await conn.execute(SERVED, {"since": since, "until": until})).fetchall():
        scores.served[served["horizon_min"], served["twentieths"]].add(served["free"], served["n"])
    return scores, len({row.day for row in rows})


def summed(rows: Iterable[ScoreRow]) -> DayScores:
    """Their sums."""
    scores = DayScores()
    for row in rows:
        scores.squared[row.horizon_min, row.method].add(row.squared, row.n)
    return scores


async def scored_days(conn: Conn, since: date) -> set[date]:
    """Which days from then on are scored."""
    return {row["day"] for row in await (await conn.execute(SCORED_DAYS, {"since": since})).fetchall()}


async def first_day(conn: Conn, zone: str) -> date | None:
    """The first day of which there are hours; None: there are none."""
    row = await (await conn.execute(FIRST_DAY, {"zone": zone})).fetchone()
    return None if row is None else row["day"]
