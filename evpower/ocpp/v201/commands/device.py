"""Display, customers, monitors and the station itself as OCPP 2.0.1 writes them (B07-B09, L03, L04, N02-N10, O)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.charging.transaction import own_id
from evpower.errors import InvalidRequest
from evpower.link import device_commands as commands
from evpower.link.commands import Ending, Reply
from evpower.link.device_commands import Reported
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply
from evpower.ocpp.v201.commands import requests
from evpower.ocpp.v201.commands.answers import reported
from evpower.ocpp.v201.commands.settings import variable
from evpower.ocpp.wire.times import wire_time

#: Nothing matched: what was wanted is so.
GONE_OR_NOT_THERE = frozenset({"Accepted", "Unknown"})
NOT_MONITORED = frozenset({"Accepted", "NotFound"})
UNPUBLISHED = frozenset({"Unpublished", "NoFirmware"})


async def show_message(send: Send, command: commands.ShowMessage) -> Reply:
    transaction_id = command.transaction_id
    times = {"startDateTime": command.since, "endDateTime": command.until}
    text = _given({"format": command.text_format, "language": command.language, "content": command.text})
    message: dict[str, Any] = {
        "id": command.message_id,
        "priority": command.priority,
        **_given({"state": command.state}),
        **{name: wire_time(at) for name, at in times.items() if at is not None},
        **({} if transaction_id is None else {"transactionId": own_id(transaction_id)}),
        "message": text,
    }
    return reply(await send(Request("SetDisplayMessage", {"message": message})))


async def read_messages(send: Send, command: commands.ReadMessages) -> Reported:
    """A station without such a text answers Unknown."""
    wanted = _given({"priority": command.priority, "state": command.state, "id": list(command.message_ids) or None})
    payload = {"requestId": command.request_id, **wanted}
    return reported(await send(Request("GetDisplayMessages", payload, "NotifyDisplayMessages")), GONE_OR_NOT_THERE)


async def hide_message(send: Send, command: commands.HideMessage) -> Reply:
    return reply(await send(Request("ClearDisplayMessage", {"id": command.message_id})), GONE_OR_NOT_THERE)


async def ask_customer_data(send: Send, command: commands.AskCustomerData) -> Reported:
    """Without `report` none is waited for (N10)."""
    token = None if command.id_tag is None else requests.token(command.id_tag)
    payload = {
        "requestId": command.request_id,
        "report": command.report,
        "clear": command.forget,
        **_given({"idToken": token, "customerIdentifier": command.customer_identifier}),
    }
    followed_by = "NotifyCustomerInformation" if command.report else None
    return reported(await send(Request("CustomerInformation", payload, followed_by)))


async def set_monitoring_base(send: Send, command: commands.SetMonitoringBase) -> Reply:
    return reply(await send(Request("SetMonitoringBase", {"monitoringBase": command.base})))


async def set_monitoring_level(send: Send, command: commands.SetMonitoringLevel) -> Reply:
    return reply(await send(Request("SetMonitoringLevel", {"severity": command.severity})))


async def set_monitors(send: Send, command: commands.SetMonitors) -> Reply:
    """Raises InvalidRequest for a variable that means nothing here."""
    data = [
        {
            **_where(each.variable, each.evse_id),
            "type": each.kind,
            "value": each.value,
            "severity": each.severity,
            "transaction": each.while_charging,
            **_given({"id": each.monitor_id}),
        }
        for each in command.monitors
    ]
    answer = await send(Request("SetVariableMonitoring", {"setMonitoringData": data}))
    return _of_each(answer, answer["setMonitoringResult"], frozenset({"Accepted"}))


async def clear_monitors(send: Send, command: commands.ClearMonitors) -> Reply:
    answer = await send(Request("ClearVariableMonitoring", {"id": list(command.monitor_ids)}))
    return _of_each(answer, answer["clearMonitoringResult"], NOT_MONITORED)


async def read_monitors(send: Send, command: commands.ReadMonitors) -> Reported:
    wanted = {
        "monitoringCriteria": list(command.criteria) or None,
        "componentVariable": [_where(each, None) for each in command.variables] or None,
    }
    payload = {"requestId": command.request_id, **_given(wanted)}
    answer = await send(Request("GetMonitoringReport", payload, "NotifyMonitoringReport"))
    return reported(answer, frozenset({"Accepted", "EmptyResultSet"}))


async def read_device(send: Send, command: commands.ReadDevice) -> Reported:
    if not command.variables:
        payload: dict[str, Any] = {"requestId": command.request_id, "reportBase": command.inventory}
        return reported(await send(Request("GetBaseReport", payload, "NotifyReport")))
    wanted = [_where(each, None) if "." in each else {"component": {"name": each}} for each in command.variables]
    payload = {"requestId": command.request_id, "componentVariable": wanted}
    answer = await send(Request("GetReport", payload, "NotifyReport"))
    return reported(answer, frozenset({"Accepted", "EmptyResultSet"}))


async def set_network_profile(send: Send, command: commands.SetNetworkProfile) -> Reply:
    payload = {"configurationSlot": command.slot, "connectionData": command.profile}
    return reply(await send(Request("SetNetworkProfile", payload)))


async def publish_firmware(send: Send, command: commands.PublishFirmware) -> Reply:
    payload = {"requestId": command.request_id, "location": command.location, "checksum": command.checksum}
    return reply(await send(Request("PublishFirmware", payload)))


async def unpublish_firmware(send: Send, command: commands.UnpublishFirmware) -> Reply:
    return reply(await send(Request("UnpublishFirmware", {"checksum": command.checksum})), UNPUBLISHED)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _where(name: str, evse_id: int | None) -> dict[str, Any]:
    wanted = variable(name)
    if wanted is None:
        raise InvalidRequest(("variable", "в OCPP 2.0.1 переменная пишется как Компонент.Переменная"))
    where = wanted.where()
    return where if evse_id is None else {**where, "component": {**where["component"], "evse": {"id": evse_id}}}


def _of_each(answer: Mapping[str, Any], results: list[Mapping[str, Any]], done: frozenset[str]) -> Reply:
    """The first refusal among several results."""
    refused = [each["status"] for each in results if each["status"] not in done]
    if refused:
        return Reply(Ending.REFUSED, refused[0], answer)
    return Reply(Ending.DONE, "Accepted", answer)
