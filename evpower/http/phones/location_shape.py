"""Locations as the list and the detail view show them (contract/rest-api §2), by every name a fact has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import msgspec

from evpower.http.wire.values import Body, instant, known, number
from evpower.money import CURRENCY
from evpower.network.list_cache import NetworkPicture
from evpower.network.listing import ListedConnector, ListedLocation, ListedStation, LocationFilter


class WrittenNetwork:
    """Answers about one picture: each location and station of it is written once, and every list is cut from that.

    The list is read far more often than it changes, and a filter costs no more than the whole (safe-by-default §7).
    """

    def __init__(self, picture: NetworkPicture) -> None:
        self.picture = picture
        self._stations: dict[str, msgspec.Raw] = {}
        self._locations: dict[tuple[str, bool], msgspec.Raw] = {}
        self._whole: dict[tuple[bool, bool], bytes] = {}

    def list(self, wanted: LocationFilter, *, include_stations: bool, cached: bool) -> bytes:
        """`GET /locations` (§2.1)."""
        if not wanted.is_empty:
            return self._list(wanted, include_stations=include_stations, cached=cached)
        key = include_stations, cached
        if key not in self._whole:
            self._whole[key] = self._list(wanted, include_stations=include_stations, cached=cached)
        return self._whole[key]

    def stations(self, wanted: LocationFilter) -> bytes:
        """`GET /stations`."""
        found = [self._station(each) for each in wanted.stations(self.picture.locations)]
        return msgspec.json.encode({"success": True, "stations": found, "total": len(found)})

    def list_with(
        self,
        locations: Sequence[ListedLocation],
        beside: Mapping[str, Mapping[str, object]],
        *,
        include_stations: bool,
        cached: bool,
    ) -> bytes:
        """A list of these locations, with what else is to stand in each."""
        found = [_with(self._location(each, include_stations), beside.get(each.id)) for each in locations]
        return _list_of(found, cached=cached)

    def _list(self, wanted: LocationFilter, *, include_stations: bool, cached: bool) -> bytes:
        found = [self._location(each, include_stations) for each in wanted.apply(self.picture.locations)]
        return _list_of(found, cached=cached)

    def _location(self, location: ListedLocation, include_stations: bool) -> msgspec.Raw:
        key = location.id, include_stations
        if key not in self._locations:
            body = location_body(location)
            if include_stations:
                body["stations"] = [self._station(each) for each in location.stations]
            self._locations[key] = msgspec.Raw(msgspec.json.encode(body))
        return self._locations[key]

    def _station(self, station: ListedStation) -> msgspec.Raw:
        if station.id not in self._stations:
            self._stations[station.id] = msgspec.Raw(msgspec.json.encode(listed_station_body(station)))
        return self._stations[station.id]


def _list_of(found: Sequence[msgspec.Raw], *, cached: bool) -> bytes:
    totals = {"total_locations": len(found), "total": len(found)}
    return msgspec.json.encode({"success": True, "locations": found, **totals, "cached": cached})


def _with(location: msgspec.Raw, more: Mapping[str, object] | None) -> msgspec.Raw:
    """An object that is already written, with more keys at its end."""
    return location if not more else msgspec.Raw(bytes(location)[:-1] + b"," + msgspec.json.encode(more)[1:])


def detail_body(location: ListedLocation) -> Body:
    """`GET /locations/{id}` (§2.2): the fields at the top and the same object under `location`."""
    body = body_with_stations(location)
    return {"success": True, **body, "location": body}


def body_with_stations(location: ListedLocation) -> Body:
    """One location and all of its stations."""
    return location_body(location) | {"stations": [listed_station_body(station) for station in location.stations]}


def location_body(location: ListedLocation) -> Body:
    """One without its stations; `city`, `country` and the coordinates may be null, else what is unknown is left out."""
    connectors = location.counts.connectors
    place = {"latitude": location.latitude, "longitude": location.longitude}
    return {
        "id": location.id,
        "name": location.name,
        "address": location.address,
        "city": location.city,
        "country": location.country,
        "coordinates": place,
        **known(place),
        "status": location.status,
        "stations_summary": asdict(location.counts.stations),
        "connectors_summary": asdict(connectors),
        "stations_count": location.counts.stations.total,
        "connectors_count": connectors.total,
        "available_connectors": connectors.available,
    }


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
            "reliability": station.reliability,
        }
    )


def _connector_body(connector: ListedConnector) -> Body:
    return known(
        {
            "connector_number": connector.connector_id,
            "connector_type": connector.connector_type,
            "power_kw": connector.power_kw,
            "status": connector.status,
            "reliability": connector.reliability,
        }
    )
