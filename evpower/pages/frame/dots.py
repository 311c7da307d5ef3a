"""A station of a large network as HTML: thousands are on a page, so each is written once, until it looks different."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from urllib.parse import quote

import trio
from markupsafe import Markup, escape

from evpower.attention.cells import GLYPHS, Cell, CellKind, StationCells
from evpower.identifiers import StationId

#: Nothing in it to escape.
PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
#: Only troubles are named (contract/operator-pages §3.2).
TROUBLES = frozenset({CellKind.FAULTED, CellKind.OFFLINE, CellKind.NEVER_HEARD})
#: So many are written, or sent, before everything else in the process has its turn.
AT_ONCE = 25


class Dots:
    """The dots of every station as they were written last."""

    def __init__(self) -> None:
        self._written: dict[StationId, tuple[int, StationCells, Markup]] = {}

    def dot(self, number: int, station: StationCells) -> Markup:
        """The station's dots, a link; `number` is its place in the grid."""
        found = self._written.get(station.facts.id)
        if found is None or found[0] != number or not (found[1] is station or found[1].looks_as(station)):
            found = (number, station, _dot(number, station))
            self._written[station.facts.id] = found
        return found[2]

    def dots(self, stations: Iterable[tuple[int, StationCells]]) -> Markup:
        """Those of one place."""
        # A space between them, or the browser has nowhere to begin another line.
        return Markup(" ".join(self.dot(number, station) for number, station in stations))

    async def prepare(self, stations: Iterable[tuple[int, StationCells]]) -> None:
        """Write them in parts, so that a page of thousands holds up nothing else."""
        for index, (number, station) in enumerate(stations):
            self.dot(number, station)
            if index % AT_ONCE == AT_ONCE - 1:
                await trio.lowlevel.checkpoint()


def _dot(number: int, station: StationCells) -> Markup:
    name = str(station.facts.id)
    address = name if PLAIN.fullmatch(name) else quote(name)
    is_named = any(cell.kind in TROUBLES or cell.is_doubtful or cell.has_fault for cell in station.cells)
    title = f' title="{escape(name)}"' if is_named else ""
    # A browser draws text quicker than elements: what is free has none of its own, and equal neighbours share one.
    looks = groupby((cell.kind, marks(cell)) for cell in station.cells)
    cells = "".join(_glyphs(*look, len(list(group))) for look, group in looks)
    return Markup(f'<a class="s" id="s{number}"{title} href="/stations/{address}">{cells}</a>')


def marks(cell: Cell) -> str:
    """Classes of what stands beside the sign of a cell: it is in doubt, or has an error that its status hides."""
    is_hidden = cell.has_fault and cell.kind is not CellKind.FAULTED
    return f"{' d' if cell.is_doubtful else ''}{' e' if is_hidden else ''}"


def _glyphs(kind: CellKind, beside: str, count: int) -> str:
    glyphs = GLYPHS[kind] * count
    if kind is CellKind.FREE and not beside:
        return glyphs
    return f'<i class="{kind}{beside}">{glyphs}</i>'
