"""What an operator on call sees and does, behind the control socket (design §8)."""

from __future__ import annotations

from datetime import datetime

import trio

import evpower
from evpower.billing.ledger_check import LedgerCheck, LedgerCheckRecord
from evpower.charging.review.free_vend import GivenAway
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.http.operators.views import IdKind, ServerStatus, SessionLine, StationLine, StationSheet
from evpower.link.ports import LiveStations
from evpower.narrowing import ALL_OF_IT, Narrowing
from evpower.network.locations import last_seen
from evpower.network.status import connector_status, is_online, public_status
from evpower.network_file.service import FleetReport
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.ocpp.habits.boot_loops import HangUps
from evpower.server.app import App
from evpower.server.rows.operator import list_ids, list_sessions, list_stations, read_counts
from evpower.stations.facts import StationFacts, read_facts


class Operator:
    """Implements `evpower.http.operators.views.OperatorViews`."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        link: LiveStations,
        app: App,
        heartbeat_timeout_s: float,
        failed_logins: FailedLogins,
        hang_ups: HangUps | None = None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._link = link
        self._app = app
        self._heartbeat_timeout_s = heartbeat_timeout_s
        self._failed_logins = failed_logins
        self._hang_ups = hang_ups or HangUps()
        self._began_at = clock.now()

    async def status(self) -> ServerStatus:
        """The server at a glance."""
        async with reading(self._pool) as conn:
            counts = await read_counts(conn)
        return ServerStatus(
            version=evpower.__version__,
            uptime_s=int((self._clock.now() - self._began_at).total_seconds()),
            connected_stations=len(self._link.seen()),
            counts=counts,
            payment_providers=self._app.payments.providers(),
            failed_logins=self._failed_logins.total,
            slowed_addresses=self._failed_logins.slowed(),
            tasks=trio.lowlevel.current_statistics().tasks_living,
        )

    async def stations(self) -> list[StationSheet]:
        """Every station with its connectors, inactive ones too."""
        now = self._clock.now()
        async with reading(self._pool) as conn:
            lines = await list_stations(conn)
            facts = await read_facts(conn, now)
            given = await self._app.free_vend.totals(conn)
        return [self._sheet(line, now, facts.get(line.id, StationFacts()), given.get(line.id)) for line in lines]

    async def sessions(self, wanted: Narrowing = ALL_OF_IT, *, running_only: bool) -> tuple[SessionLine, ...]:
        """Sessions, newest first."""
        async with reading(self._pool) as conn:
            return await list_sessions(conn, wanted, running_only=running_only)

    async def ids(self, kind: IdKind, begins: str) -> list[str]:
        """Whole ids that begin so."""
        async with reading(self._pool) as conn:
            return await list_ids(conn, kind, begins)

    async def import_fleet(self, text: str, *, actor: str, move_app_tags: bool = False) -> FleetReport:
        """Import a fleet file (TOML): what was created, changed, left. Raises an error naming every wrong field."""
        return await self._app.fleet_imports.perform(text, actor=actor, move_app_tags=move_app_tags)

    async def try_fleet(self, text: str, *, move_app_tags: bool = False) -> FleetReport:
        """What importing a file would do: it is written, compared and taken back. Raises what `import_fleet` does."""
        return (await self._app.fleet_imports.attempt(text, move_app_tags=move_app_tags)).report

    async def check_ledger(self) -> LedgerCheck:
        """Verify the ledger's invariants over all rows."""
        return await self._app.ledger_checks.check_now()

    async def last_night(self) -> LedgerCheckRecord | None:
        """The nightly check that was finished last."""
        return await self._app.ledger_checks.last_night()

    def _sheet(self, line: StationLine, now: datetime, facts: StationFacts, given: GivenAway | None) -> StationSheet:
        seen_at = last_seen(self._link, line.id, line.last_heartbeat_at)
        online = is_online(seen_at, now, self._heartbeat_timeout_s)
        statuses = [
            connector_status(each.ocpp_status if each.is_enabled else "Unavailable", line.whole_status, busy=each.busy)
            for each in line.connectors
        ]
        status = public_status(line.admin_status, online, statuses)
        connected, left_alone = self._link.is_connected(line.id), line.id in self._hang_ups.left_alone()
        return StationSheet(line, seen_at, status, connected, left_alone, facts, given)
