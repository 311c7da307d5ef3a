"""What a filtered list costs when it is cut from the picture, beside the same list computed for the request.

`python -m benchmarks.filters` prints this table alone. In this process, by its CPU time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median

from benchmarks import table
from evpower.http.phones.location_shape import WrittenNetwork
from evpower.identifiers import ConnectorId, StationId
from evpower.network.list_cache import NetworkPicture
from evpower.network.listing import ListedConnector, ListedLocation, ListedStation, LocationFilter

STATIONS, LOCATIONS = 5_000, 1_500
ROUNDS = 9
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
#: Of what the computed list of everything costs.
AT_MOST = 0.1

FILTERS = {
    "all of it, with stations": LocationFilter(power_kw_min=1),
    "a tenth, by name": LocationFilter(search="Локация 7"),
    "nothing, by name": LocationFilter(search="zzz"),
    "nothing, by type": LocationFilter(connector_type="CHAdeMO"),
}


def compare() -> None:
    """Measure and print."""
    picture = _picture()
    network = WrittenNetwork(picture)
    table.head(f"Filtered list of {STATIONS:,} stations, CPU in ms", "computed")
    for name, wanted in FILTERS.items():
        cut, computed = [_cpu_ms(_list(wanted, network)) for _ in range(ROUNDS)], list[float]()
        for _ in range(ROUNDS):
            computed.append(_cpu_ms(_list(wanted, WrittenNetwork(_as_read(picture)))))
        table.line(name, median(cut), median(computed), ".2f")
        if wanted is FILTERS["all of it, with stations"]:
            whole_ms = median(computed)
        table.verdict("cut / computed list of everything", median(cut) / whole_ms, at_most=AT_MOST)


def _list(wanted: LocationFilter, network: WrittenNetwork) -> Callable[[], bytes]:
    return lambda: network.list(wanted, include_stations=True, cached=True)


def _cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def _picture() -> NetworkPicture:
    connectors = (
        ListedConnector(ConnectorId(1), "GBT", 60.0, "available", "Available", busy=False),
        ListedConnector(ConnectorId(2), "CCS", None, "available", "Available", busy=False),
    )
    stations = [
        ListedStation(
            id=StationId(f"EVP-{number:05}"),
            location_id=f"LOC-{number % LOCATIONS:04}",
            serial_number=f"SN-{number:05}",
            model="Model",
            manufacturer="Manufacturer",
            admin_status="active",
            power_capacity_kw=60.0,
            connectors_count=2,
            online=True,
            last_seen_at=NOW,
            connectors=connectors,
            rate_per_kwh=Decimal("13.5"),
            session_fee=Decimal(0),
        )
        for number in range(STATIONS)
    ]
    return NetworkPicture(tuple(_location(number, stations) for number in range(LOCATIONS)), NOW)


def _location(number: int, stations: list[ListedStation]) -> ListedLocation:
    its = tuple(stations[number::LOCATIONS])
    return ListedLocation(
        f"LOC-{number:04}", f"Локация {number}", "ул. Московская, 123", "Бишкек", "Кыргызстан", 42.87, 74.56, its
    )


def _as_read(picture: NetworkPicture) -> NetworkPicture:
    """The same without anything that was worked out of it."""
    places = [
        replace(place, stations=tuple(replace(station) for station in place.stations)) for place in picture.locations
    ]
    return replace(picture, locations=tuple(places))


if __name__ == "__main__":
    compare()
