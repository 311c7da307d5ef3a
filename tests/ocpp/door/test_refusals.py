"""Whoever is refused or closed by us is in the log once, with who it was and why."""

from __future__ import annotations

import logging
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import StationId
from evpower.network.station import Admission
from evpower.ocpp.door.capacity import BUSY, LOG_EVERY_S, Capacity
from evpower.ocpp.door.passwords import hash_password
from evpower.ocpp.watch.oddities import Kind
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer, frame

UPGRADE_HEAD = b"GET /ws/CP-1 HTTP/1.1\r\n"
LOCKED = Admission("LOCKED", "active", hash_password("right", b"0" * 16))
#: A charger's socket that opened, was used and dropped says these besides.
ORDINARY = ("connected", "disconnected", "Heartbeat", "ChangeConfiguration", "tolerated")


async def unknown_station(csms: Csms) -> None:
    await Peer(await csms.connect()).open("/ws/NOBODY")


async def unknown_path(csms: Csms) -> None:
    await Peer(await csms.connect()).open("/elsewhere")


async def no_credentials(csms: Csms) -> None:
    csms.anonymous = False
    await Peer(await csms.connect()).open("/ws/CP-1")


async def endless_request(csms: Csms) -> None:
    wire = await csms.connect()
    await wire.send_all(UPGRADE_HEAD + b"x: y\r\n" * 5000)
    await read_to_the_end(wire)


async def no_upgrade(csms: Csms) -> None:
    wire = await csms.connect()
    await wire.send_all(UPGRADE_HEAD + b"\r\n")
    await read_to_the_end(wire)


async def no_http(csms: Csms) -> None:
    wire = await csms.connect()
    await wire.send_all(b"\x16\x03\x01\r\n\r\n")
    await read_to_the_end(wire)


async def no_request(csms: Csms) -> None:
    await read_to_the_end(await csms.connect())


async def half_a_request(csms: Csms) -> None:
    wire = await csms.connect()
    await wire.send_all(UPGRADE_HEAD)
    await wire.aclose()


async def a_database_that_is_away(csms: Csms) -> None:
    csms.reports.broken = True
    await Peer(await csms.connect()).open()


async def another_subprotocol(csms: Csms) -> None:
    peer = Peer(await csms.connect())
    await peer.open(subprotocols=("ocpp2.1",))
    await peer.ended()


async def a_frame_too_large(csms: Csms) -> None:
    peer = await csms.charger()
    await peer.wire.send_all(struct.pack("!BBQ", 0x81, 0xFF, 10_000_000))
    await peer.ended()


async def invalid_utf8(csms: Csms) -> None:
    peer = await csms.charger()
    await peer.wire.send_all(b"\x81\x81\0\0\0\0\xff")
    await peer.ended()


async def silence(csms: Csms) -> None:
    await csms.charger()
    await trio.sleep(100)


async def a_twin(csms: Csms) -> None:
    old = await csms.charger()
    await csms.charger()
    await old.ended()
    csms.scope.cancel()  # before the twin, which is silent too, is given up


async def a_drain(csms: Csms) -> None:
    peer = await csms.charger()
    csms.scope.cancel()
    await peer.ended()


async def too_many_connections(csms: Csms) -> None:
    csms.set(max_connections=0)
    for _ in range(20):
        assert await read_to_the_end(await csms.connect()) == BUSY


async def too_many_handshakes(csms: Csms) -> None:
    csms.set(max_handshakes=0)
    assert await read_to_the_end(await csms.connect()) == BUSY


REFUSALS: dict[Callable[[Csms], Awaitable[None]], str] = {
    unknown_station: "login refused: station=NOBODY, address=-, reason=unknown station, failures=1",
    unknown_path: "login refused: station=/elsewhere, address=-, reason=unknown station, failures=1",
    no_credentials: "login refused: station=CP-1, address=-, reason=no credentials, failures=1",
    endless_request: "refused: address=-: 1002 HTTP 431",
    no_upgrade: "refused: address=-: 1002 HTTP 426",
    no_http: "refused: address=-: 1002 not an HTTP request",
    no_request: "refused: address=-: no handshake within 10 s",
    half_a_request: "refused: address=-: 1006 the peer ended the stream",
    a_database_that_is_away: "refused with 503: station=CP-1, address=-: cannot look it up: the database is down",
    another_subprotocol: "refused: station=CP-1, address=-: no common subprotocol, offered ocpp2.1",
    a_frame_too_large: "station=CP-1: socket ended: 1009 frame with 10000000 bytes exceeds limit of 1048576 bytes: "
    "it cannot deliver what it has queued (ocpp.max_frame_bytes)",
    invalid_utf8: "station=CP-1: socket ended: 1007 invalid start byte at position 0",
    silence: "station=CP-1: socket ended: 1006 no answer to a ping",
    a_twin: "station=CP-1: socket ended: 1000 replaced by a newer connection",
    a_drain: "station=CP-1: socket ended: 1001 the server is shutting down",
    too_many_connections: "refused with 503: 0 sockets are open (ocpp.max_connections): "
    "address=-, refused since the last such line: 1",
    too_many_handshakes: "refused with 503: 0 handshakes are in progress (ocpp.max_handshakes): "
    "address=-, refused since the last such line: 1",
}


