"""What a run found: a table, its figures, and a plot of the ratios."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parent / "results"
#: How wide a bar of 1.0 is, and where bars end.
ONE_PX, MOST_PX, LINE_PX, NAMES_PX = 100, 560, 22, 300
COLOURS = {"asyncio": "#3b6ea5", "node": "#5a8f3c"}


@dataclass(frozen=True)
class Row:
    """A figure of ours (or of ours in another network) and of the peers; `at_most` bounds ours / a peer's."""

    name: str
    unit: str
    figures: Mapping[str, float]
    at_most: Mapping[str, float] = field(default_factory=dict)

    def ratio(self, peer: str) -> float | None:
        """Ours / the peer's; None where the peer was not measured."""
        return self.figures["ours"] / self.figures[peer] if self.figures.get(peer) else None

    def verdict(self) -> str:
        """Whether the bounds hold; empty without bounds."""
        found = {peer: ratio for peer in self.at_most if (ratio := self.ratio(peer)) is not None}
        return "; ".join(
            f"{'holds' if ratio <= self.at_most[peer] else 'missed'}: ≤ {self.at_most[peer]:g} of {peer}"
            for peer, ratio in found.items()
        )


def page(rows: Sequence[Row]) -> str:
    """The table as Markdown."""
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    peers = [name for name in names if not name.startswith("ours")]
    head = ["", *names, *(f"ours / {peer}" for peer in peers), "target"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 2) + ["---"]]
    for row in rows:
        figures = [_number(row.figures[name], row.unit) if name in row.figures else "" for name in names]
        ratios = ["" if (ratio := row.ratio(peer)) is None else f"{ratio:.2f}" for peer in peers]
        lines.append([row.name, *figures, *ratios, row.verdict()])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plot(rows: Sequence[Row]) -> str:
    """Ours / each peer's as bars, for the rows with a bound; the line is where both cost the same."""
    bars = [(row.name, peer, ratio) for row in rows for peer in row.at_most if (ratio := row.ratio(peer)) is not None]
    height = LINE_PX * len(bars) + 30
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{NAMES_PX + MOST_PX + 60}" height="{height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
    ]
    for number, (name, peer, ratio) in enumerate(bars):
        top, width = 10 + number * LINE_PX, min(MOST_PX, ratio * ONE_PX)
        drawn.append(
            f'<text x="{NAMES_PX - 8}" y="{top + 14}" text-anchor="end">{name} / {peer}</text>'
            f'<rect x="{NAMES_PX}" y="{top + 3}" width="{width:.1f}" height="15" fill="{COLOURS[peer]}"/>'
            f'<text x="{NAMES_PX + width + 6:.1f}" y="{top + 14}">{ratio:.2f}</text>'
        )
    one = NAMES_PX + ONE_PX
    drawn.append(f'<line x1="{one}" y1="4" x2="{one}" y2="{height - 10}" stroke="black" stroke-dasharray="3"/></svg>\n')
    return "\n".join(drawn)


def keep(rows: Sequence[Row]) -> None:
    """Write the table, its figures with the machine they were measured on, and the plot."""
    DIRECTORY.mkdir(exist_ok=True)
    about: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "rows": [{**vars(row), "figures": dict(row.figures), "at_most": dict(row.at_most)} for row in rows],
    }
    (DIRECTORY / "peers.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (DIRECTORY / "peers.md").write_text(page(rows) + "\n", encoding="utf-8")
    (DIRECTORY / "peers.svg").write_text(plot(rows), encoding="utf-8")


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()
