"""What is known of a site's members at this moment: sockets, charges, readings, and the grants they may hold to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import trio

from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, SessionId, StationId, WireTransactionId
from evpower.power.at_station.schedules import ReadSchedules, current_da
from evpower.power.planning import ANSWER_WITHIN
from evpower.power.possible_draw import Grant, GrantAnswer
from evpower.power.rows.groups import TREE, tenths
from evpower.power.site import GroupId, Member, OutletId, da_of_watts

# A charge that was asked for and has not begun is one too: the station may begin it at any moment. Limits of others are
# what the station reported, and operators' own permanent profiles: of a higher level than ours they are a maximum.
FACTS = f"""
{TREE} SELECT m.station_id, m.connector_id, m.phases, m.dc, m.priority, m.failsafe_set_a, m.failsafe_asked_at,
       m.rate_unit, m.uncontrolled, m.uncontrolled_since, c.ocpp_status, k.connected_at, x.charging_state,
       t.wire_transaction_id, t.received_at, t.current_a, t.power_w, t.voltage_v, t.last_sample_at,
       t.meter_last_wh - coalesce(t.meter_base_wh, t.meter_start_wh) + t.meter_carried_wh AS energy_wh,
       coalesce(t.charging_session_id, s.id) AS session_id, coalesce(t.received_at, s.start_time) AS arrived_at,
       w.profile_type, w.departure_at, w.energy_need_wh, m.schedule_wanted_at, f.foreign_limits
FROM evpower.power_group_members m JOIN tree ON tree.id = m.group_id
JOIN public.connectors c ON c.station_id = m.station_id AND c.connector_number = m.connector_id
LEFT JOIN evpower.charger_connections k ON k.station_id = m.station_id
LEFT JOIN LATERAL (
    SELECT * FROM evpower.ocpp_transactions t
    WHERE t.station_id = m.station_id AND t.connector_id = m.connector_id AND t.status = 'Started'
    ORDER BY t.id DESC LIMIT 1) t ON true
LEFT JOIN evpower.station_transactions x
       ON x.station_id = t.station_id AND x.wire_transaction_id = t.wire_transaction_id
LEFT JOIN LATERAL (
    SELECT s.id, s.start_time FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
    WHERE s.station_id = m.station_id AND s.connector_id = m.connector_id AND s.status = 'started'
      AND p.phase = 'starting' AND t.id IS NULL) s ON true
LEFT JOIN evpower.power_preferences w ON w.session_id = coalesce(t.charging_session_id, s.id)
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(o.written, extract(epoch FROM o.set_at), o.is_default)) AS foreign_limits
    FROM (SELECT l.schedule AS written, l.set_at, false AS is_default FROM evpower.power_station_limits l
          WHERE l.station_id = m.station_id AND l.connector_id IN (0, m.connector_id)
          UNION ALL
          SELECT p.profile, p.set_at, p.purpose = 'TxDefaultProfile' FROM evpower.ocpp_charging_profiles p
          WHERE p.station_id = m.station_id AND p.connector_id IN (0, m.connector_id)
            AND (p.purpose <> 'TxDefaultProfile' OR p.stack_level > 0)) o) f ON true
ORDER BY m.station_id, m.connector_id
"""
# Those whose lease may hold, with what became of them; the newest answer of each counts.
GRANTS = f"""
{TREE} SELECT g.*, a.state AS answer, a.acked_at AS answered_at
FROM evpower.power_group_members m JOIN tree ON tree.id = m.group_id
JOIN evpower.power_grants g ON g.station_id = m.station_id AND g.connector_id = m.connector_id
LEFT JOIN LATERAL (
    SELECT state, acked_at FROM evpower.power_grants a WHERE a.grant_id = g.grant_id AND a.state <> 'sent'
    ORDER BY a.id DESC LIMIT 1) a ON true
