"""Locations as the list and the detail view show them (contract/rest-api §2), by every name a fact has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from evpower.http.wire.values import Body, instant, known, number
from evpower.money import CURRENCY
from evpower.network.listing import ListedConnector, ListedLocation, ListedStation


def list_body(locations: Sequence[ListedLocation], *, include_stations: bool, cached: bool) -> Body:
    """`GET /locations` (§2.1)."""
    return {
        "success": True,
        "locations": [location_body(each, include_stations=include_stations) for each in locations],
        "total_locations": len(locations),
        "total": len(locations),
        "cached": cached,
    }


def detail_body(location: ListedLocation) -> Body:
    """`GET /locations/{id}` (§2.2): the fields at the top and the same object under `location`."""
    body = location_body(location, include_stations=True)
    return {"success": True, **body, "location": body}


def location_body(location: ListedLocation, *, include_stations: bool) -> Body:
    """One location; `city`, `country` and the coordinates may be null, everything else unknown is left out."""
    connectors = location.connectors_summary
    place = {"latitude": location.latitude, "longitude": location.longitude}
    body: Body = {
        "id": location.id,
        "name": location.name,
        "address": location.address,
        "city": location.city,
        "country": location.country,
        "coordinates": place,
        **known(place),
        "status": location.status,
        "stations_summary": asdict(location.stations_summary),
        "connectors_summary": asdict(connectors),
        "stations_count": location.stations_summary.total,
        "connectors_count": connectors.total,
        "available_connectors": connectors.available,
    }
    if include_stations:
        body["stations"] = [listed_station_body(station) for station in location.stations]
    return body


def listed_station_body(station: ListedStation) -> Body:
    """A station of the list; the price is the one a start at this moment would use."""
    tariff = {
        "price_per_kwh": number(station.rate_per_kwh),
        "session_fee": number(station.session_fee),
        "currency": CURRENCY,
    }
    return known(
        {
            "id": station.id,
            "serial_number": station.serial_number,
            "model": station.model,
            "manufacturer": station.manufacturer,
            "location_id": station.location_id,
            "status": station.status,
            "power_capacity": station.power_capacity_kw,
            "connectors_count": station.connectors_count,
            "connector_types": [connector.connector_type for connector in station.connectors],
            "tariff": tariff,
            **tariff,
            "connectors_summary": asdict(station.connectors_summary),
            "is_available": station.online,
            "last_heartbeat_at": None if station.last_seen_at is None else instant(station.last_seen_at),
            "connectors": [_connector_body(connector) for connector in station.connectors],
        }
    )


def _connector_body(connector: ListedConnector) -> Body:
    return known(
        {
            "connector_number": connector.connector_id,
            "connector_type": connector.connector_type,
            "power_kw": connector.power_kw,
            "status": connector.status,
        }
    )
