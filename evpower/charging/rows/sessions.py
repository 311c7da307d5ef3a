"""Rows of `charging_sessions` and their private phase."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg.errors import UniqueViolation

from evpower.billing.rates import Rates
from evpower.billing.reservation import ChargeTerms, Reservation, limit_from_columns
from evpower.charging.errors import ConnectorTaken
from evpower.charging.session import Phase, Session, StartOrder, TransactionRecord
from evpower.charging.transaction import EndCause, TransactionStart
from evpower.db.connection import Conn
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId, WireTransactionId
from evpower.metering.advance import SIGNED_FLAG
from evpower.metering.session_rates import RATES_COLUMNS, moving_price, rates_of
from evpower.money import som

#: The index that lets one session run on a connector.
ONE_RUNNING = "charging_sessions_one_running"
#: For how long after it was given up a start is known again.
RELEASED_IS_REMEMBERED = timedelta(minutes=10)

INSERT_SESSION = """
WITH session AS (
    INSERT INTO public.charging_sessions
        (id, user_id, station_id, connector_id, start_time, status, reserved_amount, limit_type, limit_value,
         amount_cap, rate_per_kwh, rate_per_minute, session_fee, pricing_history_id, id_tag, created_at, updated_at)
    VALUES (%(id)s, %(client_id)s, %(station_id)s, %(connector_id)s, %(start_time)s, %(status)s, %(reserved)s,
            %(limit_type)s, %(limit_value)s, %(amount_cap)s, %(rate_per_kwh)s, %(rate_per_minute)s, %(session_fee)s,
            %(pricing_history_id)s, %(id_tag)s, %(at)s, %(at)s))
INSERT INTO evpower.session_phases (session_id, phase, phase_at) VALUES (%(id)s, 'reserved', %(at)s)
"""

# A station may sign with its stop alone: that is kept by the settlement.
READ_SESSION = f"""
SELECT s.id, s.user_id, (c.balance * 100)::bigint AS client_balance_tyiyn, s.station_id, s.connector_id, s.status,
       p.phase, s.start_time, s.stop_time, s.id_tag, (s.reserved_amount * 100)::bigint AS reserved_tyiyn,
       s.limit_type, s.limit_value, s.amount_cap, {RATES_COLUMNS},
       (coalesce(s.energy, 0) * 1000)::bigint AS energy_wh, (s.amount * 100)::bigint AS amount_tyiyn,
       (s.refunded_amount * 100)::bigint AS refunded_tyiyn, (s.additional_charge * 100)::bigint AS additional_tyiyn,
       (s.debt_amount * 100)::bigint AS debt_tyiyn, s.settled_at, p.estimated, p.corrected_at, s.stop_reason,
       p.end_cause, p.stop_requested_at, p.stop_requested_by, p.reopened_at, p.remote_start_id,
       t.id AS transaction_key, t.wire_transaction_id, t.status AS transaction_status,
       t.meter_start_wh, coalesce(t.meter_base_wh, t.meter_start_wh) AS meter_base_wh, t.meter_carried_wh,
       t.meter_last_wh, t.meter_last_measured_at, t.meter_last_received_at, t.meter_stop_wh,
       t.started_at, t.received_at, t.stopped_at, t.stop_received_at, t.power_w, t.current_a, t.voltage_v,
       t.soc_percent, t.temperature_c, t.last_sample_at,
       CASE WHEN EXISTS (SELECT FROM evpower.power_grants g WHERE g.session_id = s.id)
            THEN evpower.paused_times(s.id, t.received_at) END AS paused_times,
       EXISTS (SELECT FROM evpower.doubts d WHERE d.session_id = s.id AND d.settled_at IS NULL) AS doubtful,
       '{SIGNED_FLAG}' = ANY(t.flags)
           OR EXISTS (SELECT FROM evpower.signed_readings g WHERE g.session_id = s.id) AS signed_meter
FROM public.charging_sessions s
JOIN public.clients c ON c.id = s.user_id
JOIN evpower.session_phases p ON p.session_id = s.id
LEFT JOIN LATERAL (SELECT * FROM evpower.ocpp_transactions o WHERE o.charging_session_id = s.id ORDER BY o.id LIMIT 1) t
     ON true
