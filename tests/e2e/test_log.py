"""What operators grep for in the log (contract/rest-api §1.10), with the real grep on the process's own file."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import httpx2
import trio

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.hostile import hand_at, refusal
from tests.e2e.process import Server, start
from tests.e2e.street import CLIENT, STATION, Phone, charger_at


async def shell(command: str) -> list[str]:
    """The lines a shell command prints."""
    done = await trio.run_process(["/bin/sh", "-c", command], capture_stdout=True, check=False)
    return done.stdout.decode().splitlines()


async def test_the_operators_grep_commands_find_their_lines(server: Server) -> None:
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        session_id = (await phone.start(amount_som=100))["session_id"]
        await charger.deliver(500)
        await phone.stop(session_id)
        await phone.request("GET", "nothing/here")
    log = server.log_file
    [start] = await shell(f'grep "POST /api/v1/charging/start" {log} | grep "200 OK"')
    [shape] = await shell(
        f"grep -P '^\\[\\d{{4}}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\] INFO - POST /api/v1/charging/start"
        f" - 200 OK - \\d+ms - IP: 127.0.0.1 - ID: [A-Za-z0-9._-]+$' {log}"
    )
    assert start == shape
    money = await shell(f'grep "💳" {log}')
    assert [line.split("💳 ")[1].split(":")[0] for line in money] == ["CHARGE_RESERVE", "CHARGE_REFUND"]
    assert f"session_id={session_id}, amount=100.00, client_id={CLIENT}" in money[0]
    assert await shell(f'grep "client_id={CLIENT}" {log}') == money
    assert {"200 OK", "404 Not"} <= set(await shell(f"grep -oP '\\d{{3}} \\w+' {log}"))
    assert await shell(f"grep ERROR {log}") == []
    for action in ("BootNotification", "StatusNotification", "StartTransaction", "StopTransaction"):
        assert await shell(f'grep "{action}: station=EVP-E2E-01" {log}')


async def test_nothing_but_log_lines_is_printed(server: Server) -> None:
    """Standard output and the file say the same."""
    await Phone(server).request("GET", "nothing/here")
    run = server.process
    await server.stop()
    assert run.lines == server.log().splitlines()


#: What separates values, what ends a line, what plays with a terminal.
PLANTED = "X, FORGED=1: FORGED=2 - IP: 10.0.0.66 FORGED=3\r\n[2026-01-01 00:00:00] ERROR - FORGED=4 \x1b[2JFORGED=5"
FIELDS = ("chargePointVendor", "chargePointModel", "chargePointSerialNumber", "firmwareVersion")


async def test_nothing_that_is_planted_passes_for_another_value(server: Server) -> None:
    """Safe by default 10: a charger, a phone and a provider write into every field that a line shows."""
    async with hand_at(server, STATION) as charger:
        await charger.call("BootNotification", **dict.fromkeys(FIELDS, PLANTED))
        await charger.call("Authorize", idTag=PLANTED)
        start: dict[str, Any] = {"connectorId": 1, "idTag": PLANTED, "meterStart": 0, "timestamp": PLANTED}
        await charger.call("StartTransaction", **start)
        await charger.call("StatusNotification", connectorId=1, errorCode=PLANTED, status=PLANTED)
        await charger.call("DataTransfer", vendorId=PLANTED, messageId=PLANTED)
        await charger.call("FirmwareStatusNotification", status=PLANTED)
        await charger.call(PLANTED, **{PLANTED: PLANTED})
    refused = b"GET /ws/FORGED=6,%20FORGED=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    refused += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    await refusal(server, refused)
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=30, verify=False) as phone:
        headers = {"X-Correlation-ID": "FORGED=8, a", "Idempotency-Key": "FORGED=9, a", "User-Agent": "FORGED=1, a"}
        order = {"client_id": PLANTED, "station_id": PLANTED, "connector_id": 1}
        await phone.post("/api/v1/charging/start", json=order, headers=headers)
        await phone.get("/api/v1/x, FORGED=1 - IP: 10.0.0.66", params={"x": PLANTED})
        await phone.post("/api/v1/payment/webhook/odengi", json={"order_id": PLANTED, "status": PLANTED})
    lines = server.log().splitlines()
    shaped = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] (?:INFO|WARNING) - ")
    assert [line for line in lines if not shaped.match(line)] == []
    assert any("FORGED" in line for line in lines), "the log shows what it was sent"
    unquoted = [re.sub(r'"(?:[^"\\]|\\.)*"', "", line) for line in lines]
    assert [line for line in unquoted if "FORGED" in line] == []


async def test_the_log_of_a_process_can_be_read_by_a_machine_and_moved(database_url: str, tmp_path: Path) -> None:
    """Issue H §7: JSON at both places; SIGHUP opens the file of the name again."""
    async with trio.open_nursery() as nursery:
        settings = {**SETTINGS, "database_url": url_of(database_url), "log_format": "json"}
        server = Server(nursery, tmp_path, **settings)
        # The process's own lines say where its doors are, and are JSON now.
        server.run = await start(nursery, "serve", environment=server.environment)
        with trio.fail_after(60):
            await server.run.wait_for_line("HTTP listening: unix:")
            moved = server.log_file.rename(tmp_path / "moved.log")
            server.signal(signal.SIGHUP)
            await server.run.wait_for_line("no certificate to reload")
        await server.stop()
        nursery.cancel_scope.cancel()
    lines = [json.loads(line) for path in (moved, server.log_file) for line in path.read_text("utf-8").splitlines()]
    assert all({"at", "level", "logger", "message", "event"} <= line.keys() for line in lines)
    after = [json.loads(line)["message"] for line in server.log_file.read_text("utf-8").splitlines()]
    assert "received SIGHUP: no certificate to reload" in after
    assert after[-1] == "stopped"
