"""The worker that keeps sites below their limits, and the first grants of charges that are about to be asked for.

All it decides with is in rows, read while the site's row is held: what was sent is written before it is sent, so that
another process, or this one after its death, counts it. What a car has shown of itself is memory alone; it costs a
minute to learn again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import trio

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.events import ChargingBegan, Event, SessionEnded, SessionSettled
from evpower.identifiers import SessionId
from evpower.link.commands import LimitDraw
from evpower.link.ports import StationLink
from evpower.power.at_station.commanding import Commanding, Sent
from evpower.power.at_station.limits_on_the_wire import Wire
from evpower.power.at_station.releasing import Releasing
from evpower.power.at_station.schedules import ReadSchedules
from evpower.power.memory import Memory
from evpower.power.picture import SitePicture, picture_of
from evpower.power.planning import Order, Planner, plan
from evpower.power.possible_draw import MemberState
from evpower.power.rows import grants as grant_rows
from evpower.power.rows import groups as group_rows
from evpower.power.rows import history as history_rows
from evpower.power.rows.now import TOGETHER, Facts, read_facts
from evpower.power.site import GroupId, OutletId, Site
from evpower.worker import Wake, contain

log = logging.getLogger("evpower.power")

LOOK_EVERY_S = 2.0
#: A process that grants for no site looks for one: most networks have none, and a look is a unit of work.
FIND_EVERY_S = 10.0
#: A process grants for a site so long without renewing it; longer than a stall that others should wait for.
OWNED_FOR = timedelta(seconds=30)
RENEWED_BEFORE = timedelta(seconds=20)
HISTORY_EVERY = timedelta(minutes=1)
FAILSAFE_AGAIN = timedelta(minutes=2)


@dataclass
class _Site:
    """What this process remembers of a site it grants for."""

    memory: Memory = field(default_factory=Memory)
    noted_at: datetime | None = None
    looked_at: datetime | None = None


@dataclass(frozen=True)
class Loaded:
    """A site at one moment."""

    site: Site
    names: Mapping[GroupId, str]
    facts: Mapping[OutletId, Facts]
    states: Mapping[OutletId, MemberState]


class PowerKeeper:
    """Grants at the sites this process has taken; any number of processes may run one."""

    def __init__(
        self, pool: Pool, clock: Clock, link: StationLink, zone: ZoneInfo, read: ReadSchedules, *, enabled: bool
    ) -> None:
        """`read` says what a limit allows that is not ours."""
        self._pool = pool
        self._clock = clock
        self._zone = zone
        self._read_schedules = read
        self._enabled = enabled
        self._wake = Wake()
        self._commanding = Commanding(pool, clock, link, self._wake.set)
        self._releasing = Releasing(pool, link)
        self._sites: dict[GroupId, _Site] = {}
        #: Of the sites this process grants for, as they were at the last look.
        self.pictures: dict[GroupId, SitePicture] = {}
        #: Seconds in which a group was measured above its limit, since the start.
        self.violation_s: dict[GroupId, float] = {}

    def hear(self, event: Event) -> None:
        """A charge began or ended: look now, if this process grants anywhere."""
        if self._sites and isinstance(event, ChargingBegan | SessionEnded | SessionSettled):
            self._wake.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep, until cancelled; the commands under way are tasks of this nursery."""
        async with trio.open_nursery() as commands:
            task_status.started()
            while True:
                with contain(
                    log, "sites were not looked at and will be again; leases at their stations end by themselves"
                ):
                    await self.look(commands)
                await self._wake.wait(LOOK_EVERY_S if self._sites else FIND_EVERY_S)

    async def look(self, commands: trio.Nursery) -> None:
        """Send what is due at every site of ours."""
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            await group_rows.claim_sites(uow.conn, now, now + OWNED_FOR, now + RENEWED_BEFORE)
        async with reading(self._pool) as conn:
            owned = await group_rows.owned_sites(conn, now)
        for gone in self._sites.keys() - set(owned):
            del self._sites[gone]
            self.pictures.pop(gone, None)
        for outlet in await self._releasing.due(now):
            commands.start_soon(self._releasing.release, outlet)
        for root in owned:
            with contain(log, "a site was not looked at and will be again: group=%d", root):
                await self._keep(root, commands)

    async def first_limit(self, outlet: OutletId, session_id: SessionId) -> LimitDraw | None:
        """What a charge begins with that is about to be asked for; None: nothing limits it. It counts from here on."""
        if not self._enabled:
            return None
        # Most connectors are in no group, and their starts wait for one statement.
        async with reading(self._pool) as conn:
            root = await group_rows.root_of(conn, outlet)
        if root is None:
            return None
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            await group_rows.lock_site(uow.conn, root)
            loaded = await self._load(uow, root, now, self._memory(root))
            state = loaded.states.get(outlet)
            if state is None or state.wish is None:
                return None
            wish = state.wish
            grant = Planner(loaded.site, loaded.states, now).first_grant(outlet, wish)
            facts = loaded.facts[outlet]
            wire = Wire(loaded.site.members[outlet], facts.rate_unit, facts.volts)
            limit, unit = wire.limit(grant.current_da)
            await grant_rows.insert_sent(
                uow.conn, outlet, grant, session_id=session_id, transaction_id=None, limit=limit, unit=unit
            )
        log.info("a start carries a limit: station=%s, connector=%d, limit=%s %s", *outlet, limit, unit)
        return wire.of_a_start(grant)

    async def _keep(self, root: GroupId, commands: trio.Nursery) -> None:
        now, ours = self._clock.now(), self._sites.setdefault(root, _Site())
        async with unit_of_work(self._pool) as uow:
            if not await group_rows.lock_owned_site(uow.conn, root, now):
                return
            loaded = await self._load(uow, root, now, ours.memory)
            sent = [await self._write(uow, loaded, order) for order in plan(loaded.site, loaded.states, now)]
            due = [each for each in loaded.facts.values() if _failsafe_is_due(loaded, each, now)]
            for facts in due:
                await group_rows.note_failsafe_asked(uow.conn, facts.outlet, now)
            await self._note(uow, root, loaded, ours, now)
        for each in sent:
            commands.start_soon(self._commanding.send, each)
        for facts in due:
            wire = Wire(loaded.site.members[facts.outlet], facts.rate_unit)
            commands.start_soon(self._commanding.set_failsafe, wire, facts.rate_unit is None)

    async def _load(self, uow: UnitOfWork, root: GroupId, now: datetime, memory: Memory) -> Loaded:
        rows = await group_rows.read_site(uow.conn, root, self._zone)
        facts = await read_facts(uow.conn, root, rows.site.members, self._read_schedules, now)
        states = {}
        for n, each in enumerate(facts, 1):
            if n % TOGETHER == 0:
                await trio.lowlevel.checkpoint()
            state = memory.state_of(rows.site.members[each.outlet], each, now)
            await self._note_obedience(uow, each, memory.disobeys(each.outlet), now)
            states[each.outlet] = state
        memory.keep({each.outlet for each in facts})
        return Loaded(rows.site, rows.names, {each.outlet: each for each in facts}, states)

    async def _note_obedience(self, uow: UnitOfWork, facts: Facts, disobeys: bool, now: datetime) -> None:
        if disobeys == (facts.uncontrolled == "disobeys") or facts.uncontrolled == "refuses":
            return
        if await group_rows.note_uncontrolled(uow.conn, facts.outlet, "disobeys" if disobeys else None, now):
            line = "draws more than it was granted" if disobeys else "keeps to its grants again"
            log.warning("a connector %s: station=%s, connector=%d", line, *facts.outlet)

    async def _write(self, uow: UnitOfWork, loaded: Loaded, order: Order) -> Sent:
        outlet = order.outlet
        facts = loaded.facts[outlet]
        assert facts.transaction_id is not None, "only charges that have begun are commanded"
        wire = Wire(loaded.site.members[outlet], facts.rate_unit, facts.volts)
        limit, unit = wire.limit(order.grant.current_da)
        grant_id = await grant_rows.insert_sent(
            uow.conn,
            outlet,
            order.grant,
            session_id=facts.session_id,
            transaction_id=facts.transaction_id,
            limit=limit,
            unit=unit,
        )
        return Sent(grant_id, outlet, wire.of_a_charge(order.grant, facts.transaction_id))

    async def _note(self, uow: UnitOfWork, root: GroupId, loaded: Loaded, ours: _Site, now: datetime) -> None:
        """Keep what the site looks like, and once a minute write it."""
        picture = picture_of(root, loaded.site, loaded.names, loaded.states, now)
        elapsed_s = 0.0 if ours.looked_at is None else (now - ours.looked_at).total_seconds()
        for group in picture.groups:
            if group.measured_da > group.limit_da:
                self.violation_s[group.id] = self.violation_s.get(group.id, 0.0) + min(elapsed_s, 10.0)
        self.pictures[root], ours.looked_at = picture, now
        if ours.noted_at is None or now - ours.noted_at >= HISTORY_EVERY:
            ours.noted_at = now
            await history_rows.insert_history(uow.conn, picture)

    def _memory(self, root: GroupId) -> Memory:
        """Of a site that another process grants for there is none."""
        ours = self._sites.get(root)
        return Memory() if ours is None else ours.memory


def _failsafe_is_due(loaded: Loaded, facts: Facts, now: datetime) -> bool:
    """Its station is there and may not have the permanent profile: new, another one, or it was away.

    One that refused a grant is asked again when it is idle: perhaps its charge had ended there a moment before, and it
    would count all it can draw until the next one.
    """
    if facts.connected_at is None:
        return False
    asked, has_refused = facts.failsafe_asked_at, facts.uncontrolled == "refuses" and facts.transaction_id is None
    if not has_refused and facts.failsafe_set_da == loaded.site.members[facts.outlet].failsafe_da:
        return asked is None or asked < facts.connected_at
    return asked is None or now - asked >= FAILSAFE_AGAIN
