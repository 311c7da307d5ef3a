"""A started server delivers events, and not into its own network (issue H §8)."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import trio

from tests.e2e.conftest import url_of
from tests.e2e.process import Server, poll
from tests.e2e.street import Phone, charger_at

#: As if the name had been public when it was added.
ENDPOINT = """
INSERT INTO evpower.webhook_endpoints (id, url, events, secret, created_at, created_by)
VALUES ('we_1', 'https://localhost/hook', '{session.started}', 'secret', now(), 'test')
"""


async def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """`evpower webhooks …` at the server's control socket."""
    whole = [sys.executable, "-m", "evpower", "webhooks", *arguments, "--socket", str(server.control_socket)]
    return await trio.run_process(whole, capture_stdout=True, capture_stderr=True, check=False)


async def test_an_event_of_a_charge_is_tried_and_seen_on_the_command_line(server: Server, database_url: str) -> None:
    refused = await command(server, "add", "https://127.0.0.1/hook")
    assert refused.returncode == 1
    with psycopg.connect(url_of(database_url), autocommit=True) as conn:
        conn.execute(ENDPOINT)
    async with charger_at(server) as charger:
        await charger.plug()
        await Phone(server).start(energy_kwh=5)
        await charger.has_begun()

        async def tried() -> bool:
            deliveries = await server.control("GET", "webhooks/we_1/deliveries")
            return any(delivery["last_answer"] is not None for delivery in deliveries)

        with trio.fail_after(30):
            await poll(tried, every_s=0.3)
    seen = await command(server, "deliveries", "we_1", "--json")
    assert seen.returncode == 0, seen.stderr
    assert b"127.0.0.1 is not public" in seen.stdout or b"::1 is not public" in seen.stdout
    assert b'"event": "session.started"' in seen.stdout or b'"event":"session.started"' in seen.stdout
    assert (await command(server, "remove", "we_1")).returncode == 0
