"""Strangers on the wire: Pending until an operator decides (OCPP 1.6 §4.2, duties 1, 16, 17), over PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import trio

from evpower.administration.provisioning import Accepted, Provisioning
from evpower.administration.strangers import MOST_OF_ADDRESS, MOST_WAITING, Strangers
from evpower.db.pool import Pool
from evpower.errors import InvalidRequest, NotFound
from evpower.ocpp.dialect import usual
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.lobby import Lobby
from evpower.ocpp.registry import StationRegistry
from evpower.ocpp.wire.transport import SocketLimits
from evpower.server.app import build_app
from evpower.settings.config import Config
from tests.ocpp.conftest import Csms
from tests.ocpp.door.test_credentials import basic
from tests.ocpp.peer import Peer
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import NETWORK
from tests.worlds.fakes import CountingIds, SetClock

NEW = "EVP-NEW-1"
BOOT = {
    "chargePointVendor": "Maker",
    "chargePointModel": "M60",
    "firmwareVersion": "1.2",
    "chargePointSerialNumber": "SN-9",
}
PLACE: dict[str, Any] = {
    "location_id": "EVP-LOC-001",
    "connectors": [{"connector_number": 1, "connector_type": "GBT", "power_kw": 60}],
}
FILL = """
INSERT INTO evpower.ocpp_strangers (identity, status, vendor, model, address, boots, first_seen_at, last_seen_at)
SELECT 'FLOOD-' || n, 'pending', '', '', CASE WHEN %s THEN '' ELSE 'A' || n END, 1, %s, %s
FROM generate_series(1, %s) n
"""


class Gate:
    """The chargers' door with the operator's desk behind it."""

    def __init__(self, csms: Csms, desk: Provisioning, pool: Pool, clock: SetClock) -> None:
        self.csms = csms
        self.desk = desk
        self.pool = pool
        self.clock = clock

    async def sql(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        async with by_hand(self.pool) as conn:
            cursor = await conn.execute(query, parameters or None)
            return await cursor.fetchall() if cursor.description else []

    async def status_of_upgrade(self, identity: str = NEW, **how: Any) -> int:
        return (await Peer(await self.csms.connect()).open(f"/ws/{identity}", **how)).status_code

    async def waiting(self) -> Peer:
        """A stranger that has booted and is Pending."""
        peer = await self.csms.charger(f"/ws/{NEW}")
        assert (await boot(peer))["status"] == "Pending"
        return peer

    async def fill(self, count: int, *, one_address: bool = False) -> None:
        await self.sql(FILL, one_address, self.clock.now(), self.clock.now(), count)

    async def accept(self, **changes: Any) -> Accepted:
        return await self.desk.accept(NEW, PLACE | changes, actor="operator ann")


async def boot(peer: Peer) -> dict[str, Any]:
    answer: dict[str, Any] = (await peer.call("BootNotification", BOOT))[2]
    return answer


async def ended(peer: Peer) -> int | None:
    with trio.fail_after(5):
        return await peer.ended()


@pytest.fixture
async def gate(pool: Pool) -> AsyncIterator[Gate]:
    clock, registry = SetClock(), StationRegistry(usual(DIALECTS))
    await _run(pool, NETWORK)
    async with trio.open_nursery() as workers:
        app = build_app(Config(), pool, registry, clock, CountingIds(), workers)
        await workers.start(app.lookups.run)
        await workers.start(app.journal.run)
        csms = Csms(workers)
        csms.registry, csms.reports, csms.clock = registry, cast("Any", app.reports), clock
        csms.lobby = Lobby(Strangers(pool, clock, 60))
        csms.set(limits=SocketLimits(close_timeout_s=0.2), settle_delay_s=0.05, drain_timeout_s=0.5)
        yield Gate(csms, Provisioning(pool, clock, csms.lobby, app.network_file), pool, clock)
        csms.scope.cancel()
        workers.cancel_scope.cancel()


async def _run(pool: Pool, script: str) -> None:
    async with by_hand(pool) as conn:
        await conn.execute(script.encode())


# -------------------------------------------------------------------------------------------------------- as a stranger


async def test_duty_01_by_default_a_stranger_is_404(gate: Gate) -> None:
    gate.csms.lobby = None
    assert await gate.status_of_upgrade() == 404


async def test_a_stranger_is_404_where_stations_need_credentials(gate: Gate) -> None:
    gate.csms.anonymous = False
    assert await gate.status_of_upgrade() == 404


@pytest.mark.parametrize("identity", ["CP%201", "CP%2F1", "%D0%B0", "a.b", "x" * 51])
async def test_an_identity_no_station_of_ours_could_have_is_404(gate: Gate, identity: str) -> None:
    assert await gate.status_of_upgrade(identity) == 404


async def test_duty_17_a_strangers_boot_is_pending_with_the_time_to_ask_again(gate: Gate) -> None:
    answer = await boot(await gate.csms.charger(f"/ws/{NEW}"))
    assert (answer["status"], answer["interval"]) == ("Pending", 60)


@pytest.mark.parametrize("booted", [False, True])
@pytest.mark.parametrize("action", ["Heartbeat", "Authorize", "StatusNotification", "StartTransaction", "DataTransfer"])
async def test_duty_16_a_stranger_may_do_nothing_but_boot(gate: Gate, action: str, booted: bool) -> None:
    peer = await gate.csms.charger(f"/ws/{NEW}")
    if booted:
        await boot(peer)
    assert (await peer.call(action))[:3] == [4, "m", "SecurityError"]
    assert await gate.sql("SELECT id FROM evpower.ocpp_transactions") == []


async def test_what_a_stranger_says_of_itself_is_listed(gate: Gate) -> None:
    peer = await gate.waiting()
    (row,) = await gate.desk.strangers(rejected_too=False)
    told = {"identity": NEW, "vendor": "Maker", "model": "M60", "firmware_version": "1.2", "serial_number": "SN-9"}
    assert {name: getattr(row.record, name) for name in told} == told
    assert (row.record.first_seen_at, row.connected, row.record.status) == (gate.clock.now(), True, "pending")
    await trio.aclose_forcefully(peer.wire)
    await trio.testing.wait_all_tasks_blocked(0.05)
    assert [row.connected for row in await gate.desk.strangers(rejected_too=False)] == [False]


async def test_what_a_stranger_writes_is_kept_as_a_short_line(gate: Gate) -> None:
    peer = await gate.csms.charger(f"/ws/{NEW}")
    said = {"chargePointVendor": "V\x1b[31m", "chargePointModel": "m" * 200}
    assert (await peer.call("BootNotification", said))[2]["status"] == "Pending"
    (row,) = await gate.desk.strangers(rejected_too=False)
    assert (row.record.vendor, row.record.model) == ("V[31m", "m" * 50)


async def test_a_socket_that_does_not_boot_leaves_nothing(gate: Gate) -> None:
    await gate.csms.charger(f"/ws/{NEW}")
    assert await gate.sql("SELECT identity FROM evpower.ocpp_strangers") == []


async def test_a_stranger_is_no_connected_station(gate: Gate) -> None:
    await gate.waiting()
    assert not gate.csms.registry.seen()


async def test_frames_of_a_stranger_are_not_kept_before_it_is_a_station(gate: Gate) -> None:
    kept: list[bytes] = []

    class Log:
        def note(self, station_id: object, direction: object, frame: bytes, at: object) -> None:
            kept.append(frame)

    gate.csms.frame_log = Log()
    peer = await gate.waiting()
    assert kept == []
    await gate.accept()
    assert (await boot(peer))["status"] == "Accepted"
    assert len(kept) == 1


# ------------------------------------------------------------------------------------------------------------ a flood


async def test_one_address_fills_only_its_part_of_the_list(gate: Gate) -> None:
    await gate.fill(MOST_OF_ADDRESS, one_address=True)
    assert await gate.status_of_upgrade() == 404


async def test_a_full_list_takes_nobody_else(gate: Gate) -> None:
    await gate.fill(MOST_WAITING)
    assert await gate.status_of_upgrade() == 404


async def test_who_is_on_a_full_list_keeps_its_place(gate: Gate) -> None:
    await gate.fill(MOST_WAITING)
    peer = await gate.csms.charger("/ws/FLOOD-7")
    assert (await boot(peer))["status"] == "Pending"


async def test_a_list_that_filled_up_meanwhile_rejects_the_boot(gate: Gate) -> None:
    peer = await gate.csms.charger(f"/ws/{NEW}")
    await gate.fill(MOST_WAITING)
    assert (await boot(peer))["status"] == "Rejected"
    assert (await gate.sql("SELECT count(*) AS kept FROM evpower.ocpp_strangers"))[0]["kept"] == MOST_WAITING


async def test_strangers_not_seen_for_a_day_make_room(gate: Gate) -> None:
    await gate.fill(MOST_WAITING)
    gate.clock.advance(24 * 3600 + 1)
    await gate.waiting()
    assert [row.record.identity for row in await gate.desk.strangers(rejected_too=False)] == [NEW]


async def test_sockets_of_one_address_are_few_also_before_they_boot(gate: Gate) -> None:
    for number in range(MOST_OF_ADDRESS):
        await gate.csms.charger(f"/ws/IDLE-{number}")
    assert await gate.status_of_upgrade() == 404


# --------------------------------------------------------------------------------------------------------- accepted


async def test_an_accepted_stranger_is_asked_to_boot_and_is_a_station_on_the_same_connection(gate: Gate) -> None:
    peer = await gate.waiting()
    answer = await gate.accept()
    assert (answer.station_id, answer.connected) == (NEW, True)
    with trio.fail_after(5):
        _, message_id, action, payload = await peer.next_call()
        assert (action, payload) == ("TriggerMessage", {"requestedMessage": "BootNotification"})
        await peer.send(3, message_id, {"status": "Accepted"})
        assert (await boot(peer))["status"] == "Accepted"
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        assert (await peer.call("StatusNotification", status))[0] == 3
        assert (await peer.next_call())[2] == "ChangeConfiguration"
    assert list(gate.csms.registry.seen()) == [NEW]
    assert await gate.sql("SELECT status FROM connectors WHERE station_id = %s", NEW) == [{"status": "available"}]
    assert await gate.desk.strangers(rejected_too=True) == []


async def test_a_charger_that_cannot_be_triggered_is_a_station_at_its_own_retry(gate: Gate) -> None:
    peer = await gate.waiting()
    await gate.accept()
    with trio.fail_after(5):
        _, message_id, _, _ = await peer.next_call()
        await peer.send(4, message_id, "NotImplemented", "", {})
        assert (await boot(peer))["status"] == "Accepted"


async def test_an_accepted_station_that_leaves_is_offline(gate: Gate) -> None:
    peer = await gate.waiting()
    await gate.accept()
    assert (await boot(peer))["status"] == "Accepted"
    await trio.aclose_forcefully(peer.wire)
    await trio.testing.wait_all_tasks_blocked(0.05)
    assert not gate.csms.registry.seen()


async def test_a_station_has_what_the_charger_said_and_what_the_operator_said_instead(gate: Gate) -> None:
    await gate.waiting()
    await gate.accept(model="M60 Pro", power_capacity=60, free_vend=True)
    (station,) = await gate.sql("SELECT * FROM stations WHERE id = %s", NEW)
    told = {
        "location_id": "EVP-LOC-001",
        "serial_number": "SN-9",
        "manufacturer": "Maker",
        "model": "M60 Pro",
        "firmware_version": "1.2",
        "connectors_count": 1,
        "connector_types": ["GBT"],
    }
    assert {name: station[name] for name in told} == told
    assert await gate.sql("SELECT free_vend FROM evpower.station_policies") == [{"free_vend": True}]
    assert (await gate.sql("SELECT name, stations_count FROM locations")) == [
        {"name": "ТЦ Дордой Плаза", "stations_count": 2}
    ]


async def test_a_stranger_accepted_with_a_password_comes_again_with_it(gate: Gate) -> None:
    peer = await gate.waiting()
    await gate.accept(password="sixteen letters!")
    assert await ended(peer) == 1008
    assert await gate.status_of_upgrade() == 401
    assert await gate.status_of_upgrade(headers=basic(NEW, "sixteen letters!")) == 101


async def test_a_stranger_that_is_away_is_accepted_too(gate: Gate) -> None:
    peer = await gate.waiting()
    await trio.aclose_forcefully(peer.wire)
    await trio.testing.wait_all_tasks_blocked(0.05)
    assert (await gate.accept()).connected is False
    assert (await boot(await gate.csms.charger(f"/ws/{NEW}")))["status"] == "Accepted"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"location_id": None}, "location_id"),
        ({"location_id": "NOWHERE"}, "location_id"),
        ({"location_id": 7}, "location_id"),
        ({"id": "OTHER"}, "id"),
        ({"modell": "x"}, "modell"),
        ({"power_capacity": "much"}, "power_capacity"),
        ({"password": ""}, "password"),
        ({"connectors": [{"connector_number": 0}]}, "connectors[0].connector_number"),
        ({"connectors": [{"connector_number": 1}, {"connector_number": 1}]}, "connectors[1].connector_number"),
        ({"connectors": "two"}, "connectors"),
        ({"serial_number": "EVPCS-001"}, "serial_number"),
        ({"tariff_plan_id": "NONE"}, "tariff_plan_id"),
    ],
)
async def test_a_wrong_acceptance_names_the_field_and_writes_nothing(
    gate: Gate, changes: dict[str, Any], field: str
) -> None:
    await gate.waiting()
    with pytest.raises(InvalidRequest) as refused:
        await gate.accept(**changes)
    assert field in [name for name, _ in refused.value.fields]
    assert await gate.sql("SELECT id FROM stations WHERE id = %s", NEW) == []
    assert len(await gate.desk.strangers(rejected_too=False)) == 1


async def test_an_identity_that_never_came_is_neither_accepted_nor_rejected(gate: Gate) -> None:
    with pytest.raises(NotFound):
        await gate.accept()
    with pytest.raises(NotFound):
        await gate.desk.reject(NEW, actor="operator ann")


async def test_a_stranger_is_accepted_once_and_a_station_is_not_rejected(gate: Gate) -> None:
    await gate.waiting()
    await gate.accept()
    for decision in (gate.accept(), gate.desk.reject(NEW, actor="operator ann")):
        with pytest.raises(InvalidRequest) as refused:
            await decision
        assert [name for name, _ in refused.value.fields] == ["identity"]


async def test_two_operators_accept_one_stranger_once(gate: Gate) -> None:
    await gate.waiting()
    outcomes: list[str] = []

    async def accept() -> None:
        try:
            await gate.accept()
            outcomes.append("accepted")
        except InvalidRequest:
            outcomes.append("refused")

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept)
            nursery.start_soon(accept)
    assert sorted(outcomes) == ["accepted", "refused"]


# ----------------------------------------------------------------------------------------------------- turned away


async def test_a_rejected_stranger_is_closed_and_404_from_then_on(gate: Gate) -> None:
    peer = await gate.waiting()
    await gate.desk.reject(NEW, actor="operator ann")
    assert await ended(peer) == 1008
    gate.clock.advance(30 * 24 * 3600)
    assert await gate.status_of_upgrade() == 404
    assert await gate.desk.strangers(rejected_too=False) == []
    (row,) = await gate.desk.strangers(rejected_too=True)
    assert (row.record.status, row.record.decided_by) == ("rejected", "operator ann")


async def test_a_stranger_rejected_while_its_socket_opened_is_rejected_at_its_boot(gate: Gate) -> None:
    await trio.aclose_forcefully((await gate.waiting()).wire)
    await trio.testing.wait_all_tasks_blocked(0.05)
    peer = await gate.csms.charger(f"/ws/{NEW}")
    await gate.sql("UPDATE evpower.ocpp_strangers SET status = 'rejected', decided_at = %s", gate.clock.now())
    assert (await boot(peer))["status"] == "Rejected"


async def test_a_rejected_stranger_can_still_be_accepted(gate: Gate) -> None:
    await gate.waiting()
    await gate.desk.reject(NEW, actor="operator ann")
    await gate.accept()
    assert (await boot(await gate.csms.charger(f"/ws/{NEW}")))["status"] == "Accepted"


# ------------------------------------------------------------------------------------------------------------- sockets


async def test_duty_04_a_second_socket_of_a_stranger_replaces_the_first(gate: Gate) -> None:
    first = await gate.waiting()
    second = await gate.csms.charger(f"/ws/{NEW}")
    assert await ended(first) == 1000
    assert (await boot(second))["status"] == "Pending"


async def test_a_stranger_is_told_when_the_server_stops(gate: Gate) -> None:
    peer = await gate.waiting()
    gate.csms.scope.cancel()
    assert await ended(peer) == 1001
