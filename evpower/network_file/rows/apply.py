"""Writes a fleet file into the tables (design §8): adds and changes rows, never deletes one.

Importing a file twice changes nothing. A field the file leaves out takes its default in a new row and is left alone in
an existing one. Money moves only by the ledger: an opening balance is one entry, keyed per client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import trio
from psycopg import errors
from psycopg.types.json import Jsonb

from evpower.db.connection import Conn
from evpower.errors import InvalidRequest
from evpower.identifiers import ClientId
from evpower.network.status_sql import STORED
from evpower.network_file.parts import Fleet, IdTag
from evpower.network_file.rows.doubts import configuration_doubts
from evpower.network_file.rows.tables import (
    CLIENTS,
    CONNECTOR_EVSES,
    CONNECTORS,
    ID_TAGS,
    LOCATIONS,
    STATION_POLICIES,
    STATIONS,
    TARIFF_PLANS,
    TARIFF_RULES,
    Table,
)
from evpower.security.passwords import Passwords
from evpower.tags.cards import app_tags_among, phones_among

#: How PostgreSQL begins the detail of a key that is there already, or not there.
KEY = re.compile(r"Key \((\w+)\)=")
MOVED = "is another client than the one who starts with this tag from the app; to move it: --move-app-tags"
#: One import or change at a time; any number will do, if nothing else uses it.
LOCK_IMPORTS = "SELECT pg_advisory_xact_lock(7310581)"

MERGED = "SELECT id, merged_into FROM public.clients WHERE id = ANY(%(ids)s) AND merged_into IS NOT NULL"

# Configured connectors of stations that are not inactive, as the API counts them (rest-api §2).
COUNT_LOCATIONS = """
UPDATE public.locations l SET stations_count = n.stations, connectors_count = n.connectors, updated_at = %(at)s
FROM (SELECT l.id, count(DISTINCT s.id) AS stations, count(c.id) AS connectors
      FROM public.locations l
      LEFT JOIN public.stations s ON s.location_id = l.id AND s.status <> 'inactive'
      LEFT JOIN public.connectors c ON c.station_id = s.id
      GROUP BY l.id) n
WHERE n.id = l.id AND (l.stations_count, l.connectors_count) <> (n.stations, n.connectors)
"""

LIST_CONNECTOR_TYPES = """
UPDATE public.stations s SET connector_types = n.types, updated_at = %(at)s
FROM (SELECT station_id, array_agg(connector_type ORDER BY connector_number) AS types
      FROM public.connectors WHERE station_id = ANY(%(stations)s) GROUP BY station_id) n
WHERE n.station_id = s.id AND s.connector_types <> n.types
"""

# A connector that is taken out of use, or put back; the station's last status counts again then.
SHOW_CONNECTORS = f"""
UPDATE public.connectors c SET status = {STORED}, updated_at = %(at)s
FROM public.connectors same LEFT JOIN public.charging_sessions r
     ON r.station_id = same.station_id AND r.connector_id = same.connector_number AND r.status = 'started'
