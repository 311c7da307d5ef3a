"""The EVSEs of a station in SQL; in each fragment `s` is the station."""

from __future__ import annotations

_PLACED = """public.connectors n LEFT JOIN evpower.connector_evses e
         ON e.station_id = n.station_id AND e.connector_number = n.connector_number"""
_EVSE = "coalesce(e.evse_id, n.connector_number)"

#: Its connectors with their places, once one has a place of its own: connector, EVSE, the number there, and what the
#: station calls it.
PLACES = f"""coalesce((
    SELECT json_agg(json_build_array(n.connector_number, {_EVSE}, coalesce(e.evse_connector, 1), v.value)
                    ORDER BY n.connector_number)
    FROM {_PLACED}
    LEFT JOIN evpower.device_variables v ON v.station_id = s.id AND v.component = 'Connector'
         AND v.component_instance = '' AND v.evse_id = {_EVSE} AND v.connector_id = coalesce(e.evse_connector, 1)
         AND v.variable = 'ConnectorType' AND v.variable_instance = '' AND v.attribute = 'Actual'
    WHERE n.station_id = s.id AND EXISTS (SELECT FROM evpower.connector_evses p WHERE p.station_id = s.id)), '[]')"""

#: The EVSEs that its connectors make.
CONFIGURED = f"ARRAY(SELECT DISTINCT {_EVSE} FROM {_PLACED} WHERE n.station_id = s.id ORDER BY 1)"

#: Every connector with its EVSE.
EACH = f"SELECT n.station_id, n.connector_number, {_EVSE} AS evse_id FROM {_PLACED}"

#: The connectors of the station `station_id` on its EVSE `evse_id`.
ON_EVSE = f"""
SELECT n.connector_number FROM {_PLACED}
WHERE n.station_id = %(station_id)s AND {_EVSE} = %(evse_id)s ORDER BY 1
"""

#: Connectors that cannot charge while `connector_id` does, itself among them: an EVSE charges one car at a time.
SIBLINGS = f"""(
    SELECT %(connector_id)s UNION
    SELECT n.connector_number FROM {_PLACED}
    LEFT JOIN evpower.connector_evses m ON m.station_id = s.id AND m.connector_number = %(connector_id)s
    WHERE n.station_id = s.id AND {_EVSE} = coalesce(m.evse_id, %(connector_id)s))"""
