"""What an operator is shown of the server at a glance."""

from __future__ import annotations

from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.server.operator import Operator
from tests.compliance.site import Site


async def test_failed_logins_are_in_the_status(site: Site) -> None:
    world, logins = site.world, FailedLogins()
    await logins.failed("192.0.2.1", "CP-1", "wrong password")
    status = await Operator(world.pool, world.clock, world.link, world.app, 300, logins).status()
    assert (status.failed_logins, status.slowed_addresses) == (1, [])
