"""The columns of `evpower tags` and `evpower parked`, and who says so."""

from __future__ import annotations

import getpass

TAG_COLUMNS = {
    "Tag": "id_tag",
    "Status": "status",
    "Expires": "expiry_date",
    "Group": "parent_id_tag",
    "Client": "client_id",
}
PARKED_COLUMNS = {
    "Id": "id",
    "Station": "station_id",
    "Action": "action",
    "Why": "reason",
    "Received": "received_at",
    "Payload": "payload",
    "Resolved": "resolution",
    "By": "resolved_by",
}
MISSING_COLUMNS = {
    "Station": "station_id",
    "Connector": "connector_id",
    "After": "previous_transaction_id",
    "Stop Wh": "previous_stop_wh",
    "Before": "transaction_id",
    "Start Wh": "meter_start_wh",
    "Missing Wh": "missing_wh",
    "Started": "started_at",
}


def actor() -> str:
    """The operator's name on this machine."""
    try:
        return f"operator {getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name
        return "operator"
