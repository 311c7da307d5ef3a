"""Locations and stations as administrators read them (contract/rest-api §7.7); null is a value that is not set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from evpower.administration.records import Changed, ConnectorRecord, Listed, LocationRecord, SeenStation
from evpower.http.wire.values import Body

Record = TypeVar("Record")


def location_body(location: LocationRecord) -> Body:
    """One location."""
    return {
        "id": location.id,
        "name": location.name,
        "address": location.address,
        "city": location.city,
        "country": location.country,
        "latitude": location.latitude,
        "longitude": location.longitude,
        "status": location.status,
        "stations_count": location.stations_count,
        "connectors_count": location.connectors_count,
        "user_id": location.user_id,
        "admin_id": location.admin_id,
        "created_at": location.created_at,
        "updated_at": location.updated_at,
    }


def station_body(seen: SeenStation) -> Body:
    """One station with its connectors; when it was last heard is live, not the stored time."""
    station = seen.record
    return {
        "id": station.id,
        "serial_number": station.serial_number,
        "model": station.model,
        "manufacturer": station.manufacturer,
        "location_id": station.location_id,
        "location_name": station.location_name,
        "location_address": station.location_address,
        "power_capacity": station.power_capacity,
        "connectors_count": station.connectors_count,
        "status": station.status,
        "tariff_plan_id": station.tariff_plan_id,
        "price_per_kwh": station.price_per_kwh,
        "session_fee": station.session_fee,
        "currency": station.currency,
        "firmware_version": station.firmware_version,
        "last_heartbeat_at": seen.last_seen_at,
        "created_at": station.created_at,
        "updated_at": station.updated_at,
        "connectors": [_connector(each) for each in station.connectors],
        "is_available": seen.is_online,
        "configuration_warnings": station.configuration_warnings,
    }


def page_body(name: str, listed: Listed[Record], shape: Callable[[Record], Body]) -> Body:
    """A page of rows under their name, and how many there are in all."""
    return {
        name: [shape(each) for each in listed.records],
        "total": listed.total,
        "limit": listed.page.limit,
        "offset": listed.page.offset,
    }


def changed_body(changed: Changed[Record], shape: Callable[[Record], Body]) -> Body:
    """A row as it is after a change, with what is doubtful of it."""
    return {**shape(changed.record), "warnings": changed.warnings}


def _connector(connector: ConnectorRecord) -> Body:
    return {
        "id": connector.id,
        "connector_number": connector.connector_number,
        "connector_type": connector.connector_type,
        "power_kw": connector.power_kw,
        "is_enabled": connector.is_enabled,
        "error_code": connector.error_code,
        "status": connector.status,
        "busy": connector.busy,
    }
