"""Rows of `evpower.station_imports`: what imports changed of each station."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from psycopg.types.json import Jsonb

from evpower.db.connection import Conn
from evpower.network_file.rows.apply import Difference

INSERT = """
INSERT INTO evpower.station_imports (station_id, imported_at, actor, changes)
SELECT station_id, %(at)s, %(actor)s, changes FROM jsonb_to_recordset(%(rows)s) r (station_id text, changes text)
JOIN public.stations s ON s.id = r.station_id ORDER BY station_id
"""
DELETE_OLD = "DELETE FROM evpower.station_imports WHERE imported_at < %(before)s"
CHANGES_CHARS_MAX = 500


def of_each_station(differences: Iterable[Difference]) -> dict[str, str | None]:
    """What became different of each station and its connectors, as text; None: it was added."""
    found, added = defaultdict[str, list[str]](list), set[str]()
    for each in differences:
        station_id, _, connector = each.id.partition("/")
        if each.kind == "stations" and each.field is None:
            added.add(station_id)
        elif each.kind in ("stations", "connectors"):
            what = "+" if each.field is None else f"{each.field}: {_shown(each.old)} → {_shown(each.new)}"
            found[station_id].append(f"{connector and f'/{connector} '}{what}")
    changed = {each: "; ".join(texts)[:CHANGES_CHARS_MAX] for each, texts in found.items() if each not in added}
    return {**changed, **dict.fromkeys(added)}


async def write_station_imports(conn: Conn, differences: Iterable[Difference], actor: str, at: datetime) -> None:
    """Keep what an import changed of each station."""
    rows = [{"station_id": each, "changes": changes} for each, changes in of_each_station(differences).items()]
    if rows:
        await conn.execute(INSERT, {"rows": Jsonb(rows), "actor": actor, "at": at})


async def delete_station_imports(conn: Conn, before: datetime) -> None:
    """Forget what is older."""
    await conn.execute(DELETE_OLD, {"before": before})


def _shown(value: object) -> str:
    return "–" if value is None else str(value)
