"""The register of a transaction as its row has it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from psycopg.types.json import Jsonb

from evpower.db.connection import Conn
from evpower.identifiers import TransactionKey
from evpower.metering.boundaries import boundaries_of, boundaries_stored
from evpower.metering.registers import BelievedRegister, RegisterReading

#: SQL of a `BelievedRegister`, of a transaction `t` and its station's row `o`.
REGISTER_COLUMNS = """
    t.meter_start_wh AS start_wh, t.started_at, t.received_at, t.rated_power_w, t.meter_last_wh AS last_wh,
    coalesce(t.meter_base_wh, t.meter_start_wh) AS base_wh, t.meter_carried_wh AS carried_wh,
    t.meter_before_wh AS before_wh, t.meter_last_measured_at AS last_measured_at,
    t.meter_last_received_at AS last_received_at, t.rate_boundaries AS boundaries, o.booted_at"""
READ_REGISTER = f"""
SELECT {REGISTER_COLUMNS}, t.status = 'Stopped' OR coalesce(p.estimated, false) AS ended_by_estimate
FROM evpower.ocpp_transactions t
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = t.station_id
LEFT JOIN evpower.session_phases p ON p.session_id = t.charging_session_id
WHERE t.id = %(key)s
"""
STORE_REGISTER = """
UPDATE evpower.ocpp_transactions SET meter_base_wh = %(base_wh)s, meter_last_wh = %(last_wh)s,
    meter_carried_wh = %(carried_wh)s, meter_before_wh = %(before_wh)s, meter_last_measured_at = %(last_measured_at)s,
    meter_last_received_at = %(last_received_at)s, rate_boundaries = %(boundaries)s
WHERE id = %(key)s
"""


STOP_READING = """
SELECT meter_stop_wh AS register_wh, stopped_at AS measured_at, stop_received_at AS received_at
FROM evpower.ocpp_transactions WHERE id = %(key)s FOR UPDATE
"""


@dataclass(frozen=True)
class StoredRegister:
    """A transaction's register; whether its charge was ended without a stop of the station."""

    register: BelievedRegister
    ended_by_estimate: bool


_FIELDS = tuple(field.name for field in fields(BelievedRegister))


def register_of(row: dict[str, Any]) -> BelievedRegister:
    """The register of a row that has `REGISTER_COLUMNS`."""
    return BelievedRegister(**{name: row[name] for name in _FIELDS} | {"boundaries": boundaries_of(row["boundaries"])})


async def read_register(conn: Conn, key: TransactionKey) -> StoredRegister:
    """The register of a transaction whose row is taken."""
    row = await (await conn.execute(READ_REGISTER, {"key": key})).fetchone()
    assert row is not None, "transactions are never deleted"
    return StoredRegister(register_of(row), row["ended_by_estimate"])


async def read_stop(conn: Conn, key: TransactionKey) -> RegisterReading:
    """The stop of a transaction that has one, its row taken."""
    (row,) = await (await conn.execute(STOP_READING, {"key": key})).fetchall()
    return RegisterReading(**row)


async def store_register(conn: Conn, key: TransactionKey, register: BelievedRegister) -> None:
    """Write what is believed now; the transaction's row is taken."""
    parameters = {
        "key": key,
        "base_wh": register.base_wh,
        "last_wh": register.last_wh,
        "carried_wh": register.carried_wh,
        "before_wh": register.before_wh,
        "last_measured_at": register.last_measured_at,
        "last_received_at": register.last_received_at,
        "boundaries": Jsonb(stored) if (stored := boundaries_stored(register.boundaries)) else None,
    }
    await conn.later(STORE_REGISTER, parameters)
