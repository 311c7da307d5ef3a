"""Starts, ends, the network and the money as figures: each moves with what happens (issue H §5)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from evpower.billing.errors import InsufficientBalance
from evpower.errors import Refusal
from evpower.identifiers import IdTag
from evpower.link.ports import Outcome
from evpower.server.metrics.exposition import Metrics
from tests.server.test_metrics import Scene, samples
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import STATION, World


class Watched:
    """A world's figures, as Prometheus reads them."""

    def __init__(self, world: World) -> None:
        self.world = world
        app, scene = world.app, Scene(world.pool, clock=world.clock)
        counting = replace(
            scene.counting,
            settler=app.settler,
            billing=app.billing,
            attempts=app.attempts,
            idle_fees=app.idle_fees.sums,
        )
        self._metrics = Metrics(counting, database_kept_s=0)

    async def text(self) -> str:
        return (await self._metrics.text()).decode()

    async def read(self) -> dict[str, float]:
        return dict(samples(await self.text()))


@pytest.fixture
def watched(world: World) -> Watched:
    return Watched(world)


async def test_starts_are_counted_by_door_outcome_and_reason(world: World, watched: Watched) -> None:
    with pytest.raises(InsufficientBalance):
        await world.order(energy_wh=5_000)
    await world.give(500_00)
    await world.order(energy_wh=5_000)
    await world.begin(IdTag("NOBODY"))
    read = await watched.read()
    starts = {name: value for name, value in read.items() if name.startswith("evpower_starts_total") and value}
    assert starts == {
        "evpower_starts_total{door=phone,outcome=refused,reason=insufficient_balance}": 1,
        "evpower_starts_total{door=phone,outcome=accepted,reason=}": 1,
        "evpower_starts_total{door=card,outcome=refused,reason=Invalid}": 1,
    }


async def test_ends_are_counted_by_cause_with_what_was_billed(world: World, watched: Watched) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    names = [
        "evpower_session_ends_total{cause=charger,outcome=settled}",
        "evpower_billed_energy_wh_total",
        "evpower_billed_tyiyn_total",
    ]
    before = await watched.read()
    await world.charge(session_id, 2_000)
    after = await watched.read()
    assert [before[name] for name in names] == [0, 0, 0]
    assert [after[name] for name in names] == [1, 2_000, 27_00]
    await world.app.settler.settle(session_id)
    assert [(await watched.read())[name] for name in names] == [1, 2_000, 27_00], "once"


async def test_a_start_that_the_station_refuses_is_an_end_that_billed_nothing(world: World, watched: Watched) -> None:
    await world.give(500_00)
    world.link.outcome = Outcome.REJECTED
    with pytest.raises(Refusal):
        await world.order(energy_wh=5_000)
    read = await watched.read()
    released = [name for name, value in read.items() if "outcome=released" in name and value]
    assert released == ["evpower_session_ends_total{cause=charger,outcome=released}"]
    assert read["evpower_billed_tyiyn_total"] == 0


async def test_a_correction_is_counted_by_its_direction(world: World, watched: Watched) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    wire_id = await world.estimate(session_id, 3_000)
    read = await watched.read()
    assert (read["evpower_open_estimates"], read["evpower_billed_tyiyn_total"]) == (1, 40_50)
    await world.end(wire_id, 1_000 + 4_000)
    await world.app.settler.work_due()
    read = await watched.read()
    assert read["evpower_open_estimates"] == 0
    assert read["evpower_corrected_tyiyn_total{direction=added}"] == 13_50
    assert read["evpower_corrected_tyiyn_total{direction=taken_away}"] == 0


async def test_fees_of_cars_that_waited_are_counted(world: World, watched: Watched) -> None:
    assert (await watched.read())["evpower_idle_fees_tyiyn_total{outcome=taken}"] == 0
    world.app.idle_fees.sums.update(taken=20_00, not_there=10_00)
    read = await watched.read()
    assert read["evpower_idle_fees_tyiyn_total{outcome=taken}"] == 20_00
    assert read["evpower_idle_fees_tyiyn_total{outcome=not_there}"] == 10_00


