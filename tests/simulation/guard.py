"""What must hold while things happen: a charge ends where its hold ends, and nobody goes on charging for nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import trio

from tests.simulation.check import Checker, shown
from tests.simulation.engine import InvariantBroken
from tests.simulation.plan import Plan
from tests.simulation.station import SimStation
from tests.simulation.truth import PhysicalCharge, prices
from tests.simulation.world import World

LOOK_EVERY_S = 30.0
#: A stop is asked for again every half minute, and looked for as often; a reading comes as often.
CALM_FOR_S = 180.0
#: What a charge may cost beyond its hold: what flows until the next reading and until the stop is obeyed.
BEYOND_S = 90.0
WHOSE = """
SELECT s.id, s.user_id, s.settled_at, s.reserved_amount, s.start_time, t.verdict, t.free_vend, t.stops_asked,
       t.stop_asked_at, t.wire_transaction_id
FROM evpower.ocpp_transactions t LEFT JOIN public.charging_sessions s ON s.id = t.charging_session_id
WHERE t.station_id = %(station)s AND t.meter_start_wh = %(start)s AND t.id_tag = %(tag)s
ORDER BY t.id DESC LIMIT 1
"""


@dataclass
class Guard:
    """Looks at every charge that goes on at a station which can hear us and has no bad habit just now."""

    plan: Plan
    world: World
    stations: list[SimStation]
    checker: Checker
    _calm_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _unpaid_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    async def run(self) -> None:
        """Until cancelled. Raises InvariantBroken."""
        while True:
            await trio.sleep(LOOK_EVERY_S)
            for at in self.stations:
                name, charge = at.plan.station_id, at.truth.running(at.plan)
                if charge is None or not self._is_calm(at):
                    self._calm_s[name] = self._unpaid_s[name] = 0.0
                    continue
                self._calm_s[name] += LOOK_EVERY_S
                if problem := self._problem(at, charge):
                    raise InvariantBroken(problem)

    def _is_calm(self, at: SimStation) -> bool:
        """Nothing stands between the station and us, and it obeys."""
        habits = at.station.hardware.misbehaviour
        bad = habits.lose_stop or habits.ignore_remote_stop or habits.refuse_remote_stop or habits.no_meter_values
        serving = all(place.serving is not None for place in self.world.places)
        return at.is_heard and serving and not bad and not self.world.engine.is_troubled

    def _problem(self, at: SimStation, charge: PhysicalCharge) -> str | None:
        name = at.plan.station_id
        values = {"station": name, "start": charge.start_wh, "tag": charge.id_tag}
        row = next(iter(self.checker.rows(WHOSE, values)), None)
        if row is None or row["free_vend"]:
            return None
        if row["id"] is None or row["settled_at"] is not None:
            self._unpaid_s[name] += LOOK_EVERY_S if at.connector.power_w > 0 else 0
            if min(self._calm_s[name], self._unpaid_s[name]) > CALM_FOR_S:
                return f"charges and nobody pays, {self._unpaid_s[name]:.0f} s: {shown(row)}"
            return None
        if self._calm_s[name] > CALM_FOR_S and not charge.lies_wh:
            return self._beyond_hold(at, charge, row)
        return None

    def _beyond_hold(self, at: SimStation, charge: PhysicalCharge, row: dict[str, Any]) -> str | None:
        """A charge is stopped when its cost reaches the hold, whatever the limit and the tariff (money audit A5)."""
        began_at: datetime = row["start_time"]
        client = next((one for one in self.plan.clients if one.client_id == row["user_id"]), None)
        price = prices(at.plan.tariff, client, began_at)
        now = self.checker.begins_at + timedelta(seconds=trio.current_time())
        # Ours runs from the receipt of the start on, at most two minutes later than it began.
        minutes = int(((now - began_at).total_seconds() - BEYOND_S - 121) // 60) if charge.clock_is_right else 0
        flowed_wh = charge.parts_wh + at.connector.energy_wh - charge.segment_wh
        flowed_wh -= round(at.plan.power_w * BEYOND_S / 3600)
        cost = price.cost(flowed_wh, max(0, minutes))
        reserved: Decimal = row["reserved_amount"]
        return None if cost <= reserved else f"costs {cost} of a hold of {reserved} and goes on: {shown(row)}"
