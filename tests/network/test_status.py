"""How locations, stations and connectors are counted and named: contract/rest-api §2.1, ocpp-behaviour §6."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.identifiers import ConnectorId, StationId
from evpower.network.listing import (
    ListedConnector,
    ListedLocation,
    ListedStation,
    LocationFilter,
    configuration_warnings,
)
from evpower.network.status import AdminStatus, PublicStatus, StoredStatus, connector_status

OCPP_WORDS = (
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
    "Something",
)


def connector(
    number: int = 1, word: str = "Available", *, busy: bool = False, whole: str | None = None
) -> ListedConnector:
    status = connector_status(word, whole, busy=busy)
    return ListedConnector(ConnectorId(number), "GBT", 60.0, status, whole or word, busy)


def station(
    *words: str, admin: AdminStatus = "active", online: bool = True, name: str = "EVP-001-01", kind: str = "GBT"
) -> ListedStation:
    connectors = tuple(replace(connector(n, word), connector_type=kind) for n, word in enumerate(words, 1))
    return ListedStation(
        StationId(name), "L", f"SN-{name}", "", "", admin, 22.0, len(words), online, None, connectors, Decimal("13.5"),
        Decimal(0),
    )  # fmt: skip


def location(*stations: ListedStation, name: str = "ТЦ Дордой Плаза", city: str | None = "Бишкек") -> ListedLocation:
    return ListedLocation("EVP-LOC-001", name, "ул. Московская, 123", city, None, None, None, stations)


AVAILABLE = station("Available", "Charging")
OCCUPIED = station("Charging", "Preparing")
OFFLINE = station("Available", online=False)
MAINTENANCE = station("Available", admin="maintenance")

connectors = st.builds(
    connector,
    st.integers(1, 9),
    st.sampled_from(OCPP_WORDS),
    busy=st.booleans(),
    whole=st.sampled_from([None, "Faulted", "Unavailable"]),
)
stations = st.builds(
    lambda found, admin, online: replace(station(admin=admin, online=online), connectors=tuple(found)),
    st.lists(connectors, max_size=4),
    st.sampled_from(["active", "maintenance"]),
    st.booleans(),
)


@pytest.mark.parametrize(
    ("listed", "word"),
    [
        (AVAILABLE, "available"),
        (OCCUPIED, "occupied"),
        (OFFLINE, "offline"),
        (MAINTENANCE, "maintenance"),
        (station("Available", admin="maintenance", online=False), "maintenance"),
        (station("Faulted", "Charging"), "occupied"),
        (station("Faulted", "Unavailable"), "offline"),
        (station(), "offline"),
    ],
)
def test_a_stations_word_follows_the_contracts_order(listed: ListedStation, word: PublicStatus) -> None:
    assert listed.status == word


@pytest.mark.parametrize(
    ("listed", "word"),
    [
        ((AVAILABLE,) * 9 + (OFFLINE,), "offline"),
        ((OFFLINE, MAINTENANCE), "offline"),
        ((AVAILABLE,) * 5 + (MAINTENANCE,), "maintenance"),
        ((OCCUPIED, OCCUPIED), "occupied"),
        ((AVAILABLE, AVAILABLE), "available"),
        ((AVAILABLE, OCCUPIED), "partial"),
        ((), "offline"),
    ],
)
def test_a_locations_word_follows_the_seeds_exact_priority(listed: tuple[ListedStation, ...], word: str) -> None:
    assert location(*listed).status == word


@given(stations)
def test_a_stations_word_is_the_first_of_the_contracts_five_rules_that_holds(listed: ListedStation) -> None:
    words = [each.status for each in listed.connectors]
    rules: list[tuple[bool, PublicStatus]] = [
        (listed.admin_status == "maintenance", "maintenance"),
        (not listed.online, "offline"),
        (words.count("available") >= 1, "available"),
        (words.count("occupied") >= 1, "occupied"),
        (True, "offline"),
    ]
    assert listed.status == next(word for holds, word in rules if holds)


@given(st.lists(stations, max_size=5))
def test_a_locations_word_is_the_first_of_the_seeds_five_rules_that_holds(listed: list[ListedStation]) -> None:
    """By the counts that are shown beside it."""
    shown = location(*listed)
    count = shown.counts.stations
    rules = [
        (count.total == 0 or count.offline > 0, "offline"),
        (count.maintenance > 0, "maintenance"),
        (count.occupied == count.total, "occupied"),
        (count.available == count.total, "available"),
        (count.available > 0 and count.occupied > 0, "partial"),
    ]
    assert shown.status == next(word for holds, word in rules if holds)


@given(st.lists(stations, max_size=4).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_stations_says_nothing(twice: tuple[list[ListedStation], list[ListedStation]]) -> None:
    one, other = (location(*listed) for listed in twice)
    assert one.counts == other.counts


@given(stations)
def test_a_driver_is_offered_a_connector_exactly_where_it_counts_as_available(listed: ListedStation) -> None:
    assert sum(map(listed.offers, listed.connectors)) == listed.connectors_summary.available


@given(st.lists(stations, max_size=5))
def test_stations_add_up(listed: list[ListedStation]) -> None:
    summary = location(*listed).counts.stations
    assert summary.available + summary.occupied + summary.offline + summary.maintenance == summary.total == len(listed)


@given(stations)
def test_connectors_are_counted_once_and_idle_ones_out_of_service_not_at_all(listed: ListedStation) -> None:
    summary, words = listed.connectors_summary, [each.status for each in listed.connectors]
    idle = words.count("available")
    assert summary.total == len(words) == idle + summary.occupied + summary.faulted
    assert summary.available == (idle if listed.status in ("available", "occupied") else 0)


@given(st.lists(stations, max_size=5))
def test_a_location_counts_what_its_stations_count(listed: list[ListedStation]) -> None:
    counted, whole = [each.connectors_summary for each in listed], location(*listed).counts.connectors
    for name in ("total", "available", "occupied", "faulted"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in counted)


@given(st.sampled_from(OCPP_WORDS), st.sampled_from([None, "Available", "Faulted", "Unavailable"]))
def test_a_running_session_occupies_its_connector_whatever_the_charger_says(word: str, whole: str | None) -> None:
    assert connector(word=word, busy=True, whole=whole).status == "occupied"


@pytest.mark.parametrize(
    ("word", "busy", "shown"),
    [
        ("Available", False, "Available"),
        ("Available", True, "Occupied"),
        ("Charging", True, "Charging"),
        ("SuspendedEV", True, "Charging"),
        ("SuspendedEVSE", True, "Charging"),
        ("Preparing", False, "Occupied"),
        ("Finishing", False, "Occupied"),
        ("Reserved", False, "Occupied"),
        ("Faulted", False, "Faulted"),
        ("Unavailable", False, "Faulted"),
        ("Something", False, "Faulted"),
    ],
)
def test_the_socket_has_four_words(word: str, busy: bool, shown: str) -> None:
    assert connector(word=word, busy=busy).socket_status == shown


def test_every_stored_word_is_counted() -> None:
    assert set(get_args(StoredStatus)) == {"available", "occupied", "faulted", "unavailable"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (LocationFilter(), True),
        (LocationFilter(location_id="EVP-LOC-001"), True),
        (LocationFilter(location_id="evp-loc-001"), False),
        (LocationFilter(city=" бишкек "), True),
        (LocationFilter(city="Биш"), False),
        (LocationFilter(search="дордой"), True),
        (LocationFilter(search="МОСКОВСКАЯ"), True),
        (LocationFilter(search="sn-evp-001"), True),
        (LocationFilter(search="evp-001-01"), True),
        (LocationFilter(search="' OR 1=1 --"), False),
        (LocationFilter(search="%"), False),
        (LocationFilter(connector_type="gbt"), True),
        (LocationFilter(connector_type="CCS"), False),
        (LocationFilter(power_kw_min=60), True),
        (LocationFilter(power_kw_min=61), False),
        (LocationFilter(power_kw_max=59), False),
        (LocationFilter(connector_type="GBT", power_kw_min=50, power_kw_max=60), True),
    ],
)
def test_filters_find_what_the_contract_says(wanted: LocationFilter, found: bool) -> None:
    assert bool(wanted.apply([location(AVAILABLE)])) is found


def test_a_connector_of_one_kind_and_the_power_of_another_do_not_match_together() -> None:
    weak, strong = station("Available", kind="Type2"), station("Available", name="X")
    weak = replace(weak, connectors=(replace(weak.connectors[0], power_kw=7.0),))
    assert LocationFilter(connector_type="Type2", power_kw_min=50).apply([location(weak, strong)]) == []


def test_a_filtered_location_keeps_its_counts() -> None:
    whole = location(AVAILABLE, station("Charging", kind="CCS", name="X"))
    assert LocationFilter(connector_type="CCS").apply([whole]) == [whole]


def test_a_location_without_a_city_matches_no_city() -> None:
    assert LocationFilter(city="Бишкек").apply([location(AVAILABLE, city=None)]) == []


@pytest.mark.parametrize(("evses", "problems"), [(None, 0), ((2, 1), 0), ((1,), 1), ((1, 2, 3), 1), ((), 1)])
def test_evses_that_a_station_reports_and_nobody_configured_are_named(
    evses: tuple[int, ...] | None, problems: int
) -> None:
    """OCPP 2.0.1: a report makes no connector (contract/ocpp201 §5)."""
    assert len(configuration_warnings(2, (1, 2), evses, (1, 2))) == problems


@pytest.mark.parametrize(
    ("count", "numbers", "problems"),
    [
        (2, (1, 2), 0),
        (3, (1, 2), 0),
        (1, (1, 2), 2),
        (2, (1, 5), 1),
        (5, (1, 2, 5), 0),
    ],
)
def test_impossible_connector_counts_are_named(count: int, numbers: tuple[int, ...], problems: int) -> None:
    assert len(configuration_warnings(count, numbers)) == problems
