"""What we ask of an OCPP 1.6 station by ourselves (OCPP 1.6 §5), each written once."""

from __future__ import annotations

from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.link.commands import LimitDraw
from evpower.ocpp.dialect import Request
from evpower.ocpp.v16.commands.profiles import limit_profile


def remote_start(connector_id: ConnectorId, id_tag: IdTag, limit: LimitDraw | None = None) -> Request:
    """RemoteStartTransaction (§5.11). Accepted is not yet a start (duty 28)."""
    limited = {} if limit is None else {"chargingProfile": limit_profile(limit)}
    return Request("RemoteStartTransaction", {"idTag": id_tag, "connectorId": connector_id, **limited})


def remote_stop(transaction_id: WireTransactionId) -> Request:
    """RemoteStopTransaction (§5.12)."""
    return Request("RemoteStopTransaction", {"transactionId": int(transaction_id)})


def trigger(message: str, connector_id: ConnectorId | None) -> Request:
    """TriggerMessage (§5.17), for every connector when None."""
    where = {} if connector_id is None else {"connectorId": connector_id}
    return Request("TriggerMessage", {"requestedMessage": message, **where})


def change_configuration(key: str, value: str) -> Request:
    """ChangeConfiguration (§5.3). RebootRequired is an acceptance that takes effect later."""
    return Request("ChangeConfiguration", {"key": key, "value": value})
