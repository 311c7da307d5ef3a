"""A fleet import adds and changes rows, moves money only by the ledger, and done twice changes nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from evpower.billing.pricing import Pricing, PricingRules
from evpower.billing.rows.ledger import check_ledger
from evpower.billing.service import BillingService
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import InvalidRequest
from evpower.events import EventBus
from evpower.network_file.file import parse_fleet
from evpower.network_file.rows.doubts import configuration_doubts
from evpower.network_file.service import FleetReport, NetworkFile
from tests.network_file.test_file import REACHED
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import SetClock

DEMO = (Path(__file__).parents[2] / "config/demo.toml").read_text(encoding="utf-8")

STATION = """
[[locations]]
id = "L1"
name = "Place"
address = "Street 1"
[[locations.stations]]
id = "S1"
serial_number = "N1"
model = "Old"
{more}
[[locations.stations.connectors]]
connector_number = 2
connector_type = "CCS"
[[locations.stations.connectors]]
connector_number = 1
connector_type = "GBT"
"""


FREE_VEND = "SELECT station_id, free_vend FROM evpower.station_policies"


class PlainPasswords:
    """Hashes that can be read, no two alike."""

    def __init__(self) -> None:
        self.made = 0

    def hash(self, password: str) -> str:
        self.made += 1
        return f"{self.made}:{password}"

    def verify(self, password: str, password_hash: str) -> bool:
        return password_hash.partition(":")[2] == password


def network_file(pool: Pool) -> NetworkFile:
    clock = SetClock()
    pricing = Pricing(clock, PricingRules(Decimal(1), ZoneInfo("Asia/Bishkek"), 30))
    return NetworkFile(clock, PlainPasswords(), pricing, BillingService(pool, clock), EventBus())


async def imported(pool: Pool, text: str, *, move_app_tags: bool = False) -> FleetReport:
    async with unit_of_work(pool) as uow:
        return await network_file(pool).write(uow, parse_fleet(text), move_app_tags=move_app_tags)


async def rows(pool: Pool, query: str) -> list[dict[str, Any]]:
    async with by_hand(pool) as conn:
        return await (await conn.execute(query)).fetchall()


async def test_the_demo_fleet_is_written(pool: Pool) -> None:
    report = await imported(pool, DEMO)
    fleet = parse_fleet(DEMO)
    assert report.created["stations"] == len(fleet.stations)
    assert (report.changed, report.unchanged, report.warnings) == ({}, {}, ())


async def test_importing_twice_changes_nothing(pool: Pool) -> None:
    text = (
        DEMO
        + ('\n[[locations]]\nid = "L9"\nname = "n"\naddress = "a"\n' + REACHED)
        + ('[[locations.stations]]\nid = "S9"\nserial_number = "N9"\npassword = "secret-secret-secret"\n')
    )
    await imported(pool, text)
    before = await rows(pool, "SELECT * FROM stations ORDER BY id")
    again = await imported(pool, text)
    assert (again.created, again.changed, again.warnings) == ({}, {}, ())
    assert await rows(pool, "SELECT * FROM stations ORDER BY id") == before
    assert again.unchanged["opening_balances"] == 4
    (reached,) = await rows(pool, "SELECT directions, opening_hours, height_limit_m FROM locations WHERE id = 'L9'")
    assert reached["directions"] == {"ru": "Въезд со двора", "en": "From the yard"}
    assert (reached["opening_hours"]["twentyfourseven"], reached["height_limit_m"]) == (False, 2.1)
    assert again.unchanged["passwords"] == 1


async def test_what_is_derived_from_the_connectors_is_filled_in(pool: Pool) -> None:
    await imported(pool, STATION.format(more="connectors_count = 3"))
    (station,) = await rows(pool, "SELECT connector_types, connectors_count, status FROM stations")
    assert station == {"connector_types": ["GBT", "CCS"], "connectors_count": 3, "status": "active"}
    assert await rows(pool, "SELECT stations_count, connectors_count FROM locations") == [
        {"stations_count": 1, "connectors_count": 2}
    ]


async def test_an_inactive_station_is_not_counted(pool: Pool) -> None:
    await imported(pool, STATION.format(more='status = "inactive"'))
    assert await rows(pool, "SELECT stations_count, connectors_count FROM locations") == [
        {"stations_count": 0, "connectors_count": 0}
    ]


async def test_a_new_connector_cannot_be_started_until_it_has_spoken(pool: Pool) -> None:
    """Design §9.22."""
    await imported(pool, STATION.format(more=""))
    assert {row["status"] for row in await rows(pool, "SELECT status FROM connectors")} == {"unavailable"}


async def test_a_changed_field_is_changed_and_the_rest_left_alone(pool: Pool) -> None:
    await imported(pool, STATION.format(more='firmware_version = "1"'))
    report = await imported(pool, STATION.format(more='status = "maintenance"').replace("Old", "New"))
    assert report.changed == {"stations": 1}
    assert await rows(pool, "SELECT model, status, firmware_version FROM stations") == [
        {"model": "New", "status": "maintenance", "firmware_version": "1"}
    ]


async def test_a_field_left_out_keeps_what_an_operator_set(pool: Pool) -> None:
    await imported(pool, STATION.format(more=""))
    async with by_hand(pool) as conn:
        await conn.execute("UPDATE stations SET status = 'maintenance'")
    report = await imported(pool, STATION.format(more=""))
    assert report.changed == {}
    assert await rows(pool, "SELECT status FROM stations") == [{"status": "maintenance"}]


async def test_more_sockets_than_connectors_is_normal(pool: Pool) -> None:
    """Seed §4: a socket may be out of use."""
    assert (await imported(pool, STATION.format(more="connectors_count = 3"))).warnings == ()


async def test_fewer_sockets_than_connectors_is_doubted_and_written(pool: Pool) -> None:
    """Seed §4."""
    report = await imported(pool, STATION.format(more="connectors_count = 1"))
    assert report.warnings == (
        "station S1: connectors_count is 1, but 2 connectors are configured",
        "station S1: connectors_count is 1, but there are connectors with the numbers 2",
    )
    assert await rows(pool, "SELECT connectors_count FROM stations") == [{"connectors_count": 1}]


async def test_connectors_that_left_the_file_are_counted_by_the_doubt(pool: Pool) -> None:
    await imported(pool, STATION.format(more=""))
    alone = STATION.format(more="").split("[[locations.stations.connectors]]")
    report = await imported(pool, f"{alone[0]}[[locations.stations.connectors]]{alone[2]}")
    assert report.warnings == (
        "station S1: connectors_count is 1, but 2 connectors are configured",
        "station S1: connectors_count is 1, but there are connectors with the numbers 2",
    )


async def test_other_stations_are_not_doubted_again(pool: Pool) -> None:
    await imported(pool, STATION.format(more="connectors_count = 1"))
    other = STATION.format(more="").replace('"S1"', '"S2"').replace('"N1"', '"N2"')
    assert (await imported(pool, other)).warnings == ()
    async with by_hand(pool) as conn:
        assert {doubt[:11] for doubt in await configuration_doubts(conn)} == {"station S1:"}


async def test_rows_that_left_the_file_stay(pool: Pool) -> None:
    await imported(pool, STATION.format(more=""))
    await imported(pool, '[[locations]]\nid = "L2"\nname = "n"\naddress = "a"\n')
    assert len(await rows(pool, "SELECT id FROM locations")) == 2


async def test_an_opening_balance_is_a_ledger_entry(pool: Pool) -> None:
    await imported(pool, '[[clients]]\nid = "c1"\nopening_balance = 12.34\n')
    assert await rows(pool, "SELECT balance FROM clients") == [{"balance": Decimal("12.34")}]
    assert await rows(pool, "SELECT kind, key, actor FROM evpower.ledger_entries") == [
        {"kind": "admin_adjustment", "key": "opening:c1", "actor": "import"}
    ]
    async with by_hand(pool) as conn:
        assert (await check_ledger(conn)).ok


async def test_a_changed_opening_balance_is_doubted_and_not_booked(pool: Pool) -> None:
    await imported(pool, '[[clients]]\nid = "c1"\nopening_balance = 10\n')
    report = await imported(pool, '[[clients]]\nid = "c1"\nopening_balance = 20\n')
    assert await rows(pool, "SELECT balance FROM clients") == [{"balance": Decimal("10.00")}]
    assert report.warnings == ("clients c1: the opening balance was booked as 10.00 som and is not changed to 20.00",)


async def test_a_password_is_stored_as_its_hash(pool: Pool) -> None:
    await imported(pool, STATION.format(more='password = "the first password"'))
    assert await rows(pool, "SELECT station_id, password_hash FROM evpower.station_credentials") == [
        {"station_id": "S1", "password_hash": "1:the first password"}
    ]


async def test_a_new_password_replaces_the_old_one(pool: Pool) -> None:
    await imported(pool, STATION.format(more='password = "the first password"'))
    report = await imported(pool, STATION.format(more='password = "the second password"'))
    assert report.changed == {"passwords": 1}
    assert await rows(pool, "SELECT password_hash FROM evpower.station_credentials") == [
        {"password_hash": "1:the second password"}
    ]


async def test_a_tag_in_other_letters_is_the_same_tag(pool: Pool) -> None:
    await imported(pool, '[[id_tags]]\nid_tag = "Card"\n')
    report = await imported(pool, '[[id_tags]]\nid_tag = "CARD"\nstatus = "Blocked"\n')
    assert report.changed == {"id_tags": 1}
    assert await rows(pool, "SELECT id_tag, status FROM evpower.ocpp_authorization") == [
        {"id_tag": "Card", "status": "Blocked"}
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[[id_tags]]\nid_tag = "Card"\nclient_id = "nobody"\n', "ocpp_authorization.client_id"),
        (STATION.format(more='tariff_plan_id = "nothing"'), "stations.tariff_plan_id"),
        (STATION.format(more="").replace('"S1"', '"S2"').replace('"L1"', '"L2"'), "stations.serial_number"),
    ],
    ids=["unknown client", "unknown plan", "another station's serial number"],
)
async def test_a_contradiction_with_what_is_stored_is_refused_whole(pool: Pool, text: str, place: str) -> None:
    await imported(pool, STATION.format(more=""))
    with pytest.raises(InvalidRequest) as caught:
        await imported(pool, '[[clients]]\nid = "c1"\nopening_balance = 10\n' + text)
    assert caught.value.fields[0][0] == place
    assert await rows(pool, "SELECT id FROM clients") == []


async def test_a_station_gives_energy_away_as_the_file_says_and_stays_so_when_it_says_nothing(pool: Pool) -> None:
    await imported(pool, STATION.format(more=""))
    assert await rows(pool, FREE_VEND) == []
    await imported(pool, STATION.format(more="free_vend = true"))
    report = await imported(pool, STATION.format(more="free_vend = true"))
    assert (report.created, report.changed) == ({}, {})
    await imported(pool, STATION.format(more=""))
    assert await rows(pool, FREE_VEND) == [{"station_id": "S1", "free_vend": True}]
    await imported(pool, STATION.format(more="free_vend = false"))
    assert await rows(pool, FREE_VEND) == [{"station_id": "S1", "free_vend": False}]


def test_free_vend_is_true_or_false() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_fleet(STATION.format(more='free_vend = "yes"'))
    assert refused.value.fields == (("locations[0].stations[0].free_vend", "must be true or false"),)


async def test_a_place_at_an_evse_is_written_changed_and_swapped(pool: Pool) -> None:
    """And what it leaves out is the first connector of that EVSE."""
    connectors = "[[locations.stations.connectors]]\nconnector_number = 3\n"
    first = STATION.format(more="") + "evse_id = 1\n" + connectors + "evse_id = 1\nevse_connector = 2\n"
    second = (
        STATION.format(more="") + "evse_id = 1\nevse_connector = 2\n" + connectors + "evse_id = 1\nevse_connector = 1\n"
    )
    places = "SELECT connector_number, evse_id, evse_connector FROM evpower.connector_evses ORDER BY 1"
    assert (await imported(pool, first)).created["connector_evses"] == 2
    assert [tuple(row.values()) for row in await rows(pool, places)] == [(1, 1, 1), (3, 1, 2)]
    assert (await imported(pool, second)).changed == {"connector_evses": 2}
    assert [tuple(row.values()) for row in await rows(pool, places)] == [(1, 1, 2), (3, 1, 1)]
