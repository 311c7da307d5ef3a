"""What a charger is asked after its boot, and when (duties 16-18; contract/ocpp-behaviour §2, §4)."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.charging.charge_point import Admission, BootVerdict
from evpower.charging.ports import Outcome
from evpower.identifiers import ConnectorId, IdTag, StationId
from evpower.ocpp.v16.after_boot import LEAST_MEASURANDS, MEASURANDS
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


async def test_a_charger_that_sends_no_status_is_asked_for_all(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    assert (await obey(peer))[-1] == ("TriggerMessage", {"requestedMessage": "StatusNotification"})


async def test_known_connectors_that_stay_silent_are_asked_one_by_one(csms: Csms, autojump_clock: MockClock) -> None:
    connectors = (ConnectorId(1), ConnectorId(2), ConnectorId(5))
    csms.reports.stations["CP-1"] = Admission("CP-1", "active", None, connectors)
    peer = await csms.charger()
    await peer.call("StatusNotification", STATUS)
    triggers = [payload for action, payload in await obey(peer) if action == "TriggerMessage"]
    assert [trigger["connectorId"] for trigger in triggers] == [2, 5]


async def test_duty_06_a_reconnect_without_boot_is_configured_too(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await obey(peer)
    assert csms.reports.told[-1] == ("ready", CP)


async def test_a_charger_that_answers_nothing_is_asked_once_and_is_ready_all_the_same(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    calls = []
    with trio.move_on_after(60):
        while True:
            calls.append(await peer.next_call())
    assert len(calls) == 1
    assert csms.reports.count("ready") == 1


async def test_a_later_boot_on_the_same_socket_is_followed_up_again(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
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
