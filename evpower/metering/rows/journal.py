"""The statements of the journal: each takes all rows of its kind at once (design §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.identifiers import SessionId, StationId, TransactionKey, WireTransactionId
from evpower.metering.advance import Advance
from evpower.metering.doubts import NotedDoubt
from evpower.metering.energy_sql import ENERGY_WH
from evpower.metering.meter_value import MeterReport, Progress, Sample
from evpower.metering.rows.doubts import charge_of, note_doubts
from evpower.metering.rows.registers import REGISTER_COLUMNS, register_of
from evpower.network.station import Boot
from evpower.network.status import StatusReport
from evpower.network.status_sql import stored

# An inactive station boots only while it still charges, so that its stop gets through (design §9.15).
BOOT_STATIONS = f"""
UPDATE public.stations s
SET firmware_version = coalesce(r.firmware_version, s.firmware_version), last_heartbeat_at = r.at, is_available = true
FROM {batch_table("station_id text, firmware_version text, at timestamptz")} r
WHERE s.id = r.station_id AND (s.status <> 'inactive' OR EXISTS (
    SELECT 1 FROM public.charging_sessions c
    WHERE c.station_id = s.id AND c.status = 'started' AND c.settled_at IS NULL))
RETURNING s.id
"""
# Its word as a whole is unknown until it speaks again: many never take "Faulted" back by themselves (field ruling 4.3).
BOOT_COLUMNS = "station_id text, vendor text, model text, firmware_version text, ocpp_version text, at timestamptz"
BOOT_STATUS = f"""
INSERT INTO evpower.ocpp_station_status AS o (station_id, vendor, model, firmware_version, ocpp_version, booted_at)
SELECT station_id, vendor, model, firmware_version, ocpp_version, at
FROM {batch_table(BOOT_COLUMNS)} r
ON CONFLICT (station_id) DO UPDATE SET vendor = excluded.vendor, model = excluded.model,
    ocpp_version = excluded.ocpp_version,
    firmware_version = coalesce(excluded.firmware_version, o.firmware_version), booted_at = excluded.booted_at,
    status = NULL, error_code = NULL, info = NULL, vendor_id = NULL, vendor_error_code = NULL, status_at = NULL
"""
# No status has come since the boot.
BOOT_CONNECTORS = f"""
UPDATE public.connectors c SET last_status_update = NULL
FROM {batch_table("station_id text")} r WHERE c.station_id = r.station_id
"""
BOOT_SESSIONS = f"""
UPDATE evpower.session_phases p SET rebooted_at = r.at
FROM public.charging_sessions s, {batch_table("station_id text, at timestamptz")} r
WHERE s.id = p.session_id AND s.station_id = r.station_id AND p.phase IN ('charging', 'stopping')
"""

STATUS_COLUMNS = """
    station_id text, connector_id int, status text, error_code text, reported_at timestamptz, at timestamptz"""
# The order of a connector's statuses is the one in which they came; the station's time is shown and compared with
# nothing, because its clock may be set at any moment (field ruling 5.3).
WRITE_STATUSES = f"""
UPDATE public.connectors c
SET ocpp_status = new.status, error_code = new.error_code, last_status_update = new.reported_at, updated_at = new.at,
    status = {stored("new.status")}
FROM {batch_table(STATUS_COLUMNS)} new
JOIN public.connectors old ON old.station_id = new.station_id AND old.connector_number = new.connector_id
LEFT JOIN public.charging_sessions r ON r.station_id = new.station_id
      AND r.connector_id = new.connector_id AND r.status = 'started'
WHERE c.id = old.id
RETURNING c.station_id, c.connector_number, (old.status, old.ocpp_status, old.error_code)
          IS DISTINCT FROM (c.status, c.ocpp_status, c.error_code) AS changed
