"""`/network/power/{id}/live`: a group as it moves, and the bar: nothing on the page is older than it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from evpower.attention.glance import Glance
from evpower.attention.picture import Picture, Pictures
from evpower.clock import Clock, Ids
from evpower.pages.live import ChangeStream, Rows, Viewer, nothing, partial
from evpower.pages.power.sites import GroupView, SharedViews
from evpower.power.site import GroupId

#: Each piece, and the template that makes it of the group.
PIECES = (("power-now", "power/now.html"), ("power-hours", "power/hours.html"))


class GroupStream(ChangeStream):
    """One viewer's stream of a group."""

    def __init__(
        self,
        pictures: Pictures,
        clock: Clock,
        ids: Ids,
        rows: Rows,
        viewer: Viewer,
        scope: dict[str, Any],
        views: SharedViews,
        group_id: GroupId,
    ) -> None:
        super().__init__(pictures, clock, ids, rows, viewer, scope)
        self._views = views
        self._group_id = group_id

    def _is_of_another(self, picture: Picture) -> bool:
        return False

    async def _stations(self, new: Glance) -> AsyncIterator[str]:
        async for piece in nothing():
            yield piece

    async def _figures(self, new: Glance) -> AsyncIterator[str]:
        bar = await self._piece(new, "bar_figures.html", self._whose, glance=new)
        if self._is_news("bar-figures", bar):
            yield partial("bar-figures", bar)
        view: GroupView = await self._views.view(self._group_id)
        for target, template in PIECES:
            html = await self._piece(new, template, str(self._group_id), view=view)
            if self._is_news(target, html):
                yield partial(target, html)

    async def _lists(self, new: Glance) -> AsyncIterator[str]:
        async for piece in nothing():
            yield piece
