"""A started server and its service manager (`evpower.service`: `Type=notify`, a watchdog, a reload by SIGHUP)."""

from __future__ import annotations

from pathlib import Path

import trio

from tests.artefacts.service_manager import check_notifications
from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.process import Server


async def test_the_service_manager_hears_ready_pings_and_the_end_of_the_main_process(
    database_url: str, tmp_path: Path
) -> None:
    async with trio.open_nursery() as nursery:
        server = Server(nursery, tmp_path, database_url=url_of(database_url), **SETTINGS)
        await check_notifications(server, tmp_path)
        nursery.cancel_scope.cancel()
