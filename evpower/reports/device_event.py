"""What a station of OCPP 2.0.1 reports of an event of its components (N07), as a domain value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.security.security_report import SecurityMatter, SecurityReport

#: As much as a station's list of events shows of one.
TYPE_CHARS, DETAIL_CHARS = 50, 255
REPORTED_AS = "NotifyEvent"


@dataclass(frozen=True)
class DeviceEvent:
    """One event, in the standard's words; `occurred_at` is the station's time, no EVSE or connector is 0."""

    event_id: int
    occurred_at: datetime
    trigger: str
    notification: str
    component: str
    variable: str
    actual_value: str
    component_instance: str = ""
    evse_id: int = 0
    connector_id: int = 0
    variable_instance: str = ""
    #: The event that caused it.
    cause: int | None = None
    monitor_id: int | None = None
    transaction_id: str | None = None
    tech_code: str | None = None
    tech_info: str | None = None
    cleared: bool | None = None

    @property
    def name(self) -> str:
        """Of what it is."""
        return f"{self.component}.{self.variable}"

    def report(self) -> SecurityReport:
        """As one of the station's events."""
        detail = f"{self.actual_value} {self.tech_code or ''} {self.tech_info or ''}".strip()
        return SecurityReport(
            SecurityMatter.EVENT,
            REPORTED_AS,
            self.name[:TYPE_CHARS],
            detail=detail[:DETAIL_CHARS],
            occurred_at=self.occurred_at,
        )


@dataclass(frozen=True, kw_only=True)
class KeptEvent(DeviceEvent):
    """An event as it is kept; `grave`: it is among the station's own events too."""

    grave: bool
    received_at: datetime


@dataclass(frozen=True)
class EventsPart:
    """A message with events; `more`: others of the same report follow."""

    seq_no: int
    generated_at: datetime
    events: tuple[DeviceEvent, ...]
    more: bool = False
