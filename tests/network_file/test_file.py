"""A fleet file is read whole, and everything wrong with it is named by its path."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from evpower.errors import InvalidRequest
from evpower.network_file.file import parse_fleet

ROOT = Path(__file__).parents[2]

STATION = """
[[locations]]
id = "L1"
name = "Place"
address = "Street 1"
[[locations.stations]]
id = "S1"
serial_number = "N1"
"""


def problems(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        parse_fleet(text)
    return list(caught.value.fields)


def test_an_empty_file_is_an_empty_fleet() -> None:
    assert parse_fleet("").locations == ()


def test_a_station_belongs_to_its_location_and_a_connector_to_its_station() -> None:
    fleet = parse_fleet(STATION + "[[locations.stations.connectors]]\nconnector_number = 2\npower_kw = 22.5\n")
    (station,) = fleet.stations
    assert (station.location_id, station.status, station.model) == ("L1", None, None)
    (connector,) = station.connectors
    assert (connector.id, connector.station_id, connector.power_kw) == ("S1-2", "S1", Decimal("22.5"))


def test_every_wrong_field_is_named_with_its_path() -> None:
    text = STATION + (
        'power_capacity = -1\nstatus = "broken"\ncolour = "red"\nmodell = "x"\n'
        '[[locations.stations.connectors]]\nconnector_number = 1\npower_kw = "22"\n'
        "[[locations.stations.connectors]]\nconnector_number = 0\n"
        '[[clients]]\nid = "a b"\nopening_balance = 1.005\n'
        "[[id_tags]]\nexpiry_date = 2026-01-01\n"
    )
    assert problems(text) == [
        ("locations[0].stations[0].connectors[0].power_kw", "must be a number"),
        ("locations[0].stations[0].connectors[1].connector_number", "must be a whole number from 1 to 1000"),
        ("locations[0].stations[0].power_capacity", "must be a number from 0 to 10000"),
        ("locations[0].stations[0].status", "must be active or inactive or maintenance"),
        ("locations[0].stations[0].colour", "is unknown"),
        ("locations[0].stations[0].modell", "is unknown, did you mean model?"),
        ("id_tags[0].id_tag", "is missing"),
        ("id_tags[0].expiry_date", "must be a time with its zone, such as 2026-01-01T00:00:00+06:00"),
        ("clients[0].id", "must be 1 to 64 letters, digits, _ or -"),
        ("clients[0].opening_balance", "must have at most two decimals"),
    ]


@pytest.mark.parametrize("name", ["ул. 1", "A/B", "x" * 51])
def test_a_station_is_not_called_what_no_charger_or_phone_can_say(name: str) -> None:
    assert problems(STATION.replace('"S1"', f'"{name}"')) == [
        ("locations[0].stations[0].id", "must be 1 to 50 letters, digits, _ or -")
    ]


def test_required_fields_are_missed() -> None:
    assert problems("[[locations]]\n[[tariff_plans]]\n[[tariff_plans.rules]]\n") == [
        ("locations[0].id", "is missing"),
        ("locations[0].name", "is missing"),
        ("locations[0].address", "is missing"),
        ("tariff_plans[0].id", "is missing"),
        ("tariff_plans[0].rules[0].name", "is missing"),
        ("tariff_plans[0].rules[0].tariff_type", "is missing"),
        ("tariff_plans[0].rules[0].price", "is missing"),
        ("tariff_plans[0].name", "is missing"),
    ]


@pytest.mark.parametrize(
    ("text", "path", "first"),
    [
        (STATION + '[[locations.stations]]\nid = "S1"\nserial_number = "N2"\n', "stations[1].id", "stations[0].id"),
        (STATION + '[[locations.stations]]\nid = "S2"\nserial_number = "N1"\n', "serial_number", "stations[0]"),
        (
            STATION + "[[locations.stations.connectors]]\nconnector_number = 1\n" * 2,
            "connector_number",
            "connectors[0]",
        ),
        ('[[id_tags]]\nid_tag = "CARD"\n[[id_tags]]\nid_tag = "card"\n', "id_tags[1].id_tag", "id_tags[0].id_tag"),
        ('[[clients]]\nid = "a"\n[[clients]]\nid = "a"\n', "clients[1].id", "clients[0].id"),
        (
            '[[clients]]\nid = "a"\nphone = "+996555000001"\n[[clients]]\nid = "b"\nphone = "+996555000001"\n',
            "clients[1].phone",
            "clients[0].phone",
        ),
    ],
)
def test_a_name_used_twice_is_refused(text: str, path: str, first: str) -> None:
    field, what = problems(text)[0]
    assert path in field
    assert first in what


def test_broken_toml_says_where() -> None:
    ((field, what),) = problems("[[locations]\n")
    assert field == "file"
    assert "line 1" in what


def test_a_table_where_tables_are_expected_is_refused() -> None:
    assert problems("[locations]\n") == [("locations", "must be tables, [[locations]]")]


def test_rates_are_exact() -> None:
    fleet = parse_fleet(STATION + "price_per_kwh = 13.10\n")
    assert str(fleet.stations[0].price_per_kwh) == "13.10"


def test_not_a_number_is_refused() -> None:
    assert problems(STATION + "price_per_kwh = nan\n")[0][1] == "must be a number from 0 to 1000000000"


def test_times_may_be_toml_or_text() -> None:
    plan = '[[tariff_plans]]\nid = "P"\nname = "p"\n'
    rule = '[[tariff_plans.rules]]\nname = "n"\ntariff_type = "per_kwh"\nprice = 1\n'
    fleet = parse_fleet(plan + rule + 'time_start = 07:00:00\ntime_end = "23:30"\n')
    read = fleet.tariff_plans[0].rules[0]
    assert (read.id, read.time_start, read.time_end) == ("P-1", time(7), time(23, 30))


def test_an_expiry_keeps_its_zone() -> None:
    fleet = parse_fleet('[[id_tags]]\nid_tag = "C"\nexpiry_date = 2026-01-01T06:00:00+06:00\n')
    assert fleet.id_tags[0].expiry_date == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_tag_longer_than_the_protocol_allows_is_refused() -> None:
    assert problems(f'[[id_tags]]\nid_tag = "{"A" * 37}"\n')[0][0] == "id_tags[0].id_tag"


@pytest.mark.parametrize("phone", ["0555000001", "996555000001", "+996 555 000 001", "+0555000001", "phone"])
def test_a_phone_is_in_e164s_writing(phone: str) -> None:
    """Safe by default 9."""
    ((field, what),) = problems(f'[[clients]]\nid = "a"\nphone = "{phone}"\n')
    assert field == "clients[0].phone"
    assert "+996555123456" in what


def test_app_tags_cannot_be_imported() -> None:
    assert problems('[[id_tags]]\nid_tag = "C"\ntag_type = "app"\n')[0][0] == "id_tags[0].tag_type"


def test_sockets_left_out_are_as_many_as_the_connectors_need() -> None:
    fleet = parse_fleet(STATION + "[[locations.stations.connectors]]\nconnector_number = 5\n")
    assert fleet.stations[0].connectors_count == 5


def test_columns_we_write_ourselves_are_ignored_with_a_warning() -> None:
    fleet = parse_fleet(STATION + "is_available = true\n")
    assert fleet.warnings == ("locations[0].stations[0].is_available: is ignored: EvPower writes it itself",)


@pytest.mark.parametrize("password", ["x" * 15, "x" * 41, "пароль-из-кириллицы"])
def test_a_password_is_as_long_as_at_every_other_entry(password: str) -> None:
    """Safe by default 8."""
    with pytest.raises(InvalidRequest) as caught:
        parse_fleet(STATION + f'password = "{password}"\n')
    assert [text for _, text in caught.value.fields] == ["must be 16 to 40 printable ASCII characters"]


def test_a_password_is_not_shown() -> None:
    fleet = parse_fleet(STATION + 'password = "hunter2-hunter2-hunter2"\n')
    assert fleet.stations[0].password == "hunter2-hunter2-hunter2"
    assert "hunter2" not in repr(fleet)


def test_the_demo_fleet_is_right_and_has_what_the_seed_names() -> None:
    fleet = parse_fleet((ROOT / "config/demo.toml").read_text(encoding="utf-8"))
    assert fleet.warnings == ()
    assert len(fleet.stations) >= 14
    plaza = next(station for station in fleet.stations if station.id == "EVP-001-01")
    assert (plaza.location_id, plaza.serial_number, plaza.model) == (
        "EVP-LOC-001",
        "EVPCS-001",
        "ChargePoint Express 250",
    )
    assert (plaza.connectors_count, [c.connector_type for c in plaza.connectors]) == (3, ["GBT", "GBT"])
    test = next(station for station in fleet.stations if station.id == "EVP-TEST-01")
    assert (test.serial_number, len(test.connectors)) == ("TEST-001", 2)
    assert "test-client-123" in [client.id for client in fleet.clients]
    plans = {plan.id for plan in fleet.tariff_plans}
    assert {station.tariff_plan_id for station in fleet.stations} <= plans | {None}


REACHED = """
entrance_latitude = 42.875
entrance_longitude = 74.57
height_limit_m = 2.1
directions = {ru = "Въезд со двора", en = "From the yard"}
[locations.opening_hours]
twentyfourseven = false
[[locations.opening_hours.regular_hours]]
weekday = 1
period_begin = "08:00"
period_end = 20:30:00
[[locations.opening_hours.exceptional_closings]]
period_begin = 2026-03-08T00:00:00+06:00
period_end = 2026-03-09T00:00:00+06:00
"""
LOCATION = '[[locations]]\nid = "L1"\nname = "Place"\naddress = "Street 1"\n'


def test_how_a_location_is_reached_is_read_as_ocpi_writes_it() -> None:
    (location,) = parse_fleet(LOCATION + REACHED).locations
    assert (location.entrance_latitude, location.height_limit_m) == (Decimal("42.875"), Decimal("2.1"))
    assert location.directions == {"ru": "Въезд со двора", "en": "From the yard"}
    assert location.opening_hours == {
        "twentyfourseven": False,
        "regular_hours": [{"weekday": 1, "period_begin": "08:00", "period_end": "20:30"}],
        "exceptional_closings": [{"period_begin": "2026-03-07T18:00:00Z", "period_end": "2026-03-08T18:00:00Z"}],
    }


def test_what_no_location_can_be_reached_by_is_named() -> None:
    text = LOCATION + (
        'entrance_latitude = 91\nheight_limit_m = 0\ndirections = {de = "Hof"}\n'
        "[locations.opening_hours]\ntwentyfourseven = true\n"
        '[[locations.opening_hours.regular_hours]]\nweekday = 8\nperiod_begin = "20:00"\nperiod_end = "08:00"\n'
    )
    assert problems(text) == [
        ("locations[0].entrance_latitude", "must be a number from -90 to 90"),
        ("locations[0].directions.de", "is unknown"),
        ("locations[0].height_limit_m", "must be more than 0"),
        ("locations[0].opening_hours.regular_hours[0].weekday", "must be a whole number from 1 to 7"),
        ("locations[0].opening_hours.regular_hours[0].period_end", "must be later than period_begin"),
        ("locations[0].opening_hours.regular_hours", "must not be there beside twentyfourseven"),
    ]
    assert problems(LOCATION + "opening_hours = 7\n") == [("locations[0].opening_hours", "must be a table")]


CONNECTOR = "[[locations.stations.connectors]]\nconnector_number = "


def test_a_connector_may_have_a_place_at_an_evse_of_its_own() -> None:
    """OCPP 2.0.1; without one it is the first connector of the EVSE of its number."""
    fleet = parse_fleet(STATION + f"{CONNECTOR}1\n{CONNECTOR}2\nevse_id = 1\nevse_connector = 2\n")
    (placed,) = fleet.placed_connectors
    assert (placed.connector_number, placed.evse_id, placed.evse_connector) == (2, 1, 2)


def test_a_place_is_one_connectors_and_whole() -> None:
    taken = f"{CONNECTOR}1\n{CONNECTOR}2\nevse_id = 1\n{CONNECTOR}3\nevse_connector = 2\n"
    at = "locations[0].stations[0].connectors"
    assert problems(STATION + taken) == [
        (f"{at}[1].evse_id", f"is the EVSE and connector of {at}[0].evse_id already"),
        (f"{at}[2].evse_connector", "needs evse_id"),
    ]
