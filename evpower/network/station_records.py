"""A station's and a connector's row, as other rooms read and touch it in their own unit of work."""

from __future__ import annotations

from evpower.network.rows.stations import (
    StartSpot,
    admissions,
    admit,
    connectors_on_evse,
    read_named,
    read_start_spot,
    refresh_connector,
    station_exists,
    store_presence,
    take_spots,
    without_credentials,
    write_versions,
)

__all__ = [
    "StartSpot",
    "admissions",
    "admit",
    "connectors_on_evse",
    "read_named",
    "read_start_spot",
    "refresh_connector",
    "station_exists",
    "store_presence",
    "take_spots",
    "without_credentials",
    "write_versions",
]
