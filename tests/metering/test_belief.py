"""A charger's figures are believed only if they can be true: one rule, in Python and in SQL (duties 26 and 31)."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from evpower.charging.rows.free_vend import ENERGY_WH, read_given_away, read_totals
from evpower.charging.session import TransactionRecord
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import ConnectorId, WireTransactionId
from evpower.metering.belief import (
    CLOCK_MAX,
    POWER_MAX_W,
    SLACK,
    believed_time,
    energy_max_wh,
    is_believable,
    longest,
)
from evpower.metering.meter_value import MeterReport, Sample
from evpower.metering.rows.journal import write_meter_values
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import NOON

TICK, SECOND, HOUR = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)
JUMP = NOON - NOON.replace(year=1970)
BY_CHARGER = (None, -SECOND, 0 * SECOND, 90 * SECOND + TICK, HOUR, CLOCK_MAX, CLOCK_MAX + TICK, JUMP)
BY_US = (None, -HOUR, 0 * SECOND, 90 * SECOND - TICK, 90 * SECOND, 2 * HOUR)
START_WH, LAST_WH = 1_000, 5_000


def test_a_megawatt_for_an_hour_and_a_minute_is_believed_to_the_watt_hour() -> None:
    assert energy_max_wh(HOUR) == 278 * 3660
    assert is_believable(278 * 3660, HOUR)
    assert not is_believable(278 * 3660 + 1, HOUR)


def test_a_connector_of_less_power_is_believed_less() -> None:
    assert energy_max_wh(HOUR - SLACK, 22_000) == 22_000
    assert is_believable(22_000, HOUR - SLACK, 22_000)
    assert not is_believable(22_001, HOUR - SLACK, 22_000)


def test_nothing_and_no_time_are_believable_and_less_than_nothing_is_not() -> None:
    assert is_believable(0, 0 * SECOND)
    assert not is_believable(-1, HOUR)


@pytest.mark.parametrize("clock", BY_CHARGER)
def test_a_clock_is_believed_from_nothing_to_two_days(clock: timedelta | None) -> None:
    expected = clock if clock in (0 * SECOND, 90 * SECOND + TICK, HOUR, CLOCK_MAX) else None
    assert believed_time(clock) == expected


def test_the_longer_of_both_times_counts_and_a_jump_does_not() -> None:
    assert (
        longest(HOUR, 90 * SECOND) == longest(90 * SECOND, HOUR) == longest(HOUR, None) == longest(None, HOUR) == HOUR
    )
    assert longest(JUMP, HOUR) == HOUR
    assert longest(JUMP, None) == longest(-HOUR, -HOUR) == longest(None, None) == 0 * SECOND


def energies_wh(time: timedelta) -> tuple[int, ...]:
    """Around both limits, between them and far beyond."""
    most_wh = energy_max_wh(time)
    return -1, 0, 3_999, most_wh - 1, most_wh, most_wh + 1, 999_999_000


CASES = [
    (by_station, by_us, energy_wh)
    for by_station, by_us in product(BY_CHARGER, BY_US)
    for energy_wh in energies_wh(longest(by_station, by_us))
]
STOPPED = """
INSERT INTO evpower.ocpp_transactions (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh,
    meter_last_wh, meter_stop_wh, started_at, received_at, stopped_at, stop_received_at, status, free_vend)
SELECT %(station_id)s, n, 1, 'TAG' || n, 'Accepted', %(start_wh)s, %(last_wh)s, %(start_wh)s + energy_wh, %(at)s,
       %(at)s, %(at)s + by_station, %(at)s + by_us, 'Stopped', true
FROM unnest(%(by_station)s::interval[], %(by_us)s::interval[], %(energy_wh)s::bigint[])
     WITH ORDINALITY AS case_of(by_station, by_us, energy_wh, n)
"""
RECORDS = f"""
SELECT wire_transaction_id, meter_start_wh, meter_last_wh, meter_stop_wh, started_at, received_at, stopped_at,
       stop_received_at, ({ENERGY_WH})::bigint AS energy_wh
FROM evpower.ocpp_transactions
"""
#: What the rule does not look at.
OTHERWISE: dict[str, Any] = dict.fromkeys(
    ("power_w", "current_a", "voltage_v", "soc_percent", "temperature_c", "last_sample_at")
)
RUNNING = """
INSERT INTO evpower.ocpp_transactions (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh,
    meter_last_wh, started_at, received_at)
SELECT %(station_id)s, n, 1, 'TAG' || n, 'Accepted', %(start_wh)s, %(start_wh)s, %(at)s - by_station, %(at)s - by_us
FROM unnest(%(by_station)s::interval[], %(by_us)s::interval[]) WITH ORDINALITY AS case_of(by_station, by_us, n)
"""


async def test_energy_given_away_is_that_of_a_session(world: World) -> None:
    """The SQL of free vend and `ChargerRecord.energy_wh` on the same rows."""
    by_station, by_us, energy_wh = (list(column) for column in zip(*CASES, strict=True))
    async with unit_of_work(world.pool) as uow:
        await uow.conn.execute(
            STOPPED,
            {
                "station_id": STATION,
                "start_wh": START_WH,
                "last_wh": LAST_WH,
                "at": NOON,
                "by_station": by_station,
                "by_us": by_us,
                "energy_wh": energy_wh,
            },
        )
    given = {int(row["wire_transaction_id"]): row for row in await world.sql(RECORDS)}
    shown = {n: row.pop("energy_wh") for n, row in given.items()}
    expected = {n: TransactionRecord(stopped=True, **row, **OTHERWISE).energy_wh() for n, row in given.items()}
    assert shown == expected
    assert len(expected) == len(CASES)
    assert len(set(expected.values())) > 10
    async with reading(world.pool) as conn:
        given_away, totals = await read_given_away(conn, STATION, enabled=True), await read_totals(conn)
    assert given_away.energy_wh == totals[STATION].energy_wh == sum(expected.values())


async def test_readings_are_believed_by_the_same_rule(world: World) -> None:
    """The SQL of the journal and `belief.is_believable` on the same rows."""
    cases = [case for case in CASES if case[0] is not None and case[1] is not None]
    by_station, by_us, _ = (list(column) for column in zip(*cases, strict=True))
    reports = [
        (
            STATION,
            MeterReport(ConnectorId(1), WireTransactionId(str(n)), (Sample(NOON, START_WH + energy_wh),), b"[]"),
            NOON,
        )
        for n, (_, _, energy_wh) in enumerate(cases, 1)
    ]
    async with unit_of_work(world.pool) as uow:
        places = {"station_id": STATION, "start_wh": START_WH, "at": NOON, "by_station": by_station, "by_us": by_us}
        await uow.conn.execute(RUNNING, places)
        await write_meter_values(uow.conn, reports)
    rows = await world.sql("SELECT wire_transaction_id, meter_last_wh FROM evpower.ocpp_transactions")
    assert {int(row["wire_transaction_id"]): row["meter_last_wh"] - START_WH for row in rows} == {
        n: energy_wh if is_believable(energy_wh, longest(by_station, by_us)) else 0
        for n, (by_station, by_us, energy_wh) in enumerate(cases, 1)
    }


def test_the_limit_is_that_of_a_megawatt() -> None:
    assert POWER_MAX_W == 278 * 3600
