"""What administrators do with groups: write them, limit them from outside, look at them (roadmap/smart-charging §1)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import InvalidRequest
from evpower.link.ports import StationLink
from evpower.power.at_station.releasing import Releasing
from evpower.power.at_station.schedules import ReadSchedules
from evpower.power.errors import GroupHasChanged, GroupHasGroups, NoSuchGroup
from evpower.power.memory import Memory
from evpower.power.orders import GroupOrder, GroupRecord, HoursOrder, OutsideLimit
from evpower.power.picture import SitePicture, picture_of
from evpower.power.rows import configuration as rows
from evpower.power.rows import released
from evpower.power.rows.granted import GrantedTime, read_granted
from evpower.power.rows.groups import read_site
from evpower.power.rows.history import PowerMoment, delete_old, read_history
from evpower.power.rows.now import read_facts
from evpower.power.site import GroupId, OutletId, Site

__all__ = ["GrantedTime", "PowerGroups", "PowerMoment", "forget_moments"]

log = logging.getLogger("evpower.power")

HISTORY_MOST = 10_000
MOMENTS_KEPT_FOR = timedelta(days=92)
#: All hours of a schedule are within.
A_WEEK = timedelta(days=8)
LEAST_CHARGE_DA = 60

TOO_MUCH_FAILSAFE = "сумма failsafe_a всех коннекторов больше предела группы {name} (фаза {phase})"
NO_LOCATION = "такой локации нет"
NOT_A_PARENT = "такой группы нет, или она сама внутри этой"
NO_CONNECTOR = "нет коннектора {connector} станции {station}"
SHARED_EVSE = (
    "коннекторы {connectors} станции {station} — на одном EVSE {evse}: в группах может быть только один из них"
)


class PowerGroups:
    """Groups, and what they look like."""

    def __init__(
        self, pool: Pool, clock: Clock, link: StationLink, zone: ZoneInfo, read: ReadSchedules, *, enabled: bool
    ) -> None:
        """`read` says what a limit allows that is not ours."""
        self._pool = pool
        self._clock = clock
        self._releasing = Releasing(pool, link)
        self._zone = zone
        self._read_schedules = read
        self._enabled = enabled

    async def groups(self) -> Sequence[GroupRecord]:
        """All of them. Raises NoSuchGroup when the feature is off."""
        self._on()
        async with reading(self._pool) as conn:
            return [await self._warned(conn, each) for each in await rows.read_groups(conn)]

    async def group(self, group_id: GroupId) -> GroupRecord:
        """Raises NoSuchGroup."""
        self._on()
        async with reading(self._pool) as conn:
            return await self._read(conn, group_id)

    async def store(
        self, group_id: GroupId | None, order: GroupOrder, *, actor: str, seen: str | None = None
    ) -> GroupRecord:
        """A new group (None), or all of one anew; with `seen` only while it is what was seen (`GroupRecord.seen_as`).

        The failsafes of all members must hold at once below each limit: that is what is left when nothing else works.
        Raises NoSuchGroup, GroupHasChanged, InvalidRequest.
        """
        self._on()
        async with unit_of_work(self._pool) as uow:
            await rows.lock_groups(uow.conn)
            before = [] if group_id is None else (await self._seen(uow.conn, group_id, seen)).order.members
            await _check(uow.conn, group_id, order)
            stored = await rows.store_group(uow.conn, group_id, order, self._clock.now())
            if stored is None:
                raise NoSuchGroup
            left = {each.outlet for each in before} - {each.outlet for each in order.members}
            await self._drop(uow, sorted(left))
            for station, connector in await rows.store_members(uow.conn, stored, order.members):
                raise InvalidRequest(("members", NO_CONNECTOR.format(station=station, connector=connector)))
            for station, evse, connectors in await rows.shared_evses(uow.conn, stored):
                among = ", ".join(map(str, connectors))
                raise InvalidRequest(("members", SHARED_EVSE.format(station=station, evse=evse, connectors=among)))
            await self._check_failsafe(uow.conn, stored)
            record = await self._read(uow.conn, stored)
        log.info("a power group was written: group=%d, members=%d, by=%s", stored, len(order.members), actor)
        await self._release(sorted(left))
        return record

    async def delete(self, group_id: GroupId, *, actor: str) -> None:
        """Its connectors are limited no more. Raises NoSuchGroup, GroupHasGroups."""
        self._on()
        async with unit_of_work(self._pool) as uow:
            await rows.lock_groups(uow.conn)
            record = await self._read(uow.conn, group_id)
            if await rows.has_children(uow.conn, group_id):
                raise GroupHasGroups
            outlets = [each.outlet for each in record.order.members]
            await self._drop(uow, outlets)
            await rows.delete_group(uow.conn, group_id)
        log.info("a power group was deleted: group=%d, by=%s", group_id, actor)
        await self._release(outlets)

    async def limit(self, group_id: GroupId, outside: OutsideLimit, *, actor: str) -> GroupRecord:
        """The smaller of it and the own one counts until `valid_until`. Raises NoSuchGroup."""
        self._on()
        async with unit_of_work(self._pool) as uow:
            await self._read(uow.conn, group_id)
            await rows.store_outside(uow.conn, group_id, outside)
            record = await self._read(uow.conn, group_id)
        line = "a power group is limited from outside: group=%d, a=%s, kw=%s, until=%s, by=%s"
        log.info(line, group_id, outside.limit_a, outside.limit_kw, outside.valid_until, actor)
        return record

    async def schedule(
        self, group_id: GroupId, schedule: Sequence[HoursOrder], *, actor: str, seen: str | None = None
    ) -> GroupRecord:
        """Limits by the clock, in place of those there were; `seen` as with `store`.

        Raises NoSuchGroup, GroupHasChanged, InvalidRequest.
        """
        self._on()
        async with unit_of_work(self._pool) as uow:
            await rows.lock_groups(uow.conn)
            await self._seen(uow.conn, group_id, seen)
            await rows.store_schedule(uow.conn, group_id, schedule)
            await self._check_failsafe(uow.conn, group_id)
            record = await self._read(uow.conn, group_id)
        log.info("a power group has a schedule: group=%d, hours=%d, by=%s", group_id, len(schedule), actor)
        return record

    async def state(self, group_id: GroupId) -> SitePicture:
        """The whole site of the group, as its rows are now. Raises NoSuchGroup."""
        self._on()
        now = self._clock.now()
        async with reading(self._pool) as conn:
            await self._read(conn, group_id)
            root = await rows.top_of(conn, group_id)
            site_rows = await read_site(conn, root, self._zone)
            facts, memory = await read_facts(conn, root, site_rows.site.members, self._read_schedules, now), Memory()
        site = site_rows.site
        states = {each.outlet: memory.state_of(site.members[each.outlet], each, now) for each in facts}
        return picture_of(root, site, site_rows.names, states, now)

    async def history(self, group_id: GroupId, since: datetime, until: datetime) -> Sequence[PowerMoment]:
        """A moment for each minute that somebody granted. Raises NoSuchGroup."""
        self._on()
        async with reading(self._pool) as conn:
            await self._read(conn, group_id)
            return await read_history(conn, group_id, since, until, HISTORY_MOST)

    async def granted(self, group_id: GroupId, since: datetime, until: datetime) -> Sequence[GrantedTime]:
        """What each connector below the group held in a time. Raises NoSuchGroup."""
        self._on()
        async with reading(self._pool) as conn:
            await self._read(conn, group_id)
            return await read_granted(conn, group_id, since, until)

    def _on(self) -> None:
        if not self._enabled:
            raise NoSuchGroup

    async def _read(self, conn: Conn, group_id: GroupId) -> GroupRecord:
        found = await rows.read_groups(conn, group_id)
        if not found:
            raise NoSuchGroup
        return await self._warned(conn, found[0])

    async def _seen(self, conn: Conn, group_id: GroupId, seen: str | None) -> GroupRecord:
        record = await self._read(conn, group_id)
        if seen is not None and record.seen_as != seen:
            raise GroupHasChanged
        return record

    async def _site(self, conn: Conn, group_id: GroupId) -> Site:
        return (await read_site(conn, await rows.top_of(conn, group_id), self._zone)).site

    async def _check_failsafe(self, conn: Conn, group_id: GroupId) -> None:
        """Raises InvalidRequest where the failsafes together are above a limit of any hour."""
        site, now = await self._site(conn, group_id), self._clock.now()
        site = Site(
            [replace(group, outside_da=None) for group in site.groups.values()], site.members.values(), self._zone
        )
        limits = site.limits(now, now + A_WEEK)
        resting = site.loads({outlet: member.failsafe_da for outlet, member in site.members.items()})
        names = {each.id: each.order.name for each in await rows.read_groups(conn)}
        for (over, phase), load_da in resting.items():
            if load_da > limits[over, phase]:
                message = TOO_MUCH_FAILSAFE.format(name=names[over], phase=phase)
                raise InvalidRequest(("failsafe_a", message))

    async def _warned(self, conn: Conn, record: GroupRecord) -> GroupRecord:
        if not record.order.active:
            return record
        site, now = await self._site(conn, record.id), self._clock.now()
        limits = site.limits(now, now + A_WEEK)
        plates = site.loads({outlet: member.nameplate_da for outlet, member in site.members.items()})
        resting = site.loads({outlet: member.failsafe_da for outlet, member in site.members.items()})
        warnings = []
        own = [conductor for conductor in plates if conductor[0] == record.id]
        if any(plates[each] > limits[each] for each in own):
            warnings.append("nameplates_exceed_limit")
        if any(resting[each] + LEAST_CHARGE_DA > limits[each] for each in own):
            warnings.append("failsafe_leaves_no_charge")
        return replace(record, warnings=warnings)

    async def _drop(self, uow: UnitOfWork, outlets: Sequence[OutletId]) -> None:
        await rows.drop_members(uow.conn, outlets)
        await released.note(uow.conn, outlets, self._clock.now())

    async def _release(self, outlets: Sequence[OutletId]) -> None:
        """Those that are away keep their failsafe until they are back."""
        for outlet in outlets:
            await self._releasing.release(outlet)


async def _check(conn: Conn, group_id: GroupId | None, order: GroupOrder) -> None:
    """Raises InvalidRequest."""
    if not await rows.is_location(conn, order.location_id):
        raise InvalidRequest(("location_id", NO_LOCATION))
    if order.parent_id is not None and (
        not await rows.read_groups(conn, order.parent_id)
        or (group_id is not None and await rows.is_below(conn, order.parent_id, group_id))
    ):
        raise InvalidRequest(("parent_id", NOT_A_PARENT))


async def forget_moments(pool: Pool, now: datetime) -> None:
    """Drop what groups drew more than three months ago; the grants stay, as evidence."""
    async with unit_of_work(pool) as uow:
        await delete_old(uow.conn, now - MOMENTS_KEPT_FOR)