WHERE same.id = c.id AND c.station_id = ANY(%(stations)s) AND c.status <> {STORED}
"""

READ_CREDENTIALS = (
    "SELECT station_id, password_hash FROM evpower.station_credentials"
    " WHERE station_id = ANY(%(stations)s) AND password_hash IS NOT NULL"
)

WRITE_CREDENTIALS = """
INSERT INTO evpower.station_credentials (station_id, password_hash, updated_at)
SELECT p.station_id, p.password_hash, %(at)s FROM jsonb_to_recordset(%(rows)s) AS p(station_id text, password_hash text)
ON CONFLICT (station_id) DO UPDATE
SET password_hash = excluded.password_hash, pending_hash = NULL, updated_at = excluded.updated_at
"""

# A new password in place of another ends certificates too, as `evpower station password` does.
END_CERTIFICATES = """
INSERT INTO evpower.station_trust (station_id, certificates_ended_at)
SELECT station_id, %(at)s FROM evpower.station_credentials WHERE station_id = ANY(%(stations)s)
ON CONFLICT (station_id) DO UPDATE SET profile_seen = 0, certificates_ended_at = excluded.certificates_ended_at
"""

READ_OPENINGS = """
SELECT p.client_id, p.amount_tyiyn FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
WHERE e.key = ANY(%(keys)s) AND p.account = 'client'
"""


@dataclass(frozen=True)
class Difference:
    """A field that a file changes; without a field: a row that it adds."""

    kind: str
    id: str
    field: str | None = None
    old: object = None
    new: object = None


@dataclass(frozen=True)
class FleetReport:
    """Rows by kind, and configurations that want a look; differences only of what is tried."""

    created: dict[str, int]
    changed: dict[str, int]
    unchanged: dict[str, int]
    warnings: tuple[str, ...]
    differences: tuple[Difference, ...] = ()


class Tally:
    """Counts rows while the tables are written; with `compares` it notes what becomes different too."""

    def __init__(self, *, compares: bool = False) -> None:
        self.compares = compares
        self.differences: list[Difference] = []
        self.created: dict[str, int] = {}
        self.changed: dict[str, int] = {}
        self.unchanged: dict[str, int] = {}

    def add(self, kind: str, total: int, created: int, changed: int) -> None:
        for counts, rows in (
            (self.created, created),
            (self.changed, changed),
            (self.unchanged, total - created - changed),
        ):
            if rows:
                counts[kind] = rows


async def lock_imports(conn: Conn) -> None:
    """No other import and no administrator changes the network until the end of this unit of work."""
    await conn.execute(LOCK_IMPORTS)


async def apply_fleet(
    conn: Conn, fleet: Fleet, at: datetime, passwords: Passwords, tally: Tally, *, move_app_tags: bool
) -> list[str]:
    """Write a fleet's rows within the caller's unit of work, and count them; what is doubtful of it then.

    Raises InvalidRequest when the file contradicts what is stored, such as a serial number of another station, and for
    a tag of the app that it gives to another client, unless `move_app_tags`.
    """
    await lock_imports(conn)
    # Hashing takes its time, so it comes before the first row is locked.
    credentials = await _new_credentials(conn, fleet, passwords)
    await _check_clients(conn, fleet)
    try:
        for table, rows in _rows(fleet):
            if table is ID_TAGS:
                await _check_tags(conn, fleet.id_tags, move_app_tags=move_app_tags)
            await _write(conn, table, rows, at, tally)
    except (errors.UniqueViolation, errors.ForeignKeyViolation, errors.CheckViolation) as error:
        raise InvalidRequest((_place(error), _contradiction(error))) from error
    await _write_credentials(conn, fleet, credentials, at, tally)
    stations = [station.id for station in fleet.stations]
    await conn.execute(LIST_CONNECTOR_TYPES, {"stations": stations, "at": at})
    await conn.execute(SHOW_CONNECTORS, {"stations": stations, "at": at})
    await conn.execute(COUNT_LOCATIONS, {"at": at})
    return await configuration_doubts(conn, stations)


def _rows(fleet: Fleet) -> Iterable[tuple[Table, list[Any]]]:
    """Each table with its rows: clients first, as everywhere (design §5), and the referred before the referring."""
    yield CLIENTS, list(fleet.clients)
    yield TARIFF_PLANS, list(fleet.tariff_plans)
    yield TARIFF_RULES, [rule for plan in fleet.tariff_plans for rule in plan.rules]
    yield LOCATIONS, list(fleet.locations)
    yield STATIONS, list(fleet.stations)
    yield STATION_POLICIES, list(fleet.policies)
    yield CONNECTORS, [connector for station in fleet.stations for connector in station.connectors]
    yield CONNECTOR_EVSES, list(fleet.placed_connectors)
    yield ID_TAGS, list(fleet.id_tags)


async def _check_clients(conn: Conn, fleet: Fleet) -> None:
    """Whoever was merged is written under the survivor's id: an alias has no name, and no phone (identity §2)."""
    named: dict[str, ClientId | None] = {
        f"clients[{number}].id": client.id for number, client in enumerate(fleet.clients)
    }
    named |= {f"id_tags[{number}].client_id": tag.client_id for number, tag in enumerate(fleet.id_tags)}
    rows = await (await conn.execute(MERGED, {"ids": list(set(named.values()))})).fetchall()
    into = {row["id"]: row["merged_into"] for row in rows}
    wrong = [(field, f"was merged into {into[each]}: write that id") for field, each in named.items() if each in into]
    if wrong:
        raise InvalidRequest(*wrong)


