"""The status of a connector in SQL: its station's, its administrator's; a running charge takes precedence over both.

In each fragment `c` is the connector and `r` the session that runs on it, if one does.
"""

from __future__ import annotations

from evpower.network.status import RESERVED, STORED_STATUS

#: What a client has reserved; a station need not know. Read once for a statement, not for each connector.
KEPT = "(c.station_id, c.connector_number) IN (SELECT v.station_id, v.connector_id FROM evpower.kept_connectors v)"


def _kept(ocpp_status: str) -> str:
    """The status of a connector in use; free for others it is only when it is kept for nobody."""
    return f"""CASE WHEN {ocpp_status} IN ('Available', 'Preparing') AND {KEPT} THEN '{RESERVED}'
              ELSE {ocpp_status} END"""


#: The OCPP status that counts; out of use is Unavailable.
SAID = f"""CASE WHEN r.id IS NOT NULL THEN c.ocpp_status WHEN NOT c.is_enabled THEN 'Unavailable'
     ELSE {_kept("c.ocpp_status")} END"""


def stored(ocpp_status: str = "c.ocpp_status") -> str:
    """SQL of `connectors.status`, given the SQL of the OCPP status; `status.stored_status` is its meaning."""
    cases = " ".join(f"WHEN '{reported}' THEN '{coarse}'" for reported, coarse in STORED_STATUS.items())
    return f"""CASE WHEN r.id IS NOT NULL THEN 'occupied' WHEN NOT c.is_enabled THEN 'unavailable'
         ELSE CASE {_kept(ocpp_status)} {cases} ELSE 'unavailable' END END"""


#: By the OCPP status that is stored.
STORED = stored()
