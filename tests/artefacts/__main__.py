"""`python -m tests.artefacts [--as-ourselves] EVPOWER`: an `evpower` that was installed or built, an empty folder, and
a charge from its start to its bill; then what systemd hears of it.

Run by root, it is an ordinary user's unless `--as-ourselves` (an environment below root's home is closed to others); it
is out of the checkout's sight, with little set but where to listen.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import trio

import evpower
from tests.artefacts.service_manager import check_notifications
from tests.e2e.conftest import SETTINGS
from tests.e2e.process import Server
from tests.e2e.street import CLIENT, FLEET, OPENING, Phone, charger_at, cost_of

#: Debian's `nobody` and `nogroup`: when root asks, an ordinary user runs it.
NOBODY = 65534
#: The first run of the executable unpacks it.
SAID_WITHIN_S = 120
ENERGY_WH = 500


def home(folder: Path, *, as_ourselves: bool) -> dict[str, Any]:
    """How to start a process, as of Popen: in `folder`, which is its user's."""
    (folder / "state").mkdir()
    if as_ourselves or os.getuid() != 0:
        return {"cwd": folder}
    for each in (folder, folder / "state"):
        os.chown(each, NOBODY, NOBODY)
    return {"cwd": folder, "user": NOBODY, "group": NOBODY, "extra_groups": []}


def said(command: Sequence[str], environment: dict[str, str], options: dict[str, Any]) -> str:
    """What a run of it prints; fails when its exit code is not 0."""
    whole = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=whole, timeout=SAID_WITHIN_S, **options
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return str(done.stdout)


async def charge(server: Server) -> str:
    """A driver's charge; its id, once its bill is what its register says."""
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        started = await phone.start()
        assert started["success"], started
        session_id: str = started["session_id"]
        await charger.deliver(ENERGY_WH)
        assert (await phone.stop(session_id))["success"]
        await phone.receipt(session_id)
        bill = cost_of(charger.stopped_wh)
    assert bill > 0
    assert await phone.balance() == OPENING - bill
    return session_id


async def receipt(server: Server, session_id: str) -> bytes:
    """The charge's receipt as PDF: its fonts are files that have to be there."""
    async with httpx2.AsyncClient(base_url=server.http_url, verify=False) as client:
        answer = await client.get(
            f"/api/v1/history/charging/{session_id}/receipt", params={"client_id": CLIENT, "format": "pdf"}
        )
    assert answer.status_code == 200, answer.text
    return answer.content


async def main(command: Sequence[str], folder: Path, *, as_ourselves: bool) -> None:
    options = home(folder, as_ourselves=as_ourselves)
    async with trio.open_nursery() as nursery:
        server = Server(nursery, folder / "state", **SETTINGS)
        server.command, server.options = command, options
        server.environment |= {"HOME": str(folder)}
        assert said([*command, "--version"], server.environment, options) == f"evpower, version {evpower.__version__}\n"
        await server.start()
        await server.import_fleet(FLEET)
        session_id = await charge(server)
        assert (await receipt(server, session_id)).startswith(b"%PDF-")
        said([*command, "ledger", "check"], server.environment, options)
        await server.stop()
        # What was charged is still there, and the database of the first run. This time as a unit of systemd.
        await check_notifications(server, folder, meanwhile=server.check_ledger)
        nursery.cancel_scope.cancel()
    sys.stdout.write(f"{' '.join(command)}: a charge from its start to its bill, and every notification to systemd\n")


if __name__ == "__main__":
    with TemporaryDirectory(prefix="evpower-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)
        evpower_command = [str(Path(sys.argv[-1]).absolute())]
        try:
            trio.run(partial(main, evpower_command, Path(place), as_ourselves="--as-ourselves" in sys.argv))
        except BaseException:
            log = Path(place, "state", "evpower.log")
            sys.stdout.write(log.read_text(encoding="utf-8") if log.exists() else "it wrote no log\n")
            raise