async def _check_tags(conn: Conn, id_tags: Sequence[IdTag], *, move_app_tags: bool) -> None:
    """A tag of the app stays one, and its client's; a phone number may be no card (safe by default 9)."""
    texts = [tag.id_tag for tag in id_tags]
    clients = await app_tags_among(conn, texts)
    phones = await phones_among(conn, texts)
    wrong = []
    for number, tag in enumerate(id_tags):
        client_id = clients.get(tag.id_tag.lower())
        if client_id is None:
            if tag.id_tag in phones:
                wrong.append((f"id_tags[{number}].id_tag", "must not be a phone number"))
            continue
        if tag.tag_type is not None:
            wrong.append((f"id_tags[{number}].tag_type", "is not changed: the tag was made for starts from the app"))
        if tag.client_id not in (None, client_id) and not move_app_tags:
            wrong.append((f"id_tags[{number}].client_id", MOVED))
    if wrong:
        raise InvalidRequest(*wrong)


async def _write(conn: Conn, table: Table, rows: list[Any], at: datetime, tally: Tally) -> None:
    """Add what is new, then change what differs."""
    if not rows:
        return
    parameters = {"rows": Jsonb([_json_row(table, row) for row in rows]), "at": at}
    before = await _stored(conn, table, parameters) if tally.compares else {}
    created = (await conn.execute(table.insert, parameters)).rowcount
    changed = (await conn.execute(table.update, parameters)).rowcount
    tally.add(table.kind, len(rows), created, changed)
    if tally.compares:
        tally.differences += _differences(table, before, await _stored(conn, table, parameters))


async def _stored(conn: Conn, table: Table, parameters: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows that the file names, by their key."""
    rows = await (await conn.execute(table.stored, parameters)).fetchall()
    return {"/".join(str(row["fields"][name]) for name in table.key): row["fields"] for row in rows}


def _differences(
    table: Table, before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> Iterable[Difference]:
    for key, fields in after.items():
        old = before.get(key)
        if old is None:
            yield Difference(table.kind, key)
            continue
        for name in table.names:
            if old[name] != fields[name]:
                yield Difference(table.kind, key, name, old[name], fields[name])


def _json_row(table: Table, row: Any) -> dict[str, Any]:
    return {name: _json(getattr(row, name)) for name in table.names}


def _json(value: Any) -> Any:
    """Exact in JSON: PostgreSQL reads the text into the column's own type."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date | time) else value


def _place(error: Any) -> str:
    """`stations.serial_number`, as far as PostgreSQL says it."""
    column = error.diag.column_name or (KEY.match(error.diag.message_detail or "") or [None, None])[1]
    return ".".join(name for name in (error.diag.table_name, column) if name) or "file"


def _contradiction(error: Any) -> str:
    return f"contradicts what is stored: {error.diag.message_detail or error.diag.message_primary}"


async def _new_credentials(conn: Conn, fleet: Fleet, passwords: Passwords) -> dict[str, str]:
    """The hashes of passwords that differ from the stored ones, by station."""
    given = {str(station.id): station.password for station in fleet.stations if station.password is not None}
    if not given:
        return {}
    cursor = await conn.execute(READ_CREDENTIALS, {"stations": list(given)})
    stored = {row["station_id"]: row["password_hash"] for row in await cursor.fetchall()}
    return await trio.to_thread.run_sync(_hashes, given, stored, passwords, abandon_on_cancel=True)


def _hashes(given: dict[str, str], stored: dict[str, str], passwords: Passwords) -> dict[str, str]:
    return {
        station_id: passwords.hash(password)
        for station_id, password in given.items()
        if station_id not in stored or not passwords.verify(password, stored[station_id])
    }


async def _write_credentials(conn: Conn, fleet: Fleet, credentials: dict[str, str], at: datetime, tally: Tally) -> None:
    given = sum(station.password is not None for station in fleet.stations)
    if credentials:
        rows = [{"station_id": station_id, "password_hash": each} for station_id, each in credentials.items()]
        await conn.execute(END_CERTIFICATES, {"stations": list(credentials), "at": at})
        await conn.execute(WRITE_CREDENTIALS, {"rows": Jsonb(rows), "at": at})
    tally.add("passwords", given, 0, len(credentials))


async def read_openings(conn: Conn, keys: Sequence[str]) -> dict[ClientId, int]:
    """The opening balances that were booked under these keys, by client, in tyiyn."""
    cursor = await conn.execute(READ_OPENINGS, {"keys": list(keys)})
    return {ClientId(row["client_id"]): int(row["amount_tyiyn"]) for row in await cursor.fetchall()}