async def read_to_the_end(wire: trio.abc.Stream) -> bytes:
    data = b""
    with suppress(trio.BrokenResourceError):
        while chunk := await wire.receive_some():
            data += chunk
    return data


@pytest.mark.parametrize("happens", REFUSALS, ids=lambda happens: happens.__name__)
async def test_each_refusal_is_logged_once_with_its_reason(
    csms: Csms,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
    happens: Callable[[Csms], Awaitable[None]],
) -> None:
    caplog.set_level(logging.INFO)
    await happens(csms)
    await trio.sleep(15)  # past every time-out of a handshake
    told = [message for message in caplog.messages if not any(word in message for word in ORDINARY)]
    if happens is another_subprotocol:
        told = [message for message in caplog.messages if "subprotocol" in message]
    if happens is a_twin:
        told = [message for message in told if "shutting down" not in message]
    assert told == [REFUSALS[happens]]


async def test_a_charger_that_cannot_deliver_its_queue_is_a_warning_and_counted(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Field ruling 3.3: it sends the same message again, for ever. A charger that closes with 1009 itself has no such
    message."""
    for _ in range(2):
        await a_frame_too_large(csms)
    closing = await csms.charger()
    await closing.wire.send_all(frame(0x88, struct.pack("!H", 1009) + b"yours"))
    await closing.ended()
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage().partition(":")[0] for record in warnings] == ["station=CP-1"] * 2
    assert csms.traffic.leniencies[StationId("CP-1")] == {Kind.TOO_LARGE: 2}


async def test_a_wrong_password_is_logged_once(csms: Csms, caplog: pytest.LogCaptureFixture) -> None:
    """On the real clock: passwords are checked in a thread, which a mock clock does not wait for."""
    caplog.set_level(logging.INFO)
    csms.reports.stations["LOCKED"] = LOCKED
    with trio.fail_after(10):
        peer = Peer(await csms.connect())
        assert (await peer.open("/ws/LOCKED?token=wrong")).status_code == 401
        await peer.ended()
    csms.scope.cancel()
    await csms.stopped.wait()
    assert caplog.messages == ["login refused: station=LOCKED, address=-, reason=wrong password, failures=1"]


async def test_a_full_door_says_each_minute_how_many_it_turned_away(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    capacity = Capacity(max_connections=1, max_handshakes=1)
    for _ in range(3):
        await turned_away(capacity)
    await trio.sleep(LOG_EVERY_S)
    await turned_away(capacity)
    assert [message.rpartition(" ")[2] for message in caplog.messages] == ["1", "3"]


async def turned_away(capacity: Capacity) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    with capacity.connection():
        reason = capacity.full("")
        assert reason is not None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(capacity.turn_away, ours, reason)
            assert await read_to_the_end(theirs) == BUSY
    assert capacity.full("") is None


async def test_a_place_is_free_again_when_its_socket_ends_and_a_charger_inside_is_untouched(
    csms: Csms, autojump_clock: MockClock
) -> None:
    csms.set(max_connections=2)
    csms.reports.stations["CP-2"] = replace(csms.reports.stations["CP-1"], station_id="CP-2")
    inside, second = await csms.charger(), await csms.charger("/ws/CP-2")
    assert await read_to_the_end(await csms.connect()) == BUSY
    await second.wire.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert (await (await csms.charger("/ws/CP-2")).call("Heartbeat"))[0] == 3
    assert (await inside.call("Heartbeat"))[0] == 3


async def test_handshakes_that_dawdle_fill_their_own_bound_and_chargers_inside_go_on(
    csms: Csms, autojump_clock: MockClock
) -> None:
    csms.set(max_handshakes=3)
    inside = await csms.charger()
    for _ in range(3):
        await (await csms.connect()).send_all(UPGRADE_HEAD)
    assert await read_to_the_end(await csms.connect()) == BUSY
    assert (await inside.call("Heartbeat"))[0] == 3
    await trio.sleep(15)  # the dawdlers are given up
    assert (await (await csms.charger()).call("Heartbeat"))[0] == 3
