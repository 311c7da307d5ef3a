"""The network on a map of our own projection (§3.2)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from evpower.attention.cells import Cell, CellKind, StationCells, StationFactsNow
from evpower.identifiers import StationId
from evpower.pages.map.drawing import HEIGHT_MOST, WIDTH, draw_map
from evpower.pages.map.oblasts import BORDERS, OUTER
from tests.worlds.charging import World
from tests.worlds.pages import Browser


def station(id: str, where: tuple[float | None, float | None], *kinds: CellKind, at: str = "") -> StationCells:
    facts = StationFactsNow(
        StationId(id), at or f"L{id}", f"Место {id}", "", where[0], where[1], "active", None, None, len(kinds), ()
    )
    cells = tuple(Cell(n, kind, "Available", "NoError", None) for n, kind in enumerate(kinds, 1))
    return StationCells(facts, is_online=True, cells=cells)


BISHKEK, OSH, KARAKOL = (42.87, 74.59), (40.53, 72.80), (42.49, 78.39)


def test_north_is_up_east_is_right_and_nothing_is_out_of_sight() -> None:
    free = CellKind.FREE
    drawn = draw_map([station("b", BISHKEK, free), station("o", OSH, free), station("k", KARAKOL, free)])
    at = {each.id: each for each in drawn.places}
    assert at["Lo"].y > at["Lk"].y > at["Lb"].y
    assert at["Lo"].x < at["Lb"].x < at["Lk"].x
    assert all(0 < each.x < drawn.width and 0 < each.y < drawn.height for each in drawn.places)
    # A degree of longitude is there three quarters of one of latitude.
    across, up = at["Lk"].x - at["Lo"].x, at["Lo"].y - at["Lb"].y
    assert across / up == pytest.approx((78.39 - 72.80) * 0.746 / (42.87 - 40.53), rel=0.02)


def test_a_location_is_one_sign_of_the_worst_there_is_and_troubles_lie_above() -> None:
    drawn = draw_map(
        [
            station("1", BISHKEK, CellKind.FREE, CellKind.FAULTED, at="A"),
            station("2", BISHKEK, CellKind.CHARGING, at="A"),
            station("3", OSH, CellKind.CHARGING),
        ]
    )
    assert [(each.id, each.kind, each.connectors) for each in drawn.places] == [
        ("L3", CellKind.CHARGING, 1),
        ("A", CellKind.FAULTED, 3),
    ]


def test_names_that_would_lie_on_each_other_give_way_to_troubles() -> None:
    beside = (BISHKEK[0] + 0.001, BISHKEK[1])
    drawn = draw_map(
        [station("1", BISHKEK, CellKind.FREE), station("2", beside, CellKind.FAULTED), station("3", OSH, CellKind.FREE)]
    )
    assert {each.id for each in drawn.places if each.is_named} == {"L2", "L3"}


@pytest.mark.parametrize("where", [(None, None), (42.0, None), (0.0, 0.0), (91.0, 10.0), (42.0, 200.0)])
def test_a_location_without_a_place_is_listed_beneath(where: tuple[float | None, float | None]) -> None:
    drawn = draw_map([station("1", where, CellKind.OFFLINE), station("2", OSH, CellKind.FREE)])
    assert [each.id for each in drawn.unplaced] == ["L1"]
    assert [each.id for each in drawn.places] == ["L2"]


@pytest.mark.parametrize("places", [[], [OSH], [OSH, OSH], [(-40.0, 72.0), (43.0, 72.001)]])
def test_a_map_of_little_or_of_much_has_a_size(places: list[tuple[float, float]]) -> None:
    drawn = draw_map([station(str(n), where, CellKind.FREE) for n, where in enumerate(places)])
    assert drawn.width == WIDTH
    assert 0 <= drawn.height <= HEIGHT_MOST
    assert len(drawn.places) == len(places)


def is_inside(where: tuple[float, float]) -> bool:
    """Whether a place is in the country: how often a line to the east crosses its border."""
    latitude, longitude = where
    crossed = 0
    for border in BORDERS[:OUTER]:
        for (west, south), (east, north) in pairwise(border):
            if (south > latitude) != (north > latitude):
                crossed += longitude < west + (east - west) * (latitude - south) / (north - south)
    return crossed % 2 == 1


def test_the_capital_of_each_oblast_is_in_the_country_and_neighbours_are_not() -> None:
    inside = {
        "Bishkek": BISHKEK,
        "Osh": OSH,
        "Karakol": KARAKOL,
        "Talas": (42.52, 72.24),
        "Naryn": (41.43, 75.99),
        "Jalal-Abad": (40.93, 73.00),
        "Batken": (40.06, 70.82),
    }
    outside = {"Almaty": (43.24, 76.89), "Andijan": (40.78, 72.34), "Kashgar": (39.47, 75.99), "Taraz": (42.90, 71.37)}
    assert [name for name, where in inside.items() if not is_inside(where)] == []
    assert [name for name, where in outside.items() if is_inside(where)] == []


def test_borders_meet_at_their_ends() -> None:
    ends = Counter(end for border in BORDERS for end in (border[0], border[-1]))
    assert [end for end, times in ends.items() if times < 2] == []


def test_borders_lie_under_the_signs_and_those_out_of_sight_are_left_out() -> None:
    country = draw_map([station("b", BISHKEK, CellKind.FREE), station("o", OSH, CellKind.FREE)])
    assert len(country.borders) > 10
    assert draw_map([station("t", (38.0, 58.0), CellKind.FREE)]).borders == []


async def test_the_map_is_a_page_with_links_and_an_operators_has_their_own(browser: Browser, world: World) -> None:
    assert "/map" in (await browser.get("/")).links
    page = await browser.get("/map")
    assert "Locations without coordinates 1" in page.text
    await world.sql("UPDATE locations SET latitude = 42.87, longitude = 74.59")
    world.clock.advance(3)
    page = await browser.get("/map")
    assert "<svg" in page.html
    assert "/network/stations?location=EVP-LOC-001" in page.links
    assert "without coordinates" not in page.text
    other = await Browser(world).sign_in("operator", name="bakyt")
    assert "EVP-LOC-001" not in (await other.get("/map")).html
