"""The status of a connector in SQL: its station's, its administrator's; a running charge takes precedence over both.

In each fragment `c` is the connector and `r` the session that runs on it, if one does.
"""

from __future__ import annotations

from evpower.network.status import STORED_STATUS

#: The OCPP status that counts; out of use is Unavailable.
SAID = "CASE WHEN c.is_enabled OR r.id IS NOT NULL THEN c.ocpp_status ELSE 'Unavailable' END"


def stored(ocpp_status: str = "c.ocpp_status") -> str:
    """SQL of `connectors.status`, given the SQL of the OCPP status; `status.stored_status` is its meaning."""
    cases = " ".join(f"WHEN '{reported}' THEN '{coarse}'" for reported, coarse in STORED_STATUS.items())
    return f"""CASE WHEN r.id IS NOT NULL THEN 'occupied' WHEN NOT c.is_enabled THEN 'unavailable'
         ELSE CASE {ocpp_status} {cases} ELSE 'unavailable' END END"""


#: By the OCPP status that is stored.
STORED = stored()
