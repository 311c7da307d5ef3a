"""The settings of what phones are offered beside charging."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.settings.values import Days, Flag, RouterAddress, setting


@dataclass(frozen=True)
class FavoritesSettings:
    """Favorite locations and watches (roadmap/history-favorites-push §2)."""

    enabled: bool = setting(True, Flag())


@dataclass(frozen=True)
class HistorySettings:
    """What drivers see of the past (roadmap/history-favorites-push §1)."""

    enabled: bool = setting(True, Flag())


@dataclass(frozen=True)
class ForecastSettings:
    """How likely a connector will be free (roadmap/forecast-navigation §1-§4)."""

    enabled: bool = setting(True, Flag())
    holidays: tuple[str, ...] = setting((), Days())


@dataclass(frozen=True)
class NavigationSettings:
    """Ways to stations (roadmap/forecast-navigation §5)."""

    router: str = setting("", RouterAddress())
