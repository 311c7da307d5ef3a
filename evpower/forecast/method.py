"""The arithmetic of a forecast (roadmap/forecast-navigation §2, §3). Pure: numbers in, numbers out.

A mean of few observations is shrunk towards its parent: `(Σ w x + m·parent) ÷ (Σ w + m)`. What is so now fades into
what is usual.
"""

from __future__ import annotations

from math import exp, floor, sqrt
from typing import Literal

#: An observation of this age weighs half.
HALF_LIFE_WEEKS = 6
#: How many observations a parent counts as.
STRENGTH = 6.0
#: A location is never taken for always free, or never.
LEAST, MOST = 0.02, 0.98
#: Until a better one is known: after so long e⁻¹ of the present is left.
TAU_MIN = 45
TAUS_MIN = (15, 30, 45, 60, 90)
#: Of a normal distribution: four fifths lie within.
Z_80 = 1.2815515655446004
#: Probabilities are shown in twentieths.
STEPS = 20
HIGH_FROM, MEDIUM_FROM = 8.0, 3.0

Confidence = Literal["high", "medium", "low"]


def shrunk(weight: float, free: float, parent: float) -> float:
    """The mean of observations of this weight, of which `free` was free, held by its parent."""
    return (free + STRENGTH * parent) / (weight + STRENGTH)


def parent_of_location(network: float, location_mean: float, network_mean: float) -> float:
    """What is usual in the network, moved by how much the location differs from it."""
    return min(MOST, max(LEAST, network + location_mean - network_mean))


def with_present(then: float, usual_now: float, now: float, ahead_min: float, tau_min: float) -> float:
    """What is usual then, moved by how much the present (0 or 1) differs from what is usual now."""
    return min(1.0, max(0.0, then + (now - usual_now) * exp(-ahead_min / tau_min)))


def lent(*weights: float) -> float:
    """How many observations stand behind a cell: its own, and at most m of what stands behind its parent.

    The weights from the highest parent down.
    """
    behind = 0.0
    for weight in weights:
        behind = weight + min(STRENGTH, behind)
    return behind


def wilson(probability: float, n: float) -> tuple[float, float]:
    """The interval that four of five such forecasts have their truth in."""
    if n <= 0:
        return 0.0, 1.0
    spread = Z_80 * Z_80 / n
    middle = probability + spread / 2
    half = Z_80 * sqrt(probability * (1 - probability) / n + spread / (4 * n))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def twentieths(probability: float) -> int:
    """As it is shown: of twenty, never none and never all."""
    return min(STEPS - 1, max(1, floor(probability * STEPS + 0.5)))


def shown(probability: float) -> float:
    """Rounded to 0.05; the future is never 0 or 1."""
    return round(twentieths(probability) / STEPS, 2)


def confidence(n: float) -> Confidence:
    """By how many observations stand behind it."""
    if n >= HIGH_FROM:
        return "high"
    return "medium" if n >= MEDIUM_FROM else "low"
