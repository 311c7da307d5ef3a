"""What a station can be asked of its display, its customers, its monitors and itself: OCPP 2.0.1 alone has these.

A station of 1.6 is not asked: its dialect raises NotInThisVersion. The module `commands` says what a command is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from evpower.identifiers import ConnectorId, WireTransactionId
from evpower.link.commands import Command, Reply

# ---------------------------------------------------------------------------------------------------------- the display

MessagePriority = Literal["AlwaysFront", "InFront", "NormalCycle"]
MessageState = Literal["Charging", "Faulted", "Idle", "Unavailable"]
MessageFormat = Literal["ASCII", "HTML", "URI", "UTF8"]


@dataclass(frozen=True)
class Reported:
    """A station's answer to a request for a report, and the parts that followed it, in their order, as sent."""

    reply: Reply
    parts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class ShowMessage(Command[Reply]):
    """Show a text; one of the same number is replaced. Without a state it is shown in all of them."""

    message_id: int
    text: str
    priority: MessagePriority
    text_format: MessageFormat
    language: str | None
    state: MessageState | None
    since: datetime | None
    until: datetime | None
    #: As long as this charge goes on.
    transaction_id: WireTransactionId | None


@dataclass(frozen=True)
class ReadMessages(Command[Reported]):
    """Say which texts there are: all, or those that match everything given."""

    request_id: int
    message_ids: tuple[int, ...]
    priority: MessagePriority | None
    state: MessageState | None


@dataclass(frozen=True)
class HideMessage(Command[Reply]):
    """Forget a text; DONE too when there is none."""

    message_id: int


# ------------------------------------------------------------------------------------------------------------ customers


@dataclass(frozen=True)
class AskCustomerData(Command[Reported]):
    """Say what is kept of a customer, forget it, or both."""

    request_id: int
    report: bool
    forget: bool
    id_tag: str | None
    #: The vendor's own name of a customer.
    customer_identifier: str | None


# ----------------------------------------------------------------------------------------------------------- monitoring

MonitoringBase = Literal["All", "FactoryDefault", "HardWiredOnly"]
MonitorKind = Literal["UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned"]
MonitorCriterion = Literal["ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring"]


@dataclass(frozen=True)
class WantedMonitor:
    """A monitor to be set; `variable` is written as a setting is, `severity` 0 (danger) to 9 (debug)."""

    variable: str
    kind: MonitorKind
    value: float
    severity: int
    #: The one that it replaces.
    monitor_id: int | None
    while_charging: bool
    evse_id: int | None


@dataclass(frozen=True)
class SetMonitoringBase(Command[Reply]):
    """Start from a set of monitors: all there are, the maker's, or those that cannot be taken away."""

    base: MonitoringBase


@dataclass(frozen=True)
class SetMonitoringLevel(Command[Reply]):
    """Notify what is as grave as this severity, or graver."""

    severity: int


@dataclass(frozen=True)
class SetMonitors(Command[Reply]):
    """Watch variables; REFUSED when one of them is."""

    monitors: tuple[WantedMonitor, ...]


@dataclass(frozen=True)
class ClearMonitors(Command[Reply]):
    """Take monitors away; DONE too for those that are not there."""

    monitor_ids: tuple[int, ...]


@dataclass(frozen=True)
class ReadMonitors(Command[Reported]):
    """Say which monitors there are: all, or those of these kinds and variables."""

    request_id: int
    criteria: tuple[MonitorCriterion, ...]
    variables: tuple[str, ...]


# ------------------------------------------------------------------------------------------------- the station itself

Inventory = Literal["ConfigurationInventory", "FullInventory", "SummaryInventory"]


@dataclass(frozen=True)
class ReadDevice(Command[Reported]):
    """Say what you consist of: a whole inventory, or of these variables (or components) alone."""

    request_id: int
    inventory: Inventory
    variables: tuple[str, ...]


@dataclass(frozen=True)
class ReadProfiles(Command[Reported]):
    """Say which limits on power and current there are: all, or those that match everything given."""

    request_id: int
    connector_id: ConnectorId | None
    profile_id: int | None
    purpose: str | None
    stack_level: int | None


@dataclass(frozen=True)
class FoundLimit:
    """A limit that a station has: whose it is (CSO: ours), under which number, and as the station wrote it."""

    source: str
    profile_id: int | None
    written: Mapping[str, Any]


@dataclass(frozen=True)
class FoundLimits:
    """None: the station does not say."""

    limits: tuple[FoundLimit, ...] | None


@dataclass(frozen=True)
class ReadLimits(Command[FoundLimits]):
    """Say which permanent limits of a connector there are; or, `of_others`, those that did not come from us."""

    request_id: int
    connector_id: ConnectorId
    of_others: bool


@dataclass(frozen=True)
class SetNetworkProfile(Command[Reply]):
    """Keep this way to a central system in a slot; `profile` is the standard's object, as the operator wrote it."""

    slot: int
    profile: Mapping[str, Any]


@dataclass(frozen=True)
class PublishFirmware(Command[Reply]):
    """Fetch firmware and hand it out to the stations behind you, notified under our request's number."""

    request_id: int
    location: str
    checksum: str


@dataclass(frozen=True)
class UnpublishFirmware(Command[Reply]):
    """Hand it out no more."""

    checksum: str
