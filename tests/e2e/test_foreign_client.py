"""A charger client nobody here wrote charges against the started process: the `ocpp` package's own, in asyncio.

npm's ocpp-rpc goes through the same charge in `make foreign`, because newcomers have no node.
"""

from __future__ import annotations

import sys

import pytest
import trio

from tests.e2e.process import Server
from tests.e2e.street import WITHIN_S
from tests.foreign.scenario import LOCKED_FLEET, PASSWORD, charge_and_pay, foreign_charger, refused_measurands

COMMAND = (sys.executable, "-m", "tests.foreign.ocpp_package")


@pytest.fixture
async def locked(server: Server) -> Server:
    """The server, whose station has a password."""
    await server.import_fleet(LOCKED_FLEET)
    return server


async def test_the_ocpp_packages_charger_boots_charges_and_stops_and_the_driver_pays_its_register(
    locked: Server,
) -> None:
    async with foreign_charger(locked, COMMAND, PASSWORD) as charger:
        await charge_and_pay(locked, charger)


async def test_it_refuses_a_measurand_and_is_offered_the_shorter_list(server: Server) -> None:
    async with foreign_charger(server, COMMAND, "") as charger:
        assert await refused_measurands(charger) == [
            ("MeterValueSampleInterval", False),
            ("MeterValuesSampledData", True),
            ("MeterValuesSampledData", False),
        ]


async def test_with_a_wrong_password_it_does_not_get_in(locked: Server) -> None:
    async with foreign_charger(locked, COMMAND, "another-password-altogether") as charger:
        with trio.fail_after(WITHIN_S):
            assert await charger.wait_for_exit() == 1
    assert "HTTP 401" in charger.lines[-1]
