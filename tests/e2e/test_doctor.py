"""`evpower doctor` beside a started server: it says what only the process knows, and what is in its rows."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import httpx2
import trio

from tests.e2e.process import Server
from tests.ocpp.peer import Peer


async def doctor(server: Server) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Its exit code, and what it found by check."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("EVPOWER_")}
    command = [sys.executable, "-m", "evpower", "doctor", "--json"]
    environment = {**outside, **server.environment}
    done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False, env=environment)
    found: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(done.stdout)["checks"]:
        found.setdefault(each["check"], []).append(each)
    return done.returncode, found


async def test_the_doctor_sees_the_running_server_and_the_stopped_one(server: Server) -> None:
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=30) as phone:
        await phone.get("/version", headers={"X-Forwarded-For": "203.0.113.7"})
        await phone.get("/version")
    async with await server.dial("") as wire:
        assert (await Peer(wire).open("/ws/NOBODY", headers=(("X-Forwarded-For", "203.0.113.8"),))).status_code == 404
    code, found = await doctor(server)
    assert code in (0, 1)
    assert [(each["state"], each["found"]) for each in found["proxies"]] == [
        ("good", "1 requests came by trusted proxies, the last one of 203.0.113.7"),
        ("good", "1 sockets of chargers came by trusted proxies, the last one of 203.0.113.8"),
    ]
    assert "the server may have" in found["file-limits"][0]["found"]
    assert [each["state"] for each in found["database"]] == ["good"]
    assert any("EVP-E2E" in each["found"] for each in found["stations"])
    await server.stop()
    _, found = await doctor(server)
    assert [each["state"] for each in found["proxies"]] == ["unknown"]
    assert [each["state"] for each in found["database"]] == ["good"]
    assert any("EVP-E2E" in each["found"] for each in found["stations"])
