"""Group commit of what stations report: one writer commits a batch while the next one grows (design §4).

A handler appends a report and waits; its answer leaves after the commit. There is no linger: an idle writer commits
a single report at once, a busy one finds more of them waiting. Reports of one station stay in order, because it has
one writer and the station's handler waits for each.

What needs a decision (StartTransaction, StopTransaction) is a unit of work of its own, not a report in this journal.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import trio

from evpower.cluster.connections import SocketEnd, leave_stations, take_stations
from evpower.db.connection import Conn
from evpower.db.failures import DATABASE_CONFLICTS, DatabaseAway, DatabaseFailure
from evpower.db.pool import Pool
from evpower.errors import DatabaseUnavailable
from evpower.identifiers import StationId
from evpower.metering.doubts import log_doubts
from evpower.metering.meter_value import MeterReport, Progress
from evpower.metering.rows import journal as sql
from evpower.metering.rows.event_order import take_in_order
from evpower.network.station import Boot
from evpower.network.station_records import store_presence, write_versions
from evpower.network.status import StatusReport
from evpower.worker import Wake

log = logging.getLogger("evpower.journal")
#: More than this waits for the next batch, so that one commit stays short.
MAX_BATCH = 2000
#: The same of readings' bytes: one report is as large as a frame may be.
MAX_BATCH_BYTES = 8 * 1024 * 1024
#: A commit that takes longer counts as failed, so that each waiting caller gets an answer. Reports are bounded by this
#: and need no time-out each: a report waits for at most two commits.
COMMIT_WITHIN_S = 15.0
#: How long the victim of a deadlock waits before each next try. Without a pause it may take its locks again before the
#: other side has been woken, and be the victim once more.
PAUSES_S = (0.01, 0.05, 0.2, 1.0)
STOPPED = "journal stopped"


class BootRow(NamedTuple):
    station_id: StationId
    boot: Boot
    received_at: datetime


class PresenceRow(NamedTuple):
    """Its socket here is open; `address` is where it comes from, `ocpp_version` what it speaks: empty when unknown."""

    station_id: StationId
    seen_at: datetime
    address: str = ""
    ocpp_version: str = ""


class LeftRow(NamedTuple):
    """Its socket here has ended; `seen_at`: when it was heard last."""

    station_id: StationId
    seen_at: datetime
    end: SocketEnd


class StatusRow(NamedTuple):
    station_id: StationId
    report: StatusReport
    received_at: datetime


class MeterRow(NamedTuple):
    station_id: StationId
    report: MeterReport
    received_at: datetime


class EventRow(NamedTuple):
    """Readings under a number of their transaction's, which the report has (contract/ocpp201 §3)."""

    station_id: StationId
    report: MeterReport
    received_at: datetime
    charging_state: str | None


class EventOutcome(NamedTuple):
    """Whether the event was the next of its transaction, and was taken; if so, as `Journal.meter_values`."""

    taken: bool
    progress: Progress | None = None


Row = PresenceRow | LeftRow | BootRow | StatusRow | MeterRow | EventRow


@dataclass(slots=True)
class _Pending:
    """A report waiting for its commit, and then what became of it."""

    row: Row
    committed: trio.Event
    since_s: float = field(default_factory=trio.current_time)
    outcome: Any = None
    error: Exception | None = None


@dataclass
class _Batch:
    committed: trio.Event = field(default_factory=trio.Event)
    pending: list[_Pending] = field(default_factory=list)
    size_bytes: int = 0

    @property
    def is_full(self) -> bool:
        """A report as large as it may be has always room in an empty one."""
        return len(self.pending) >= MAX_BATCH or self.size_bytes >= MAX_BATCH_BYTES

    def add(self, pending: _Pending) -> None:
        self.pending.append(pending)
        if isinstance(pending.row, MeterRow | EventRow):
            self.size_bytes += len(pending.row.report.raw)