WHERE g.state = 'sent' AND g.granted_at > %(since)s ORDER BY g.id
"""
#: A site of hundreds of connectors holds up nothing else: others have their turn after so many.
TOGETHER = 25
#: Longer than any start is waited for, and any lease lasts.
LOOK_BACK = timedelta(hours=1)


@dataclass(frozen=True)
class Facts:
    """A member as its rows are."""

    outlet: OutletId
    connected_at: datetime | None
    failsafe_set_da: int | None
    failsafe_asked_at: datetime | None
    rate_unit: str | None
    uncontrolled: str | None
    #: Of the charge that runs, or was asked for.
    transaction_id: WireTransactionId | None
    session_id: SessionId | None
    arrived_at: datetime | None
    began_at: datetime | None
    energy_wh: int
    measured_da: int
    measured_at: datetime | None
    volts: float | None
    #: The station reports that the car takes nothing of its own accord, or that it charges.
    is_suspended: bool
    is_charging: bool
    priority: int
    profile_type: str | None
    departure_at: datetime | None
    need_wh: int | None
    grants: tuple[Grant, ...]
    #: When its car asked for a schedule.
    schedule_wanted_at: datetime | None = None
    #: What somebody else lets it draw now, and what an operator's permanent profile ever does.
    limited_da: int | None = None
    default_da: int = 0


async def read_facts(
    conn: Conn, root: GroupId, members: Mapping[OutletId, Member], read: ReadSchedules, now: datetime
) -> Sequence[Facts]:
    """Every member of the site."""
    rows = await (await conn.execute(FACTS, {"root": root})).fetchall()
    sent: dict[OutletId, list[dict[str, Any]]] = {}
    for each in await (await conn.execute(GRANTS, {"root": root, "since": now - LOOK_BACK})).fetchall():
        sent.setdefault(_outlet(each), []).append(each)
    facts = []
    for row in rows:
        facts.append(_facts(row, members[_outlet(row)], sent.get(_outlet(row), ()), read, now))
        if len(facts) % TOGETHER == 0:
            await trio.lowlevel.checkpoint()
    return facts


def _outlet(row: dict[str, Any]) -> OutletId:
    return StationId(row["station_id"]), ConnectorId(row["connector_id"])


def _facts(
    row: dict[str, Any], member: Member, sent: Sequence[dict[str, Any]], read: ReadSchedules, now: datetime
) -> Facts:
    own = [each for each in sent if _is_of(each, row)]
    limited_da, default_da = _foreign_limits(row, member, read, now)
    suspended = (row["charging_state"] or row["ocpp_status"]) == "SuspendedEV"
    failsafe_a: Decimal | None = row["failsafe_set_a"]
    return Facts(
        outlet=member.outlet,
        connected_at=row["connected_at"],
        failsafe_set_da=None if failsafe_a is None else tenths(failsafe_a),
        failsafe_asked_at=row["failsafe_asked_at"],
        rate_unit=row["rate_unit"],
        uncontrolled=row["uncontrolled"],
        transaction_id=row["wire_transaction_id"],
        session_id=row["session_id"],
        arrived_at=row["arrived_at"],
        began_at=row["received_at"],
        energy_wh=max(0, row["energy_wh"] or 0),
        measured_da=_measured_da(row),
        measured_at=row["last_sample_at"],
        volts=row["voltage_v"],
        is_suspended=suspended,
        is_charging=(row["charging_state"] or row["ocpp_status"]) == "Charging",
        priority=row["priority"],
        profile_type=row["profile_type"],
        departure_at=row["departure_at"],
        need_wh=row["energy_need_wh"],
        grants=tuple(_grant(each, row["received_at"], now) for each in own),
        schedule_wanted_at=row["schedule_wanted_at"],
        limited_da=limited_da,
        default_da=default_da,
    )


def _foreign_limits(row: dict[str, Any], member: Member, read: ReadSchedules, now: datetime) -> tuple[int | None, int]:
    """What they allow now (None: anything), and what one that holds without a charge allows at most."""
    limits: list[int] = []
    default_da = 0
    for written, set_at_s, is_default in row["foreign_limits"] or ():
        for schedule in read(written, row["received_at"] or datetime.fromtimestamp(float(set_at_s), UTC)):
            limit = schedule.limit(now)
            if limit is not None:
                limits.append(current_da(limit, schedule.unit, member, row["voltage_v"]))
            if is_default:
                highest_da = current_da(schedule.highest, schedule.unit, member, row["voltage_v"])
                default_da = max(default_da, highest_da)
    return min(limits, default=None), default_da


def _is_of(grant: dict[str, Any], charge: dict[str, Any]) -> bool:
    """A grant of this charge: a profile ends with its transaction."""
    if grant["transaction"] is not None:
        return bool(grant["transaction"] == charge["wire_transaction_id"])
    return grant["session_id"] is not None and bool(grant["session_id"] == charge["session_id"])


def _grant(row: dict[str, Any], began_at: datetime | None, now: datetime) -> Grant:
    duration = timedelta(seconds=row["lease_s"])
    sent_at: datetime = row["granted_at"]
    if row["transaction"] is None:  # in a start
        has_begun = began_at is not None
        return Grant(row["current_da"], sent_at, began_at, ANSWERS["accepted" if has_begun else "lost"], duration)
    if row["answer"] is None:
        is_overdue = now >= sent_at + ANSWER_WITHIN
        answer = GrantAnswer.LOST if is_overdue else GrantAnswer.WAITING
        return Grant(row["current_da"], sent_at, sent_at + ANSWER_WITHIN, answer, duration)
    had_by = row["answered_at"] or sent_at + ANSWER_WITHIN
    return Grant(row["current_da"], sent_at, had_by, ANSWERS[row["answer"]], duration)


#: What the rows call it.
ANSWERS = {
    "accepted": GrantAnswer.ACCEPTED,
    "rejected": GrantAnswer.REFUSED,
    "failed": GrantAnswer.REFUSED,
    "timed_out": GrantAnswer.LOST,
    "offline": GrantAnswer.LOST,
    "lost": GrantAnswer.LOST,
}


def _measured_da(row: dict[str, Any]) -> int:
    """The current of the fullest phase; what a meter of direct current shows is another one."""
    if row["current_a"] is not None and not row["dc"]:
        return max(0, round(float(row["current_a"]) * 10))
    return da_of_watts(max(0.0, row["power_w"] or 0.0), 3 if row["dc"] else row["phases"])
