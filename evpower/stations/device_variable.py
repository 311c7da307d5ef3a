"""A variable of a station's component (OCPP 2.0.1 part 1, §4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DeviceVariable:
    """One attribute of a variable, as a station reports it; no instance is '', no EVSE or connector 0."""

    component: str
    variable: str
    value: str | None
    component_instance: str = ""
    evse_id: int = 0
    connector_id: int = 0
    variable_instance: str = ""
    attribute: str = "Actual"
    mutability: str | None = None
    persistent: bool = False


@dataclass(frozen=True)
class DeviceMonitor:
    """A monitor of a variable (`Component.Variable`) by the station's number; `severity` is 0 (danger) to 9."""

    monitor_id: int
    variable: str
    severity: int


@dataclass(frozen=True)
class KnownVariable:
    """The same as it is kept, and when it was reported."""

    component: str
    component_instance: str
    evse_id: int
    connector_id: int
    variable: str
    variable_instance: str
    attribute: str
    value: str | None
    mutability: str | None
    persistent: bool
    reported_at: datetime
