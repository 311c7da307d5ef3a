"""Figures of forecasts and ways: how good the forecasts are, and what becomes of questions to the router."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric

from evpower.navigation.roads import RouterAnswer
from evpower.server.metrics.families import counts_by, gauges

ANSWERS: tuple[RouterAnswer, ...] = ("answered", "failed")


def journey_metrics(skill: Mapping[int, float], asked: Mapping[RouterAnswer, int]) -> Iterator[Metric]:
    """`skill` by how far ahead in minutes, as of the last night."""
    yield gauges(
        "evpower_forecast_skill",
        "How much better forecasts were than the best naive guess, over 28 days; not above 0: no better.",
        "horizon_min",
        [(str(ahead), each) for ahead, each in sorted(skill.items())],
    )
    by_answer: dict[str, float] = {answer: asked.get(answer, 0) for answer in ANSWERS}
    yield counts_by("evpower_router_requests", "Questions to the router of ways.", "outcome", by_answer)
