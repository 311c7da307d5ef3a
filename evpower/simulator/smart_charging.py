"""The SmartCharging commands (OCPP 1.6 §5.5, §5.7, §5.16)."""

from __future__ import annotations

from evpower.simulator.answers import ACCEPTED, REJECTED, Answered, Lifecycle, soon
from evpower.simulator.ocpp import CallRefused, Payload, wire_time
from evpower.simulator.profiles import composite_schedule, profile_is_usable
from evpower.simulator.station import Station


def set_charging_profile(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    connector_id, profile = payload["connectorId"], payload["csChargingProfiles"]
    if not profile_is_usable(profile):
        raise CallRefused("PropertyConstraintViolation", "the schedule cannot be used")
    if connector_id != 0 and connector_id not in station.connectors:
        return REJECTED
    if profile["chargingProfilePurpose"] == "TxProfile":
        connector = station.connectors.get(connector_id)
        running = None if connector is None else connector.transaction
        if running is None or profile.get("transactionId") != running.transaction_id:
            return REJECTED
    if not station.profiles.set(connector_id, profile):
        return REJECTED
    return Answered({"status": "Accepted"}, soon(station.apply_limits))


def clear_charging_profile(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    if not station.profiles.clear(payload):
        return Answered({"status": "Unknown"})
    return Answered(ACCEPTED.payload, soon(station.apply_limits))


def get_composite_schedule(station: Station, lifecycle: Lifecycle, payload: Payload) -> Answered:
    connector_id = payload["connectorId"]
    if connector_id != 0 and connector_id not in station.connectors:
        return REJECTED
    station.apply_limits()
    chosen = [c for c in station.connectors.values() if connector_id in (0, c.connector_id)]
    now = wire_time(station.clock.now())
    schedule = composite_schedule(sum(c.offered_w for c in chosen), payload["duration"], now)
    return Answered(
        {"status": "Accepted", "connectorId": connector_id, "scheduleStart": now, "chargingSchedule": schedule}
    )
