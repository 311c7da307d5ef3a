"""The fuzzers of `make fuzz` find what they are for; a moment of each finds nothing (safe by default 14)."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from evpower.http.phones import live_messages
from evpower.ocpp.wire import frames
from tests.fuzz import http_bytes, ocpp_frames, phone_messages
from tests.fuzz.storm import Duration, storm

Fuzzer = Callable[[Duration, random.Random], Awaitable[str]]
MOMENT = Duration(volleys=3)


@pytest.mark.parametrize("fuzz", [http_bytes.fuzz, phone_messages.fuzz, ocpp_frames.fuzz])
async def test_a_moment_of_broken_bytes_causes_no_alarm_and_leaves_no_task(fuzz: Fuzzer) -> None:
    assert await fuzz(MOMENT, random.Random(14)) == ""


@pytest.mark.parametrize(
    ("fuzz", "module", "name"),
    [(phone_messages.fuzz, live_messages, "read_message"), (ocpp_frames.fuzz, frames, "parse")],
)
async def test_a_reader_that_some_message_breaks_is_found(
    fuzz: Fuzzer, module: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(module, name, broken)
    assert "RuntimeError: planted" in await fuzz(Duration(volleys=20), random.Random(14))


async def nothing() -> list[bytes]:
    await trio.lowlevel.checkpoint()
    return [b"the last"]


async def test_a_quiet_server_is_no_finding(autojump_clock: MockClock) -> None:
    assert await storm(nothing, MOMENT) == ""


async def test_an_error_is_found_with_the_bytes_that_came_last() -> None:
    async def alarming() -> list[bytes]:
        logging.getLogger("OCPP").error("planted")
        return await nothing()

    assert await storm(alarming, Duration(minutes=60)) == "planted\nb'the last'"


async def test_a_peer_that_waits_for_ever_is_found(autojump_clock: MockClock) -> None:
    async def hanging() -> list[bytes]:
        await trio.sleep_forever()

    assert await storm(hanging, MOMENT) == "a peer is neither answered nor shut out"


async def test_tasks_that_do_not_come_back_are_found(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as left:

        async def leaving() -> list[bytes]:
            for _ in range(20):
                left.start_soon(trio.sleep_forever)
            return await nothing()

        assert "tasks are left of" in await storm(leaving, MOMENT)
        left.cancel_scope.cancel()


async def test_memory_that_does_not_come_back_is_found() -> None:
    kept: list[bytearray] = []

    async def keeping() -> list[bytes]:
        kept.append(bytearray(b"x" * 40_000_000))
        return await nothing()

    assert await storm(keeping, MOMENT) == "memory does not come back"
