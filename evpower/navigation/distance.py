"""Places on the earth and the ways between them. Pure; also as SQL, so that both give the same."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, atan2, cos, degrees, radians, sin, sqrt
from typing import NamedTuple

EARTH_KM = 6371.0088
#: A road is longer than the great circle, and driven at so much, when no router says better.
DETOUR, SPEED_KMH = 1.3, 50.0


class GeoPoint(NamedTuple):
    """A point; degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Way:
    """A drive; `approximate`: not by a router."""

    distance_km: float
    drive_minutes: float
    approximate: bool


#: `distance_km` in SQL, from the parameters `latitude` and `longitude` to the columns named.
DISTANCE_SQL = f"""
    2 * {EARTH_KM} * asin(least(1, sqrt(
        sin(radians({{latitude}} - %(latitude)s) / 2) ^ 2
        + cos(radians(%(latitude)s)) * cos(radians({{latitude}}))
        * sin(radians({{longitude}} - %(longitude)s) / 2) ^ 2)))
"""


def distance_km(one: GeoPoint, other: GeoPoint) -> float:
    """Of the great circle."""
    a, b = radians(one.latitude), radians(other.latitude)
    across = radians(other.longitude - one.longitude)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(across / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


def straight_way(one: GeoPoint, other: GeoPoint) -> Way:
    """What is assumed without a router."""
    road_km = distance_km(one, other) * DETOUR
    return Way(road_km, road_km / SPEED_KMH * 60, approximate=True)


class Box(NamedTuple):
    """Degrees that hold a circle; the longitudes are all of them near a pole, or where the circle crosses 180°."""

    south: float
    north: float
    west: float
    east: float


def box_around(middle: GeoPoint, radius_km: float) -> Box:
    """What a search looks at first."""
    high = degrees(radius_km / EARTH_KM)
    south, north = middle.latitude - high, middle.latitude + high
    if south <= -90 or north >= 90:
        return Box(max(south, -90), min(north, 90), -180, 180)
    wide = degrees(asin(min(1.0, sin(radius_km / EARTH_KM) / cos(radians(middle.latitude)))))
    west, east = middle.longitude - wide, middle.longitude + wide
    return Box(south, north, west, east) if west >= -180 and east <= 180 else Box(south, north, -180, 180)


def beside_line_km(one: GeoPoint, other: GeoPoint, place: GeoPoint) -> tuple[float, float]:
    """How far a place is from the line between two others, and how far along it; beyond an end, from that end."""
    whole, first = distance_km(one, other), distance_km(one, place)
    if not whole or not first:
        return first, 0.0
    angle = _bearing(one, place) - _bearing(one, other)
    beside = asin(sin(first / EARTH_KM) * sin(angle)) * EARTH_KM
    along = atan2(sin(first / EARTH_KM) * cos(angle), cos(first / EARTH_KM)) * EARTH_KM
    if along < 0:
        return first, 0.0
    if along > whole:
        return distance_km(other, place), whole
    return abs(beside), along


def _bearing(one: GeoPoint, other: GeoPoint) -> float:
    a, b = radians(one.latitude), radians(other.latitude)
    across = radians(other.longitude - one.longitude)
    return atan2(sin(across) * cos(b), cos(a) * sin(b) - sin(a) * cos(b) * cos(across))
