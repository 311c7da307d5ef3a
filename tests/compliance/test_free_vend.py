"""A charger of a station that gives energy away, on the wire."""

from __future__ import annotations

import pytest
import trio

from evpower.charging.review.free_vend import GivenAway
from evpower.identifiers import IdTag
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.server.operator import Operator
from tests.compliance.site import Site
from tests.worlds.charging import STATION

STRANGE = IdTag("04A1B2C3")


@pytest.mark.parametrize(("free", "status"), [(False, "Invalid"), (True, "Accepted")])
async def test_a_strange_tag_is_answered_as_the_station_is_set(site: Site, free: bool, status: str) -> None:
    await site.world.app.free_vend.set(STATION, enabled=free, actor="test")
    assert await site.say("Authorize", idTag=STRANGE) == {"idTagInfo": {"status": status}}


async def test_a_free_charge_runs_to_its_own_end_and_its_energy_is_shown(site: Site) -> None:
    await site.world.app.free_vend.set(STATION, enabled=True, actor="test")
    transaction_id = await site.start(STRANGE)
    await site.world.app.commands.take_up(STATION)  # as when the charger is back
    site.world.clock.advance(3600)
    with trio.move_on_after(0.1) as quiet:
        await site.peer.next_call()
    assert quiet.cancelled_caught  # nobody asks it to stop
    await site.stop(transaction_id, "Local")
    world = site.world
    operator = Operator(world.pool, world.clock, world.link, world.app, 300, FailedLogins())
    [station] = await operator.stations()
    assert station.free_vend == GivenAway(enabled=True, charges=1, energy_wh=10_000)
    assert await operator.sessions(running_only=False) == ()
