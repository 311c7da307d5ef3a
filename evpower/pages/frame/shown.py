"""A page behind the gate: its template with the bar, as the visitor may see the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quart import Response

from evpower.attention.glance import Glance, glance
from evpower.attention.picture import Pictures
from evpower.pages.frame.rendering import Renderer
from evpower.pages.frame.visitor import signed_in


class Pages:
    """Shows pages to who is signed in."""

    def __init__(self, pictures: Pictures, render: Renderer) -> None:
        self._pictures = pictures
        self.render = render

    async def show(self, template: str, /, status: int = 200, **names: Any) -> Response:
        """The template, with `glance` for the bar; None when the network could never be read."""
        return await self._shown(template, status, await self._seen(), names)

    async def show_grid(self, template: str) -> Response:
        """The same of a page that has every station: thousands of dots are written in parts before it."""
        seen = await self._seen()
        if seen is not None and seen.density == "dots":
            await self.render.dots.prepare((seen.picture.order[each], cells) for each, cells in seen.stations.items())
        return await self._shown(template, 200, seen, {})

    async def _seen(self) -> Glance | None:
        picture = await self._pictures.fresh()
        return None if picture is None else glance(picture, signed_in().acting)

    async def _shown(self, template: str, status: int, seen: Glance | None, names: Mapping[str, Any]) -> Response:
        away_since = self._pictures.away_since
        return await self.render.page_in_parts(template, status, glance=seen, away_since=away_since, **names)
