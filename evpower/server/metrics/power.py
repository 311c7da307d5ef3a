"""Figures of sites with a limit, of those that this process grants for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from evpower.power.keeper import PowerKeeper
from evpower.server.metrics.families import counts_by, gauges


def power_metrics(power: PowerKeeper) -> Iterator[Metric]:
    """Amperes of each group's fullest phase, and how long more was measured than its limit."""
    groups = [group for picture in power.pictures.values() for group in picture.groups]
    for name, meaning, of in (
        ("limit", "What a group lets through, in amperes of a phase.", "limit_da"),
        ("granted", "What is granted in a group's fullest phase, in amperes.", "granted_da"),
        ("measured", "What is measured in a group's fullest phase, in amperes.", "measured_da"),
    ):
        yield gauges(f"evpower_group_{name}_a", meaning, "group", [(str(g.id), getattr(g, of) / 10) for g in groups])
    seconds = {str(group.id): power.violation_s.get(group.id, 0.0) for group in groups}
    yield counts_by("evpower_group_violation_seconds", "Seconds above a group's limit, as measured.", "group", seconds)
