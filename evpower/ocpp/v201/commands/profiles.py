"""Charging profiles as OCPP 2.0.1 writes them (K01, K08, K10)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from evpower.charging.transaction import own_id
from evpower.identifiers import ConnectorId, WireTransactionId
from evpower.link.commands import ChargingProfile, ClearProfiles, Ending, LimitDraw, ReadSchedule, Reply, SetProfile
from evpower.link.device_commands import FoundLimit, FoundLimits, ReadLimits, ReadProfiles, Reported
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply
from evpower.ocpp.v201.commands.answers import reported
from evpower.ocpp.v201.commands.schemas import SCHEMAS
from evpower.ocpp.wire.times import wire_time

#: The stack levels of our own profiles; an operator's with a higher one goes before (roadmap/smart-charging §4).
DEFAULT_LEVEL, CHARGE_LEVEL = 0, 1
#: Nothing matched: what was wanted is so.
CLEARED_OR_NOT_THERE = frozenset({"Accepted", "Unknown"})
#: Of a limit of the whole station; the others have one name.
PURPOSES = {"ChargePointMaxProfile": "ChargingStationMaxProfile"}


def read_profile(connector_id: ConnectorId, written: Mapping[str, Any]) -> ChargingProfile:
    """What we keep of it. Raises InvalidRequest, as sending it would."""
    request = _set(connector_id, written)  # the number of its EVSE changes nothing of what is checked
    SCHEMAS.check_command(request.action, request.payload)
    transaction_id = written.get("transactionId")
    return ChargingProfile(
        profile_id=written["id"],
        purpose=written["chargingProfilePurpose"],
        stack_level=written["stackLevel"],
        transaction_id=None if transaction_id is None else WireTransactionId(transaction_id),
        is_passing=written["chargingProfilePurpose"] == "TxProfile",
        as_written=written,
    )


async def set_profile(send: Send, command: SetProfile) -> Reply:
    return reply(await send(_set(send.evses.place(command.connector_id).evse_id, command.profile.as_written)))


async def limit_draw(send: Send, command: LimitDraw) -> Reply:
    return reply(await send(_set(send.evses.place(command.connector_id).evse_id, limit_profile(command))))


def limit_profile(command: LimitDraw) -> Mapping[str, Any]:
    """A profile of one schedule with one period (K01); a relative one counts from the charge's begin (K01.FR.32)."""
    phases = {} if command.phases is None else {"numberPhases": command.phases}
    period = {"startPeriod": 0, "limit": Decimal(command.limit_tenths) / 10, **phases}
    schedule: dict[str, Any] = {"id": 1, "chargingRateUnit": command.unit, "chargingSchedulePeriod": [period]}
    if command.duration_s is not None:
        schedule["duration"] = command.duration_s
    if command.begins_at is not None:
        schedule["startSchedule"] = wire_time(command.begins_at)
    charge = {} if command.transaction_id is None else {"transactionId": command.transaction_id}
    return {
        "id": command.profile_id,
        "stackLevel": DEFAULT_LEVEL if command.is_lasting else CHARGE_LEVEL,
        "chargingProfilePurpose": "TxDefaultProfile" if command.is_lasting else "TxProfile",
        "chargingProfileKind": "Relative" if command.begins_at is None else "Absolute",
        "chargingSchedule": [schedule],
        **charge,
    }


async def clear_profiles(send: Send, command: ClearProfiles) -> Reply:
    criteria = {
        "evseId": None if command.connector_id is None else send.evses.place(command.connector_id).evse_id,
        "chargingProfilePurpose": PURPOSES.get(command.purpose or "", command.purpose),
        "stackLevel": command.stack_level,
    }
    given = {name: value for name, value in criteria.items() if value is not None}
    payload: dict[str, Any] = {"chargingProfileCriteria": given} if given else {}
    if command.profile_id is not None:
        payload["chargingProfileId"] = command.profile_id
    return reply(await send(Request("ClearChargingProfile", payload)), CLEARED_OR_NOT_THERE)


async def read_profiles(send: Send, command: ReadProfiles) -> Reported:
    """A station without such a profile answers NoProfiles."""
    criteria = {
        "chargingProfilePurpose": PURPOSES.get(command.purpose or "", command.purpose),
        "stackLevel": command.stack_level,
        "chargingProfileId": None if command.profile_id is None else [command.profile_id],
    }
    wanted = {name: value for name, value in criteria.items() if value is not None}
    payload: dict[str, Any] = {"requestId": command.request_id, "chargingProfile": wanted}
    if command.connector_id is not None:
        payload["evseId"] = send.evses.place(command.connector_id).evse_id
    answer = await send(Request("GetChargingProfiles", payload, "ReportChargingProfiles"))
    return reported(answer, frozenset({"Accepted", "NoProfiles"}))


async def read_limits(send: Send, command: ReadLimits) -> FoundLimits:
    """What the station has by its own report (K09)."""
    purpose = "ChargingStationExternalConstraints" if command.of_others else "TxDefaultProfile"
    found = await read_profiles(send, ReadProfiles(command.request_id, command.connector_id, None, purpose, None))
    if found.reply.ending is not Ending.DONE:
        return FoundLimits(None)
    return FoundLimits(
        tuple(
            FoundLimit(str(part.get("chargingLimitSource", "CSO")), profile.get("id"), profile)
            for part in found.parts
            for profile in part.get("chargingProfile", ())
        )
    )


async def read_schedule(send: Send, command: ReadSchedule) -> Reply:
    evse_id = send.evses.place(command.connector_id).evse_id
    payload: dict[str, Any] = {"evseId": evse_id, "duration": command.duration_s}
    if command.unit is not None:
        payload |= {"chargingRateUnit": command.unit}
    return reply(await send(Request("GetCompositeSchedule", payload)))


def _set(evse_id: int, profile: Mapping[str, Any]) -> Request:
    transaction_id = profile.get("transactionId")
    if isinstance(transaction_id, str):
        profile = {**profile, "transactionId": own_id(WireTransactionId(transaction_id))}
    return Request("SetChargingProfile", {"evseId": evse_id, "chargingProfile": profile})
