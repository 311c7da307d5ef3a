"""Rows of `ocpp_configuration`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from evpower.identifiers import StationId
from evpower.link.commands import Setting

READ_KNOWN = """
SELECT key, value, readonly, reboot_required, known_at FROM evpower.ocpp_configuration
WHERE station_id = %(station_id)s ORDER BY lower(key)
"""

STORE = """
INSERT INTO evpower.ocpp_configuration (station_id, key, value, readonly, known_at)
SELECT DISTINCT ON (lower(r.key)) %(station_id)s, r.key, r.value, r.readonly, %(at)s
FROM jsonb_to_recordset(%(settings)s) AS r(key text, value text, readonly boolean)
ON CONFLICT (station_id, lower(key)) DO UPDATE
SET key = excluded.key, value = excluded.value, readonly = excluded.readonly, reboot_required = false,
    known_at = excluded.known_at
"""

STORE_WRITTEN = """
INSERT INTO evpower.ocpp_configuration (station_id, key, value, readonly, reboot_required, known_at)
VALUES (%(station_id)s, %(key)s, %(value)s, false, %(reboot_required)s, %(at)s)
ON CONFLICT (station_id, lower(key)) DO UPDATE
SET value = excluded.value, reboot_required = excluded.reboot_required, known_at = excluded.known_at
"""

FORGET = """
DELETE FROM evpower.ocpp_configuration
WHERE station_id = %(station_id)s AND (%(keys)s::text[] IS NULL OR lower(key) = ANY (%(keys)s::text[]))
"""


async def read_known(conn: AsyncConnection[Any], station_id: StationId) -> list[dict[str, Any]]:
    """What is known of a station's configuration, by key."""
    return await (await conn.execute(READ_KNOWN, {"station_id": station_id})).fetchall()


async def store(conn: AsyncConnection[Any], station_id: StationId, settings: Sequence[Setting], at: datetime) -> None:
    """Store the settings that the station reported."""
    written = [{"key": each.key, "value": each.value, "readonly": each.readonly} for each in settings]
    await conn.execute(STORE, {"station_id": station_id, "settings": Jsonb(written), "at": at})


async def store_written(
    conn: AsyncConnection[Any], station_id: StationId, key: str, value: str, reboot_required: bool, at: datetime
) -> None:
    """Store a value the station took, perhaps only for its next boot."""
    parameters = {
        "station_id": station_id,
        "key": key,
        "value": value,
        "reboot_required": reboot_required,
        "at": at,
    }
    await conn.execute(STORE_WRITTEN, parameters)


async def forget(conn: AsyncConnection[Any], station_id: StationId, keys: Sequence[str] | None) -> None:
    """Forget these keys, or all of them when None."""
    lowered = None if keys is None else [key.lower() for key in keys]
    await conn.execute(FORGET, {"station_id": station_id, "keys": lowered})
