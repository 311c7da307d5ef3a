"""What a hostile or broken peer sends costs its own socket, with the right close code, and nothing else."""

from __future__ import annotations

import struct

import pytest
import trio
from trio.testing import MockClock

from evpower.network.station import Admission
from evpower.ocpp.door.sweeper import Sweeper
from evpower.ocpp.wire.transport import SocketLimits, StationSocket
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import frame

BROKEN = {
    "unmasked": (frame(0x81, b"[]", masked=False), 1002),
    "binary": (frame(0x82, b"\0\1"), 1003),
    "binary fragment": (frame(0x02, b"\0\1"), 1003),
    "bad UTF-8": (frame(0x81, b'["\xff"]'), 1007),
    "bad UTF-8 over fragments": (frame(0x01, b'["\xff') + frame(0x80, b'"]'), 1007),
    "reserved bit": (frame(0xC1, b"[]"), 1002),
    "unknown opcode": (frame(0x83, b""), 1002),
    "continuation of nothing": (frame(0x80, b"[]"), 1002),
    "text inside fragments": (frame(0x01, b"[") + frame(0x81, b"[]"), 1002),
    "long ping": (frame(0x89, b"x" * 126), 1002),
    "fragmented ping": (frame(0x09, b"x"), 1002),
    "oversize": (struct.pack("!BBQ", 0x81, 0xFF, 2**62), 1009),
    "oversize over fragments": (frame(0x01, b"x" * 600_000) + frame(0x80, b"x" * 600_000), 1009),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_frame_ends_its_socket_with_its_code_and_no_other(
    csms: Csms, autojump_clock: MockClock, name: str
) -> None:
    data, code = BROKEN[name]
    csms.reports.stations["CP-2"] = Admission("CP-2", "active", None)
    neighbour, peer = await csms.charger("/ws/CP-2"), await csms.charger()
    await peer.wire.send_all(data)
    assert await peer.ended() == code
    assert (await neighbour.call("Heartbeat"))[0] == 3
    assert list(csms.registry.seen()) == ["CP-2"]


@pytest.mark.parametrize("size", [1, 5, 9])
async def test_a_truncated_frame_ends_with_its_socket(csms: Csms, autojump_clock: MockClock, size: int) -> None:
    peer = await csms.charger()
    await peer.wire.send_all(frame(0x81, b'[2,"m","Heartbeat",{}]')[:size])
    await peer.wire.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert not csms.registry.seen()
    assert csms.reports.told[-1] == ("disconnected", "CP-1")


async def test_a_frame_in_single_bytes_is_a_frame(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    for byte in frame(0x81, b'[2,"m","Heartbeat",{}]'):
        await peer.wire.send_all(bytes([byte]))
    assert (await peer.answer())[0] == 3


async def test_a_fragmented_message_with_a_ping_inside_is_answered(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.wire.send_all(frame(0x01, b'[2,"m",') + frame(0x89, b"hi") + frame(0x80, b'"Heartbeat",{}]'))
    pong = await peer.frame()
    assert (pong.opcode, pong.data) == (10, b"hi")
    assert (await peer.answer())[0] == 3


@pytest.mark.parametrize("size", [125, 126, 65535, 65536, 1024 * 1024])
async def test_every_length_up_to_the_limit_is_read(csms: Csms, autojump_clock: MockClock, size: int) -> None:
    text = b'[2,"m","Heartbeat",{}]'.ljust(size)
    peer = await csms.charger()
    await peer.wire.send_all(frame(0x81, text))
    assert (await peer.answer())[0] == 3


async def test_a_ping_after_our_close_harms_nobody(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.stations["CP-2"] = Admission("CP-2", "active", None)
    neighbour, peer = await csms.charger("/ws/CP-2"), await csms.charger()
    await peer.wire.send_all(frame(0x81, b"\xff") + frame(0x89, b"late"))
    await peer.wire.send_all(frame(0x89, b"later"))
    assert await peer.ended() == 1007
    assert (await neighbour.call("Heartbeat"))[0] == 3


async def test_a_close_of_the_peer_is_echoed(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.wire.send_all(frame(0x88, struct.pack("!H", 4001) + b"bye"))
    assert await peer.ended() == 4001


async def test_a_slow_handshake_is_given_up_after_the_open_time_out(csms: Csms, autojump_clock: MockClock) -> None:
    wire = await csms.connect()
    began = trio.current_time()
    await wire.send_all(b"GET /ws/CP-1 HTTP/1.1\r\n")
    assert await wire.receive_some() == b""
    assert trio.current_time() - began == pytest.approx(10, abs=3)


async def test_an_endless_request_is_431(csms: Csms, autojump_clock: MockClock) -> None:
    wire = await csms.connect()
    await wire.send_all(b"GET /ws/CP-1 HTTP/1.1\r\n" + b"x: y\r\n" * 5000)
    assert b" 431 " in await wire.receive_some()


@pytest.mark.parametrize(
    "request_text",
    [
        b"\x16\x03\x01\r\n\r\n",
        b"GET /ws/CP-1 HTTP/1.1\r\n\r\n",
        b"GET /ws/CP-1 HTTP/1.0\r\nUpgrade: websocket\r\n\r\n",
        b"POST /ws/CP-1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"GET /ws/CP-1 HTTP/1.1\r\nno colon\r\n\r\n",
    ],
)
async def test_what_is_no_upgrade_is_refused(csms: Csms, autojump_clock: MockClock, request_text: bytes) -> None:
    wire = await csms.connect()
    await wire.send_all(request_text)
    answer = b""
    while data := await wire.receive_some():
        answer += data
    assert b" 101 " not in answer
    assert not csms.registry.seen()


async def test_a_flood_of_calls_is_answered_in_order(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.wire.send_all(b"".join(frame(0x81, b'[2,"%d","Heartbeat",{}]' % n) for n in range(1000)))
    for n in range(1000):
        assert (await peer.receive())[:2] == [3, str(n)]


async def test_duty_04_a_silent_peer_is_pinged_and_then_given_up(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await trio.sleep(100)  # reads nothing, answers no ping
    assert not csms.registry.seen()
    assert csms.reports.told[-1] == ("disconnected", "CP-1")
    assert peer.close_code is None


async def test_a_peer_that_answers_pings_stays(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    with trio.move_on_after(1000):
        while True:
            await peer.frame()
    assert list(csms.registry.seen()) == ["CP-1"]


async def test_duty_04_a_peer_that_never_reads_is_found_by_the_send_deadline(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    sweeper = Sweeper()
    flushers: trio.Nursery = await nursery.start(sweeper.run)
    ours, _theirs = trio.testing.lockstep_stream_pair()  # a send waits until the other side reads
    socket = StationSocket(ours, limits=SocketLimits(), flushers=flushers)
    sweeper.watch(socket)
    with socket.alive:
        socket.post(b"[]")
        await trio.sleep_forever()
    assert trio.current_time() == pytest.approx(20, abs=2)
    assert "does not read" in str(socket.closed)
    nursery.cancel_scope.cancel()


async def test_the_backlog_of_a_peer_is_bounded(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    ours, _theirs = trio.testing.lockstep_stream_pair()
    socket = StationSocket(ours, limits=SocketLimits(max_backlog_bytes=10_000), flushers=nursery)
    for _ in range(3):
        socket.post(b"x" * 4000)
    assert "backlog" in str(socket.closed)
    assert socket.alive.cancel_called
    nursery.cancel_scope.cancel()


async def test_garbage_for_a_whole_conversation_breaks_nothing(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    garbage = (b"", b"{", b"null", b"5", b'"x"', b"{}", b"[]", b"[2]", b'[2,"a"]', b'[2,{},"X",{}]', b"[" * 100_000)
    for text in garbage:
        await peer.send_text(text)
    await peer.send(2, "end", "Heartbeat", {})
    answers: list[list[object]] = []
    while not answers or answers[-1][1] != "end":
        answers.append(await peer.receive())
    assert [answer[:3] for answer in answers[:-1]] == [[4, "a", "FormationViolation"]]