WHERE s.id = %(id)s
"""
SESSION_OF = """
SELECT charging_session_id AS id FROM evpower.ocpp_transactions
WHERE station_id = %(station_id)s AND wire_transaction_id = %(wire_id)s AND charging_session_id IS NOT NULL
"""
FINAL_AMONG = "SELECT id FROM public.charging_sessions WHERE id = ANY(%(ids)s) AND settled_at IS NOT NULL"

LOCK_SESSION = "SELECT FROM public.charging_sessions WHERE id = %(id)s FOR UPDATE"

READ_OWNER = "SELECT user_id FROM public.charging_sessions WHERE id = %(id)s"

SET_PHASE = """
UPDATE evpower.session_phases SET phase = %(phase)s, phase_at = %(at)s
WHERE session_id = %(id)s AND phase = ANY(%(before)s)
"""

REQUEST_STOP = """
UPDATE evpower.session_phases
SET stop_requested_at = %(at)s, stop_requested_by = %(actor)s, phase_at = %(at)s,
    phase = CASE phase WHEN 'charging' THEN 'stopping' ELSE phase END
WHERE session_id = %(id)s AND phase IN ('reserved', 'starting', 'charging', 'stopping') AND stop_requested_at IS NULL
"""

ASKED_TO_STOP = """
SELECT stop_requested_by AS by, stop_requested_by IS NULL AND EXISTS (
    SELECT FROM evpower.ocpp_transactions t WHERE t.charging_session_id = session_id AND t.stop_asked_at IS NOT NULL
) AS at_limit
FROM evpower.session_phases WHERE session_id = %(id)s
"""

# The session is locked before its phase, as a settlement does it.
END_SESSION = """
WITH locked AS MATERIALIZED (SELECT id FROM public.charging_sessions WHERE id = %(id)s FOR NO KEY UPDATE),
phase AS (
    UPDATE evpower.session_phases
    SET phase = 'ended', phase_at = %(at)s, estimated = %(estimated)s, end_cause = %(cause)s
    FROM locked WHERE session_id = locked.id AND phase IN ('reserved', 'starting', 'charging', 'stopping')
    RETURNING session_id)
UPDATE public.charging_sessions s
SET stop_time = %(at)s, stop_reason = %(reason)s, updated_at = %(at)s
FROM phase WHERE s.id = phase.session_id
RETURNING s.id
"""

# By sessions, not by what a station never reported the end of (field ruling 2.4); their phases by id, as
# `due_sessions.ENDED_BEFORE_START`.
CHARGING_WITH_TAG = """
SELECT DISTINCT s.station_id FROM public.charging_sessions s
CROSS JOIN LATERAL (SELECT phase FROM evpower.session_phases WHERE session_id = s.id OFFSET 0) p
WHERE lower(s.id_tag) = lower(%(id_tag)s) AND s.status = 'started' AND s.settled_at IS NULL
  AND p.phase IN ('charging', 'stopping')
"""

COUNT_RUNNING = """
SELECT count(*) AS running FROM public.charging_sessions
WHERE user_id = %(client_id)s AND status = 'started' AND settled_at IS NULL
"""

# A start that matches: the number under which it was asked for, its own connector and tag, its connector and the tag's
# client, the client at another connector.
# Another tag of the client counts for no reservation that was made after the charge began.
_OF_CLIENT = "(s.user_id = %(client_id)s AND (%(made_before)s::timestamptz IS NULL OR s.created_at <= %(made_before)s))"
# By its number alone: what a 2.0.1 station was asked to start, else whose reservation it says was used (ocpp201 §3).
_NAMED = "(p.remote_start_id = %(remote_start_id)s OR v.id IS NOT NULL)"
FIND_PENDING = f"""
SELECT s.id, s.connector_id = %(connector_id)s AS is_its_connector FROM public.charging_sessions s
JOIN evpower.session_phases p ON p.session_id = s.id
LEFT JOIN evpower.reservations v ON v.session_id = s.id AND v.wire_id = %(reservation_id)s
WHERE s.station_id = %(station_id)s AND s.status = 'started' AND p.phase IN ('reserved', 'starting')
  AND NOT EXISTS (SELECT FROM evpower.ocpp_transactions t WHERE t.charging_session_id = s.id)
  AND (ltrim(lower(s.id_tag), '+') = %(tag)s OR {_OF_CLIENT} OR {_NAMED})
  AND (s.connector_id = %(connector_id)s OR {_NAMED}
       OR NOT EXISTS (SELECT FROM public.charging_sessions o WHERE o.station_id = s.station_id
                      AND o.connector_id = %(connector_id)s AND o.status = 'started')
          AND NOT EXISTS (SELECT FROM evpower.kept_connectors k WHERE k.station_id = s.station_id
                          AND k.connector_id = %(connector_id)s AND k.client_id <> s.user_id))
