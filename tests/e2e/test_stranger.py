"""What a stranger can send to the phones' listener leaves it, and the chargers beside it, as quick as before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx2
import pytest
import trio

from tests.e2e.hostile import assert_quiet, hand_at
from tests.e2e.process import Server
from tests.e2e.street import CLIENT, STATION
from tests.e2e.worst_bodies import PATHS, kind_of, worst_bodies

#: Nothing of speed: far above what a busy machine takes, far below the 19 s of old.
ANSWER_WITHIN_S = 5.0
BODIES = worst_bodies(CLIENT, STATION)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_beside_the_worst_bodies_chargers_and_probes_are_answered(server: Server, body: bytes) -> None:
    """Safe by default 3: one POST of 10 MB kept every charger waiting for 19 s."""
    async with (
        hand_at(server, STATION) as hand,
        httpx2.AsyncClient(base_url=server.http_url, timeout=30, verify=False) as stranger,
        httpx2.AsyncClient(base_url=server.http_url, timeout=30, verify=False) as probe,
    ):
        sent = trio.Event()

        async def watch(ask: Callable[[], Awaitable[object]]) -> None:
            while not sent.is_set():
                with trio.fail_after(ANSWER_WITHIN_S):
                    await ask()

        async with trio.open_nursery() as watching:
            watching.start_soon(watch, lambda: probe.get("/readyz"))
            watching.start_soon(watch, hand.lives)
            for path in PATHS:
                headers = {"Content-Type": kind_of(body), "Idempotency-Key": path}
                answer = await stranger.post(path, content=body, headers=headers)
                assert 400 <= answer.status_code < 500 or path.endswith("3ds-return"), (path, answer.status_code)
            sent.set()
    assert_quiet(server)
