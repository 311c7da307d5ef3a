"""The settings of sites with a limit."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.settings.values import Flag, setting


@dataclass(frozen=True)
class PowerSettings:
    """Smart charging (roadmap/smart-charging)."""

    enabled: bool = setting(True, Flag())
