"""Places on the earth and the ways between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.navigation.distance import GeoPoint, beside_line_km, box_around, distance_km, straight_way

BISHKEK, OSH = GeoPoint(42.8746, 74.5698), GeoPoint(40.5140, 72.8161)
PLACES = st.builds(GeoPoint, st.floats(-89, 89), st.floats(-179, 179))


def test_bishkek_and_osh_are_three_hundred_kilometres_apart() -> None:
    """§7 #8."""
    assert distance_km(BISHKEK, OSH) == pytest.approx(300, abs=1)
    assert distance_km(OSH, BISHKEK) == pytest.approx(distance_km(BISHKEK, OSH))
    assert distance_km(OSH, OSH) == 0


def test_without_a_router_a_road_is_longer_and_slow() -> None:
    way = straight_way(BISHKEK, OSH)
    assert (round(way.distance_km), round(way.drive_minutes), way.approximate) == (390, 468, True)


@given(PLACES, st.floats(0.1, 300), PLACES)
def test_a_box_holds_its_circle(middle: GeoPoint, radius_km: float, place: GeoPoint) -> None:
    box = box_around(middle, radius_km)
    if distance_km(middle, place) <= radius_km:
        assert box.south <= place.latitude <= box.north
        assert box.west <= place.longitude <= box.east


def test_a_box_at_a_pole_or_across_the_date_line_has_every_longitude() -> None:
    assert box_around(GeoPoint(89.9, 10), 100)[2:] == (-180, 180)
    assert box_around(GeoPoint(0, 179.9), 100)[2:] == (-180, 180)


def test_how_far_a_place_is_from_a_line() -> None:
    west, east = GeoPoint(0, 0), GeoPoint(0, 3)
    beside, along = beside_line_km(west, east, GeoPoint(0.2, 1))
    assert (round(beside, 1), round(along, 1)) == (22.2, 111.2)
    assert beside_line_km(west, east, GeoPoint(0, -1)) == pytest.approx((111.2, 0), abs=0.1)
    beyond, along = beside_line_km(west, east, GeoPoint(0, 4))
    assert (round(beyond, 1), round(along)) == (111.2, round(distance_km(west, east)))
    assert beside_line_km(west, west, west) == (0, 0)
