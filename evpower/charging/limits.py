"""Stops a charge at its limit, not a sample after it (design §4).

With samples every 10-30 s a 120 kW station overshoots by up to a kWh. From the last register and power we know when
the limit will be crossed, and send the stop at that moment unless another sample comes first and moves it.
Plans live in memory: they are made anew by the next sample after a restart.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import trio

from evpower.billing.reservation import ChargeTerms
from evpower.charging.prediction import seconds_to_limit
from evpower.charging.rows import registers, sessions
from evpower.charging.transaction import minutes_count_from
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.events import Event, EventBus, GapInEvents, SessionSettled
from evpower.identifiers import SessionId, StationId, WireTransactionId
from evpower.link.ports import LiveStations
from evpower.metering.belief import UNKNOWN_POWER_W
from evpower.metering.doubts import NotedDoubt
from evpower.metering.meter_value import Progress
from evpower.metering.registers import Doubt
from evpower.metering.stops import keep_doubts
from evpower.push.events import of_session
from evpower.push.outbox import PushOutbox
from evpower.worker import Wake, contain, repeat

log = logging.getLogger("evpower.limits")

#: A session's terms are read once, at its first reading. A database slower than this leaves the plan to the next one.
READ_TERMS_WITHIN_S = 5.0
BACKLOG = 4096
#: So many sample intervals without a believed register, and a charge's limit has nothing to go by (field ruling 3.5).
INTERVALS_WITHOUT_REGISTER = 3
#: How often charges are looked for whose register is silent.
CHECK_EVERY_S = 15.0
#: The name of the alarm among messages: no station sent it.
NO_MESSAGE = "silence"
RETRY_AFTER_S = 1.0
#: So much of a limit, and its driver hears that it is near: once (roadmap/history-favorites-push §3).
NEAR_PERCENT = 90
#: A database slower than this leaves it to the next reading.
ENQUEUE_WITHIN_S = 2.0


@dataclass(frozen=True)
class PlannedStop:
    """A stop to be sent when trio's clock reads `at`."""

    at: float
    session_id: SessionId
    station_id: StationId
    transaction_id: WireTransactionId


@dataclass(frozen=True)
class _Known:
    """What of a session never changes, until its next rate begins to hold."""

    terms: ChargeTerms
    ordered_at: datetime

    def counts_from(self, progress: Progress) -> datetime:
        """From when its minutes are counted."""
        return minutes_count_from(
            progress.started_at, progress.received_at, self.ordered_at, progress.measured_at, progress.register_at
        )

    def has_passed_a_step(self, progress: Progress) -> bool:
        """Whether a reading since then says at which energy a rate began."""
        next_at = self.terms.next_step_at
        return next_at is not None and next_at <= progress.register_at


