"""`/todo/why?item=`: why a row of To do is there: last frames of its stations, log lines that name it (§3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import trio
from quart import Blueprint, Response, request

from evpower.attention.conditions import ConditionKind
from evpower.attention.folding import Item
from evpower.attention.glance import glance
from evpower.attention.picture import Pictures
from evpower.errors import NotFound
from evpower.http.operators.tracing import Traces
from evpower.identifiers import StationId
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.pages.stations.frame_words import frame_sentence
from evpower.pages.system import LogLine
from evpower.staff.rights import Right

WITHIN_S = 20
#: The last ones, read with those before, which say what an answer is of.
FRAMES, FRAMES_READ, FRAMES_OF = 5, 40, timedelta(days=14)
#: Of a location or of the network: those that fell silent first.
STATIONS = 5
LINES = 5
#: What lines name where a row is of nothing that has a name.
NAMED: Mapping[ConditionKind, str] = {
    ConditionKind.LEDGER_FINDING: "ledger",
    ConditionKind.DISK_SHORT: "disk",
    ConditionKind.JOURNAL_LAGS: "journal",
}
FACTS = ("order", "provider", "name", "session")
#: Warnings and errors of this process, the newest last.
LogLines: TypeAlias = Callable[[], Iterable[LogLine]]


@dataclass(frozen=True)
class Reasons:
    """Where they are read."""

    traces: Traces
    lines: LogLines


def why_routes(pictures: Pictures, reasons: Reasons, pages: Pages) -> Blueprint:
    """Read when somebody opens a row, and not before; a piece of its page, or without JavaScript a page."""
    routes = Blueprint("why", __name__)

    @routes.get("/todo/why")
    async def why() -> Response:
        visitor = signed_in()
        visitor.require(Right.READ)
        picture = await pictures.fresh()
        entries = () if picture is None else glance(picture, visitor.acting).todo.entries
        entry = next((each for each in entries if each.item.key == request.args.get("item")), None)
        if entry is None:
            raise NotFound
        with trio.fail_after(WITHIN_S):
            frames = await _frames(reasons.traces, entry.item)
        # A line may be of anything in the process.
        lines = lines_naming(entry.item, reasons.lines()) if visitor.may(Right.NETWORK) else []
        names: dict[str, Any] = {"entry": entry, "frames": frames, "lines": lines, "sentence": frame_sentence}
        names |= {"stations": len(entry.item.station_ids), "is_kept": reasons.traces.is_recording}
        if "HX-Request" in request.headers:
            return pages.render.page("now/why.html", **names)
        return await pages.show("now/why_page.html", **names)

    return routes


async def _frames(traces: Traces, item: Item) -> list[tuple[StationId, Mapping[str, Any]]]:
    """The last ones of its stations together, the newest last."""
    stations = dict.fromkeys(each.station_id for each in item.parts if each.station_id is not None)
    found: list[tuple[StationId, Mapping[str, Any]]] = []
    for station_id in list(stations)[:STATIONS]:
        found += [(station_id, each) for each in await traces.history(station_id, FRAMES_OF, FRAMES_READ)]
    return sorted(found, key=lambda each: each[1]["at"])[-FRAMES:]


def lines_naming(item: Item, lines: Iterable[LogLine]) -> Sequence[LogLine]:
    """The last lines that name what the row is about."""
    names = {str(part.facts[fact]) for part in item.parts for fact in FACTS if part.facts.get(fact)}
    names |= set(item.station_ids) | {NAMED[part.kind] for part in item.parts if part.kind in NAMED}
    if not names:
        return []
    named = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(names)))})(?![\w-])", re.IGNORECASE)
    return [each for each in lines if named.search(f"{each.logger} {each.text}")][-LINES:]
