"""`make foreign`: a started server with a private PostgreSQL, and strangers at both of its doors.

The owner's own snippets of a page, in node and, where there is one, in a browser; then npm's ocpp-rpc in strict mode,
which charges with OCPP 1.6 and 2.0.1, and the `ocpp` package's client of 2.0.1 (of 1.6 it is a test of every run).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from tests.e2e.conftest import SETTINGS
from tests.e2e.process import Server
from tests.e2e.street import FLEET
from tests.foreign.chromium import a_foreign_page_is_told_nothing, elsewhere, in_chromium, on_a_page_elsewhere
from tests.foreign.page import address, follow_the_snippets, in_node
from tests.foreign.scenario import LOCKED_FLEET, PASSWORD, charge_and_pay, foreign_charger

HERE = Path(__file__).parent
#: Programs that charge, and what they speak.
CHARGERS = (
    ("npm's ocpp-rpc in strict mode", ["node", str(HERE / "ocpp-rpc" / "charger.mjs")], "ocpp1.6"),
    ("npm's ocpp-rpc in strict mode", ["node", str(HERE / "ocpp-rpc" / "charger-201.mjs")], "ocpp2.0.1"),
    ("the ocpp package's client", [sys.executable, "-m", "tests.foreign.ocpp_package_201"], "ocpp2.0.1"),
)


async def main(state_dir: Path) -> None:
    async with trio.open_nursery() as nursery:
        server = Server(nursery, state_dir, **SETTINGS)
        await server.start()
        await server.import_fleet(FLEET)
        await follow_the_snippets(server, in_node)
        print("the owner's snippets were told in node what happened at a charger")
        if shutil.which("chromium"):
            await browse(server)
        else:
            print("there is no chromium: the snippets were not run in a browser")
    for number, (who, command, subprotocol) in enumerate(CHARGERS):
        async with trio.open_nursery() as nursery:
            (state := state_dir / str(number)).mkdir(mode=0o711)
            server = Server(nursery, state, **SETTINGS)
            await server.start()
            await server.import_fleet(LOCKED_FLEET)
            await charge(server, who, command, subprotocol)
            await server.stop()


async def browse(server: Server) -> None:
    """From a page of this host, from one of another, and from that again once it is allowed."""
    await server.start()
    server.environment["EVPOWER_HTTP_BIND"] = address(server)  # the same at the next start
    await a_foreign_page_is_told_nothing(server)
    allowed = elsewhere(server)
    await follow_the_snippets(server, in_chromium)
    server.environment["EVPOWER_HTTP_ALLOWED_ORIGINS"] = allowed
    await server.start()
    await follow_the_snippets(server, on_a_page_elsewhere)
    print("and in chromium: on a page of this host, on one of an allowed origin, and nothing on any other")


async def charge(server: Server, who: str, command: Sequence[str], subprotocol: str) -> None:
    """At a charger that is somebody else's program."""
    async with foreign_charger(server, command, PASSWORD) as charger:
        try:
            await charge_and_pay(server, charger, subprotocol)
        finally:
            print("\n".join(charger.lines))
    print(f"{who} booted, charged and stopped with {subprotocol}; the driver paid by its register, the ledger is clean")


if __name__ == "__main__":
    with TemporaryDirectory(prefix="evpower-foreign-") as directory:
        Path(directory).chmod(0o711)  # as root, the private PostgreSQL runs as another user
        trio.run(main, Path(directory))
