"""Whoever waits for a free connector gets one message, the server killed at each commit on the way to it (issue 13)."""

from __future__ import annotations

from functools import partial
from typing import Any, LiteralString

import httpx2
import pytest
import trio

from tests.e2e.crash import Commits, counted_commits
from tests.e2e.process import Server, poll
from tests.e2e.street import CLIENT, WITHIN_S, Phone, charger_at
from tests.worlds.push import token
from tests.worlds.push_services import FcmStandIn

#: The watch; its notice, which ends it; the message claimed, and sent.
TABLES: tuple[LiteralString, ...] = ("evpower.favorite_watches", "evpower.push_outbox")
STEPS = 4
#: Far beyond them.
NEVER = 100_000
WATCH = f"favorites/EVP-LOC-E2E/watch?client_id={CLIENT}"
MESSAGES = "SELECT state FROM evpower.push_outbox WHERE event = 'connector_free' ORDER BY id"
LEFT = "SELECT id FROM evpower.favorite_watches"
#: The lease of the dead, in a test's time.
LEASE_IS_OVER = "UPDATE evpower.push_outbox SET due_at = queued_at WHERE state = 'queued' RETURNING id"


async def watch(phone: Phone, key: str) -> dict[str, Any]:
    """Ask until there is an answer, always with the same key."""
    while True:
        try:
            return await phone.request("PUT", WATCH, {}, key)
        except httpx2.TransportError:
            await trio.sleep(0.05)


async def die(server: Server, commits: Commits, *, kept: bool) -> None:
    """The server is killed inside the armed commit, which is lost or goes through, and starts again."""
    pid = await commits.reached()
    await server.kill()
    await commits.end(pid, kept=kept)
    commits.arm(NEVER)
    commits.rows(LEASE_IS_OVER)
    await server.start()


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
async def test_a_death_at_each_commit_leaves_one_message(
    messaging_server: Server, database_url: str, fcm: FcmStandIn, kept: bool
) -> None:
    server, phone = messaging_server, Phone(messaging_server)
    register = {"fcm_token": token(), "platform": "android", "client_id": CLIENT}
    await phone.request("POST", "devices/register", register)
    with counted_commits(database_url, TABLES) as commits:

        async def has_all(number: int) -> bool:
            return commits.rows(MESSAGES) == [("sent",)] * number

        async with charger_at(server) as charger:
            await charger.is_connected()
            await charger.has_delivered_messages()
            for number in range(1, STEPS + 1):
                commits.arm(number)
                with trio.fail_after(2 * WITHIN_S):
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(lambda: die(server, commits, kept=kept))
                        answer = await watch(phone, f"watch-{number}")
                    assert answer["success"], answer
                    await poll(partial(has_all, number))
            # Repeats of what was answered ask for nothing new, nor does what nobody waits for.
            for number in range(1, STEPS + 1):
                assert (await watch(phone, f"watch-{number}"))["success"]
            assert commits.rows(LEFT) == []
            assert await has_all(STEPS)
    assert len([each for each in fcm.accepted if each["data"]["event"] == "connector_free"]) >= STEPS
