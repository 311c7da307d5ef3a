"""The SmartCharging commands (OCPP 1.6 §5.5, §5.7, §5.16)."""

from __future__ import annotations

from functools import partial

import trio

from evpower.simulator.station.answers import ACCEPTED, REJECTED, CommandAnswer, Lifecycle, soon
from evpower.simulator.station.hardware import Hardware
from evpower.simulator.station.profiles import composite_schedule, profile_is_usable
from evpower.simulator.wire.ocpp import CallRefused, Payload, wire_time


def set_charging_profile(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    connector_id, profile = payload["connectorId"], payload["csChargingProfiles"]
    if not profile_is_usable(profile):
        raise CallRefused("PropertyConstraintViolation", "the schedule cannot be used")
    if connector_id != 0 and connector_id not in hardware.connectors:
        return REJECTED
    if profile["chargingProfilePurpose"] == "TxProfile":
        connector = hardware.connectors.get(connector_id)
        running = None if connector is None else connector.transaction
        if running is None or profile.get("transactionId") != running.transaction_id:
            return REJECTED
    if hardware.misbehaviour.refuse_limits:
        return REJECTED
    if hardware.misbehaviour.limit_lag_s > 0:
        return CommandAnswer(ACCEPTED.payload, partial(_obey_late, hardware, connector_id, profile))
    if not hardware.profiles.set(connector_id, profile):
        return REJECTED
    return CommandAnswer(ACCEPTED.payload, soon(hardware.apply_limits))


async def _obey_late(hardware: Hardware, connector_id: int, profile: Payload) -> None:
    """Misbehaviour: what was accepted takes its time; a charge that ended meanwhile has no profile any more."""
    connector = hardware.connectors.get(connector_id)
    of = None if connector is None else connector.transaction
    await trio.sleep(hardware.misbehaviour.limit_lag_s)
    if connector is None or connector.transaction is of:
        hardware.profiles.set(connector_id, profile)
        hardware.apply_limits()


def clear_charging_profile(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    if not hardware.profiles.clear(payload):
        return CommandAnswer({"status": "Unknown"})
    return CommandAnswer(ACCEPTED.payload, soon(hardware.apply_limits))


def get_composite_schedule(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    connector_id = payload["connectorId"]
    if connector_id != 0 and connector_id not in hardware.connectors:
        return REJECTED
    hardware.apply_limits()
    chosen = [c for c in hardware.connectors.values() if connector_id in (0, c.connector_id)]
    now = wire_time(hardware.clock.now())
    schedule = composite_schedule(sum(c.offered_w for c in chosen), payload["duration"], now)
    return CommandAnswer(
        {"status": "Accepted", "connectorId": connector_id, "scheduleStart": now, "chargingSchedule": schedule}
    )
