"""CALLs of ours and of the charger, crossing and answered (OCPP-J §4; duties 8-13, 39)."""

from __future__ import annotations

import logging

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.link.ports import CommandResult, Outcome
from evpower.ocpp.wire.outcome import Answered, CallFailed, CallOutcome, NoAnswer, Offline
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

CP = StationId("CP-1")


async def ready_charger(csms: Csms) -> Peer:
    """A charger that answered every question after its connect and may be sent commands."""
    peer = await csms.charger()
    await peer.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
    for _ in range(2):
        _, message_id, action, _ = await peer.next_call()
        assert action == "ChangeConfiguration"
        await peer.send(3, message_id, {"status": "Accepted"})
    await trio.testing.wait_all_tasks_blocked()
    return peer


async def test_an_answer_reaches_the_caller(csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    peer = await ready_charger(csms)
    results: list[CommandResult] = []

    async def ask() -> None:
        results.append(await csms.registry.remote_start(CP, ConnectorId(1), IdTag("TAG")))

    nursery.start_soon(ask)
    _, message_id, action, payload = await peer.next_call()
    assert (action, payload) == ("RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"})
    await peer.send(3, message_id, {"status": "Accepted"})
    await trio.testing.wait_all_tasks_blocked()
    assert results == [CommandResult(Outcome.ACCEPTED, "Accepted")]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ((3, {"status": "Rejected"}), Outcome.REJECTED),
        ((4, "InternalError", "broken", {}), Outcome.FAILED),
        ((3, {"nonsense": 1}), Outcome.FAILED),
        ((3, None), Outcome.FAILED),
        ((), Outcome.TIMED_OUT),
    ],
    ids=["rejected", "callerror", "unreadable", "null", "silence"],
)
async def test_duty_39_each_end_of_a_command_is_a_result_of_its_own(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock, reply: tuple[object, ...], outcome: Outcome
) -> None:
    peer = await ready_charger(csms)
    results: list[CommandResult] = []

    async def ask() -> None:
        results.append(await csms.registry.remote_stop(CP, WireTransactionId("7")))

    nursery.start_soon(ask)
    _, message_id, action, payload = await peer.next_call()
    assert (action, payload) == ("RemoteStopTransaction", {"transactionId": 7})
    if reply:
        await peer.send(reply[0], message_id, *reply[1:])
    await trio.sleep(31)
    assert [result.outcome for result in results] == [outcome]


@pytest.mark.parametrize("name", ["8c0f-1", "2.0.1:7"])
async def test_a_stop_of_a_transaction_of_another_version_is_refused(
    csms: Csms, autojump_clock: MockClock, name: str
) -> None:
    """A station that has changed its version has nothing under the name: what waits for its stop goes on."""
    await ready_charger(csms)
    result = await csms.registry.remote_stop(CP, WireTransactionId(name))
    assert result == CommandResult(Outcome.REJECTED, "the transaction is one of OCPP 2.0.1")


async def test_duty_39_a_station_that_is_not_connected_is_offline(csms: Csms, autojump_clock: MockClock) -> None:
    result = await csms.registry.remote_start(CP, ConnectorId(1), IdTag("TAG"))
    assert result.outcome is Outcome.OFFLINE


