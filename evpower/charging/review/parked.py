"""Reports that matched nothing, resolved by a person: given to the session they belong to, or dismissed (duty 23)."""

from __future__ import annotations

from collections.abc import Callable

from evpower.charging.endings import Endings
from evpower.charging.rows import parked, stops, transactions
from evpower.charging.rows.parked import MissingEnergy, ParkedReport, TakenReport, UnbilledEnergy, unbilled_wh
from evpower.charging.rows.stops import ChargeWithoutSession, count_without_session
from evpower.charging.transaction import ParkedStop, TransactionStop
from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import InvalidRequest, NotFound
from evpower.identifiers import SessionId, StationId
from evpower.narrowing import ALL_OF_IT, Narrowing

__all__ = [
    "ChargeWithoutSession",
    "MissingEnergy",
    "ParkedReport",
    "ParkedReports",
    "ReadStop",
    "UnbilledEnergy",
    "count_without_session",
    "list_without_session",
    "unbilled_wh",
]

#: A parked report, by the name of its message and its payload, as a stop; None when it is none.
ReadStop = Callable[[str, str], ParkedStop | None]


async def list_without_session(conn: Conn) -> list[ChargeWithoutSession]:
    """Charges that go on although no session pays for them, the newest first."""
    return await stops.charges_without_session(conn, ALL_OF_IT)


class ParkedReports:
    """The operator's way to look at them and to put them right."""

    def __init__(self, pool: Pool, clock: Clock, endings: Endings, read_stop: ReadStop) -> None:
        self._pool = pool
        self._clock = clock
        self._endings = endings
        self._read_stop = read_stop

    async def park(self, station_id: StationId, action: str, reason: str, payload: bytes) -> None:
        """Keep a report that matches nothing, with all its data, for a person (duty 20, 23)."""
        async with unit_of_work(self._pool) as uow:
            await transactions.park(uow.conn, station_id, action, reason, payload, self._clock.now())

    async def parked(self, wanted: Narrowing = ALL_OF_IT, *, resolved_too: bool) -> list[ParkedReport]:
        """Parked reports with all their data, newest first."""
        async with reading(self._pool) as conn:
            return await parked.list_parked(conn, wanted, resolved_too=resolved_too)

    async def missing_energy(self, wanted: Narrowing = ALL_OF_IT) -> list[MissingEnergy]:
        """Energy between consecutive transactions of a connector that belongs to none (duty 31, field ruling 1.5)."""
        async with reading(self._pool) as conn:
            return await parked.list_missing_energy(conn, wanted)

    async def unbilled_energy(self, wanted: Narrowing = ALL_OF_IT) -> list[UnbilledEnergy]:
        """Energy of transactions that nobody pays for: beyond a session's bill, or after a start that was refused."""
        async with reading(self._pool) as conn:
            return await parked.list_unbilled_energy(conn, wanted)

    async def unbilled_total_wh(self) -> int:
        """All energy so far that nobody pays for, in Wh."""
        async with reading(self._pool) as conn:
            return await unbilled_wh(conn)

    async def charges_without_session(self, wanted: Narrowing = ALL_OF_IT) -> list[ChargeWithoutSession]:
        """Charges that go on although no session pays for them (field ruling 4.1)."""
        async with reading(self._pool) as conn:
            return await stops.charges_without_session(conn, wanted)

    async def dismiss(self, parked_id: int, *, actor: str, reason: str) -> None:
        """It changes nothing. Raises NotFound, or InvalidRequest when it was resolved before."""
        async with unit_of_work(self._pool) as uow:
            await _take(uow, parked_id)
            await self._resolve(uow, parked_id, "dismissed", None, actor, reason)

    async def assign(self, parked_id: int, session_id: SessionId, *, actor: str, reason: str) -> None:
        """Record a parked StopTransaction for this session's transaction, as if it had named it; settlement or the
        one correction of an estimate follow (design §4). Raises NotFound, and InvalidRequest when it does not fit.
        """
        async with unit_of_work(self._pool) as uow:
            report = await _take(uow, parked_id)
            stop = self._read_stop(report.action, report.payload)
            if stop is None:
                raise InvalidRequest(("id", "назначить можно только StopTransaction"))
            found = await parked.lock_session_transaction(uow.conn, session_id)
            if found is None or found.station_id != report.station_id:
                raise InvalidRequest(("session_id", "у этой сессии нет транзакции на этой станции"))
            meter_wh = stop.meter_stop_wh
            if meter_wh is None:
                raise InvalidRequest(("id", "в сообщении нет правдоподобного meterStop"))
            if meter_wh < found.meter_start_wh:
                raise InvalidRequest(("id", f"показание {meter_wh} ниже начального {found.meter_start_wh}"))
            if found.meter_stop_wh is not None:
                raise InvalidRequest(("session_id", "у этой сессии уже есть StopTransaction"))
            stopped_at, payload = stop.stopped_at or report.received_at, report.payload.encode()
            await self._endings.record(
                uow,
                report.station_id,
                TransactionStop(
                    found.wire_transaction_id, meter_wh, stopped_at, stop.reason, None, (), payload, report.action
                ),
            )
            await self._resolve(uow, parked_id, "assigned", session_id, actor, reason)

    async def _resolve(
        self,
        uow: UnitOfWork,
        parked_id: int,
        resolution: str,
        session_id: SessionId | None,
        actor: str,
        reason: str,
    ) -> None:
        at = self._clock.now()
        await parked.resolve(
            uow.conn, parked_id, resolution=resolution, session_id=session_id, actor=actor, reason=reason, at=at
        )


async def _take(uow: UnitOfWork, parked_id: int) -> TakenReport:
    """The report, locked for this unit of work: a second caller finds it resolved."""
    report = await parked.lock_parked(uow.conn, parked_id)
    if report is None:
        raise NotFound
    if report.resolved:
        raise InvalidRequest(("id", "уже решено"))
    return report
