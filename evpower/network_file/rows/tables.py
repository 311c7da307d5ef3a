"""The tables a fleet file fills, and the two statements that fill each: add what is new, change what differs.

Rows come as one JSON parameter. NULL in a row is a field the file leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

INSERT = """
INSERT INTO {table} ({names}, {stamps}) SELECT {values}, {now}
FROM jsonb_to_recordset(%(rows)s) AS p({types})
ON CONFLICT ({conflict}) DO NOTHING
"""

UPDATE = """
UPDATE {table} t SET {assignments}
FROM jsonb_to_recordset(%(rows)s) AS p({types})
WHERE {match} AND ({new}) IS DISTINCT FROM ({old})
"""


#: The rows that the file names, whole.
STORED = """
SELECT to_jsonb(t) AS fields FROM {table} t JOIN jsonb_to_recordset(%(rows)s) AS p({types}) ON {match}
"""

EMPTY = "UPDATE {table} SET {assignments}, updated_at = %(at)s WHERE {match} AND num_nonnulls({names}) > 0"


@dataclass(frozen=True)
class Table:
    """A table: `kind` is what a report calls its rows, `key` what a row is known by in the file.

    `columns` are (name, type, default in a new row); a column of `fixed` is written once, one of `emptiable` may be
    emptied again.
    """

    kind: str
    name: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str, str], ...]
    fixed: tuple[str, ...] = ()
    emptiable: tuple[str, ...] = ()
    conflict: str = ""
    match: str = ""
    has_updated_at: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self.columns)

    @cached_property
    def insert(self) -> str:
        """Adds rows whose key is new; takes `rows` and `at`."""
        stamps = ("created_at", "updated_at") if self.has_updated_at else ("created_at",)
        return INSERT.format(
            table=self.name,
            names=", ".join(self.names),
            stamps=", ".join(stamps),
            values=", ".join(f"coalesce(p.{name}, {default}::{type_})" for name, type_, default in self.columns),
            now=", ".join("%(at)s" for _ in stamps),
            types=self._types(),
            conflict=self.conflict or ", ".join(self.key),
        )

    @cached_property
    def update(self) -> str:
        """Changes rows that differ in what the file states; takes `rows` and `at`."""
        names = [name for name in self.names if name not in (*self.key, *self.fixed)]
        assignments = [f"{name} = coalesce(p.{name}, t.{name})" for name in names]
        if self.has_updated_at:
            assignments.append("updated_at = %(at)s")
        return UPDATE.format(
            table=self.name,
            assignments=", ".join(assignments),
            types=self._types(),
            match=self._match(),
            new=", ".join(f"coalesce(p.{name}, t.{name})" for name in names),
            old=", ".join(f"t.{name}" for name in names),
        )

    def emptying(self, names: Sequence[str]) -> str:
        """Empties columns of one row; takes its key's columns and `at`. Raises ValueError for one that is needed."""
        if needed := set(names) - set(self.emptiable):
            raise ValueError(f"{self.name} needs {sorted(needed)}")
        return EMPTY.format(
            table=self.name,
            assignments=", ".join(f"{name} = NULL" for name in names),
            match=" AND ".join(f"{name} = %({name})s" for name in self.key),
            names=", ".join(names),
        )

    @cached_property
    def stored(self) -> str:
        """Reads the rows that there are; takes `rows`."""
        return STORED.format(table=self.name, types=self._types(), match=self._match())

    def _match(self) -> str:
        return self.match or " AND ".join(f"t.{name} = p.{name}" for name in self.key)

    def _types(self) -> str:
        return ", ".join(f"{name} {type_}" for name, type_, _ in self.columns)