ORDER BY (p.remote_start_id = %(remote_start_id)s) IS TRUE DESC, v.id IS NOT NULL DESC,
         s.connector_id = %(connector_id)s DESC, ltrim(lower(s.id_tag), '+') = %(tag)s DESC, s.created_at DESC
LIMIT 1 FOR UPDATE OF s
"""

# A start that was given up, by its own generated tag while it is fresh. A phone number is no secret: by that one it is
# found only for a report of a charge that began while it was waited for (ruling 9.10, money audit A15, A16).
FIND_RELEASED = """
SELECT s.id, s.user_id AS client_id, s.settled_at AS released_at, p.stop_requested_at IS NOT NULL AS given_up
FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
WHERE s.station_id = %(station_id)s AND p.phase = 'released' AND ltrim(lower(s.id_tag), '+') = %(tag)s
  AND NOT EXISTS (SELECT FROM evpower.ocpp_transactions t WHERE t.charging_session_id = s.id)
  AND CASE WHEN s.id_tag ~ '^[+0-9]+$' THEN %(reported_since)s BETWEEN s.created_at AND s.settled_at
           ELSE %(began_at)s <= s.settled_at + %(remembered)s END
ORDER BY s.connector_id = %(connector_id)s DESC, s.created_at DESC LIMIT 1
"""

REOPEN = """
WITH phase AS (
    UPDATE evpower.session_phases SET phase = 'starting', phase_at = %(at)s, reopened_at = %(at)s, end_cause = NULL
    WHERE session_id = %(id)s AND phase = 'released' RETURNING session_id)
UPDATE public.charging_sessions s
SET status = %(status)s, connector_id = %(connector_id)s, settled_at = NULL, stop_time = NULL, stop_reason = NULL,
    amount = NULL, refunded_amount = 0, reserved_amount = %(reserved)s, updated_at = %(at)s
FROM phase WHERE s.id = phase.session_id
"""


@dataclass(frozen=True)
class StopAsked:
    """Who asked for a stop first; `at_limit`: it was asked because the charge reached its limit."""

    by: str | None
    at_limit: bool


@dataclass(frozen=True)
class Opening:
    """A charge that is about to be written."""

    id: SessionId
    order: StartOrder
    reservation: Reservation
    id_tag: IdTag
    start_time: datetime
    #: Its connector has another session by now: it is never shown as running, and waits for its stop alone.
    is_over: bool = False


@dataclass(frozen=True)
class NewSession:
    """What a reservation writes."""

    opening: Opening
    rates: Rates
    pricing_history_id: int
    at: datetime


async def insert_session(conn: Conn, new: NewSession) -> None:
    """Write the session and its phase `reserved`.

    Raises ConnectorTaken when the connector already has a running session.
    """
    opening = new.opening
    limit = opening.reservation.limit
    amount = None if limit.amount_tyiyn is None else som(limit.amount_tyiyn)
    energy = None if limit.energy_wh is None else Decimal(limit.energy_wh) / 1000
    try:
        await conn.execute(
            INSERT_SESSION,
            {
                "id": opening.id,
                "client_id": opening.order.client_id,
                "station_id": opening.order.station_id,
                "connector_id": opening.order.connector_id,
                "at": new.at,
                "start_time": opening.start_time,
                "status": "stopped" if opening.is_over else "started",
                "reserved": som(opening.reservation.reserved_tyiyn),
                "limit_type": limit.type,
                "limit_value": energy if limit.type == "energy" else amount,
                "amount_cap": amount if limit.type == "energy" else None,
                "rate_per_kwh": new.rates.per_kwh,
                "rate_per_minute": new.rates.per_minute,
                "session_fee": new.rates.session_fee,
                "pricing_history_id": new.pricing_history_id,
                "id_tag": opening.id_tag,
            },
        )
    except UniqueViolation as error:
        if error.diag.constraint_name == ONE_RUNNING:
            raise ConnectorTaken from error
        raise


async def read_session(conn: Conn, session_id: SessionId) -> Session | None:
    """The session with its station's record, or None."""
    row = await (await conn.execute(READ_SESSION, {"id": session_id})).fetchone()
    return None if row is None else _session(row)