"""
#: OCPP's word for none (1.6 §7.6).
NO_ERROR = "NoError"
# In the maker's words; a connector that reports no error has none.
FAULT_COLUMNS = """
    station_id text, connector_id int, vendor_id text, vendor_error_code text, info text, reported_at timestamptz"""
WRITE_FAULTS = f"""
INSERT INTO evpower.connector_faults AS f (station_id, connector_number, reported_at, vendor_id, code, info)
SELECT r.station_id, r.connector_id, r.reported_at, r.vendor_id, r.vendor_error_code, r.info
FROM {batch_table(FAULT_COLUMNS)} r
JOIN public.connectors c ON c.station_id = r.station_id AND c.connector_number = r.connector_id
ORDER BY c.station_id, c.connector_number
ON CONFLICT (station_id, connector_number) DO UPDATE SET reported_at = excluded.reported_at,
    vendor_id = excluded.vendor_id, code = excluded.code, info = excluded.info
"""
KNOWN_CONNECTORS = f"""
SELECT c.station_id, c.connector_number FROM public.connectors c
JOIN {batch_table("station_id text, connector_id int")} r
  ON c.station_id = r.station_id AND c.connector_number = r.connector_id
"""
WHOLE_STATUS_COLUMNS = """
    station_id text, status text, error_code text, info text, vendor_id text, vendor_error_code text,
    reported_at timestamptz"""
WRITE_WHOLE_STATUSES = f"""
INSERT INTO evpower.ocpp_station_status AS o
    (station_id, status, error_code, info, vendor_id, vendor_error_code, status_at)
SELECT station_id, status, error_code, info, vendor_id, vendor_error_code, reported_at
FROM {batch_table(WHOLE_STATUS_COLUMNS)} r
ON CONFLICT (station_id) DO UPDATE SET status = excluded.status, error_code = excluded.error_code,
    info = excluded.info, vendor_id = excluded.vendor_id, vendor_error_code = excluded.vendor_error_code,
    status_at = excluded.status_at
RETURNING station_id
"""

COPY_METER_VALUES = """
COPY evpower.ocpp_meter_values (station_id, wire_transaction_id, connector_id, measured_at, received_at, energy_wh,
    power_w, current_a, voltage_v, soc_percent, temperature_c, seq_no, occurred_at, offline, sampled_values) FROM STDIN
"""
# The report names the transaction that was the connector's before this one and has stopped, and was measured since this
# one began: some stations go on with the old id (field ruling 3.4).
_UNDER_THE_OLD_ID = """r.measured_at >= t.started_at AND EXISTS (
        SELECT FROM evpower.ocpp_transactions p
        WHERE p.station_id = r.station_id AND p.wire_transaction_id = r.wire_id AND p.status = 'Stopped'
          AND p.connector_id = t.connector_id AND p.id < t.id AND r.connector_id IN (0, t.connector_id)
          AND NOT EXISTS (SELECT FROM evpower.ocpp_transactions b WHERE b.station_id = p.station_id
                          AND b.connector_id = p.connector_id AND b.id > p.id AND b.id < t.id))"""
# A report without a transaction id belongs to the connector's running transaction (contract/ocpp-behaviour §5.3). Taken
# in the order of their ids, so that two writers never wait for each other.
REPORTED_COLUMNS = "n int, station_id text, connector_id int, wire_id text, measured_at timestamptz"
REPORTED_TRANSACTIONS = f"""
SELECT r.n, t.id, t.wire_transaction_id, t.station_id, t.connector_id, t.charging_session_id AS session_id,
       t.wire_transaction_id <> r.wire_id AS under_old_id, {REGISTER_COLUMNS}
