"""Many chargers at once: the queue of connections not yet accepted loses none, and each is answered."""

from __future__ import annotations

import pytest
import trio

from evpower.network.station import Admission
from evpower.ocpp.dialect import known_actions, usual
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.door.doors import open_doors
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.server import StationServer
from evpower.ocpp.registry import StationRegistry
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.watch.traffic import Refusal, Traffic
from tests.ocpp.fakes import CountingIds, FakeReports, TrioClock
from tests.ocpp.peer import Peer

CHARGERS = 300
BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


async def test_300_chargers_that_were_in_the_queue_before_the_door_opened_are_all_accepted_and_answered(
    nursery: trio.Nursery,
) -> None:
    reports, registry = FakeReports(), StationRegistry(usual(DIALECTS))
    reports.stations = {f"CP-{n}": Admission(f"CP-{n}", "active", None) for n in range(CHARGERS)}
    traffic, passwords = Traffic(known_actions(DIALECTS)), PasswordChecker(b"test")
    server = StationServer(reports, registry, TrioClock(), CountingIds(), passwords, OcppSettings(), DIALECTS, traffic)
    answered: set[int] = set()

    async def station(number: int, wire: trio.abc.Stream) -> None:
        peer = Peer(wire)
        assert (await peer.open(f"/ws/CP-{number}")).status_code == 101
        assert (await peer.call("BootNotification", BOOT))[2]["status"] == "Accepted"
        assert (await peer.call("StatusNotification", STATUS))[0] == 3
        answered.add(number)

    with trio.fail_after(60):
        doors = await open_doors([("127.0.0.1", 0)], [], None, allow_anonymous=None)
        wires = [await trio.open_tcp_stream(*doors[0].address) for _ in range(CHARGERS)]
        await nursery.start(server.serve, doors)
        async with trio.open_nursery() as chargers:
            for number, wire in enumerate(wires):
                chargers.start_soon(station, number, wire)
        assert len(answered) == len(registry.seen()) == reports.count("boot") == CHARGERS
        for wire in wires:
            await wire.aclose()
        nursery.cancel_scope.cancel()


@pytest.mark.external  # five thousand sockets are not for everyday work
async def test_half_open_sockets_of_one_address_keep_no_charger_of_another_out(nursery: trio.Nursery) -> None:
    """Safe by default 4: 5,000 of them, and a charger enters."""
    registry, reports, traffic = StationRegistry(usual(DIALECTS)), FakeReports(), Traffic(known_actions(DIALECTS))
    settings = OcppSettings(trusted_proxies=())
    passwords = PasswordChecker(b"test")
    server = StationServer(reports, registry, TrioClock(), CountingIds(), passwords, settings, DIALECTS, traffic)
    with trio.fail_after(60):
        doors = await open_doors([("127.0.0.1", 0)], [], None, allow_anonymous=None)
        await nursery.start(server.serve, doors)
        flood = [await trio.open_tcp_stream(*doors[0].address, local_address="127.0.0.2") for _ in range(5_000)]
        async with await trio.open_tcp_stream(*doors[0].address, local_address="127.0.0.3") as wire:
            assert (await Peer(wire).open("/ws/CP-1")).status_code == 101
        assert traffic.refusals[Refusal.NO_ROOM] > 4_000
        for wire in flood:
            await trio.aclose_forcefully(wire)
        nursery.cancel_scope.cancel()
