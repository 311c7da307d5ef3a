"""What operators grep for in the log (contract/rest-api §1.10), with the real grep on the process's own file."""

from __future__ import annotations

import trio

from tests.e2e.process import Server
from tests.e2e.street import CLIENT, Phone, charger_at


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
