"""A station as `GET /station/status` shows it (contract/rest-api §3.1)."""

from __future__ import annotations

from evpower.charging.session import ConnectorView, RunningSession, StationView
from evpower.http.shapes import Body, instant, instant_or_null, kwh, number
from evpower.money import CURRENCY

WORKING = "Станция работает"
MESSAGES = {"maintenance": "Станция на обслуживании", "offline": "Станция недоступна"}


def station_body(station: StationView) -> Body:
    """Every name the seed, the app and the first backend give these facts."""
    seen = instant_or_null(station.last_seen_at)
    stored = [connector.stored_status for connector in station.connectors]
    available, occupied = stored.count("available"), stored.count("occupied")
    chargeable = any(connector.available for connector in station.connectors)
    return {
        "success": True,
        "station_id": station.station_id,
        "is_online": station.is_online,
        "online": station.is_online,
        "last_heartbeat": seen,
        "last_heartbeat_at": seen,
        "connectors": [connector_body(connector) for connector in station.connectors],
        "current_sessions": [running_body(session) for session in station.running],
        "firmware_version": station.firmware_version,
        "serial_number": station.serial_number,
        "model": station.model,
        "manufacturer": station.manufacturer,
        "status": station.public_status,
        "station_status": station.public_status,
        "admin_status": station.admin_status,
        "location_status": station.location_status,
        "available_for_charging": station.is_online and station.admin_status == "active" and chargeable,
        "location_id": station.location_id,
        "location_name": station.location_name,
        "location_address": station.location_address,
        "total_connectors": station.connectors_count,
        "available_connectors": available,
        "occupied_connectors": occupied,
        "faulted_connectors": len(stored) - available - occupied,
        # A misnomer the app lives with: som, not roubles.
        "tariff_rub_kwh": number(station.rate_per_kwh),
        "session_fee": number(station.session_fee),
        "currency": CURRENCY,
        "working_hours": "Круглосуточно",
        "message": MESSAGES.get(station.public_status, WORKING),
    }


def connector_body(connector: ConnectorView) -> Body:
    """One configured connector; `status` is OCPP's own word."""
    error = None if connector.error_code == "NoError" else connector.error_code
    body: Body = {
        "connector_id": connector.connector_id,
        "id": connector.connector_id,
        "status": connector.ocpp_status,
        "available": connector.available,
        "connector_type": connector.connector_type,
        "type": connector.connector_type,
        "error_code": error,
        "error": error,
    }
    if connector.power_kw is not None:
        body["power_kw"] = connector.power_kw
    return body


def running_body(session: RunningSession) -> Body:
    """A running session without anything about its client: the endpoint is public."""
    return {
        "session_id": session.session_id,
        "connector_id": session.connector_id,
        "start_time": instant(session.start_time),
        "energy_consumed": kwh(session.energy_wh),
        "limit_type": session.limit_type,
    }
