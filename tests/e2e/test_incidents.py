"""docs/incidents.md: each incident is played on a started server, and its commands print what the page shows.

What differs from run to run (times, ids, numbers) is compared as its kind. `pytest -k incident -vv` shows both.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import DEVNULL, STDOUT

import pytest
import trio

from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.providers.surroundings.courier import WebhookFault
from tests.e2e.conftest import url_of
from tests.e2e.money_in import NEVER_S, Payer, banked_server
from tests.e2e.process import Server
from tests.e2e.street import CLIENT, WITHIN_S, Phone, charger_at
from tests.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "incidents.md"
COLUMNS = 100
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
#: How a step that is longer than a line goes on.
GOES_ON = re.compile(r"\n {21}")
KINDS = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f-]*)?…?(?!\d)"), "ID"),
    (re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{8,}…?"), "ID"),
    (re.compile(r"-?\d+(?:\.\d+)?"), "N"),
    (re.compile(r"─+"), "─"),
    (re.compile(r" +"), " "),
)


def shape(text: str) -> list[str]:
    """The lines of a text, each with the kinds of what differs from run to run."""
    text = GOES_ON.sub(" ", text)
    for pattern, kind in KINDS:
        text = pattern.sub(kind, text)
    return [line.rstrip() for line in text.strip().splitlines()]


def page_blocks(incident: str) -> list[list[str]]:
    """The commands of an incident with their output, as the page shows them."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition(f"\n## {incident}\n")
    assert section, f"no incident: {incident}"
    return [shape(block) for block in BLOCK.findall(section.partition("\n## ")[0])]


async def printed(server: Server, command: str) -> str:
    """A command and what it prints on a terminal so wide."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EVPOWER_")}
    result = await trio.run_process(
        [sys.executable, "-m", "evpower", *shlex.split(command)],
        env={**inherited, **server.environment, "COLUMNS": str(COLUMNS), "LC_ALL": "C"},
        capture_stdout=True,
        stderr=STDOUT,
        stdin=DEVNULL,
        check=False,
    )
    return f"$ evpower {command}\n{result.stdout.decode()}"


async def compare(server: Server, incident: str, *commands: str) -> None:
    outputs = [await printed(server, each) for each in commands]
    if folder := os.environ.get("EVPOWER_INCIDENTS_TO"):
        (Path(folder) / f"{incident}.txt").write_text("\n".join(outputs), encoding="utf-8")
    assert [shape(each) for each in outputs] == page_blocks(incident)
    assert max(len(line) for each in outputs for line in each.splitlines()) <= COLUMNS


@pytest.fixture
async def bank(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Server, Sandbox]]:
    """A server that its provider has to call: it asks by itself never."""
    settings = {"payments_poll_interval_s": NEVER_S, "payments_slow_interval_s": NEVER_S}
    async with banked_server(url_of(database_url), tmp_path, free_port(), **settings) as both:
        yield both


async def test_a_refused_start(server: Server) -> None:
    with trio.fail_after(WITHIN_S):
        refused = await Phone(server).start(energy_kwh=5)
    assert not refused["success"]
    await compare(server, "A refused start", f"client show {CLIENT}")


async def test_a_disputed_bill(server: Server) -> None:
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(1_500)
        await phone.stop(session_id)
        await phone.receipt(session_id)
    await compare(server, "A disputed bill", f"session show {session_id[:8]}")


async def test_a_missing_payment(bank: tuple[Server, Sandbox]) -> None:
    server, sandbox = bank
    sandbox.courier.faults.append(WebhookFault(provider="odengi", kind="drop", times=100))
    order = await Payer(server).top_up(100)
    sandbox.act_on_invoice("pay", order_id=order["order_id"])
    invoice = order["invoice_id"]
    await compare(server, "A missing payment", f"payments --client {CLIENT}", f"payment show {invoice}")
