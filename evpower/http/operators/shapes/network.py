"""Locations and stations as administrators read them (contract/rest-api §7.7); null is a value that is not set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from evpower.administration.records import Changed, ConnectorRecord, Listed, LocationRecord, SeenStation
from evpower.network.status import AdminStatus


class LocationRecordBody(TypedDict):
    """One location."""

    id: str
    name: str
    address: str
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    status: AdminStatus
    stations_count: int
    connectors_count: int
    user_id: str | None
    admin_id: str | None
    created_at: datetime
    updated_at: datetime
    entrance_latitude: float | None
    entrance_longitude: float | None
    directions: Mapping[str, str] | None
    height_limit_m: float | None
    opening_hours: Mapping[str, object] | None


def location_body(location: LocationRecord) -> LocationRecordBody:
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
        "entrance_latitude": location.entrance_latitude,
        "entrance_longitude": location.entrance_longitude,
        "directions": location.directions,
        "height_limit_m": location.height_limit_m,
        "opening_hours": location.opening_hours,
    }


class StationRecordBody(TypedDict):
    """One station with its connectors; when it was last heard is live, not the stored time."""

    id: str
    serial_number: str
    model: str | None
    manufacturer: str | None
    location_id: str
    location_name: str
    location_address: str
    power_capacity: float
    connectors_count: int
    status: AdminStatus
    tariff_plan_id: str | None
    price_per_kwh: Decimal | None
    session_fee: Decimal
    currency: str
    firmware_version: str | None
    last_heartbeat_at: datetime | None
    created_at: datetime
    updated_at: datetime
    connectors: list[ConnectorRecordBody]
    is_available: bool
    configuration_warnings: list[str]


def station_body(seen: SeenStation) -> StationRecordBody:
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


class LocationPageBody(TypedDict):
    """A page of locations, and how many match in all."""

    locations: list[LocationRecordBody]
    total: int
    limit: int
    offset: int


class StationPageBody(TypedDict):
    """A page of stations, and how many match in all."""

    stations: list[StationRecordBody]
    total: int
    limit: int
    offset: int


class ChangedLocationBody(LocationRecordBody):
    """A location as it is after a change, with what is doubtful of it."""

    warnings: tuple[str, ...]


class ChangedStationBody(StationRecordBody):
    """A station as it is after a change, with what is doubtful of it."""

    warnings: tuple[str, ...]


class ConnectorRecordBody(TypedDict):
    """A connector as it is stored."""

    id: str
    connector_number: int
    connector_type: str | None
    power_kw: float | None
    #: Where it is at a station of OCPP 2.0.1.
    evse_id: int
    evse_connector: int
    is_enabled: bool
    error_code: str | None
    #: OCPP's own (field ruling 6.7).
    status: str
    busy: bool


def _connector(connector: ConnectorRecord) -> ConnectorRecordBody:
    return {
        "id": connector.id,
        "connector_number": connector.connector_number,
        "connector_type": connector.connector_type,
        "power_kw": connector.power_kw,
        "evse_id": connector.evse_id,
        "evse_connector": connector.evse_connector,
        "is_enabled": connector.is_enabled,
        "error_code": connector.error_code,
        "status": connector.status,
        "busy": connector.busy,
    }


def location_page_body(listed: Listed[LocationRecord]) -> LocationPageBody:
    """A page of locations."""
    page = listed.page
    shown = [location_body(each) for each in listed.records]
    return {"locations": shown, "total": listed.total, "limit": page.limit, "offset": page.offset}


def station_page_body(listed: Listed[SeenStation]) -> StationPageBody:
    """A page of stations."""
    page = listed.page
    shown = [station_body(each) for each in listed.records]
    return {"stations": shown, "total": listed.total, "limit": page.limit, "offset": page.offset}


def changed_location_body(changed: Changed[LocationRecord]) -> ChangedLocationBody:
    """A location after a change."""
    return {**location_body(changed.record), "warnings": changed.warnings}


def changed_station_body(changed: Changed[SeenStation]) -> ChangedStationBody:
    """A station after a change."""
    return {**station_body(changed.record), "warnings": changed.warnings}
