"""The demo's site of six sockets on a line of 40 A, where shares can be watched as they move (docs/power.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx2

from evpower.network_file.parts import Station
from evpower.simulator.people.phones import Outlet, PhoneHabits
from evpower.simulator.station.settings import StationSettings

LOCATION = "EVP-LOC-012"
LIMIT_A, FAILSAFE_A, SOCKET_A, SOCKET_KW = 40, 6, 32, 22
#: This socket is left to the person at the keyboard; each other one has somebody who comes again and again.
LEFT_FREE = ("EVP-012-03", 2)
HABITS = PhoneHabits(idle_s=20.0, charge_minutes=(0.3, 0.9))


def is_of_the_site(station: Station) -> bool:
    """Whether it is one of its stations."""
    return station.location_id == LOCATION


def nature_of_a_socket(settings: StationSettings) -> StationSettings:
    """Alternating current of three phases, which is what a site's line has; by the true clock, as limits are."""
    return replace(settings, phases=3, speed=1.0)


def outlets_of(outlets: Sequence[Outlet], stations: Sequence[Station]) -> list[Outlet]:
    """The sockets where somebody of the demo charges."""
    site = {str(station.id) for station in stations if is_of_the_site(station)}
    own = [each for each in outlets if each.station_id in site and (each.station_id, each.connector_id) != LEFT_FREE]
    return [replace(each, kwh_per_minute=SOCKET_KW / 60) for each in own]


def _group_of(stations: Sequence[Station]) -> dict[str, Any]:
    """The site's power group, as an administrator writes it."""
    members = [
        {"station_id": station.id, "connector_id": each.connector_number, "max_a": SOCKET_A, "phases": 3}
        for station in stations
        if is_of_the_site(station)
        for each in station.connectors
    ]
    return {
        "location_id": LOCATION,
        "name": f"Ввод {LIMIT_A} А",
        "limit_a": LIMIT_A,
        "failsafe_a": FAILSAFE_A,
        "members": members,
    }


async def make_site(control: httpx2.AsyncClient, stations: Sequence[Station]) -> int | None:
    """Its number; None where power groups are switched off, or the fleet has no such site. There since an earlier demo:
    that is fine too."""
    group, listed = _group_of(stations), await control.get("/control/power-groups")
    if not group["members"] or not listed.is_success:
        return None
    there = [each["id"] for each in listed.json()["data"] if each["location_id"] == LOCATION]
    if there:
        return int(there[0])
    made = (await control.post("/control/power-groups", json=group)).raise_for_status().json()
    return int(made["data"]["id"])
