"""The words of a connector in SQL: its charger's, its administrator's, and that a running charge is stronger than both.

In each fragment `c` is the connector and `r` the session that runs on it, if one does. Statements that write another
word than the stored one say the same for themselves (`journal_sql.py`, `stations.py`).
"""

from __future__ import annotations

#: The OCPP word that counts; out of use is Unavailable.
SAID = "CASE WHEN c.is_enabled OR r.id IS NOT NULL THEN c.ocpp_status ELSE 'Unavailable' END"

#: The word of `connectors.status`; takes `stored_status`, the OCPP words' meaning in JSON.
STORED = """CASE WHEN r.id IS NOT NULL THEN 'occupied' WHEN NOT c.is_enabled THEN 'unavailable'
         ELSE coalesce(%(stored_status)s::jsonb ->> c.ocpp_status, 'unavailable') END"""
