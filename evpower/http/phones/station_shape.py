"""A station as `GET /station/status` shows it (contract/rest-api §3.1)."""

from __future__ import annotations

from evpower.http.wire.values import Body, instant, instant_or_null, known, kwh, number
from evpower.identifiers import ClientId
from evpower.money import CURRENCY
from evpower.network.listing import ListedConnector
from evpower.network.station_view import RunningSession, StationView

WORKING = "Станция работает"
MESSAGES = {"maintenance": "Станция на обслуживании", "offline": "Станция недоступна"}


def station_body(view: StationView, reader: ClientId | None = None) -> Body:
    """Every name the seed, the app and the first backend give these facts, for this client or for everybody."""
    station, location = view.station, view.location
    seen = instant_or_null(station.last_seen_at)
    stored = [connector.status for connector in station.connectors]
    available, occupied = stored.count("available"), stored.count("occupied")
    return {
        "success": True,
        "station_id": station.id,
        "is_online": view.is_online,
        "online": view.is_online,
        "last_heartbeat": seen,
        "last_heartbeat_at": seen,
        "connectors": [_connector_body(connector, view) for connector in station.connectors],
        "current_sessions": [running_body(session, reader) for session in view.running],
        "firmware_version": view.firmware_version,
        "serial_number": station.serial_number,
        "model": station.model,
        "manufacturer": station.manufacturer,
        "status": station.status,
        "station_status": station.status,
        "admin_status": station.admin_status,
        "location_status": location.status,
        "available_for_charging": view.is_online and any(map(station.offers, station.connectors)),
        "location_id": location.id,
        "location_name": location.name,
        "location_address": location.address,
        "total_connectors": station.connectors_count,
        "available_connectors": available,
        "occupied_connectors": occupied,
        "faulted_connectors": len(stored) - available - occupied,
        # A misnomer the app lives with: som, not roubles.
        "tariff_rub_kwh": number(station.rate_per_kwh),
        "session_fee": number(station.session_fee),
        "currency": CURRENCY,
        "working_hours": "Круглосуточно",
        "message": MESSAGES.get(station.status, WORKING),
        "reliability": station.reliability,
    }


def _connector_body(connector: ListedConnector, view: StationView) -> Body:
    """One configured connector; `status` is OCPP's own status."""
    code = view.error_codes.get(connector.connector_id)
    error = None if code == "NoError" else code
    power = {"power_kw": connector.power_kw}
    return {
        "connector_id": connector.connector_id,
        "id": connector.connector_id,
        "status": connector.ocpp_status,
        "available": view.station.offers(connector),
        "connector_type": connector.connector_type,
        "type": connector.connector_type,
        **known(power),
        "error_code": error,
        "error": error,
        "reliability": connector.reliability,
    }


def running_body(session: RunningSession, reader: ClientId | None) -> Body:
    """A running session; its id, by which it can be stopped, for its own client alone (safe by default 5)."""
    return {
        **({"session_id": session.session_id} if session.client_id == reader else {}),
        "connector_id": session.connector_id,
        "start_time": instant(session.start_time),
        "energy_consumed": kwh(session.energy_wh),
        "limit_type": session.limit_type,
    }
