"""`make foreign`: a started server with a private PostgreSQL, and npm's ocpp-rpc in strict mode charging at it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from tests.e2e.conftest import SETTINGS
from tests.e2e.process import Server
from tests.foreign.scenario import LOCKED_FLEET, PASSWORD, charge_and_pay, foreign_charger

CHARGER = Path(__file__).parent / "ocpp-rpc" / "charger.mjs"


async def main(state_dir: Path) -> None:
    async with trio.open_nursery() as nursery:
        server = Server(nursery, state_dir, **SETTINGS)
        await server.start()
        await server.import_fleet(LOCKED_FLEET)
        async with foreign_charger(server, ["node", str(CHARGER)], PASSWORD) as charger:
            try:
                await charge_and_pay(server, charger)
            finally:
                print("\n".join(charger.lines))
        await server.stop()
    print("ocpp-rpc booted, charged and stopped; the driver paid by its register and the ledger is clean")


if __name__ == "__main__":
    with TemporaryDirectory(prefix="evpower-foreign-") as directory:
        Path(directory).chmod(0o711)  # as root, the private PostgreSQL runs as another user
        trio.run(main, Path(directory))
