"""A group as its page shows it, read once for all who look at it, and not at all while nobody does (§9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import trio

from evpower.clock import Clock
from evpower.pages.power.drawing import DrawnGroup, draw_group
from evpower.power.orders import GroupRecord
from evpower.power.picture import GroupPicture, MemberPicture, SitePicture
from evpower.power.service import GrantedTime, PowerGroups, PowerMoment
from evpower.power.site import ALL_PHASES, GroupId
from evpower.staff.records import Acting

#: Figures are read anew after this, and the hours beneath them after that.
READ_EVERY_S, HOURS_EVERY_S = 2.0, 15.0
WITHIN_S = 10.0
DRAWN = timedelta(hours=3)
#: What began lately is drawn wide enough to be seen.
LEAST_DRAWN = timedelta(minutes=15)


@dataclass(frozen=True)
class GroupView:
    """A group, what is below it, and its last hours."""

    record: GroupRecord
    site: SitePicture
    #: Of its last hours; None: nothing was granted in them.
    drawn: DrawnGroup | None = None

    @property
    def now(self) -> GroupPicture | None:
        """None of a group that is switched off: it limits nothing."""
        return next((each for each in self.site.groups if each.id == self.record.id), None)

    @property
    def below(self) -> frozenset[GroupId]:
        """Itself, and every group below it."""
        parents = {each.id: each.parent_id for each in self.site.groups}

        def is_below(group_id: GroupId | None) -> bool:
            return group_id is not None and (group_id == self.record.id or is_below(parents.get(group_id)))

        return frozenset(each for each in parents if is_below(each))

    @property
    def groups(self) -> list[GroupPicture]:
        """Those below it."""
        return [each for each in self.site.groups if each.id in self.below and each.id != self.record.id]

    @property
    def members(self) -> list[MemberPicture]:
        """Every connector below it."""
        return [each for each in self.site.members if each.member.group_id in self.below]

    @property
    def disobedient(self) -> list[MemberPicture]:
        """They refuse a limit, or draw more than it: each counts all it can draw."""
        return [each for each in self.members if not each.obeys]

    @property
    def counted_away(self) -> list[MemberPicture]:
        """They are away and count all the same."""
        return [each for each in self.members if not each.is_online and each.possible_da > 0]

    @property
    def paused(self) -> list[MemberPicture]:
        """Their charges wait for their turn."""
        return [each for each in self.members if each.paused_since is not None]

    @property
    def phase(self) -> int:
        """The phase for which the most is granted."""

        def granted_da(phase: int) -> int:
            return sum(each.granted_da for each in self.members if phase in each.member.phases)

        return max(ALL_PHASES, key=lambda phase: (granted_da(phase), -phase))

    def draw(
        self, granted: Sequence[GrantedTime], moments: Sequence[PowerMoment], until: datetime
    ) -> DrawnGroup | None:
        """The hours until then, of the connectors that load the phase."""
        loading = {each.member.outlet: None for each in self.members if self.phase in each.member.phases}
        own = [each for each in granted if each.outlet in loading]
        known = [*(each.since for each in own), *(each.at for each in moments)]
        since = max(min(known, default=until), until - DRAWN)
        return draw_group(list(loading), own, moments, min(since, until - LEAST_DRAWN), until)


def may_see(acting: Acting, site: SitePicture) -> bool:
    """A site is one's own when every connector of it is."""
    return site.is_all_at(None if acting.own is None else acting.own.stations)


class SharedViews:
    """Groups as they were read last."""

    def __init__(self, power: PowerGroups, clock: Clock) -> None:
        self._power = power
        self._clock = clock
        self._read: dict[GroupId, tuple[float, GroupView]] = {}
        self._hours_at_s: dict[GroupId, float] = {}
        self._one = trio.Lock()

    async def view(self, group_id: GroupId) -> GroupView:
        """No older than two seconds. Raises NoSuchGroup."""
        async with self._one:
            read_at_s, view = self._read.get(group_id, (float("-inf"), None))
            if view is None or trio.current_time() - read_at_s >= READ_EVERY_S:
                with trio.fail_after(WITHIN_S):
                    view = await self._look(group_id, view)
                self._read = {**self._of_late(), group_id: (trio.current_time(), view)}
            return view

    def forget(self, group_id: GroupId) -> None:
        """It was changed just now."""
        self._read.pop(group_id, None)
        self._hours_at_s.pop(group_id, None)

    def _of_late(self) -> Mapping[GroupId, tuple[float, GroupView]]:
        """What nobody has looked at for a while is not kept."""
        return {each: kept for each, kept in self._read.items() if trio.current_time() - kept[0] < HOURS_EVERY_S}

    async def _look(self, group_id: GroupId, before: GroupView | None) -> GroupView:
        record, site = await self._power.group(group_id), await self._power.state(group_id)
        now_s = trio.current_time()
        if before is not None and now_s - self._hours_at_s.get(group_id, float("-inf")) < HOURS_EVERY_S:
            return GroupView(record, site, before.drawn)
        until = self._clock.now()
        moments = await self._power.history(group_id, until - DRAWN, until)
        granted = await self._power.granted(group_id, until - DRAWN, until)
        self._hours_at_s[group_id] = now_s
        view = GroupView(record, site)
        # Hundreds of connectors take a tenth of a second, which is not the event loop's.
        return replace(view, drawn=await trio.to_thread.run_sync(view.draw, granted, moments, until))