CLIENTS = Table(
    "clients",
    "public.clients",
    ("id",),
    (
        ("id", "text", "NULL"),
        ("phone", "text", "NULL"),
        ("name", "text", "NULL"),
        ("email", "text", "NULL"),
        ("status", "text", "'active'"),
    ),
)
TARIFF_PLANS = Table(
    "tariff_plans",
    "public.tariff_plans",
    ("id",),
    (
        ("id", "text", "NULL"),
        ("name", "text", "NULL"),
        ("description", "text", "NULL"),
        ("is_default", "boolean", "false"),
        ("is_active", "boolean", "true"),
        ("billing_mode", "text", "'snapshot'"),
        ("parking_grace_minutes", "int", "NULL"),
        ("parking_cap", "numeric", "NULL"),
        ("only_above_occupancy", "int", "NULL"),
        ("parking_quiet_from", "time", "NULL"),
        ("parking_quiet_until", "time", "NULL"),
    ),
    emptiable=(
        "description",
        "parking_grace_minutes",
        "parking_cap",
        "only_above_occupancy",
        "parking_quiet_from",
        "parking_quiet_until",
    ),
)
TARIFF_RULES = Table(
    "tariff_rules",
    "public.tariff_rules",
    ("id",),
    (
        ("id", "text", "NULL"),
        ("tariff_plan_id", "text", "NULL"),
        ("name", "text", "NULL"),
        ("description", "text", "NULL"),
        ("tariff_type", "text", "NULL"),
        ("connector_type", "text", "'ALL'"),
        ("power_range_min", "double precision", "0"),
        ("power_range_max", "double precision", "1000"),
        ("price", "numeric", "NULL"),
        ("currency", "text", "'KGS'"),
        ("time_start", "time", "NULL"),
        ("time_end", "time", "NULL"),
        ("days_of_week", "int[]", "NULL"),
        ("is_weekend", "boolean", "NULL"),
        ("priority", "int", "0"),
        ("is_active", "boolean", "true"),
        ("valid_from", "date", "NULL"),
        ("valid_until", "date", "NULL"),
        ("min_duration_minutes", "int", "NULL"),
        ("max_duration_minutes", "int", "NULL"),
    ),
    emptiable=(
        "description",
        "time_start",
        "time_end",
        "days_of_week",
        "is_weekend",
        "valid_from",
        "valid_until",
        "min_duration_minutes",
        "max_duration_minutes",
    ),
)
LOCATIONS = Table(
    "locations",
    "public.locations",
    ("id",),
    (
        ("id", "text", "NULL"),
        ("name", "text", "NULL"),
        ("address", "text", "NULL"),
        ("city", "text", "NULL"),
        ("country", "text", "NULL"),
        ("latitude", "double precision", "NULL"),
        ("longitude", "double precision", "NULL"),
        ("status", "text", "'active'"),
        ("user_id", "text", "NULL"),
        ("admin_id", "text", "NULL"),
        ("entrance_latitude", "double precision", "NULL"),
        ("entrance_longitude", "double precision", "NULL"),
        ("directions", "jsonb", "NULL"),
        ("height_limit_m", "double precision", "NULL"),
        ("opening_hours", "jsonb", "NULL"),
    ),
    emptiable=(
        "city",
        "country",
        "latitude",
        "longitude",
        "user_id",
        "admin_id",
        "entrance_latitude",
        "entrance_longitude",
        "directions",
        "height_limit_m",
        "opening_hours",
    ),
)
STATIONS = Table(
    "stations",
    "public.stations",
    ("id",),
    (
        ("id", "text", "NULL"),
        ("location_id", "text", "NULL"),
        ("serial_number", "text", "NULL"),
        ("model", "text", "''"),
        ("manufacturer", "text", "''"),
        ("power_capacity", "double precision", "0"),
        ("connectors_count", "int", "0"),
        ("status", "text", "'active'"),
        ("tariff_plan_id", "text", "NULL"),
        ("price_per_kwh", "numeric", "NULL"),
        ("session_fee", "numeric", "0"),
        ("currency", "text", "'KGS'"),
        ("firmware_version", "text", "NULL"),
        ("installation_date", "date", "NULL"),
        ("user_id", "text", "NULL"),
    ),
    emptiable=("tariff_plan_id", "price_per_kwh", "firmware_version", "installation_date", "user_id"),
)
CONNECTORS = Table(
    "connectors",
    "public.connectors",
    ("station_id", "connector_number"),
    (
        ("id", "text", "NULL"),
        ("station_id", "text", "NULL"),
        ("connector_number", "int", "NULL"),
        ("connector_type", "text", "''"),
        ("power_kw", "double precision", "NULL"),
        ("is_enabled", "boolean", "true"),
    ),
    fixed=("id",),
    emptiable=("power_kw",),
)
CONNECTOR_EVSES = Table(
    "connector_evses",
    "evpower.connector_evses",
    ("station_id", "connector_number"),
    (
        ("station_id", "text", "NULL"),
        ("connector_number", "int", "NULL"),
        ("evse_id", "int", "NULL"),
        ("evse_connector", "int", "1"),
    ),
)
STATION_POLICIES = Table(
    "station_policies",
    "evpower.station_policies",
    ("station_id",),
    (("station_id", "text", "NULL"), ("free_vend", "boolean", "false")),
)
#: The same card in other letters is the same card.
ID_TAGS = Table(
    "id_tags",
    "evpower.ocpp_authorization",
    ("id_tag",),
    (
        ("id_tag", "text", "NULL"),
        ("tag_type", "text", "NULL"),
        ("status", "text", "'Accepted'"),
        ("client_id", "text", "NULL"),
        ("parent_id_tag", "text", "NULL"),
        ("expiry_date", "timestamptz", "NULL"),
    ),
    conflict="lower(id_tag)",
    match="lower(t.id_tag) = lower(p.id_tag)",
    has_updated_at=False,
)
