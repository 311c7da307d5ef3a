"""`/forecast/scores`: how good forecasts were (roadmap/forecast-navigation §4)."""

from __future__ import annotations

from typing import TypedDict

import trio
from quart import Blueprint, Response

from evpower.forecast.backtest import METHODS, DayScores
from evpower.forecast.method import STEPS
from evpower.forecast.outlook import HORIZONS_MIN
from evpower.forecast.service import Forecasts, ForecastScores
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.rights import needs
from evpower.staff.rights import Right

WITHIN_S = 10


class HorizonScoreBody(TypedDict):
    """So far ahead: Brier scores by method, the lower the better; `skill` null where nothing was scored."""

    horizon_min: int
    n: int
    brier: dict[str, float]
    skill: float | None


class BucketBody(TypedDict):
    """Of `n` forecasts of `predicted` so many came true, 0 to 1."""

    predicted: float
    observed: float
    n: int


class DayScoreBody(TypedDict):
    """The skill of a day, by horizon in minutes."""

    day: str
    skill: dict[str, float]


class ForecastScoresBody(TypedDict):
    """The last 28 days that are scored."""

    days: int
    tau_min: int
    horizons: list[HorizonScoreBody]
    reliability: list[BucketBody]
    reliability_error: float
    by_day: list[DayScoreBody]


def forecast_scores_body(found: ForecastScores) -> ForecastScoresBody:
    """All of it."""
    scores = found.scores
    return {
        "days": found.days,
        "tau_min": found.says.tau_min,
        "horizons": [_horizon(scores, ahead) for ahead in HORIZONS_MIN],
        "reliability": [
            {"predicted": bucket / STEPS, "observed": round(each.mean, 4), "n": each.n}
            for bucket, each in scores.reliability().items()
        ],
        "reliability_error": round(scores.reliability_error(), 4),
        "by_day": [
            {"day": day.isoformat(), "skill": {str(ahead): round(skill, 4) for ahead, skill in each.items()}}
            for day, each in found.by_day.items()
        ],
    }


def _horizon(scores: DayScores, ahead: int) -> HorizonScoreBody:
    skill = scores.skill(ahead)
    brier = {method: round(scores.brier(ahead, method), 4) for method in METHODS if scores.count(ahead, method)}
    n = scores.count(ahead, METHODS[0])
    return {"horizon_min": ahead, "n": n, "brier": brier, "skill": None if skill is None else round(skill, 4)}


def forecast_score_routes(forecasts: Forecasts) -> Blueprint:
    """Of the whole network: not an operator's, who has some stations."""
    routes = Blueprint("forecast", __name__)

    @routes.get("/forecast/scores")
    @needs(Right.CLIENTS)
    @described("How good forecasts were", data=ForecastScoresBody)
    async def scores() -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(forecast_scores_body(await forecasts.scores()))

    return routes