class LimitKeeper:
    """Plans and sends the stops of limited charges; `send_stop` starts the conversation with the station."""

    def __init__(
        self,
        pool: Pool,
        watch: ClockWatch,
        bus: EventBus,
        push: PushOutbox,
        send_stop: Callable[[PlannedStop], None],
        repeat_s: float,
        sample_interval_s: float,
    ) -> None:
        self._pool = pool
        self._silent_s = INTERVALS_WITHOUT_REGISTER * sample_interval_s
        self._watch = watch
        self._bus = bus
        self._push = push
        self._send_stop = send_stop
        self._repeat_s = repeat_s
        self._known: dict[SessionId, _Known] = {}
        self._plans: dict[SessionId, PlannedStop] = {}
        self._sent: dict[SessionId, float] = {}
        #: Whose drivers know that their limit is near.
        self._near: set[SessionId] = set()
        self._wake_at = math.inf
        self._earlier = Wake()

    async def advanced(self, station_id: StationId, progress: Progress) -> None:
        """A reading was committed: stop now if its limit is reached, else plan the moment it will be."""
        known = self._known.get(progress.session_id)
        if known is None or known.has_passed_a_step(progress):
            known = await self._read(progress.session_id)
        if known is None:
            return
        terms, elapsed_s = known.terms, self._watch.since(known.counts_from(progress)).total_seconds()
        if terms.rates.per_minute:
            elapsed_s -= await self._paused_s(progress.session_id)
        energy_wh = progress.energy_wh + await self._energy_by_power_wh(progress)
        terms = terms.foreseen(energy_wh, progress.power_w or 0.0, self._watch.look())
        wait_s = seconds_to_limit(terms, energy_wh, progress.power_w or 0.0, elapsed_s)
        if wait_s is None:
            self._plans.pop(progress.session_id, None)
        else:
            at = trio.current_time() + wait_s
            self._plan(PlannedStop(at, progress.session_id, station_id, progress.wire_transaction_id))
        limit_wh = terms.limit_wh(int(elapsed_s // 60))
        if self._push.is_on and limit_wh is not None and energy_wh * 100 >= limit_wh * NEAR_PERCENT:
            await self._say_near(station_id, progress.session_id, energy_wh)

    async def _paused_s(self, session_id: SessionId) -> float:
        """For how long it was held at nothing: such minutes cost nothing. None where it is not known in time."""
        session = None
        with trio.move_on_after(READ_TERMS_WITHIN_S):
            async with reading(self._pool) as conn:
                session = await sessions.read_session(conn, session_id)
        if session is None or session.record is None:
            return 0.0
        return session.record.paused_for(self._watch.look()).total_seconds()

    def planned_at(self, session_id: SessionId) -> datetime | None:
        """When the stop of a charge of this process is planned for; None without a plan."""
        plan = self._plans.get(session_id)
        return None if plan is None else self._watch.look() + timedelta(seconds=plan.at - trio.current_time())

    async def _say_near(self, station_id: StationId, session_id: SessionId, energy_wh: int) -> None:
        """A row for the driver, once for each charge; a reading after a crash finds it again."""
        if session_id in self._near:
            return
        near = of_session("charging_limit_near", session_id, station_id, energy_wh=energy_wh)
        with trio.move_on_after(ENQUEUE_WITHIN_S), contain(log, "a driver does not hear that the limit is near"):
            async with unit_of_work(self._pool) as uow:
                await self._push.enqueue(uow, near)
            self._near.add(session_id)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Send planned stops when their moment comes; forget sessions that became final."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._follow)
            task_status.started()
            while True:
                await self._sleep_until_due()
                self._send_due()

    def _plan(self, stop: PlannedStop) -> None:
        """Replace the session's plan; a stop that was sent is repeated, but not more often than every `repeat_s`."""
        sent_at = self._sent.get(stop.session_id)
        if sent_at is not None and stop.at < sent_at + self._repeat_s:
            return
        self._plans[stop.session_id] = stop
        if stop.at < self._wake_at:
            self._earlier.set()

    async def _sleep_until_due(self) -> None:
        self._wake_at = min((plan.at for plan in self._plans.values()), default=math.inf)
        with trio.move_on_at(self._wake_at):
            await self._earlier.wait()

    def _send_due(self) -> None:
        now = trio.current_time()
        for plan in [plan for plan in self._plans.values() if plan.at <= now]:
            del self._plans[plan.session_id]
            self._sent[plan.session_id] = now
            self._send_stop(plan)

    async def _energy_by_power_wh(self, progress: Progress) -> int:
        """What flowed since a believed register that is old, by power: for the limit, never for the bill."""
        if progress.power_w is None or self._watch.since(progress.register_at).total_seconds() < self._silent_s:
            return 0
        with trio.move_on_after(READ_TERMS_WITHIN_S):
            async with reading(self._pool) as conn:
                return int(await registers.energy_by_power_wh(conn, progress.session_id, UNKNOWN_POWER_W))
        return 0

    async def _read(self, session_id: SessionId) -> _Known | None:
        session = None
        with trio.move_on_after(READ_TERMS_WITHIN_S):
            async with reading(self._pool) as conn:
                session = await sessions.read_session(conn, session_id)
        if session is None or session.is_final:
            return None
        known = self._known[session_id] = _Known(session.terms, session.start_time)
        return known

    async def _follow(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Forget sessions that became final; after lost events, by their rows."""
        with self._bus.subscribe(_may_be_final, backlog=BACKLOG) as events:
            task_status.started()
            await self._forget_each(events)
        while True:
            with self._bus.subscribe(_may_be_final, backlog=BACKLOG) as events:
                await self._forget_final()
                await self._forget_each(events)

    async def _forget_each(self, events: trio.MemoryReceiveChannel[Event]) -> None:
        """Until the channel ends, which it does when we fell behind."""
        async for event in events:
            if isinstance(event, SessionSettled):
                self._forget(event.session_id)
            else:
                await self._forget_final()
        log.warning("limits fell behind; the known sessions are read")

    async def _forget_final(self) -> None:
        """Read which of the known sessions are final; while the database is away, try again."""
        while True:
            try:
                async with reading(self._pool) as conn:
                    known = self._known.keys() | self._plans.keys() | self._sent.keys() | self._near
                    for session_id in await sessions.final_among(conn, known):
                        self._forget(session_id)
                return
            except Exception:
                log.exception("the known sessions could not be read and will be again")
            await trio.sleep(RETRY_AFTER_S)

    def _forget(self, session_id: SessionId) -> None:
        self._known.pop(session_id, None)
        self._plans.pop(session_id, None)
        self._sent.pop(session_id, None)
        self._near.discard(session_id)


def _may_be_final(event: Event) -> bool:
    return isinstance(event, SessionSettled | GapInEvents)


class RegisterWatch:
    """Finds charges whose limit has no register to go by, at stations that are connected here (field ruling 3.5)."""

    def __init__(self, pool: Pool, watch: ClockWatch, link: LiveStations, sample_interval_s: float) -> None:
        self._pool = pool
        self._watch = watch
        self._link = link
        self._silent_s = INTERVALS_WITHOUT_REGISTER * sample_interval_s
        #: Before it nobody listened to the stations.
        self._began_at = watch.look()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Check until cancelled."""
        task_status.started()
        await repeat(self.check, CHECK_EVERY_S, log=log, failure="registers were not looked for and will be again")

    async def check(self) -> None:
        """One alarm for each such charge: a line, a row that a person settles, the metric of its kind."""
        before = self._watch.before(self._silent_s)
        if self._watch.holds or before < self._began_at:
            return
        now = self._watch.look()
        async with reading(self._pool) as conn:
            silent = await registers.without_register(conn, before=before, since=self._began_at, now=now)
        for each in silent:
            if self._link.last_seen_at(each.charge.station_id) is None:
                continue
            doubt = Doubt("no_register", each.silent_s, int(self._silent_s))
            async with unit_of_work(self._pool) as uow:
                await keep_doubts(uow, [NotedDoubt(each.charge, doubt, NO_MESSAGE, now)])
