"""`evpower trace` against a running server: frames live and kept, and a reader who leaves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from evpower.command_line.control import ControlClient, RefusedByServer
from evpower.server.doors import Running
from tests.e2e.test_supervisor import config_for, running_server
from tests.ocpp.peer import Peer

FLEET = """
[[locations]]
id = "L"
name = "L"
address = "A"
city = "C"
[[locations.stations]]
id = "CP-1"
serial_number = "S"
model = "M"
manufacturer = "M"
power_capacity = 22
connector_types = ["GBT"]
connectors_count = 1
[[locations.stations.connectors]]
connector_number = 1
connector_type = "GBT"
power_kw = 22
"""


@asynccontextmanager
async def charger(running: Running) -> AsyncIterator[Peer]:
    host, port = running.ocpp_urls[0].split("/")[2].rsplit(":", 1)
    async with await trio.open_tcp_stream(host, int(port)) as wire:
        peer = Peer(wire)
        assert (await peer.open("/ws/CP-1")).status_code == 101
        yield peer


async def ask(running: Running, path: str) -> trio.SocketStream:
    stream = await trio.open_unix_socket(running.control_socket)
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return stream


async def import_fleet(client: ControlClient) -> None:
    content = FLEET.encode()
    await trio.to_thread.run_sync(lambda: client.upload("import", content=iter([content]), length=len(content)))


async def test_frames_are_shown_live_and_afterwards(tmp_path: Path, database_url: str) -> None:
    with trio.fail_after(40):
        async with running_server(config_for(tmp_path, database_url)) as running:
            client = ControlClient([Path(running.control_socket)])
            await import_fleet(client)
            async with charger(running) as peer:
                stream = await ask(running, "/control/stations/CP-1/trace")
                head = await stream.receive_some()
                assert b"200" in head
                await peer.call("Heartbeat", message_id="hb")
                seen = head
                while b'"latency_ms"' not in seen:
                    seen += await stream.receive_some()
                await stream.aclose()  # a reader who leaves is forgotten; see the quick end below

            def kept() -> list[dict[str, Any]]:
                return list(client.lines("stations", "CP-1", "trace", since="1h", limit=10, follow=0))

            entries = await trio.to_thread.run_sync(kept)
            shown = [(entry["direction"], entry["kind"]) for entry in entries if entry.get("message_id") == "hb"]
            assert shown == [("in", "call"), ("out", "result")]
            assert json.dumps(entries)  # every value is JSON


async def test_a_follower_does_not_hold_up_the_end_of_the_server(tmp_path: Path, database_url: str) -> None:
    """The drain would wait for 20 s."""
    with trio.fail_after(10):
        async with running_server(config_for(tmp_path, database_url)) as running:
            await import_fleet(ControlClient([Path(running.control_socket)]))
            stream = await ask(running, "/control/stations/CP-1/trace")
            await stream.receive_some()
        seen = b""
        while data := await stream.receive_some():
            seen += data
        assert b"shutting down" in seen
        await stream.aclose()


async def test_a_station_nobody_configured_is_refused(tmp_path: Path, database_url: str) -> None:
    with trio.fail_after(10):
        async with running_server(config_for(tmp_path, database_url)) as running:
            client = ControlClient([Path(running.control_socket)])
            with pytest.raises(RefusedByServer):
                await trio.to_thread.run_sync(lambda: list(client.lines("stations", "CP-9", "trace", follow=0)))
