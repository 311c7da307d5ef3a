"""Which of the last starts at a connector count as failed (operator-pages §3.1, "starts fail here")."""

from __future__ import annotations

import pytest

from evpower.attention.rows.conditions import gather
from evpower.charging.errors import SessionFailed
from evpower.db.unit_of_work import reading
from evpower.errors import EvPowerError
from evpower.identifiers import ClientId
from evpower.link.ports import Outcome
from tests.worlds.charging import World

CLIENTS = [ClientId("one"), ClientId("two"), ClientId("three")]


async def failed(world: World) -> int:
    """How many of the last starts count."""
    async with reading(world.pool) as conn:
        return sum(each.failed for each in (await gather(conn, world.clock.now())).starts)


async def test_a_station_that_refuses_three_clients_fails_three_times(world: World) -> None:
    world.link.outcome = Outcome.REJECTED
    for client in CLIENTS:
        await world.give(1_000_00, client)
        with pytest.raises(SessionFailed):
            await world.order(energy_wh=1_000, client=client)
    assert await failed(world) == 3


@pytest.mark.parametrize("status", ["Faulted", "Unavailable"])
async def test_a_connector_that_lets_nobody_begin_fails(world: World, status: str) -> None:
    await world.sql("UPDATE connectors SET ocpp_status = %s", status)
    await world.give(1_000_00, CLIENTS[0])
    with pytest.raises(EvPowerError):
        await world.order(energy_wh=1_000, client=CLIENTS[0])
    assert await failed(world) == 1


async def test_a_client_without_money_is_no_failure_of_the_connector(world: World) -> None:
    with pytest.raises(EvPowerError):
        await world.order(energy_wh=1_000, client=CLIENTS[0])
    assert await failed(world) == 0
