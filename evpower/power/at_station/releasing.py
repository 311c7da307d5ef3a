"""Connectors that left their group: our profiles are taken away, as soon as their station is there."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import trio

from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.link.commands import ClearProfiles
from evpower.link.errors import CommandRefused, NotInThisVersion
from evpower.link.ports import StationLink
from evpower.power.rows import released as rows
from evpower.power.rows.groups import note_failsafe
from evpower.power.site import OutletId
from evpower.worker import contain

log = logging.getLogger("evpower.power")

CLEAR_WITHIN_S = 5.0
#: What was not answered is asked again.
AGAIN = timedelta(minutes=2)


class Releasing:
    """Clears by purpose and level: an installer's profiles stay (roadmap/smart-charging §4)."""

    def __init__(self, pool: Pool, link: StationLink) -> None:
        self._pool = pool
        self._link = link

    async def due(self, now: datetime) -> list[OutletId]:
        """Those whose station is there, and was not asked a moment ago; they are noted as asked."""
        async with reading(self._pool) as conn:
            if not await rows.is_any_due(conn, now - AGAIN):
                return []
        async with unit_of_work(self._pool) as uow:
            return await rows.claim_due(uow.conn, now, now - AGAIN)

    async def release(self, outlet: OutletId) -> None:
        """Ask now; what was not answered stays due. A refusal is final: there is nothing of ours."""
        with contain(log, "a limit was not taken away and will be: station=%s, connector=%d", *outlet):
            for purpose, level in (("TxDefaultProfile", 0), ("TxProfile", 1)):
                with trio.fail_after(CLEAR_WITHIN_S):
                    try:
                        await self._link.ask(outlet[0], ClearProfiles(None, outlet[1], purpose, level))
                    except (CommandRefused, NotInThisVersion):
                        log.info("a station keeps no such limit: station=%s, connector=%d, %s", *outlet, purpose)
            async with unit_of_work(self._pool) as uow:
                if not await rows.forget(uow.conn, outlet):  # a member again by now, whose limit was taken away
                    await note_failsafe(uow.conn, outlet, None, None)
