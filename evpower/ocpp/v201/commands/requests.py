"""What we ask of an OCPP 2.0.1 station by ourselves (OCPP 2.0.1 part 2, §1), each written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evpower.charging.transaction import own_id
from evpower.identifiers import IdTag, WireTransactionId
from evpower.link.commands import LimitDraw
from evpower.network.spots.evses import EvsePlace
from evpower.ocpp.dialect import Request
from evpower.ocpp.v201.commands.profiles import limit_profile

#: The type of a token that we made or know; a station asks for no reader's kind of it.
OUR_TOKEN = "Central"


def token(id_tag: str) -> dict[str, str]:
    """A token by which we know a driver."""
    return {"idToken": id_tag, "type": OUR_TOKEN}


def request_start(evse_id: int, id_tag: IdTag, remote_start_id: int, limit: LimitDraw | None = None) -> Request:
    """RequestStartTransaction (F02). Accepted is not yet a start (duty 28)."""
    payload: dict[str, Any] = {"evseId": evse_id, "idToken": token(id_tag), "remoteStartId": remote_start_id}
    if limit is not None:
        payload["chargingProfile"] = limit_profile(limit)
    return Request("RequestStartTransaction", payload)


def request_stop(transaction_id: WireTransactionId) -> Request:
    """RequestStopTransaction (F03)."""
    return Request("RequestStopTransaction", {"transactionId": own_id(transaction_id)})


def transaction_status(transaction_id: WireTransactionId) -> Request:
    """GetTransactionStatus (E14)."""
    return Request("GetTransactionStatus", {"transactionId": own_id(transaction_id)})


def trigger(message: str, place: EvsePlace | None) -> Request:
    """TriggerMessage (F06), for the whole station when None."""
    if place is None:
        return Request("TriggerMessage", {"requestedMessage": message})
    evse = {"id": place.evse_id} | ({"connectorId": place.number} if message == "StatusNotification" else {})
    return Request("TriggerMessage", {"requestedMessage": message, "evse": evse})


def full_inventory(request_id: int) -> Request:
    """GetBaseReport (B07)."""
    return Request("GetBaseReport", {"requestId": request_id, "reportBase": "FullInventory"})


def set_variables(data: Sequence[Mapping[str, Any]]) -> Request:
    """SetVariables (B05)."""
    return Request("SetVariables", {"setVariableData": list(data)})


def get_variables(data: Sequence[Mapping[str, Any]]) -> Request:
    """GetVariables (B06)."""
    return Request("GetVariables", {"getVariableData": list(data)})


def cost_updated(transaction_id: WireTransactionId, cost_tyiyn: int) -> Request:
    """CostUpdated (I02)."""
    return Request("CostUpdated", {"totalCost": cost_tyiyn / 100, "transactionId": own_id(transaction_id)})