async def test_an_estimate_is_open_for_a_day(world: World, watched: Watched) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 1_000 + 3_000)
    await world.app.charging.stop_session(session_id, caller=None, actor="test")
    world.clock.advance(24 * 3600 - 1)
    assert (await watched.read())["evpower_open_estimates"] == 1
    world.clock.advance(1)
    assert (await watched.read())["evpower_open_estimates"] == 0


async def test_what_is_held_and_what_is_owed(world: World, watched: Watched) -> None:
    await world.give(150_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    read = await watched.read()
    assert (read["evpower_held_tyiyn{for=sessions}"], read["evpower_held_tyiyn{for=refunds}"]) == (135_00, 0)
    assert read["evpower_debt_tyiyn"] == 0
    await world.charge(session_id, 20_000)
    read = await watched.read()
    assert read["evpower_held_tyiyn{for=sessions}"] == 0
    assert read["evpower_debt_tyiyn"] == 120_00


async def test_stations_that_should_be_there_and_are(world: World, watched: Watched) -> None:
    async with by_hand(world.pool) as conn:
        await conn.execute("INSERT INTO evpower.processes VALUES ('p', now(), now())")
        await conn.execute(
            "INSERT INTO stations (id, serial_number, location_id, status) VALUES "
            "('OFF', 'OFF', 'EVP-LOC-001', 'active'), ('DUG', 'DUG', 'EVP-LOC-001', 'maintenance')"
        )
    names = ("evpower_stations_expected", "evpower_stations_connected")
    read = await watched.read()
    assert [read[name] for name in names] == [2, 0]
    await world.sql("INSERT INTO evpower.charger_connections VALUES (%s, 'p', now()), ('DUG', 'p', now())", STATION)
    read = await watched.read()
    assert [read[name] for name in names] == [2, 1], "one in maintenance is not expected"


async def test_connectors_are_what_the_public_sees(world: World, watched: Watched) -> None:
    def of(read: dict[str, float]) -> dict[str, float]:
        prefix = "evpower_connectors{status="
        return {
            name.removeprefix(prefix)[:-1]: value for name, value in read.items() if name.startswith(prefix) and value
        }

    assert of(await watched.read()) == {"available": 2}
    await world.give(500_00)
    await world.order(energy_wh=5_000)
    assert of(await watched.read()) == {"available": 1, "occupied": 1}
    await world.sql("UPDATE connectors SET ocpp_status = 'Faulted' WHERE connector_number = 2")
    assert of(await watched.read()) == {"faulted": 1, "occupied": 1}
    world.clock.advance(301)
    assert of(await watched.read()) == {"offline": 2}
    await world.sql("UPDATE stations SET status = 'maintenance'")
    assert of(await watched.read()) == {"maintenance": 2}
    await world.sql("UPDATE stations SET status = 'inactive'")
    assert of(await watched.read()) == {}


async def test_the_last_check_of_the_ledger_its_age_and_what_it_found(world: World, watched: Watched) -> None:
    assert "evpower_ledger_broken_rows" not in await watched.read()
    await world.app.ledger_checks.work_due()
    world.clock.advance(90)
    read = await watched.read()
    assert (read["evpower_ledger_broken_rows"], read["evpower_ledger_check_age_seconds"]) == (0, 90)
    await world.sql('UPDATE evpower.ledger_checks SET problems = \'{"a": 2, "b": 1}\'')
    assert (await watched.read())["evpower_ledger_broken_rows"] == 3


async def test_the_database_is_not_asked_at_every_scrape(world: World) -> None:
    scene = Scene(world.pool, kept_s=3600)
    assert (await scene.read())["evpower_doubts{kind=clock}"] == 0
    await world.sql("UPDATE stations SET status = 'inactive'")
    assert (await scene.read())["evpower_stations_expected"] == 1, "as it was read"
    assert (await Scene(world.pool).read())["evpower_stations_expected"] == 0


async def test_every_figure_of_these_has_a_type_and_a_meaning(world: World, watched: Watched) -> None:
    await world.give(500_00)
    await world.charge((await world.order(energy_wh=5_000)).session.session_id, 1_000)
    await world.app.ledger_checks.work_due()
    for family in text_string_to_metric_families(await watched.text()):
        assert family.type != "unknown", family.name
        assert family.documentation, family.name
