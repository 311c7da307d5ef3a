"""What passes at the chargers' door is counted, by keys that nobody outside can invent (duty 14; design §8)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.durations import BOUNDS_S
from evpower.identifiers import StationId
from evpower.ocpp.dialect import known_actions
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.watch.traffic import Refusal, Traffic
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

CP = StationId("CP-1")
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


async def test_each_call_is_counted_by_its_action(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    for _ in range(3):
        await peer.call("Heartbeat")
    await peer.call("Authorize", {"idTag": "T"})
    counts = {action: times.count for action, times in csms.traffic.calls_in("1.6").answered.items()}
    assert counts == {"Heartbeat": 3, "Authorize": 1}


async def test_how_long_an_answer_took_is_in_its_bucket(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    csms.reports.commit = trio.Event()
    await peer.send(2, "m", "Authorize", {"idTag": "T"})
    await trio.sleep(3)
    csms.reports.commit.set()
    await peer.answer()
    times = csms.traffic.calls_in("1.6").answered["Authorize"]
    assert times.buckets[BOUNDS_S.index(5.0)] == times.count == 1
    assert times.sum_s == pytest.approx(3)


async def test_an_answer_slower_than_every_bound_is_counted_too() -> None:
    calls = Traffic(known_actions(DIALECTS)).calls_in("1.6")
    calls.call_answered("Heartbeat", 100)
    assert calls.answered["Heartbeat"].buckets[-1] == 1


async def test_callerrors_of_ours_are_counted_by_code(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("NoSuchAction")
    await peer.call("ReserveNow")
    await peer.call("Authorize", {})
    await peer.send_text(b'[2,"m"]')
    await peer.answer()
    csms.reports.broken = True
    await peer.call("Authorize", {"idTag": "T"})
    assert csms.traffic.calls_in("1.6").errors_sent == {
        "NotImplemented": 1,
        "NotSupported": 1,
        "OccurenceConstraintViolation": 1,
        "FormationViolation": 1,
        "InternalError": 1,
    }


async def test_a_charger_that_invents_actions_makes_no_new_counters(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    for n in range(50):
        await peer.call(f"Invented{n}")
    assert {action: times.count for action, times in csms.traffic.calls_in("1.6").answered.items()} == {"other": 50}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((3, {"status": "Accepted"}), "accepted"),
        ((3, {"status": "RebootRequired"}), "accepted"),
        ((3, {"status": "Rejected"}), "rejected"),
        ((3, {"status": "NotSupported"}), "rejected"),
        ((3, {"configurationKey": []}), "answered"),
        ((3, []), "unreadable"),
        ((4, "NotSupported", "", {}), "failed"),
        (None, "timed_out"),
    ],
    ids=json.dumps,
)
async def test_each_end_of_a_command_is_counted_with_its_action(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock, answer: tuple[Any, ...] | None, outcome: str
) -> None:
    peer = await csms.charger()
    nursery.start_soon(csms.registry.raw, CP, "ClearCache", b"{}")
    _, message_id, action, _ = await peer.next_call()
    assert action == "ClearCache"
    if answer is None:
        await trio.sleep(csms.settings.command_timeout_s + 1)
    else:
        await peer.send(answer[0], message_id, *answer[1:])
        await trio.sleep(1)
    assert csms.traffic.calls_in("1.6").calls_sent["ClearCache"] == 1
    assert csms.traffic.calls_in("1.6").commands["ClearCache", outcome] == 1
    assert csms.traffic.calls_in("1.6").errors_received == ({"NotSupported": 1} if outcome == "failed" else {})


async def test_a_command_whose_charger_left_ended_offline(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    nursery.start_soon(csms.registry.raw, CP, "ClearCache", b"{}")
    await peer.next_call()
    await peer.wire.aclose()
    await trio.sleep(1)
    assert csms.traffic.calls_in("1.6").commands["ClearCache", "offline"] == 1


async def test_error_codes_a_charger_invents_are_one_counter(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    for n in range(5):
        nursery.start_soon(csms.registry.raw, CP, "ClearCache", b"{}")
        _, message_id, _, _ = await peer.next_call()
        await peer.send(4, message_id, f"Invented{n}", "", {})
        await trio.sleep(0.1)
    assert csms.traffic.calls_in("1.6").errors_received == {"other": 5}


async def refused(csms: Csms, *arguments: Any, **how: Any) -> None:
    peer = Peer(await csms.connect())
    await peer.open(*arguments, **how)
    await peer.ended()


async def test_refused_sockets_are_counted_by_their_reason(csms: Csms, autojump_clock: MockClock) -> None:
    await refused(csms, "/ws/nobody")
    await refused(csms, subprotocols=("ocpp2.1",))
    csms.reports.broken = True
    await refused(csms)
    csms.reports.broken = False
    stream = await csms.connect()
    await stream.send_all(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
    await stream.aclose()
    await csms.connect()  # says nothing until the time-out
    await trio.sleep(60)
    assert csms.traffic.refusals == {
        Refusal.UNKNOWN_STATION: 1,
        Refusal.NO_SUBPROTOCOL: 1,
        Refusal.DATABASE: 1,
        Refusal.NO_HANDSHAKE: 2,
    }


async def test_refused_credentials_are_counted(csms: Csms, autojump_clock: MockClock) -> None:
    csms.anonymous = False
    await refused(csms)
    assert csms.traffic.refusals == {Refusal.CREDENTIALS: 1}


async def test_a_charger_that_is_let_in_is_no_refusal(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.wire.aclose()
    await trio.sleep(5)
    assert not csms.traffic.refusals


async def test_a_stations_leniencies_add_up_over_its_connections(csms: Csms, autojump_clock: MockClock) -> None:
    for _ in range(3):
        peer = await csms.charger()
        await peer.call("Authorize", {"idTag": 5, "vendorField": 1})
    assert csms.traffic.leniencies == {CP: {Kind.OTHER_TYPE: 3, Kind.UNKNOWN_FIELD: 3}}


async def test_a_charger_that_invents_fields_makes_no_new_kinds(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    for n in range(200):
        await peer.call("StatusNotification", {**STATUS, f"field{n}": n})
    assert csms.traffic.leniencies == {CP: {Kind.UNKNOWN_FIELD: 200}}


async def test_a_station_nobody_configured_has_no_counters(csms: Csms, autojump_clock: MockClock) -> None:
    for n in range(5):
        await refused(csms, f"/ws/nobody-{n}")
    assert not csms.traffic.leniencies