class Journal:
    """Appends reports to the batch in the making; `run` is its one writer."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._growing = _Batch()
        self._work = Wake()
        self._stopped = False
        #: The batch that is being written.
        self._writing = _Batch()
        #: Since the start: commits, the reports in them, and reports that were not stored.
        self.batches = self.rows = self.failed = 0

    @property
    def lag_s(self) -> float:
        """For how long the oldest report has waited for its commit, in seconds."""
        waiting = (each for batch in (self._writing, self._growing) for each in batch.pending[:1])
        since_s = [each.since_s for each in waiting if not each.committed.is_set()]
        return trio.current_time() - min(since_s) if since_s else 0.0

    async def boot(self, row: BootRow) -> bool:
        """Store a boot: presence, firmware, and that running sessions may have lost their transaction.

        False, and nothing stored, for a station that is unknown, or inactive without a running session.
        """
        return bool(await self._append(row))

    async def presence(self, row: PresenceRow) -> bool:
        """Store that a station was heard; whether it was away until now."""
        return bool(await self._append(row))

    async def left(self, row: LeftRow) -> bool:
        """Store that a station's socket here has ended, and when it was heard; whether it was away until then."""
        return bool(await self._append(row))

    async def status(self, row: StatusRow) -> sql.StatusOutcome:
        """Store a connector's status; whether the connector is configured, and whether the public sees a change."""
        outcome = await self._append(row)
        return outcome if isinstance(outcome, sql.StatusOutcome) else sql.StatusOutcome(known=False, changed=False)

    async def meter_values(self, row: MeterRow) -> Progress | None:
        """Store readings; how far the running session came, or None when they belong to none."""
        outcome = await self._append(row)
        return outcome if isinstance(outcome, Progress) else None

    async def event(self, row: EventRow) -> EventOutcome:
        """Store readings that come in the order of their numbers; others are not taken, and nothing of them is kept."""
        outcome = await self._append(row)
        return outcome if isinstance(outcome, EventOutcome) else EventOutcome(taken=False)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Commit batches until cancelled; from then on every report raises DatabaseUnavailable at once."""
        task_status.started()
        try:
            while True:
                await self._work.wait()
                batch, self._growing = self._growing, _Batch()
                self._writing = batch
                try:
                    await self._write(batch.pending)
                finally:
                    batch.committed.set()
        finally:
            self._stopped = True
            self._growing.committed.set()

    async def _append(self, row: Row) -> object:
        while self._growing.is_full:
            await self._growing.committed.wait()
        if self._stopped:
            raise DatabaseUnavailable(STOPPED)
        pending = _Pending(row, self._growing.committed, error=DatabaseUnavailable(STOPPED))
        self._growing.add(pending)
        self._work.set()
        await pending.committed.wait()
        if pending.error is not None:
            raise pending.error
        return pending.outcome

    async def _write(self, pending: Sequence[_Pending]) -> None:
        """Commit these reports together; when one of them poisons the rest, halve until it is alone."""
        try:
            outcomes = await self._commit_or_again([entry.row for entry in pending])
        except (DatabaseAway, trio.TooSlowError) as error:
            for entry in pending:
                entry.error = DatabaseUnavailable(f"the journal could not be written: {error}")
            self.failed += len(pending)
            log.exception("%d reports were not stored", len(pending))
        except DatabaseFailure as error:
            if len(pending) > 1:
                middle = len(pending) // 2
                await self._write(pending[:middle])
                await self._write(pending[middle:])
                return
            log.exception("a report of %s was refused by the database", pending[0].row.station_id)
            pending[0].error = error
            self.failed += 1
        else:
            self.batches += 1
            self.rows += len(pending)
            for entry, outcome in zip(pending, outcomes, strict=True):
                entry.outcome, entry.error = outcome, None

    async def _commit_or_again(self, rows: Sequence[Row]) -> list[object]:
        """The victim of a deadlock goes again within the same time, after a pause in which the other side is woken."""
        with trio.fail_after(COMMIT_WITHIN_S):
            for pause_s in PAUSES_S:
                try:
                    return await self._commit(rows)
                except DATABASE_CONFLICTS as error:
                    log.warning("%d reports met another unit of work and are stored again: %s", len(rows), error)
                await trio.sleep(pause_s)
            return await self._commit(rows)

    async def _commit(self, rows: Sequence[Row]) -> list[object]:
        sockets = [row for row in rows if isinstance(row, PresenceRow | LeftRow)]
        boots = [row for row in rows if isinstance(row, BootRow)]
        statuses = [row for row in rows if isinstance(row, StatusRow)]
        meters = [row for row in rows if isinstance(row, MeterRow)]
        events = [row for row in rows if isinstance(row, EventRow)]
        async with self._pool.connection() as conn, conn.transaction():
            await _move_sockets(conn, sockets)
            # Boots too, although a boot says more: here every station is locked, in the one order.
            heard = {row.station_id: row.received_at for row in boots} | {r.station_id: r.seen_at for r in sockets}
            returned = await store_presence(conn, heard) if heard else []
            await write_versions(conn, {r.station_id: r.ocpp_version for r in sockets if isinstance(r, PresenceRow)})
            # Sessions before connectors, as settlement locks them.
            taken = await take_in_order(conn, events)
            readings = [
                MeterRow(row.station_id, report, row.received_at)
                for row, report in zip(events, taken, strict=True)
                if report is not None
            ]
            metered = await sql.write_meter_values(conn, [*meters, *readings])
            accepted = await sql.write_boots(conn, boots)
            written = await sql.write_statuses(conn, statuses)
        log_doubts(metered.doubts)
        was_away = [row.station_id in returned for row in sockets]
        moved = iter(metered.progress[len(meters) :])
        told = [EventOutcome(taken=False) if report is None else EventOutcome(True, next(moved)) for report in taken]
        asked = [*sockets, *boots, *statuses, *meters, *events]
        answered = zip(asked, [*was_away, *accepted, *written, *metered.progress[: len(meters)], *told], strict=True)
        outcomes = {id(row): outcome for row, outcome in answered}
        return [outcomes.get(id(row)) for row in rows]


async def _move_sockets(conn: Conn, rows: Sequence[PresenceRow | LeftRow]) -> None:
    """Store which stations' sockets are here; of several reports of one station the last counts."""
    last = {row.station_id: row for row in rows}
    here = {station_id: row.address for station_id, row in last.items() if isinstance(row, PresenceRow)}
    if here:
        await take_stations(conn, here, rows[-1].seen_at)
    if len(here) < len(last):
        await leave_stations(conn, {each: row.end for each, row in last.items() if isinstance(row, LeftRow)})
