"""What a station of OCPP 2.0.1 says: its hardware's messages as that version writes them.

The hardware knows starts, readings and stops; here they are the TransactionEvents of a transaction that the station has
named, numbered as they happened (OCPP 2.0.1 E).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.simulator.station.connector import Transaction
from evpower.simulator.wire.link import Link
from evpower.simulator.wire.ocpp import Payload

SUBPROTOCOL = "ocpp2.0.1"
ONLY_CONNECTOR = 1
OCCUPIED = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"})
CHARGING_STATES = {
    "Charging": "Charging",
    "Preparing": "EVConnected",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
}
STOPPED_REASONS = {"HardReset": "ImmediateReset", "SoftReset": "Other", "UnlockCommand": "Other"}
TRIGGERS = {
    "Remote": "RemoteStop",
    "EVDisconnected": "EVDeparted",
    "DeAuthorized": "Deauthorized",
    "Local": "StopAuthorized",
}


class Speech:
    """One connection's: the calls of `Link`, in the words of 2.0.1."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._said: dict[int, str] = {}

    async def call(self, action: str, payload: Payload) -> Payload:
        """As `Link.call`."""
        match action:
            case "BootNotification":
                return await self._link.call(action, _boot(payload))
            case "StatusNotification":
                return await self._status(payload)
            case "Authorize":
                reply = await self._link.call(action, {"idToken": _token(payload["idTag"])})
                return {"idTagInfo": _info(reply)}
            case "StartTransaction":
                return await self._start(payload)
            case "MeterValues" if "event" in payload:
                return await self._link.call("TransactionEvent", _updated(payload))
            case "MeterValues":
                values = [_meter_value(each) for each in payload["meterValue"]]
                return await self._link.call(action, {"evseId": payload["connectorId"], "meterValue": values})
            case "StopTransaction":
                return await self._link.call("TransactionEvent", _ended(payload))
            case _:
                return await self._link.call(action, payload)

    async def _status(self, payload: Payload) -> Payload:
        """Of the station as a whole there is none; and `Occupied` is said once, whatever goes on."""
        evse_id, word = payload["connectorId"], payload["status"]
        before, self._said[evse_id] = self._said.get(evse_id), word
        if evse_id == 0 or (before != word and before in OCCUPIED and word in OCCUPIED):
            return {}
        wire = {
            "timestamp": payload["timestamp"],
            "connectorStatus": "Occupied" if word in OCCUPIED else word,
            "evseId": evse_id,
            "connectorId": ONLY_CONNECTOR,
        }
        return await self._link.call("StatusNotification", wire)

    async def _start(self, payload: Payload) -> Payload:
        event = payload["event"]
        register = {"value": payload["meterStart"], "context": "Transaction.Begin", "unitOfMeasure": {"unit": "Wh"}}
        wire = _event("Started", "RemoteStart" if event["remoteStartId"] else "Authorized", payload) | {
            "idToken": _token(payload["idTag"]),
            "meterValue": [{"timestamp": payload["timestamp"], "sampledValue": [register]}],
        }
        if "reservationId" in payload:
            wire["reservationId"] = payload["reservationId"]
        reply = await self._link.call("TransactionEvent", wire)
        return {"transactionId": event["transactionId"], "idTagInfo": _info(reply)}


def event_of(transaction: Transaction, connector_status: str, *, offline: bool) -> dict[str, Any]:
    """The facts of a transaction's next event, as it happens; nothing for a transaction of 1.6."""
    number, transaction.events = transaction.events, transaction.events + 1
    return {
        "transactionId": transaction.transaction_id,
        "seqNo": number,
        "evseId": transaction.connector_id,
        "chargingState": CHARGING_STATES.get(connector_status, "Charging"),
        "remoteStartId": transaction.remote_start_id,
        "offline": offline,
    }


def _event(kind: str, trigger: str, payload: Payload) -> dict[str, Any]:
    event = payload["event"]
    info = {"transactionId": event["transactionId"], "chargingState": event["chargingState"]}
    if kind == "Started" and event["remoteStartId"]:
        info["remoteStartId"] = event["remoteStartId"]
    return {
        "eventType": kind,
        "timestamp": payload.get("timestamp") or payload["meterValue"][0]["timestamp"],
        "triggerReason": trigger,
        "seqNo": event["seqNo"],
        "offline": event["offline"],
        "evse": {"id": event["evseId"], "connectorId": ONLY_CONNECTOR},
        "transactionInfo": info,
    }


def _updated(payload: Payload) -> dict[str, Any]:
    values = [_meter_value(each) for each in payload["meterValue"]]
    return _event("Updated", "MeterValuePeriodic", payload) | {"meterValue": values}


def _ended(payload: Payload) -> dict[str, Any]:
    reason = payload["reason"]
    register = {"value": payload["meterStop"], "context": "Transaction.End", "unitOfMeasure": {"unit": "Wh"}}
    wire = _event("Ended", TRIGGERS.get(reason, "AbnormalCondition"), payload) | {
        "meterValue": [{"timestamp": payload["timestamp"], "sampledValue": [register]}]
    }
    wire["transactionInfo"] |= {"chargingState": "Idle", "stoppedReason": STOPPED_REASONS.get(reason, reason)}
    if "idTag" in payload:
        wire["idToken"] = _token(payload["idTag"])
    return wire


def _boot(payload: Payload) -> dict[str, Any]:
    return {
        "reason": "PowerUp",
        "chargingStation": {
            "model": payload["chargePointModel"],
            "vendorName": payload["chargePointVendor"],
            "firmwareVersion": payload["firmwareVersion"],
        },
    }


def _token(id_tag: str) -> dict[str, str]:
    return {"idToken": id_tag, "type": "ISO14443"}


def _info(reply: Payload) -> Mapping[str, Any]:
    """The verdict on a token in the names the hardware knows; an answer without one accepts it."""
    info = reply.get("idTokenInfo") or {"status": "Accepted"}
    group = info.get("groupIdToken")
    return {"status": info["status"]} | ({"parentIdTag": group["idToken"]} if group else {})


def _meter_value(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"timestamp": value["timestamp"], "sampledValue": [_sampled(each) for each in value["sampledValue"]]}


def _sampled(sampled: Mapping[str, str]) -> dict[str, Any]:
    wire: dict[str, Any] = {key: text for key, text in sampled.items() if key in ("context", "measurand", "phase")}
    wire["value"] = float(sampled["value"])
    if "unit" in sampled:
        wire["unitOfMeasure"] = {"unit": sampled["unit"]}
    return wire
