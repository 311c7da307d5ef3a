"""A charger that always has more to say does not keep the others waiting."""

from __future__ import annotations

from itertools import pairwise

import trio
from trio.testing import MockClock

from evpower.ocpp.door.sweeper import Sweeper
from evpower.ocpp.wire.reader import FRAMES_PER_TURN, FrameReader
from evpower.ocpp.wire.transport import SocketLimits, StationSocket
from tests.ocpp.peer import frame


async def test_a_flood_yields_after_a_bounded_number_of_messages(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """The neighbour is a task that wants one turn after another; it has one between any two of the flood's."""
    ours, theirs = trio.testing.memory_stream_pair()
    flushers: trio.Nursery = await nursery.start(Sweeper().run)
    socket = StationSocket(ours, limits=SocketLimits(), flushers=flushers)
    turns_of_the_neighbour: list[int] = []
    read = 0

    async def neighbour() -> None:
        while True:
            turns_of_the_neighbour.append(read)
            await trio.lowlevel.checkpoint()

    await theirs.send_all(frame(0x81, b"[]") * 1000)
    async with trio.open_nursery() as both:
        both.start_soon(neighbour)
        for _ in range(1000):
            assert await socket.receive() == b"[]"
            read += 1
        both.cancel_scope.cancel()
    gaps = [later - sooner for sooner, later in pairwise(turns_of_the_neighbour)]
    # trio runs the tasks of one turn in any order, so two turns of the flood may lie between two of the neighbour's.
    assert max(gaps) <= 2 * FRAMES_PER_TURN
    nursery.cancel_scope.cancel()


def test_control_frames_count_too() -> None:
    reader = FrameReader(1000)
    reader.buffer += frame(0x89, b"") * (FRAMES_PER_TURN + 1) + frame(0x81, b"[]")
    assert reader.next_message() is None
    assert reader.turn_is_over
    reader.begin_turn()
    assert reader.next_message() == b"[]"


def test_endless_empty_fragments_are_one_message() -> None:
    reader = FrameReader(1000)
    reader.buffer += frame(0x01, b"[") + frame(0x00, b"") * 5000 + frame(0x80, b"]")
    message = None
    while message is None:
        reader.begin_turn()
        message = reader.next_message()
    assert message == b"[]"
