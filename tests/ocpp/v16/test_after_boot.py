"""What a charger is asked after its boot, and when (duties 16-18; contract/ocpp-behaviour §2, §4)."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import ConnectorId, IdTag, StationId
from evpower.link.ports import Outcome
from evpower.network.station import Admission, BootVerdict
from evpower.ocpp.habits.boot_loops import (
    FIRST_PAUSE_S,
    HANG_UP_WITHIN_S,
    LONGEST_PAUSE_S,
    SUSPECT_WITHIN_S,
    BootLoops,
    HangUps,
)
from evpower.ocpp.v16.after_boot import LEAST_MEASURANDS, MEASURANDS
from evpower.ocpp.watch.oddities import Kind
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

CP = StationId("CP-1")
BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


async def obey(peer: Peer, status: str = "Accepted", until: float = 30) -> list[tuple[str, dict[str, Any]]]:
    """Answer every command for a while; what they were."""
    commands = []
    with trio.move_on_after(until):
        while True:
            _, message_id, action, payload = await peer.next_call()
            commands.append((action, payload))
            await peer.send(3, message_id, {"status": status})
    return commands


async def test_the_charger_is_told_how_to_meter(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("BootNotification", BOOT)
    await peer.call("StatusNotification", STATUS)
    assert await obey(peer) == [
        ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "30"}),
        ("ChangeConfiguration", {"key": "MeterValuesSampledData", "value": MEASURANDS}),
    ]


async def test_refusals_are_no_errors_and_a_shorter_list_is_offered(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("StatusNotification", STATUS)
    asked = await obey(peer, "Rejected")
    assert [payload["value"] for _, payload in asked] == ["30", MEASURANDS, LEAST_MEASURANDS]
    assert csms.reports.count("ready") == 1


async def test_duty_18_nothing_is_asked_before_the_first_status_or_a_short_delay(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    await trio.sleep(3)
    await peer.call("BootNotification", BOOT)
    booted_at = trio.current_time()
    await peer.next_call()
    assert trio.current_time() - booted_at == pytest.approx(5, abs=0.1)


async def test_a_charger_that_has_said_nothing_is_sent_nothing_and_then_waited_for_as_after_a_boot(
    csms: Csms, autojump_clock: MockClock
) -> None:
    """Field ruling 5.2: some reset when they are asked anything before their first message has been answered."""
    peer = await csms.charger()
    assert await obey(peer, until=50) == []
    assert csms.reports.count("ready") == 0
    await peer.call("Heartbeat")
    spoke_at = trio.current_time()
    await peer.next_call()
    assert trio.current_time() - spoke_at == pytest.approx(5, abs=0.1)


async def test_a_charger_that_sends_no_status_is_asked_for_all(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("Heartbeat")
    assert (await obey(peer))[-1] == ("TriggerMessage", {"requestedMessage": "StatusNotification"})


async def test_known_connectors_that_stay_silent_are_asked_one_by_one(csms: Csms, autojump_clock: MockClock) -> None:
    connectors = (ConnectorId(1), ConnectorId(2), ConnectorId(5))
    csms.reports.stations["CP-1"] = Admission("CP-1", "active", None, connectors)
    peer = await csms.charger()
    await peer.call("StatusNotification", STATUS)
    triggers = [payload for action, payload in await obey(peer) if action == "TriggerMessage"]
    assert [trigger.get("connectorId") for trigger in triggers] == [2, 5, None]


async def test_connector_0_is_asked_for_with_the_others_unless_it_has_spoken(
    csms: Csms, autojump_clock: MockClock
) -> None:
    """Field ruling 4.3. TriggerMessage cannot name it: all are asked."""
    csms.reports.stations["CP-1"] = Admission("CP-1", "active", None, (ConnectorId(1),))
    peer = await csms.charger()
    await peer.call("StatusNotification", STATUS)
    assert (await obey(peer))[-1] == ("TriggerMessage", {"requestedMessage": "StatusNotification"})
    await peer.call("BootNotification", BOOT)
    for connector_id in (0, 1):
        await peer.call("StatusNotification", {**STATUS, "connectorId": connector_id})
    assert "TriggerMessage" not in [action for action, _ in await obey(peer)]


async def test_duty_06_a_reconnect_without_boot_is_configured_too(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("Heartbeat")
    await obey(peer)
    assert csms.reports.told[-1] == ("ready", CP)


async def test_a_charger_that_answers_nothing_is_asked_once_and_is_ready_all_the_same(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    await peer.call("Heartbeat")
    calls = []
    with trio.move_on_after(60):
        while True:
            calls.append(await peer.next_call())
    assert len(calls) == 1
    assert csms.reports.count("ready") == 1


async def test_a_later_boot_on_the_same_socket_is_followed_up_again(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("Heartbeat")
    await obey(peer)
    await peer.call("BootNotification", BOOT)
    await obey(peer)
    assert csms.reports.count("ready") == 2


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_duty_17_a_charger_that_is_not_accepted_is_sent_nothing(
    csms: Csms, autojump_clock: MockClock, status: str
) -> None:
    csms.reports.boot_verdict = BootVerdict(status, 60)  # type: ignore[arg-type]
    peer = await csms.charger()
    await peer.call("BootNotification", BOOT)
    assert await obey(peer, until=50) == []
    result = await csms.registry.remote_start(CP, ConnectorId(1), IdTag("T"))
    assert result.outcome is Outcome.REJECTED


async def test_duty_18_a_start_while_the_charger_boots_counts_as_offline_and_is_not_sent(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    result = await csms.registry.remote_start(CP, ConnectorId(1), IdTag("T"))
    assert (result.outcome, result.detail) == (Outcome.OFFLINE, "still booting")
    assert all(action != "RemoteStartTransaction" for action, _ in await obey(peer))


# ------------------------------------------------------------------------------------------------------- boot loops
async def boots_when_configured(csms: Csms, downtime_s: float = 40) -> list[str]:
    """One life of a charger that boots and then restarts at the first key it is given; what it was asked."""
    peer = await csms.charger()
    await peer.call("BootNotification", BOOT)
    await peer.call("StatusNotification", STATUS)
    asked = []
    with trio.move_on_after(60):
        while "ChangeConfiguration" not in asked:
            _, message_id, action, _ = await peer.next_call()
            asked.append(action)
            await peer.send(3, message_id, {"status": "Accepted"})
    await peer.wire.aclose()
    await trio.sleep(downtime_s)
    return asked


async def test_a_charger_that_boots_whenever_it_is_configured_is_left_alone(
    csms: Csms, autojump_clock: MockClock
) -> None:
    lives = [await boots_when_configured(csms) for _ in range(6)]
    assert lives == [["ChangeConfiguration"], ["ChangeConfiguration"], [], [], [], []]
    assert csms.traffic.leniencies[CP][Kind.BOOT_LOOP] == 4


async def test_a_charger_that_is_left_alone_is_ready_for_commands_all_the_same(
    csms: Csms, autojump_clock: MockClock
) -> None:
    for _ in range(2):
        await boots_when_configured(csms)
    peer = await csms.charger()
    await peer.call("BootNotification", BOOT)
    await peer.call("StatusNotification", STATUS)
    assert await obey(peer, until=1) == []
    assert csms.reports.told[-1] == ("ready", CP)


async def test_a_charger_that_is_left_alone_is_still_asked_for_its_statuses(
    csms: Csms, autojump_clock: MockClock
) -> None:
    for _ in range(2):
        await boots_when_configured(csms)
    peer = await csms.charger()
    await peer.call("BootNotification", BOOT)
    assert [action for action, _ in await obey(peer)] == ["TriggerMessage"]


async def test_after_the_pause_it_is_tried_once_more_and_then_left_alone_for_longer(
    csms: Csms, autojump_clock: MockClock
) -> None:
    lives = [await boots_when_configured(csms) for _ in range(3)]
    for _ in range(3):
        await trio.sleep(FIRST_PAUSE_S)
        lives += [await boots_when_configured(csms), await boots_when_configured(csms)]
    configured = ["ChangeConfiguration"]
    assert lives == [configured, configured, [], configured, [], [], [], configured, []]


async def test_one_chargers_loop_is_not_anothers(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.stations["CP-2"] = Admission("CP-2", "active", None)
    for _ in range(3):
        await boots_when_configured(csms)
    peer = await csms.charger("/ws/CP-2")
    await peer.call("BootNotification", BOOT)
    await peer.call("StatusNotification", STATUS)
    assert len(await obey(peer)) == 2


async def hangs_up_when_asked(csms: Csms, within_s: float = 0) -> list[str]:
    """One connection of a charger that does not boot, and goes so long after our first question; what it was asked."""
    peer = await csms.charger()
    await peer.call("Heartbeat")
    asked = []
    with trio.move_on_after(60):
        _, _, action, _ = await peer.next_call()
        asked.append(action)
        await trio.sleep(within_s)
    await peer.wire.aclose()
    await trio.sleep(1)
    return asked


async def test_a_charger_that_hangs_up_three_times_when_it_is_asked_is_left_alone_until_it_speaks_again(
    csms: Csms, autojump_clock: MockClock
) -> None:
    """Field ruling 5.2."""
    lives = [await hangs_up_when_asked(csms) for _ in range(4)]
    assert lives == [["ChangeConfiguration"]] * 3 + [[]]
    assert csms.traffic.leniencies[CP][Kind.HANGS_UP] == 1
    peer = await csms.charger()
    await peer.call("Heartbeat")
    await trio.sleep(60)
    assert csms.reports.count("ready") == 0
    await peer.call("Heartbeat")
    assert len(await obey(peer)) > 1


async def test_a_charger_that_hangs_up_is_asked_after_its_boot(csms: Csms, autojump_clock: MockClock) -> None:
    """Field ruling 5.2: a boot is its word."""
    for _ in range(3):
        await hangs_up_when_asked(csms)
    peer = await csms.charger()
    await peer.call("BootNotification", BOOT)
    assert len(await obey(peer)) > 1


@pytest.mark.parametrize(("within_s", "asked"), [(9, 0), (11, 1)])
async def test_a_charger_that_stays_for_ten_seconds_has_not_hung_up(
    csms: Csms, autojump_clock: MockClock, within_s: float, asked: int
) -> None:
    csms.set(command_timeout_s=1)
    lives = [await hangs_up_when_asked(csms, within_s) for _ in range(4)]
    assert len(lives[-1]) == asked


async def test_a_charger_that_outlives_a_question_is_forgiven(csms: Csms, autojump_clock: MockClock) -> None:
    for _ in range(2):
        await hangs_up_when_asked(csms)
    peer = await csms.charger()
    await peer.call("Heartbeat")
    await obey(peer)
    await peer.wire.aclose()
    await trio.sleep(1)
    for _ in range(2):
        assert await hangs_up_when_asked(csms)


def test_who_hangs_up_is_counted_one_by_one() -> None:
    hang_ups, other = HangUps(), StationId("CP-2")
    for station_id in (CP, other, CP, CP):
        hang_ups.ended(station_id, HANG_UP_WITHIN_S)
    hang_ups.ended(other, HANG_UP_WITHIN_S + 0.1)
    assert hang_ups.left_alone() == {CP}
    hang_ups.forgive(CP)
    assert hang_ups.left_alone() == frozenset()


def test_boots_long_after_the_configuration_are_innocent() -> None:
    loops = BootLoops()
    for n in range(10):
        assert loops.may_be_configured(CP, n * 1000.0)
        loops.configuring(CP, n * 1000.0)
        loops.booted(CP, n * 1000.0 + SUSPECT_WITHIN_S + 1)


def test_two_boots_after_one_configuration_count_once() -> None:
    """A charger with a loose plug is no charger that cannot be configured."""
    loops = BootLoops()
    loops.configuring(CP, 0)
    for at in (10, 20, 30):
        loops.booted(CP, at)
    assert loops.may_be_configured(CP, 40)


def test_the_pause_doubles_up_to_a_day() -> None:
    possible = (0, *(FIRST_PAUSE_S * 2**n for n in range(5)), LONGEST_PAUSE_S)
    loops, at, pauses = BootLoops(), 0.0, []
    for _ in range(10):
        loops.configuring(CP, at)
        loops.booted(CP, at + 1)
        pause = next(pause for pause in possible if loops.may_be_configured(CP, at + pause))
        pauses.append(pause)
        at += pause + 2
    assert pauses == [*possible, *[LONGEST_PAUSE_S] * 3]
