"""Charging profiles as OCPP 1.6 writes them (§3.13, §5.5, §5.7, §5.16; duty 35)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from evpower.identifiers import ConnectorId, WireTransactionId
from evpower.link.commands import ChargingProfile, ClearProfiles, LimitDraw, ReadSchedule, Reply, SetProfile
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply
from evpower.ocpp.v16.commands.schemas import SCHEMAS
from evpower.ocpp.v16.commands.times import wire_time

#: The stack levels of our own profiles; an operator's with a higher one goes before (roadmap/smart-charging §4).
DEFAULT_LEVEL, CHARGE_LEVEL = 0, 1
#: Nothing matched: what was wanted is so.
CLEARED_OR_NOT_THERE = frozenset({"Accepted", "Unknown"})


def read_profile(connector_id: ConnectorId, written: Mapping[str, Any]) -> ChargingProfile:
    """What we keep of it. Raises InvalidRequest, as sending it would."""
    request = _set(connector_id, written)
    SCHEMAS.check_command(request.action, request.payload)
    transaction_id = written.get("transactionId")
    return ChargingProfile(
        profile_id=written["chargingProfileId"],
        purpose=written["chargingProfilePurpose"],
        stack_level=written["stackLevel"],
        transaction_id=None if transaction_id is None else WireTransactionId(str(transaction_id)),
        is_passing=written["chargingProfilePurpose"] == "TxProfile",
        as_written=written,
    )


async def set_profile(send: Send, command: SetProfile) -> Reply:
    return reply(await send(_set(command.connector_id, command.profile.as_written)))


async def limit_draw(send: Send, command: LimitDraw) -> Reply:
    return reply(await send(_set(command.connector_id, limit_profile(command))))


def limit_profile(command: LimitDraw) -> Mapping[str, Any]:
    """A profile of one period (roadmap/smart-charging §4).

    In a charge that goes on it begins at a moment: a station may count a relative one from the begin of the charge, and
    a lease that is renewed would be over before it came (ADR 80).
    """
    phases = {} if command.phases is None else {"numberPhases": command.phases}
    period = {"startPeriod": 0, "limit": Decimal(command.limit_tenths) / 10, **phases}
    schedule: dict[str, Any] = {"chargingRateUnit": command.unit, "chargingSchedulePeriod": [period]}
    if command.duration_s is not None:
        schedule["duration"] = command.duration_s
    if command.begins_at is not None:
        schedule["startSchedule"] = wire_time(command.begins_at)
    charge = {} if command.transaction_id is None else {"transactionId": int(command.transaction_id)}
    return {
        "chargingProfileId": command.profile_id,
        "stackLevel": DEFAULT_LEVEL if command.is_lasting else CHARGE_LEVEL,
        "chargingProfilePurpose": "TxDefaultProfile" if command.is_lasting else "TxProfile",
        "chargingProfileKind": "Relative" if command.begins_at is None else "Absolute",
        "chargingSchedule": schedule,
        **charge,
    }


async def clear_profiles(send: Send, command: ClearProfiles) -> Reply:
    criteria = {
        "id": command.profile_id,
        "connectorId": command.connector_id,
        "chargingProfilePurpose": command.purpose,
        "stackLevel": command.stack_level,
    }
    payload = {name: value for name, value in criteria.items() if value is not None}
    return reply(await send(Request("ClearChargingProfile", payload)), CLEARED_OR_NOT_THERE)


async def read_schedule(send: Send, command: ReadSchedule) -> Reply:
    payload: dict[str, Any] = {"connectorId": command.connector_id, "duration": command.duration_s}
    if command.unit is not None:
        payload |= {"chargingRateUnit": command.unit}
    return reply(await send(Request("GetCompositeSchedule", payload)))


def _set(connector_id: ConnectorId, profile: Mapping[str, Any]) -> Request:
    return Request("SetChargingProfile", {"connectorId": connector_id, "csChargingProfiles": profile})
