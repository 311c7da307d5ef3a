"""What a way is refused for.

Refusal
└─ NoRoute          no plan leads there: HTTP 200, as refusals of a POST are
NotFound
└─ NoCoordinates    nobody knows where the location is: HTTP 404
"""

from __future__ import annotations

from evpower.errors import NotFound, Refusal


class NoCoordinates(NotFound):
    """A location without coordinates, or none at all."""

    message = "Локация не найдена на карте"


class NoRoute(Refusal):
    """With this car there is no way; `longest_gap_km` is the leg that it would have to drive without a charge."""

    code = "not_found"
    message = "Маршрут не найден: между зарядками слишком далеко"

    def __init__(self, longest_gap_km: float) -> None:
        super().__init__(reason="no_route", longest_gap_km=round(longest_gap_km, 1))
