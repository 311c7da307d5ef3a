"""What a station of OCPP 2.0.1 keeps of its display and its monitors, through every reboot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class DeviceMemory:
    """Texts by their number, monitors by theirs, and ways to a central system by their slot."""

    messages: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    monitors: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    network_profiles: dict[int, Mapping[str, Any]] = field(default_factory=dict)