async def test_duty_39_a_socket_that_drops_before_the_answer_is_offline(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    outcomes: list[CallOutcome] = []

    async def ask() -> None:
        outcomes.append(await csms.registry.raw(CP, "Reset", b'{"type":"Soft"}'))

    nursery.start_soon(ask)
    nursery.start_soon(ask)
    await peer.next_call()
    await peer.wire.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert outcomes == [Offline(), Offline()]


async def test_duty_08_our_second_call_waits_for_the_answer_to_the_first(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    outcomes: list[CallOutcome] = []

    async def ask(action: str) -> None:
        outcomes.append(await csms.registry.raw(CP, action, b"{}"))

    nursery.start_soon(ask, "ClearCache")
    await trio.testing.wait_all_tasks_blocked()
    nursery.start_soon(ask, "GetConfiguration")
    first = await peer.next_call()
    with trio.move_on_after(5) as silence:
        await peer.next_call()
    assert silence.cancelled_caught
    await peer.send(3, first[1], {"n": 1})
    second = await peer.next_call()
    assert (first[2], second[2]) == ("ClearCache", "GetConfiguration")
    await peer.send(4, second[1], "NotSupported", "no", {"a": 1})
    await trio.testing.wait_all_tasks_blocked()
    assert outcomes == [Answered(b'{"n": 1}'), CallFailed("NotSupported", "no", b'{"a": 1}')]


async def test_duty_08_a_caller_that_left_does_not_free_the_turn(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    with trio.move_on_after(5):
        await csms.registry.raw(CP, "ClearCache", b"{}")
    nursery.start_soon(csms.registry.raw, CP, "GetConfiguration", b"{}")
    first = await peer.next_call()
    with trio.move_on_after(10) as silence:
        await peer.next_call()
    assert silence.cancelled_caught
    await peer.send(3, first[1], {})
    assert (await peer.next_call())[2] == "GetConfiguration"


async def test_duty_08_crossing_calls_are_both_answered(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    outcomes: list[CallOutcome] = []

    async def ask() -> None:
        outcomes.append(await csms.registry.raw(CP, "ClearCache", b"{}"))

    nursery.start_soon(ask)
    _, message_id, _, _ = await peer.next_call()
    assert (await peer.call("Heartbeat", message_id=message_id))[0] == 3  # even with the same id
    await peer.send(3, message_id, {})
    await trio.testing.wait_all_tasks_blocked()
    assert outcomes == [Answered(b"{}")]


async def test_duty_10_a_late_answer_never_answers_the_next_call(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    outcomes: list[CallOutcome] = []

    async def ask(action: str) -> None:
        outcomes.append(await csms.registry.raw(CP, action, b"{}"))

    nursery.start_soon(ask, "ClearCache")
    first = await peer.next_call()
    await trio.sleep(31)
    nursery.start_soon(ask, "GetConfiguration")
    second = await peer.next_call()
    await peer.send(3, first[1], {"late": True})
    await peer.send(3, "no-such-id", {})
    await peer.send(3, second[1], {"mine": True})
    await trio.testing.wait_all_tasks_blocked()
    assert outcomes == [NoAnswer(), Answered(b'{"mine": true}')]


async def test_duty_09_message_ids_of_ours_are_unique_and_short(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    ids = set()
    for _ in range(3):
        nursery.start_soon(csms.registry.raw, CP, "ClearCache", b"{}")
        message = await peer.next_call()
        ids.add(message[1])
        await peer.send(3, message[1], {})
    assert len(ids) == 3
    assert all(len(message_id) <= 36 for message_id in ids)


async def test_duty_08_a_slow_commit_of_one_charger_holds_no_other(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    from evpower.network.station import Admission

    csms.reports.stations["CP-2"] = Admission("CP-2", "active", None)
    slow, quick = await csms.charger(), await csms.charger("/ws/CP-2")
    csms.reports.commit = trio.Event()
    await slow.send(2, "slow", "Authorize", {"idTag": "A"})
    assert (await quick.call("Heartbeat"))[0] == 3
    csms.reports.commit.set()
    assert (await slow.answer("slow"))[0] == 3


async def test_boot_and_statuses_sent_back_to_back_are_all_answered_in_order(
    csms: Csms, autojump_clock: MockClock
) -> None:
    """Chargers that do not wait for our answer before their next CALL; a command of ours may cross theirs."""
    peer = await csms.charger()
    await peer.send(2, "boot", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    for connector in range(3):
        status = {"connectorId": connector, "errorCode": "NoError", "status": "Available"}
        await peer.send(2, f"status {connector}", "StatusNotification", status)
    for message_id in ("boot", "status 0", "status 1", "status 2"):
        assert (await peer.answer(message_id))[0] == 3
    assert [what for what, _ in csms.reports.told[1:]] == ["boot", "status", "status", "status"]


async def test_heartbeats_that_cross_a_pending_command_neither_answer_nor_delay_it(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    outcomes: list[CallOutcome] = []

    async def ask() -> None:
        outcomes.append(await csms.registry.raw(CP, "ClearCache", b"{}"))

    nursery.start_soon(ask)
    _, message_id, _, _ = await peer.next_call()
    for n in range(5):
        assert "currentTime" in (await peer.call("Heartbeat", message_id=f"beat {n}"))[2]
    assert outcomes == []
    await peer.send(3, message_id, {"status": "Accepted"})
    await trio.testing.wait_all_tasks_blocked()
    assert outcomes == [Answered(b'{"status": "Accepted"}')]


async def test_replies_leave_in_the_order_of_the_calls_and_after_their_commit(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    csms.reports.commit = trio.Event()
    await peer.send(2, "first", "Authorize", {"idTag": "A"})
    await peer.send(2, "second", "Heartbeat", {})
    with trio.move_on_after(3) as silence:
        await peer.receive()
    assert silence.cancelled_caught
    csms.reports.commit.set()
    assert [(await peer.receive())[1] for _ in range(2)] == ["first", "second"]


@pytest.mark.parametrize("payload", ["{}", "null"])
async def test_duty_13_null_is_an_empty_payload(csms: Csms, autojump_clock: MockClock, payload: str) -> None:
    peer = await csms.charger()
    await peer.send_text(f'[2,"m","Heartbeat",{payload}]'.encode())
    assert (await peer.answer())[0] == 3


async def test_a_call_without_any_payload_is_answered(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.send(2, "m", "Heartbeat")
    assert (await peer.answer())[0] == 3


async def test_a_long_or_an_integer_message_id_is_echoed(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    for message_id in ("x" * 255, 17):
        await peer.send(2, message_id, "Heartbeat", {})
        assert (await peer.receive())[1] == message_id


async def test_duty_11_an_unknown_message_type_is_ignored(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.send(6, "m", "NotifyPeriodicEventStream", {})
    assert (await peer.call("Heartbeat"))[0] == 3


async def test_duty_11_broken_json_is_logged_with_the_station_and_the_socket_stays(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    peer = await csms.charger()
    await peer.send_text(b'[2,"m","Heartbeat"')
    assert (await peer.call("Heartbeat"))[0] == 3
    assert any("station=CP-1" in message and "unreadable" in message for message in caplog.messages)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("Fly", "NotImplemented"),
        ("Reset", "NotSupported"),
        ("heartbeat", "NotImplemented"),
    ],
)
async def test_duty_12_an_action_nobody_knows_and_one_we_do_not_offer(
    csms: Csms, autojump_clock: MockClock, action: str, code: str
) -> None:
    peer = await csms.charger()
    assert await peer.call(action) == [4, "m", code, action, {}]


async def test_duty_19_every_message_is_a_sign_of_life(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    before = csms.registry.last_seen_at(CP)
    await trio.sleep(20)
    await peer.call("Authorize", {"idTag": "A"})
    after = csms.registry.last_seen_at(CP)
    assert before is not None
    assert after is not None
    assert (after - before).total_seconds() == pytest.approx(20, abs=1)


async def test_an_error_in_one_chargers_task_ends_only_that_charger(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evpower.network.station import Admission

    async def fail(station_id: StationId) -> None:
        if station_id == "CP-1":
            raise RuntimeError("a bug")

    caplog.set_level(logging.CRITICAL)
    csms.reports.stations["CP-2"] = Admission("CP-2", "active", None)
    monkeypatch.setattr(csms.reports, "ready_for_commands", fail)
    csms.set(settle_delay_s=1, command_timeout_s=1)
    peer, neighbour = await csms.charger(), await csms.charger("/ws/CP-2")
    await peer.call("Heartbeat")
    assert await peer.ended() == 1011
    assert csms.reports.close_codes == [1011]
    assert (await neighbour.call("Heartbeat"))[0] == 3
