"""Boot, statuses, heartbeats, reconnects."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from evpower.simulator.station.power import Vehicle
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from tests.simulator.central_system import CentralSystem, Payload, TrioClock
from tests.simulator.conftest import Charger

TIME = "2026-01-01T00:00:00Z"


async def test_boots_then_reports_the_station_and_each_connector(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger(connectors=2)
    assert central.order[:4] == ["BootNotification"] + ["StatusNotification"] * 3
    assert [status["connectorId"] for status in central.of("StatusNotification")] == [0, 1, 2]
    assert central.requests[0].path == "/ws/CP%201"


async def test_a_status_that_changes_while_statuses_are_told_is_told_too(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(connectors=2, boots=False)

    def plug_in_meanwhile(payload: Payload) -> Payload:
        if payload["connectorId"] == 2:
            station.hardware.plug(station.hardware.connectors[1], Vehicle())
        return {}

    central.replies["StatusNotification"] = plug_in_meanwhile
    with trio.fail_after(10):
        await central.wait_for("StatusNotification", 4)
    assert central.statuses(1) == ["Available", "Preparing"]


async def test_beats_at_the_interval_the_boot_gave(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger()
    started = trio.current_time()
    await trio.sleep(181)
    beats = [at - started for at, action, _ in central.calls if action == "Heartbeat"]
    assert [round(at) for at in beats] == [60, 120, 180]


async def test_a_pending_boot_is_repeated_after_its_interval_and_nothing_else_is_said(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    accepted = central.replies["BootNotification"]
    central.replies["BootNotification"] = lambda _: {"status": "Pending", "interval": 20, "currentTime": TIME}
    station = await charger(boots=False)
    await trio.sleep(50)
    assert central.order == ["BootNotification"] * 3
    assert await central.ask("RemoteStartTransaction", {"idTag": "A"}) == {"status": "Rejected"}
    central.replies["BootNotification"] = accepted
    assert await central.ask("TriggerMessage", {"requestedMessage": "BootNotification"}) == {"status": "Accepted"}
    await station.trace.wait_until(lambda: station.accepted)


async def test_the_password_goes_as_basic_auth(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger(password="0123456789abcdef")
    headers = dict(central.requests[0].headers)
    assert headers[b"authorization"] == b"Basic Q1AgMTowMTIzNDU2Nzg5YWJjZGVm"


async def test_an_accepted_authorization_key_is_used_for_the_next_connection(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger(password="0123456789abcdef")
    change = {"key": "AuthorizationKey", "value": "fedcba9876543210"}
    assert await central.ask("ChangeConfiguration", change) == {"status": "Accepted"}
    with trio.fail_after(30):
        await central.wait_for("StatusNotification", 4)
    assert dict(central.requests[1].headers)[b"authorization"] == b"Basic Q1AgMTpmZWRjYmE5ODc2NTQzMjEw"


async def test_reconnects_without_a_boot_and_tells_its_statuses_again(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger()
    await central.hang_up()
    with trio.fail_after(30):
        await central.wait_for("StatusNotification", 4)
    assert len(central.of("BootNotification")) == 1


async def test_a_refused_upgrade_is_tried_again_with_growing_waits(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    central.refuse_with = 404
    station = await charger(boots=False)
    await trio.sleep(300)
    assert 6 <= len(central.requests) <= 16
    assert "404" in repr(station.last_error)
    central.refuse_with = None
    with trio.fail_after(61):
        await central.wait_for("BootNotification")


async def test_a_server_that_never_answers_the_boot_is_left_and_tried_again(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    central.replies["BootNotification"] = lambda _: None
    await charger(boots=False)
    await trio.sleep(100)
    assert len(central.requests) >= 2


async def test_broken_json_and_stray_answers_are_complaints_not_the_end(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await central.send("{")
    await central.send([3, "nobody-asked", {}])
    await central.send([2, "x" * 37, "ClearCache", {}])
    assert await central.ask("ClearCache") == {"status": "Accepted"}
    assert len(station.complaints) == 3


async def test_soft_reset_sends_the_stop_then_boots_again(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await station.plug()
    await station.present_card(1, "CARD")
    await central.wait_for("StartTransaction")
    assert await central.ask("Reset", {"type": "Soft"}) == {"status": "Accepted"}
    with trio.fail_after(60):
        await central.wait_for("BootNotification", 2)
    assert central.of("StopTransaction")[0]["reason"] == "SoftReset"
    assert central.order.index("StopTransaction") < len(central.order) - 1


async def test_after_a_power_loss_the_stop_follows_the_boot_with_the_time_of_the_loss(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(reboot_s=60)
    await station.plug()
    await station.present_card(1, "CARD")
    await central.wait_for("StartTransaction")
    lost_at = station.hardware.clock.now()
    await station.reboot("PowerLoss")
    with trio.fail_after(60):
        stop = await central.wait_for("StopTransaction")
    assert stop["reason"] == "PowerLoss"
    assert stop["timestamp"] == lost_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{lost_at.microsecond // 1000:03d}Z"
    assert central.order.index("StopTransaction") > len(central.order) - 1 - central.order[::-1].index(
        "BootNotification"
    )


async def test_a_forgetful_reboot_never_sends_the_stop(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await station.plug()
    await station.present_card(1, "CARD")
    await central.wait_for("StartTransaction")
    await station.reboot(None)
    await trio.sleep(100)
    assert len(central.of("BootNotification")) == 2
    assert not central.of("StopTransaction")


async def test_what_ends_with_a_station_may_still_begin_what_follows_an_answer(autojump_clock: MockClock) -> None:
    """The hardware ends after its connection, or an answer on its way out is an error of the simulator's own."""
    begun: list[str] = []

    async def dial(_url: str) -> trio.abc.Stream:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
            station.hardware.tasks.start_soon(_note, begun)
        raise AssertionError

    station = SimulatedStation("CP 1", 1, StationSettings(), TrioClock(), dial=dial)
    with trio.move_on_after(2):
        await station.run("ws://mem/ws")
    assert begun == ["then"]


async def _note(begun: list[str]) -> None:
    begun.append("then")
    await trio.lowlevel.checkpoint()