async def of_transaction(conn: Conn, station_id: StationId, wire_id: WireTransactionId) -> Session | None:
    """The session of a station's transaction, or None."""
    row = await (await conn.execute(SESSION_OF, {"station_id": station_id, "wire_id": wire_id})).fetchone()
    return None if row is None else await read_session(conn, SessionId(row["id"]))


async def final_among(conn: Conn, session_ids: Collection[SessionId]) -> list[SessionId]:
    """Which of these sessions are final."""
    cursor = await conn.execute(FINAL_AMONG, {"ids": list(session_ids)})
    return [SessionId(row["id"]) for row in await cursor.fetchall()]


async def lock_session(conn: Conn, session_id: SessionId) -> Session | None:
    """The same, its row taken for this unit of work; the client's row comes first (billing-rules §10).

    Two statements: a joined row read by the one that waits for the lock would be as old as its wait.
    """
    await conn.later(LOCK_SESSION, {"id": session_id})
    return await read_session(conn, session_id)


async def read_owner(conn: Conn, session_id: SessionId) -> ClientId | None:
    row = await (await conn.execute(READ_OWNER, {"id": session_id})).fetchone()
    return None if row is None else ClientId(row["user_id"])


async def set_phase(
    conn: Conn, session_id: SessionId, phase: Phase, *, before: tuple[Phase, ...], at: datetime
) -> bool:
    """Move on from one of the phases `before`; False when the session was elsewhere."""
    cursor = await conn.execute(SET_PHASE, {"id": session_id, "phase": phase, "before": list(before), "at": at})
    return cursor.rowcount == 1


async def request_stop(conn: Conn, session_id: SessionId, actor: str, at: datetime) -> bool:
    """Note that someone asked for the end, and who; False when it was asked before, or the session has ended."""
    return (await conn.execute(REQUEST_STOP, {"id": session_id, "actor": actor, "at": at})).rowcount == 1


async def asked_to_stop(conn: Conn, session_id: SessionId) -> StopAsked:
    """Who asked for the end of this session first, and whether its station was asked without anyone."""
    (row,) = await (await conn.execute(ASKED_TO_STOP, {"id": session_id})).fetchall()
    return StopAsked(**row)


async def end_session(
    conn: Conn, session_id: SessionId, *, cause: EndCause, reason: str, estimated: bool, at: datetime
) -> bool:
    """Commit the facts of the end; the settlement is due. False when it had ended before."""
    parameters = {"id": session_id, "cause": cause, "reason": reason, "estimated": estimated, "at": at}
    cursor = await conn.execute(END_SESSION, parameters)
    return cursor.rowcount == 1


@dataclass(frozen=True)
class PendingStart:
    """A reservation that waits for its start, and whether it is for the connector where one came."""

    id: SessionId
    is_its_connector: bool


async def find_pending(
    conn: Conn,
    station_id: StationId,
    start: TransactionStart,
    client_id: ClientId | None,
    made_before: datetime | None,
) -> PendingStart | None:
    """The reservation a StartTransaction is for (contract/ocpp-behaviour §5.2), its row taken.

    `client_id` is the tag's owner. `made_before`: what he reserved later is not for this start; None when its time says
    nothing.
    """
    parameters = {
        "station_id": station_id,
        "connector_id": start.connector_id,
        "tag": start.id_tag.lower().lstrip("+"),
        "client_id": client_id,
        "made_before": made_before,
        "remote_start_id": start.remote_start_id,
        "reservation_id": start.reservation_id if start.wire_transaction_id is not None else None,
    }
    row = await (await conn.execute(FIND_PENDING, parameters)).fetchone()
    return None if row is None else PendingStart(**row)


@dataclass(frozen=True)
class ReleasedStart:
    """A reservation that was given up before its start came; `given_up`: someone asked for that."""

    id: SessionId
    client_id: ClientId
    released_at: datetime
    given_up: bool


