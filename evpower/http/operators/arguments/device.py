"""What OCPP 2.0.1 adds to what an operator can have a station do: its display, customers, monitors, and itself.

A station of 1.6 is not asked: `command_refused`, `reason` `not_in_ocpp_1.6`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from evpower.digits import INT32_MAX
from evpower.http.operators.arguments.operations import (
    Arguments,
    ConnectorOrStation,
    Moment,
    OneConnector,
    Rooms,
    Shown,
    connector_or_none,
    shown,
)
from evpower.identifiers import StationId, WireTransactionId
from evpower.link import device_commands as commands
from evpower.link.device_commands import Reported
from evpower.stations.commands import refuse_refusal

StationNumber = Annotated[int, Meta(ge=0, le=INT32_MAX)]
Severity = Annotated[int, Meta(ge=0, le=9)]
WireText = Annotated[str, Meta(min_length=1, max_length=512)]
Checksum = Annotated[str, Meta(min_length=1, max_length=32)]
VariableName = Annotated[str, Meta(min_length=1, max_length=160)]


def _items(reported: Reported, name: str) -> list[Any]:
    """What is listed under this name in all parts. Raises CommandRejected when the station refused to report."""
    refuse_refusal(reported.reply)
    return [item for part in reported.parts for item in _list(part, name)]


def _list(part: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = part.get(name)
    return found if isinstance(found, list) else []


class ShowMessageArguments(Arguments):
    message_id: StationNumber
    text: WireText
    priority: commands.MessagePriority = "NormalCycle"
    format: commands.MessageFormat = "UTF8"
    language: Annotated[str, Meta(max_length=8)] | None = None
    state: commands.MessageState | None = None
    since: Moment | None = None
    until: Moment | None = None
    transaction_id: Annotated[str, Meta(min_length=1, max_length=42)] | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        transaction_id = None if self.transaction_id is None else WireTransactionId(self.transaction_id)
        message = commands.ShowMessage(
            self.message_id,
            self.text,
            self.priority,
            self.format,
            self.language,
            self.state,
            self.since,
            self.until,
            transaction_id,
        )
        return shown(await rooms.commands.demand(at, message))


class MessagesArguments(Arguments):
    message_ids: tuple[StationNumber, ...] = ()
    priority: commands.MessagePriority | None = None
    state: commands.MessageState | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        number = await rooms.device_model.new_number()
        wanted = commands.ReadMessages(number, self.message_ids, self.priority, self.state)
        return {"messages": _items(await rooms.commands.ask(at, wanted), "messageInfo")}


class HideMessageArguments(Arguments):
    message_id: StationNumber

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, commands.HideMessage(self.message_id)))


class CustomerArguments(Arguments):
    report: bool = True
    forget: bool = False
    id_tag: Annotated[str, Meta(min_length=1, max_length=36)] | None = None
    customer_identifier: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        number = await rooms.device_model.new_number()
        wanted = commands.AskCustomerData(number, self.report, self.forget, self.id_tag, self.customer_identifier)
        reported = await rooms.commands.ask(at, wanted)
        refuse_refusal(reported.reply)
        return {**reported.reply.as_sent, "data": "".join(str(part.get("data", "")) for part in reported.parts)}


class MonitoringBaseArguments(Arguments):
    base: commands.MonitoringBase

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, commands.SetMonitoringBase(self.base)))


class MonitoringLevelArguments(Arguments):
    severity: Severity

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, commands.SetMonitoringLevel(self.severity)))


class MonitorArguments(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A monitor to be set."""

    variable: VariableName
    kind: commands.MonitorKind
    value: float
    severity: Severity
    monitor_id: StationNumber | None = None
    while_charging: bool = False
    evse_id: OneConnector | None = None

    def wanted(self) -> commands.WantedMonitor:
        """The same as a command has it."""
        return commands.WantedMonitor(
            self.variable,
            self.kind,
            self.value,
            self.severity,
            self.monitor_id,
            self.while_charging,
            self.evse_id,
        )


class SetMonitorsArguments(Arguments):
    monitors: Annotated[list[MonitorArguments], Meta(min_length=1, max_length=100)]

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        wanted = commands.SetMonitors(tuple(each.wanted() for each in self.monitors))
        return shown(await rooms.commands.demand(at, wanted))


class ClearMonitorsArguments(Arguments):
    monitor_ids: Annotated[list[StationNumber], Meta(min_length=1, max_length=1000)]

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, commands.ClearMonitors(tuple(self.monitor_ids))))


class MonitorsArguments(Arguments):
    criteria: tuple[commands.MonitorCriterion, ...] = ()
    variables: tuple[VariableName, ...] = ()

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        number = await rooms.device_model.new_number()
        wanted = commands.ReadMonitors(number, self.criteria, self.variables)
        return {"monitors": _items(await rooms.commands.ask(at, wanted), "monitor")}


class ReadDeviceArguments(Arguments):
    inventory: commands.Inventory = "FullInventory"
    #: Of these alone: a component, or `Component.Variable`.
    variables: tuple[VariableName, ...] = ()

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        number = await rooms.device_model.new_number()
        wanted = commands.ReadDevice(number, self.inventory, self.variables)
        return {"variables": _items(await rooms.commands.ask(at, wanted), "reportData")}


class ProfilesArguments(Arguments):
    connector_id: ConnectorOrStation | None = None
    profile_id: StationNumber | None = None
    purpose: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    stack_level: StationNumber | None = None

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        number = await rooms.device_model.new_number()
        wanted = commands.ReadProfiles(
            number, connector_or_none(self.connector_id), self.profile_id, self.purpose, self.stack_level
        )
        reported = await rooms.commands.ask(at, wanted)
        refuse_refusal(reported.reply)
        return {"profiles": list(reported.parts)}


class NetworkProfileArguments(Arguments):
    slot: StationNumber
    profile: dict[str, Any]

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, commands.SetNetworkProfile(self.slot, self.profile)))


class PublishFirmwareArguments(Arguments):
    location: WireText
    checksum: Checksum

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        publishing = await rooms.transfers.publish_firmware(at, self.location, self.checksum)
        return {"transfer_id": publishing.transfer_id, "status": publishing.reply.status}


class UnpublishFirmwareArguments(Arguments):
    checksum: Checksum

    async def perform(self, rooms: Rooms, at: StationId) -> Shown:
        return shown(await rooms.commands.demand(at, commands.UnpublishFirmware(self.checksum)))


DEVICE_OPERATIONS: dict[str, type[Arguments]] = {
    "set-display-message": ShowMessageArguments,
    "display-messages": MessagesArguments,
    "clear-display-message": HideMessageArguments,
    "customer-information": CustomerArguments,
    "set-monitoring-base": MonitoringBaseArguments,
    "set-monitoring-level": MonitoringLevelArguments,
    "set-monitors": SetMonitorsArguments,
    "monitors": MonitorsArguments,
    "clear-monitors": ClearMonitorsArguments,
    "read-device": ReadDeviceArguments,
    "charging-profiles": ProfilesArguments,
    "set-network-profile": NetworkProfileArguments,
    "publish-firmware": PublishFirmwareArguments,
    "unpublish-firmware": UnpublishFirmwareArguments,
}
