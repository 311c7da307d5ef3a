"""A station of a large network as HTML: thousands are on one page, and a template for each would hold up the server."""

from __future__ import annotations

import re
from urllib.parse import quote

from markupsafe import Markup, escape

from evpower.attention.cells import CellKind, StationCells

#: Nothing in it to escape.
PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
#: Only troubles are named (contract/operator-pages §3.2).
TROUBLES = frozenset({CellKind.FAULTED, CellKind.OFFLINE, CellKind.NEVER_HEARD})


def dot(number: int, station: StationCells) -> Markup:
    """The station's dots, a link; `number` is its place in the grid."""
    name = str(station.facts.id)
    address = name if PLAIN.fullmatch(name) else quote(name)
    title = (
        f' title="{escape(name)}"' if any(cell.kind in TROUBLES or cell.is_doubtful for cell in station.cells) else ""
    )
    cells = "".join(f'<i class="{cell.kind}{" d" if cell.is_doubtful else ""}"></i>' for cell in station.cells)
    return Markup(f'<a class="s" id="s{number}"{title} href="/stations/{address}">{cells}</a>')


def dots(stations: tuple[tuple[int, StationCells], ...]) -> Markup:
    """Those of one place."""
    return Markup("".join(dot(number, station) for number, station in stations))