async def find_released(
    conn: Conn, station_id: StationId, start: TransactionStart, *, began_at: datetime, reported_since: datetime | None
) -> ReleasedStart | None:
    """The given-up reservation a late StartTransaction was for.

    `began_at` is the time of the start by which it is judged, `reported_since` the same when it comes late.
    """
    parameters = {
        "station_id": station_id,
        "connector_id": start.connector_id,
        "tag": start.id_tag.lower().lstrip("+"),
        "began_at": began_at,
        "reported_since": reported_since,
        "remembered": RELEASED_IS_REMEMBERED,
    }
    row = await (await conn.execute(FIND_RELEASED, parameters)).fetchone()
    return None if row is None else ReleasedStart(**row)


async def reopen(
    conn: Conn, session_id: SessionId, connector_id: ConnectorId, reserved_tyiyn: int, *, is_over: bool, at: datetime
) -> None:
    """Take a release back: the session waits for its start again, with this hold; the caller has its row."""
    parameters = {
        "id": session_id,
        "connector_id": connector_id,
        "reserved": som(reserved_tyiyn),
        "status": "stopped" if is_over else "started",
        "at": at,
    }
    await conn.execute(REOPEN, parameters)


async def charging_with_tag(conn: Conn, id_tag: IdTag) -> set[StationId]:
    """The stations where a charge with this tag goes on."""
    return {row["station_id"] for row in await (await conn.execute(CHARGING_WITH_TAG, {"id_tag": id_tag})).fetchall()}


async def count_running(conn: Conn, client_id: ClientId) -> int:
    """How many sessions of the client run now."""
    row = await (await conn.execute(COUNT_RUNNING, {"client_id": client_id})).fetchone()
    return int(row["running"]) if row else 0


def _session(row: dict[str, Any]) -> Session:
    return Session(
        id=SessionId(row["id"]),
        client_id=ClientId(row["user_id"]),
        client_balance_tyiyn=row["client_balance_tyiyn"],
        station_id=StationId(row["station_id"]),
        connector_id=ConnectorId(row["connector_id"]),
        status=row["status"],
        phase=row["phase"],
        start_time=row["start_time"],
        stop_time=row["stop_time"],
        id_tag=IdTag(row["id_tag"] or ""),
        terms=ChargeTerms(
            rates_of(row),
            row["reserved_tyiyn"],
            limit_from_columns(row["limit_type"], row["limit_value"], row["amount_cap"]),
            moving_price(row).schedule,
        ),
        energy_wh=row["energy_wh"],
        amount_tyiyn=row["amount_tyiyn"],
        refunded_tyiyn=row["refunded_tyiyn"],
        additional_tyiyn=row["additional_tyiyn"],
        debt_tyiyn=row["debt_tyiyn"],
        settled_at=row["settled_at"],
        estimated=row["estimated"],
        corrected_at=row["corrected_at"],
        stop_reason=row["stop_reason"],
        end_cause=row["end_cause"],
        stop_requested_at=row["stop_requested_at"],
        stop_requested_by=row["stop_requested_by"],
        doubtful=row["doubtful"],
        signed_meter=bool(row["signed_meter"]),
        reopened_at=row["reopened_at"],
        remote_start_id=row["remote_start_id"],
        record=_record(row),
    )


def _record(row: dict[str, Any]) -> TransactionRecord | None:
    if row["transaction_key"] is None:
        return None
    return TransactionRecord(
        wire_transaction_id=WireTransactionId(row["wire_transaction_id"]),
        stopped=row["transaction_status"] == "Stopped" or row["settled_at"] is not None,
        **{
            name: row[name]
            for name in (
                "meter_start_wh",
                "meter_base_wh",
                "meter_carried_wh",
                "meter_last_wh",
                "meter_last_measured_at",
                "meter_last_received_at",
                "meter_stop_wh",
                "started_at",
                "received_at",
                "stopped_at",
                "stop_received_at",
                "power_w",
                "current_a",
                "voltage_v",
                "soc_percent",
                "temperature_c",
                "last_sample_at",
            )
        },
        paused=tuple(
            (datetime.fromtimestamp(float(since), UTC), datetime.fromtimestamp(float(ends), UTC))
            for since, ends in row["paused_times"] or ()
        ),
    )