FROM {batch_table(REPORTED_COLUMNS)} r
JOIN evpower.ocpp_transactions t ON t.station_id = r.station_id AND t.status = 'Started'
     AND (t.wire_transaction_id = r.wire_id OR (r.wire_id IS NULL AND t.connector_id = r.connector_id)
          OR ({_UNDER_THE_OLD_ID}))
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = t.station_id
ORDER BY t.id, r.n FOR UPDATE OF t
"""
ADVANCED_COLUMNS = """
    id bigint, base_wh bigint, last_wh bigint, carried_wh bigint, before_wh bigint, last_measured_at timestamptz,
    last_received_at timestamptz, boundaries jsonb, no_power boolean, flags text[], at timestamptz, power_w float8,
    current_a float8, voltage_v float8, soc_percent float8, temperature_c float8"""
ADVANCE_SESSIONS = f"""
WITH t AS (
    UPDATE evpower.ocpp_transactions t
    SET meter_base_wh = r.base_wh, meter_last_wh = r.last_wh, meter_carried_wh = r.carried_wh,
        meter_before_wh = r.before_wh, meter_last_measured_at = r.last_measured_at,
        meter_last_received_at = r.last_received_at, rate_boundaries = r.boundaries,
        power_w = CASE WHEN NOT r.no_power THEN coalesce(r.power_w, t.power_w) END,
        current_a = coalesce(r.current_a, t.current_a), voltage_v = coalesce(r.voltage_v, t.voltage_v),
        soc_percent = coalesce(r.soc_percent, t.soc_percent),
        temperature_c = coalesce(r.temperature_c, t.temperature_c), last_sample_at = r.at,
        flags = CASE WHEN r.flags <@ t.flags THEN t.flags
                     ELSE t.flags || ARRAY(SELECT unnest(r.flags) EXCEPT SELECT unnest(t.flags)) END
    FROM {batch_table(ADVANCED_COLUMNS)} r
    WHERE t.id = r.id
    RETURNING t.id, t.charging_session_id, t.wire_transaction_id, t.started_at, t.received_at, t.power_w, r.at,
              t.meter_last_measured_at AS measured_at, coalesce(t.meter_last_received_at, t.received_at) AS register_at,
              {ENERGY_WH} AS energy_wh)
UPDATE public.charging_sessions s SET energy = t.energy_wh / 1000.0, updated_at = t.at
FROM t WHERE s.id = t.charging_session_id AND s.status = 'started'
RETURNING t.id AS transaction_key, s.id, t.wire_transaction_id, t.energy_wh, t.power_w, t.started_at, t.received_at,
          t.measured_at, t.register_at
"""

_encode = msgspec.json.Encoder().encode


#: Of readings that are no event.
_NO_NUMBER = (None, None, None)
#: No transaction has this key.
NONE = TransactionKey(0)
MeterRow = tuple[StationId, MeterReport, datetime]


@dataclass(frozen=True)
class MeterOutcome:
    """The progress of each report's session, in their order, and what was not believed."""

    progress: tuple[Progress | None, ...]
    doubts: tuple[NotedDoubt, ...]


@dataclass(frozen=True)
class StatusOutcome:
    """Whether the connector is configured, and whether the public sees a change."""

    known: bool
    changed: bool


async def write_boots(conn: Conn, boots: Sequence[tuple[StationId, Boot, datetime]]) -> list[bool]:
    """Store boots, of several of one station the last; whether each station may boot, in their order."""
    if not boots:
        return []
    rows = {
        station_id: {
            "station_id": station_id,
            "vendor": boot.vendor,
            "model": boot.model,
            "firmware_version": boot.firmware_version,
            "ocpp_version": boot.ocpp_version,
            "at": at.isoformat(),
        }
        for station_id, boot, at in boots
    }
    cursor = await conn.execute(BOOT_STATIONS, batch(rows.values()))
    booted = {row["id"] for row in await cursor.fetchall()}
    parameters = batch([rows[station_id] for station_id in booted])
    # Sessions before connectors, as settlement locks them: the other way round the two could wait for each other.
    for statement in (BOOT_STATUS, BOOT_SESSIONS, BOOT_CONNECTORS):
        await conn.execute(statement, parameters)
    return [station_id in booted for station_id, _, _ in boots]


async def write_statuses(
    conn: Conn, reports: Sequence[tuple[StationId, StatusReport, datetime]]
) -> list[StatusOutcome]:
    """Store connectors' statuses; an outcome for each report, in their order."""
    if not reports:
        return []
    rows: dict[tuple[str, int], dict[str, object]] = {}
    for station_id, report, at in reports:
        rows[station_id, report.connector_id] = {
            "station_id": station_id,
            "connector_id": report.connector_id,
            "status": report.status,
            "error_code": report.error_code,
            "info": report.info,
            "vendor_id": report.vendor_id,
            "vendor_error_code": report.vendor_error_code,
            "reported_at": (report.reported_at or at).isoformat(),
            "at": at.isoformat(),
        }
    whole = [row for (_, connector), row in rows.items() if connector == 0]
    written: list[dict[str, Any]] = []
    if whole:
        written = await (await conn.execute(WRITE_WHOLE_STATUSES, batch(whole))).fetchall()
    parameters = batch(rows.values())
    known = await (await conn.execute(KNOWN_CONNECTORS, parameters)).fetchall()
    changed = await (await conn.execute(WRITE_STATUSES, parameters)).fetchall()
    if faults := [row for row in rows.values() if row["error_code"] != NO_ERROR and _says_more(row)]:
        await conn.execute(WRITE_FAULTS, batch(faults))
    seen = {(row["station_id"], row["connector_number"]) for row in known} | {(row["station_id"], 0) for row in whole}
    news = {(row["station_id"], row["connector_number"]) for row in changed if row["changed"]}
    news |= {(row["station_id"], 0) for row in written}
    keys = [(station_id, report.connector_id) for station_id, report, _ in reports]
    return [StatusOutcome(known=key in seen, changed=key in news) for key in keys]


