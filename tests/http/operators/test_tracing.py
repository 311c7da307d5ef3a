"""Frames of a station whose socket is at another process: they come by the rows that it keeps, each once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import trio
import trio.testing
from quart import Quart

from evpower.http.operators.tracing import NOTHING_KEPT, OUT_OF_SIGHT, TraceFeed, Traces, _Lines
from evpower.identifiers import StationId
from tests.worlds.fakes import NOON

STATION = StationId("CP-1")


class Silent:
    """A station that says nothing to this process."""

    was_cut = False

    async def next(self) -> dict[str, Any]:
        await trio.sleep_forever()
        raise AssertionError


class Kept:
    """What another process has kept so far."""

    def __init__(self, *, is_recording: bool = True) -> None:
        self.is_recording = is_recording
        self.frames: list[dict[str, Any]] = []
        self.asked_since: list[datetime | timedelta] = []

    def keep(self, number: int) -> None:
        self.frames.append({"at": NOON + timedelta(seconds=number), "frame": number})

    async def history(
        self, _: StationId, since: datetime | timedelta, limit: int, *, until: datetime | None = None
    ) -> list[dict[str, Any]]:
        self.asked_since.append(since)
        return [each for each in self.frames if isinstance(since, timedelta) or each["at"] >= since]

    @contextmanager
    def follow(self, _: StationId) -> Iterator[Silent]:
        yield Silent()


async def next_frame(lines: _Lines) -> int:
    """The next line that is no sign of life."""
    with trio.fail_after(60):
        while True:
            if entry := (await lines.__anext__()).strip():
                return int(json.loads(entry)["frame"])


async def all_lines(lines: _Lines) -> list[dict[str, Any]]:
    """Every line up to the end, without signs of life."""
    with trio.fail_after(60):
        return [json.loads(entry) async for line in lines if (entry := line.strip())]


@asynccontextmanager
async def opened(
    kept: Kept, *, elsewhere: bool, since: timedelta | None = None, follow: bool = True
) -> AsyncIterator[_Lines]:
    """The lines of a request."""
    async with Quart("test").test_request_context("/"):
        lines = _Lines(TraceFeed(cast("Traces", kept), lambda: elsewhere, STATION, since, 1000, follow=follow))
    async with lines:
        yield lines


async def test_frames_kept_by_another_process_come_once_and_in_order(autojump_clock: trio.testing.MockClock) -> None:
    kept = Kept()
    kept.keep(1)
    async with opened(kept, elsewhere=True) as lines:
        assert await next_frame(lines) == 1
        kept.keep(2)
        kept.keep(3)
        assert [await next_frame(lines), await next_frame(lines)] == [2, 3]
        kept.keep(4)
        assert await next_frame(lines) == 4
    assert kept.asked_since[0] == timedelta(seconds=2)


async def test_of_a_station_of_this_process_nothing_is_looked_up(autojump_clock: trio.testing.MockClock) -> None:
    kept = Kept()
    kept.keep(1)
    async with opened(kept, elsewhere=False) as lines:
        assert [(await lines.__anext__()).strip() for _ in range(3)] == [b"", b"", b""]
    assert kept.asked_since == []


async def test_nothing_kept_and_nothing_near_is_said_and_ends(autojump_clock: trio.testing.MockClock) -> None:
    async with opened(Kept(is_recording=False), elsewhere=True) as lines:
        assert await all_lines(lines) == [{"event": OUT_OF_SIGHT}]


async def test_a_station_of_this_process_is_followed_without_recording(autojump_clock: trio.testing.MockClock) -> None:
    async with opened(Kept(is_recording=False), elsewhere=False) as lines:
        assert [(await lines.__anext__()).strip() for _ in range(3)] == [b"", b"", b""]


async def test_who_asks_for_what_was_never_kept_is_told_why(autojump_clock: trio.testing.MockClock) -> None:
    hour = timedelta(hours=1)
    async with opened(Kept(is_recording=False), elsewhere=False, since=hour, follow=False) as lines:
        assert await all_lines(lines) == [{"event": NOTHING_KEPT}]
    async with opened(Kept(), elsewhere=False, since=hour, follow=False) as lines:
        assert await all_lines(lines) == []


async def test_what_was_kept_before_recording_ended_is_shown(autojump_clock: trio.testing.MockClock) -> None:
    kept = Kept(is_recording=False)
    kept.keep(1)
    async with opened(kept, elsewhere=False, since=timedelta(hours=1), follow=False) as lines:
        assert [each["frame"] for each in await all_lines(lines)] == [1]
