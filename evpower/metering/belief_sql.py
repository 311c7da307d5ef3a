"""The rule of belief as SQL, made of the constants of `metering/belief.py`."""

from __future__ import annotations

from evpower.metering.belief import CLOCK_MAX, POWER_MAX_W, SLACK


def is_believable(energy_wh: str, by_station: str, by_us: str) -> str:
    """SQL: whether an energy in Wh can be true, given how long it took by the station's clock and by ours.

    The arguments are SQL too; an energy of NULL is not believed, a time of NULL does not count. Multiplied, not
    divided: numeric products are exact.
    """
    clock_max_s, slack_s = int(CLOCK_MAX.total_seconds()), int(SLACK.total_seconds())
    return f"""{energy_wh} >= 0 AND 3600.0 * ({energy_wh}) <= {POWER_MAX_W} * ({slack_s} + greatest(0,
        CASE WHEN {by_station} <= make_interval(secs => {clock_max_s}) THEN extract(epoch FROM {by_station}) END,
        extract(epoch FROM {by_us})))"""