def _says_more(row: dict[str, object]) -> bool:
    return bool(row["vendor_error_code"] or row["info"])


async def write_meter_values(conn: Conn, reports: Sequence[MeterRow]) -> MeterOutcome:
    """Store readings, judge their registers and advance their sessions."""
    if not reports:
        return MeterOutcome((), ())
    async with conn.cursor() as cursor, cursor.copy(COPY_METER_VALUES) as copy:
        await copy.write(b"".join(_copy_line(*report) for report in reports))
    reported = [_reported(n, *each) for n, each in enumerate(reports) if each[1].of_a_charge]
    cursor = await conn.execute(REPORTED_TRANSACTIONS, batch(reported))
    keys: dict[int, TransactionKey] = {}
    advances: dict[TransactionKey, Advance] = {}
    for row in await cursor.fetchall():
        keys[row["n"]] = row["id"]
        advance = advances.setdefault(row["id"], Advance(charge_of(row), register_of(row)))
        _, report, at = reports[row["n"]]
        advance.take(report, at, under_old_id=bool(row["under_old_id"]))
    progress: dict[TransactionKey, Progress] = {}
    if advances:
        cursor = await conn.execute(ADVANCE_SESSIONS, batch([advance.columns() for advance in advances.values()]))
        progress = {row["transaction_key"]: _progress(row) for row in await cursor.fetchall()}
    doubts = tuple(doubt for advance in advances.values() for doubt in advance.doubts)
    await note_doubts(conn, doubts)
    return MeterOutcome(tuple(progress.get(keys.get(n, NONE)) for n in range(len(reports))), doubts)


def _progress(row: dict[str, Any]) -> Progress:
    return Progress(
        SessionId(row["id"]),
        WireTransactionId(row["wire_transaction_id"]),
        row["energy_wh"],
        row["power_w"],
        row["started_at"],
        row["received_at"],
        row["measured_at"],
        row["register_at"],
    )


def _reported(n: int, station_id: StationId, report: MeterReport, at: datetime) -> dict[str, object]:
    """What finds the transaction of a report."""
    return {
        "n": n,
        "station_id": station_id,
        "connector_id": report.connector_id,
        "wire_id": report.wire_transaction_id,
        "measured_at": max((sample.measured_at for sample in report.samples), default=at),
    }


def _copy_line(station_id: StationId, report: MeterReport, at: datetime) -> bytes:
    """One row of COPY's text format: the report as sent, with the figures of its last sample."""
    sample = report.samples[-1] if report.samples else Sample(at)
    measured_at, *quantities = sample
    wire_id = report.wire_transaction_id
    return b"%b\t%b\t%b\t%b\n" % (
        _escape(station_id.encode()),
        b"\\N" if wire_id is None else _escape(wire_id.encode()),
        _columns((report.connector_id, measured_at, at, *quantities, *(report.number or _NO_NUMBER))),
        _escape(report.raw),
    )


def _columns(figures: Sequence[float | datetime | None]) -> bytes:
    """Numbers and times as COPY reads them, by way of JSON, whose encoder writes them ten times as fast as `str`."""
    return _encode(figures)[1:-1].replace(b'"', b"").replace(b",", b"\t").replace(b"null", b"\\N")


def _escape(text: bytes) -> bytes:
    """As COPY's text format wants it, so that every byte comes back."""
    text = text.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    return text.replace(b"\r", b"\\r").replace(b"\t", b"\\t")
