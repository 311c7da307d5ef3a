"""Frames kept in PostgreSQL and followed live, beside the path of the messages."""

from __future__ import annotations

import logging

import pytest
import trio
from psycopg.errors import UndefinedTable

from evpower.db.pool import Pool
from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import StationId
from evpower.ocpp.dialects import MASKING
from evpower.ocpp.watch import tracer as tracing
from evpower.ocpp.watch.tracer import Tracer
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import NOON, SetClock

CP = StationId("CP\t1")
HEARTBEAT = b'[2,"1","Heartbeat",{}]'


@pytest.fixture(autouse=True)
def _write_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "GATHER_S", 0.0)


async def kept(tracer: Tracer) -> list[str]:
    return [entry["frame"] for entry in await tracer.history(CP, NOON, 100)]


async def test_frames_are_kept_in_order_whatever_they_contain(pool: Pool, nursery: trio.Nursery) -> None:
    tracer, clock = Tracer(pool, SetClock(), MASKING, record=True), SetClock()
    await nursery.start(tracer.run)
    frames = [HEARTBEAT, b"\\ \t \r\n \x00 \\N", '["щ"]'.encode(), b"\xff"]
    for frame in frames:
        tracer.note(CP, "in", frame, clock.now())
        clock.advance(1)
    assert await kept(tracer) == [HEARTBEAT.decode(), "\\ \t \r\n   \\N", '["щ"]', "\N{REPLACEMENT CHARACTER}"]


async def test_since_and_the_limit_choose_the_newest(pool: Pool) -> None:
    clock = SetClock()
    tracer = Tracer(pool, clock, MASKING, record=True)
    for number in range(5):
        tracer.note(CP, "in", b"%d" % number, clock.now())
        clock.advance(60)
    assert [entry["frame"] for entry in await tracer.history(CP, clock.now() - NOON, 2)] == ["3", "4"]
    assert await tracer.history(StationId("CP-2"), NOON, 9) == []


async def test_recording_can_be_switched_off(pool: Pool) -> None:
    tracer = Tracer(pool, SetClock(), MASKING, record=False)
    tracer.note(CP, "in", HEARTBEAT, NOON)
    assert await kept(tracer) == []


async def test_the_writer_leaves_nothing_behind_when_it_ends(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "GATHER_S", 3600.0)
    tracer = Tracer(pool, SetClock(), MASKING, record=True)
    async with trio.open_nursery() as nursery:
        await nursery.start(tracer.run)
        tracer.note(CP, "in", HEARTBEAT, NOON)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    async with by_hand(pool) as conn:
        assert len(await (await conn.execute("SELECT 1 FROM evpower.ocpp_frames")).fetchall()) == 1


async def test_what_the_queue_cannot_hold_is_counted_and_said_once(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracing, "MOST_QUEUED_BYTES", 3 * tracing.ROW_BYTES)
    tracer = Tracer(pool, SetClock(), MASKING, record=True)
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            tracer.note(CP, "in", HEARTBEAT, NOON)
    assert tracer.lost == 10 - len(await kept(tracer)) > 0
    assert len([record for record in caplog.records if "not kept" in record.message]) == 1


async def test_a_database_that_is_down_costs_frames_and_nothing_else(pool: Pool) -> None:
    tracer = Tracer(pool, SetClock(), MASKING, record=True)
    async with by_hand(pool) as conn:
        await conn.execute("ALTER TABLE evpower.ocpp_frames RENAME TO gone")
    tracer.note(CP, "in", HEARTBEAT, NOON)
    with pytest.raises(UndefinedTable):
        await kept(tracer)
    assert tracer.lost == 1
    async with by_hand(pool) as conn:
        await conn.execute("ALTER TABLE evpower.gone RENAME TO ocpp_frames")
    tracer.note(CP, "in", b"after", NOON)
    assert await kept(tracer) == ["after"]


async def test_a_follower_sees_its_station_only(pool: Pool) -> None:
    tracer = Tracer(pool, SetClock(), MASKING, record=False)
    with tracer.follow(CP) as follower:
        tracer.note(StationId("CP-2"), "in", b"other", NOON)
        tracer.note(CP, "in", HEARTBEAT, NOON)
        assert (await follower.next())["action"] == "Heartbeat"


async def test_a_slow_follower_is_cut_off_and_nobody_waits(pool: Pool) -> None:
    tracer = Tracer(pool, SetClock(), MASKING, record=False)
    with tracer.follow(CP) as slow:
        for _ in range(tracing.FOLLOWER_BUFFER + 5):
            tracer.note(CP, "in", HEARTBEAT, NOON)
        assert slow.was_cut
        for _ in range(tracing.FOLLOWER_BUFFER):
            await slow.next()
        with pytest.raises(trio.EndOfChannel):
            await slow.next()


async def test_followers_are_let_go_when_the_doors_close(pool: Pool, nursery: trio.Nursery) -> None:
    tracer = Tracer(pool, SetClock(), MASKING, record=False)
    await nursery.start(tracer.end_followers)
    with tracer.follow(CP) as follower:
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True), pytest.raises(trio.EndOfChannel):
            await follower.next()
        assert not follower.was_cut


async def test_followers_are_bounded(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_FOLLOWERS", 1)
    tracer = Tracer(pool, SetClock(), MASKING, record=False)
    with tracer.follow(CP), pytest.raises(InvalidRequest), tracer.follow(CP):
        pass


async def test_a_station_nobody_configured_is_not_found(pool: Pool) -> None:
    with pytest.raises(StationNotFound):
        await Tracer(pool, SetClock(), MASKING, record=False).check_station(CP)


async def test_a_station_has_a_quota_of_kept_frames_an_hour(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Safe by default 4: a thief of one charger cannot fill the disk; the others' frames are kept."""
    monkeypatch.setattr(tracing, "BYTES_AN_HOUR", 3 * (len(HEARTBEAT) + tracing.ROW_BYTES) - 1)
    clock = SetClock()
    tracer = Tracer(pool, clock, MASKING, record=True)
    for _ in range(10):
        tracer.note(CP, "in", HEARTBEAT, clock.now())
    tracer.note(StationId("CP-2"), "in", HEARTBEAT, clock.now())
    clock.advance(3600)
    tracer.note(CP, "in", HEARTBEAT, clock.now())
    assert len(await kept(tracer)) == 4
    assert tracer.lost == 7
    assert [message for message in caplog.messages if "quota" in message] == [
        "frames are not kept until the next hour, its quota is used up: station=CP\t1"
    ]
