"""Administrators change tariffs, through the routes, over a real database; a start pays what holds at its moment."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from evpower.administration.tariff_plans import TariffPlans
from evpower.http.operators.tariff_plans import tariff_plan_routes
from tests.http.conftest import body_of
from tests.http.operators.test_operators_work import client_of
from tests.worlds.charging import STATION, World

RULE = {"name": "Всегда", "tariff_type": "per_kwh", "price": 11.5}
PLAN = {"id": "P", "name": "Обычный", "rules": [RULE]}


class Desk:
    """An administrator at the routes."""

    def __init__(self, world: World) -> None:
        app = world.app
        plans = TariffPlans(world.pool, world.clock, app.network_file)
        self._client = client_of(tariff_plan_routes(plans))

    async def get(self, path: str = "", status: int = 200) -> Any:
        return self._read(await body_of(await self._client.get(f"/tariff-plans{path}"), status))

    async def post(self, body: Any, path: str = "", status: int = 200) -> Any:
        return self._read(await body_of(await self._client.post(f"/tariff-plans{path}", json=body), status))

    async def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self._read(await body_of(await self._client.put(f"/tariff-plans{path}", json=body), status))

    @staticmethod
    def _read(answer: Any) -> Any:
        return answer["data"] if answer["success"] else answer


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


async def rows_of(world: World) -> list[Any]:
    return [await world.sql(f"SELECT * FROM {table} ORDER BY id") for table in ("tariff_plans", "tariff_rules")]


async def at_station(world: World) -> None:
    await world.sql("UPDATE stations SET tariff_plan_id = 'P'")


async def shown_rate(world: World) -> float:
    return float((await world.app.station_pages.station(STATION)).station.rate_per_kwh)


async def test_a_plan_is_made_with_its_rules(desk: Desk) -> None:
    night = RULE | {"name": "Ночь", "price": 8, "time_start": "22:00", "time_end": "06:00", "days_of_week": [6, 7]}
    made = await desk.post(PLAN | {"rules": [RULE, night | {"priority": 5, "valid_from": "2026-01-01"}]})
    assert (made["id"], made["name"], made["is_active"], made["stations_count"]) == ("P", "Обычный", True, 0)
    first, second = made["rules"]
    assert (second["id"], second["price"], second["connector_type"]) == ("P-1", 11.5, "ALL")
    assert {name: first[name] for name in ("id", "price", "time_start", "time_end", "days_of_week", "valid_from")} == {
        "id": "P-2",
        "price": 8,
        "time_start": "22:00:00",
        "time_end": "06:00:00",
        "days_of_week": [6, 7],
        "valid_from": "2026-01-01",
    }
    assert await desk.get() == [made]


async def test_a_changed_rule_is_the_price_of_the_next_start_and_not_of_a_running_charge(
    world: World, desk: Desk
) -> None:
    await desk.post(PLAN)
    await at_station(world)
    await world.give(50_000)
    running = (await world.order(energy_wh=10_000)).session
    assert (float(running.rate_per_kwh), await shown_rate(world)) == (11.5, 11.5)
    assert not (await world.app.locations.picture())[1]
    await desk.put("/P/rules/P-1", {"price": 20})
    assert await shown_rate(world) == 20
    assert not (await world.app.locations.picture())[1]
    await world.charge(running.session_id, 10_000)
    assert await world.balance() == 50_000 - 11_500


async def test_a_disabled_plan_gives_way_to_the_default_price(world: World, desk: Desk) -> None:
    await desk.post(PLAN)
    await at_station(world)
    assert (await desk.put("/P", {"is_active": False}))["is_active"] is False
    assert await shown_rate(world) == 13.5
    assert await world.sql("SELECT id FROM tariff_rules") == [{"id": "P-1"}]


async def test_a_disabled_rule_counts_no_more(world: World, desk: Desk) -> None:
    await desk.post(PLAN)
    await at_station(world)
    await desk.post(RULE | {"price": 9, "priority": 9}, "/P/rules")
    assert await shown_rate(world) == 9
    await desk.put("/P/rules/P-2", {"is_active": False})
    assert await shown_rate(world) == 11.5


async def test_a_change_leaves_the_rest_alone_and_null_empties(desk: Desk) -> None:
    await desk.post(PLAN | {"description": "d", "rules": [RULE | {"time_start": "22:00", "priority": 3}]})
    assert (await desk.put("/P", {"name": "Новый"}))["description"] == "d"
    assert (await desk.put("/P", {"description": None}))["description"] is None
    (rule,) = (await desk.put("/P/rules/P-1", {"time_start": None}))["rules"]
    assert (rule["time_start"], rule["priority"], rule["price"]) == (None, 3, 11.5)


async def test_a_new_rule_never_takes_an_id_that_is_used(desk: Desk) -> None:
    await desk.post(PLAN)
    await desk.post({"id": "Q", "name": "q", "rules": [RULE | {"id": "P-2"}]})
    made = await desk.post(RULE, "/P/rules")
    assert [rule["id"] for rule in made["rules"]] == ["P-1", "P-3"]


async def test_a_plan_a_file_named_in_other_letters_gets_rules_too(world: World, desk: Desk) -> None:
    await world.sql("INSERT INTO tariff_plans (id, name) VALUES ('Ночной план', 'n')")
    made = await desk.post(RULE, "/Ночной план/rules")
    assert [rule["id"] for rule in made["rules"]] == ["Ночной план-1"]
    assert (await desk.put("/Ночной план/rules/Ночной план-1", {"price": 9}))["rules"][0]["price"] == 9


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", PLAN),
        ("", {"id": "Q", "name": "q", "rules": [RULE | {"id": "P-1"}]}),
        ("/P/rules", RULE | {"id": "P-1"}),
    ],
    ids=["plan", "another plan's rule", "rule"],
)
async def test_what_is_there_already_is_409_and_stays(world: World, desk: Desk, path: str, body: Any) -> None:
    await desk.post(PLAN)
    before = await rows_of(world)
    assert (await desk.post(body | {"name": "other"}, path, 409))["error"] == "already_exists"
    assert await rows_of(world) == before


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("post", "", {"name": "n"}, "id"),
        ("post", "", {"id": "a b", "name": "n"}, "id"),
        ("post", "", {"id": "Q"}, "name"),
        ("post", "", {"id": "Q", "name": "q", "rules": [RULE | {"price": -1}]}, "rules[0].price"),
        ("post", "", {"id": "Q", "name": "q", "rules": 7}, "rules"),
        ("post", "/P/rules", {"name": "n", "price": 1}, "tariff_type"),
        ("post", "/P/rules", RULE | {"tariff_type": "per_km"}, "tariff_type"),
        ("post", "/P/rules", RULE | {"days_of_week": [8]}, "days_of_week"),
        ("post", "/P/rules", RULE | {"actor": "bob"}, "actor"),
        ("put", "/P", {"rules": []}, "rules"),
        ("put", "/P", {"name": None}, "name"),
        ("put", "/P", {"id": "Q"}, "id"),
        ("put", "/P", {"colour": "red"}, "colour"),
        ("put", "/P/rules/P-1", {"price": None}, "price"),
        ("put", "/P/rules/P-1", {"price": "11"}, "price"),
        ("put", "/P/rules/P-1", {"time_start": "25:00"}, "time_start"),
        ("put", "/P/rules/P-1", {"currency": "USD"}, "currency"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_written(
    world: World, desk: Desk, method: str, path: str, body: Any, field: str
) -> None:
    await desk.post(PLAN)
    before = await rows_of(world)
    answer = await (desk.post(body, path, 400) if method == "post" else desk.put(path, body, 400))
    assert [each["field"] for each in answer["detail"]] == [field]
    assert await rows_of(world) == before


@pytest.mark.parametrize("path", ["/NONE", "/%00", "/NONE/rules/P-1", "/P/rules/NONE", "/P/rules/Q-1"])
async def test_what_is_not_there_is_404(desk: Desk, path: str) -> None:
    await desk.post(PLAN)
    await desk.post(PLAN | {"id": "Q"})
    await desk.put(path, {"name": "n"}, 404)


async def test_a_plan_that_is_not_there_is_not_shown_and_gets_no_rule(desk: Desk) -> None:
    await desk.get("/NONE", 404)
    await desk.post(RULE, "/NONE/rules", 404)


async def test_a_change_is_logged_with_who_and_what(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    await desk.post(PLAN)
    caplog.set_level(logging.INFO)
    await desk.put("/P/rules/P-1", {"price": 20.5})
    assert [record.message for record in caplog.records if record.name == "evpower.fleet"] == [
        'tariff rule changed: tariff rule=P-1, fields={"price": "20.5", "id": "P-1"}, by=operator ann'
    ]


PARKING = {
    "parking_cap": 30,
    "parking_grace_minutes": 15,
    "only_above_occupancy": 60,
    "parking_quiet_from": "23:00",
    "parking_quiet_until": "07:00",
}


async def test_a_plan_says_whether_its_price_moves_and_what_a_car_that_waits_costs(desk: Desk, world: World) -> None:
    """Answers of a plan that says neither are as they were."""
    plan = await desk.post(PLAN)
    assert not {"billing_mode", *PARKING} & plan.keys()
    changed = await desk.put("/P", {"billing_mode": "segments", **PARKING})
    stored = {**PARKING, "parking_quiet_from": "23:00:00", "parking_quiet_until": "07:00:00"}
    assert changed == plan | {"billing_mode": "segments"} | stored | {"updated_at": changed["updated_at"]}
    await desk.put("/P", {"parking_cap": None})
    assert (await desk.get("/P")).keys() == changed.keys() - {"parking_cap"}


async def test_what_no_plan_can_say_of_moving_prices_and_waiting_is_refused(desk: Desk, world: World) -> None:
    await desk.post(PLAN)
    before = await rows_of(world)
    for field, value in (
        ("billing_mode", "hourly"),
        ("parking_cap", 0),
        ("parking_grace_minutes", -1),
        ("parking_grace_minutes", 1_441),
        ("only_above_occupancy", 101),
        ("parking_quiet_from", "23:00"),
        ("parking_quiet_until", "late"),
    ):
        assert (await desk.put("/P", {field: value}, 400))["error"] == "validation_error", field
    assert await rows_of(world) == before
