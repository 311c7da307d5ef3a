"""A 2.0.1 station's display, monitors and memory of customers: each report follows its answer in parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import trio

from evpower.simulator.station.answers import ACCEPTED, CommandAnswer, CommandHandler, Lifecycle
from evpower.simulator.station.hardware import Hardware
from evpower.simulator.wire.ocpp import Payload, wire_time

#: Things in one part of a report.
PART = 2


def set_display_message(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    """One of a transaction that does not run, or in a format that it cannot show, is refused (O01, O02)."""
    message = payload["message"]
    if message["message"]["format"] not in ("ASCII", "UTF8"):
        return CommandAnswer({"status": "NotSupportedMessageFormat"})
    running = (each.transaction for each in hardware.connectors.values() if each.transaction is not None)
    if "transactionId" in message and message["transactionId"] not in {each.transaction_id for each in running}:
        return CommandAnswer({"status": "UnknownTransaction"})
    hardware.memory.messages[message["id"]] = message
    return ACCEPTED


def get_display_messages(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    found = [
        message
        for number, message in sorted(hardware.memory.messages.items())
        if number in payload.get("id", hardware.memory.messages)
        and all(name not in payload or payload[name] == message.get(name) for name in ("priority", "state"))
    ]
    if not found:
        return CommandAnswer({"status": "Unknown"})
    return CommandAnswer(
        {"status": "Accepted"}, _reported(hardware, payload, "NotifyDisplayMessages", "messageInfo", found)
    )


def clear_display_message(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    known = hardware.memory.messages.pop(payload["id"], None)
    return CommandAnswer({"status": "Unknown" if known is None else "Accepted"})


def customer_information(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    """Of a card it knows what its local list has (N09, N10)."""
    if not {"idToken", "customerIdentifier", "customerCertificate"} & set(payload):
        return CommandAnswer({"status": "Invalid"})
    tag = payload.get("idToken", {}).get("idToken", "")
    known = hardware.local_list.pop(tag, None) if payload["clear"] else hardware.local_list.get(tag)
    texts = ["nothing is kept"] if known is None else [f"card {tag}: ", str(known.get("idTagInfo", {}).get("status"))]

    async def report() -> None:
        for number, text in enumerate(texts):
            more = number < len(texts) - 1
            hardware.say("NotifyCustomerInformation", {**_head(hardware, payload, number, more), "data": text})
            await trio.lowlevel.checkpoint()

    return CommandAnswer({"status": "Accepted"}, report if payload["report"] else None)


def set_variable_monitoring(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    """A monitor without a number gets the next one (N04)."""
    results = []
    for wanted in payload["setMonitoringData"]:
        number = wanted.get("id", max(hardware.memory.monitors, default=0) + 1)
        hardware.memory.monitors[number] = {**wanted, "id": number}
        named = {name: wanted[name] for name in ("type", "severity", "component", "variable")}
        results.append({**named, "id": number, "status": "Accepted"})
    return CommandAnswer({"setMonitoringResult": results})


def clear_variable_monitoring(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    results = [
        {"id": number, "status": "NotFound" if hardware.memory.monitors.pop(number, None) is None else "Accepted"}
        for number in payload["id"]
    ]
    return CommandAnswer({"clearMonitoringResult": results})


def get_monitoring_report(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    """By variables; its monitors are too few to be asked for by their kind."""
    named = [(each["component"]["name"], each["variable"]["name"]) for each in payload.get("componentVariable", ())]
    found = [
        {
            "component": monitor["component"],
            "variable": monitor["variable"],
            "variableMonitoring": [
                {name: monitor.get(name, False) for name in ("id", "transaction", "value", "type", "severity")}
            ],
        }
        for monitor in hardware.memory.monitors.values()
        if not named or (monitor["component"]["name"], monitor["variable"]["name"]) in named
    ]
    if not found:
        return CommandAnswer({"status": "EmptyResultSet"})
    return CommandAnswer(
        {"status": "Accepted"}, _reported(hardware, payload, "NotifyMonitoringReport", "monitor", found)
    )


def set_network_profile(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    hardware.memory.network_profiles[payload["configurationSlot"]] = payload["connectionData"]
    return ACCEPTED


def accepted(hardware: Hardware, lifecycle: Lifecycle, payload: Payload) -> CommandAnswer:
    """Whatever it is set to."""
    return ACCEPTED


def _reported(
    hardware: Hardware, payload: Payload, action: str, name: str, found: Sequence[Mapping[str, Any]]
) -> Callable[[], Awaitable[None]]:
    async def report() -> None:
        for number, (part, more) in enumerate(_parts(found)):
            head = _head(hardware, payload, number, more)
            if action == "NotifyDisplayMessages":  # its parts have no numbers
                head = {"requestId": head["requestId"], "tbc": more}
            hardware.say(action, {**head, name: part})
            await trio.lowlevel.checkpoint()

    return report


def _parts(found: Sequence[Mapping[str, Any]]) -> Iterator[tuple[list[Mapping[str, Any]], bool]]:
    for first in range(0, len(found), PART):
        yield list(found[first : first + PART]), first + PART < len(found)


def _head(hardware: Hardware, payload: Payload, number: int, more: bool) -> dict[str, Any]:
    at = wire_time(hardware.clock.now())
    return {"requestId": payload["requestId"], "generatedAt": at, "seqNo": number, "tbc": more}


HANDLERS: Mapping[str, CommandHandler] = {
    "SetDisplayMessage": set_display_message,
    "GetDisplayMessages": get_display_messages,
    "ClearDisplayMessage": clear_display_message,
    "CustomerInformation": customer_information,
    "SetMonitoringBase": accepted,
    "SetMonitoringLevel": accepted,
    "SetVariableMonitoring": set_variable_monitoring,
    "ClearVariableMonitoring": clear_variable_monitoring,
    "GetMonitoringReport": get_monitoring_report,
    "SetNetworkProfile": set_network_profile,
}
