"""What a process forecasts with: every location's cells, the network's curves and the scores, as of last midnight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import trio

from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.forecast.backtest import SKILL_DAYS, what_scores_say
from evpower.forecast.cells import NOTHING, WEEK_HOURS, Cells, NetworkCurve, Usual, curve
from evpower.forecast.outlook import Scored
from evpower.forecast.rows import cells as rows
from evpower.forecast.rows.cells import Of
from evpower.forecast.rows.scores import read_day_scores

#: Cells read at once: a slice is a few milliseconds of the event loop.
CELLS_AT_ONCE = 25


@dataclass(frozen=True)
class Model:
    """Made of one night's rows; types of connectors in small letters."""

    #: The day whose midnight its cells are of, and the last day that is scored.
    newest: tuple[date, date | None] | None = None
    usual: Mapping[Of, Usual] = field(default_factory=dict)
    curves: Mapping[str, NetworkCurve] = field(default_factory=dict)
    scored: Scored = field(default_factory=Scored)

    def usual_of(self, location_id: str, connector_type: str) -> Usual | None:
        """A location that was not observed is as the network; None: the network is too young to be forecast from."""
        network = self.curves.get(connector_type)
        if network is None or network.hours < WEEK_HOURS:
            return None
        return self.usual.get((location_id, connector_type)) or Usual(NOTHING, network)


async def newest_model(pool: Pool, model: Model) -> Model:
    """This one, or the one of a night since. It is read in slices, and computed beside the event loop."""
    async with reading(pool) as conn:
        newest = await rows.read_newest(conn)
    if newest is None or newest == model.newest:
        return model
    of_day, _ = newest
    found: dict[Of, Cells] = {}
    after: Of | None = ("", "")
    while after is not None:
        async with reading(pool) as conn:
            some = await rows.read_cells(conn, after, CELLS_AT_ONCE)
        found.update(some)
        after = some[-1][0] if some else None
    async with reading(pool) as conn:
        scores, days = await read_day_scores(conn, of_day - timedelta(days=SKILL_DAYS + 1), of_day)
    return await trio.to_thread.run_sync(_model, newest, found, what_scores_say(scores, days))


def _model(newest: tuple[date, date | None], found: Mapping[Of, Cells], scored: Scored) -> Model:
    types = {connector_type for _, connector_type in found}
    curves = {each: curve(cells for of, cells in found.items() if of[1] == each) for each in types}
    usual = {of: Usual(cells, curves[of[1]]) for of, cells in found.items()}
    return Model(newest, usual, curves, scored)
