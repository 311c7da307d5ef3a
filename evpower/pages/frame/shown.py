"""A page behind the gate: its template with the bar, as the visitor may see the network."""

from __future__ import annotations

from typing import Any

from quart import Response

from evpower.attention.glance import glance
from evpower.attention.picture import Pictures
from evpower.pages.frame.rendering import Renderer
from evpower.pages.frame.visitor import signed_in


class Pages:
    """Shows pages to who is signed in."""

    def __init__(self, pictures: Pictures, render: Renderer) -> None:
        self._pictures = pictures
        self.render = render

    async def show(self, template: str, /, status: int = 200, *, with_grid: bool = False, **names: Any) -> Response:
        """The template, with `glance` for the bar; None when the network could never be read.

        `with_grid`: it shows every station, thousands of which are written in parts.
        """
        picture = await self._pictures.fresh()
        seen = None if picture is None else glance(picture, signed_in().acting)
        if with_grid and seen is not None and seen.density == "dots":
            await self.render.dots.prepare((seen.picture.order[each], cells) for each, cells in seen.stations.items())
        away_since = self._pictures.away_since
        return await self.render.page_in_parts(template, status, glance=seen, away_since=away_since, **names)
