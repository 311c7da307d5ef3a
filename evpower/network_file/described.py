"""What the tables of a fleet file may hold, as JSON Schema: its reader is run with a recorder in a table's place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from evpower.identifiers import StationId
from evpower.network_file.fields import Fields
from evpower.network_file.file import FleetReader

TableSchema = Mapping[str, Any]


def location_schema(*, change: bool) -> TableSchema:
    """A new location, or a change of one: it names what changes, and null empties."""
    return _table(FleetReader().location, change=change, but=("stations",))


def station_schema(*, change: bool) -> TableSchema:
    """A new station with its connectors, or a change of one; the location is named beside its fields."""
    schema = _table(
        lambda fields: FleetReader().station(fields, ""), change=change, but=("password",) if change else ()
    )
    return _with(schema, "location_id", needed=not change)


def connector_schema(*, change: bool) -> TableSchema:
    """A new connector, or a change of one."""
    but = ("connector_number",) if change else ()
    return _table(lambda fields: FleetReader().connector(fields, StationId("")), change=change, but=but)


def tariff_plan_schema(*, change: bool) -> TableSchema:
    """A new tariff plan with its rules, or a change of one."""
    return _table(FleetReader().tariff_plan, change=change)


def tariff_rule_schema(*, change: bool) -> TableSchema:
    """A new rule of a plan, or a change of one."""
    return _table(lambda fields: FleetReader().tariff_rule(fields, "", 1), change=change)


def _table(read: Callable[[Fields], object], *, change: bool, but: Collection[str] = ()) -> TableSchema:
    recorder = _Recorder()
    read(recorder)
    return recorder.schema(change=change, but=(*but, "id") if change else but)


def _with(schema: TableSchema, key: str, *, needed: bool) -> TableSchema:
    required = [*schema["required"], key] if needed else schema["required"]
    return {**schema, "properties": {key: {"type": "string"}, **schema["properties"]}, "required": required}


class _Recorder(Fields):
    """A table without anything in it, which remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__({}, "", [], [])
        self._schemas: dict[str, TableSchema] = {}
        self._tables: dict[str, _Recorder] = {}
        self._objects: dict[str, _Recorder] = {}
        self._needed: list[str] = []

    def schema(self, *, change: bool = False, but: Collection[str] = ()) -> TableSchema:
        asked = self._schemas | {key: {"type": "array", "items": each.schema()} for key, each in self._tables.items()}
        asked |= {key: each.schema() for key, each in self._objects.items()}
        fields = {key: each for key, each in asked.items() if key not in but}
        if change:
            fields = {key: {"anyOf": [each, {"type": "null"}]} for key, each in fields.items()}
        needed = [] if change else [key for key in self._needed if key not in but]
        return {"type": "object", "properties": fields, "required": needed}

    def required(self, key: str, value: Any) -> Any:
        self._needed.append(key)
        return value

    def text(self, key: str, longest: int = 255) -> str | None:
        self._schemas[key] = {"type": "string", "minLength": 1, "maxLength": longest}
        return None

    def one_of(self, key: str, values: tuple[str, ...]) -> str | None:
        self._schemas[key] = {"enum": list(values)}
        return None

    def flag(self, key: str) -> bool | None:
        self._schemas[key] = {"type": "boolean"}
        return None

    def whole(self, key: str, low: int, high: int) -> int | None:
        self._schemas[key] = {"type": "integer", "minimum": low, "maximum": high}
        return None

    def wholes(self, key: str, low: int, high: int) -> list[int] | None:
        self._schemas[key] = {"type": "array", "items": {"type": "integer", "minimum": low, "maximum": high}}
        return None

    def number(self, key: str, low: int, high: int) -> Decimal | None:
        self._schemas[key] = {"type": "number", "minimum": low, "maximum": high}
        return None

    def day(self, key: str) -> date | None:
        self._schemas[key] = {"type": "string", "format": "date"}
        return None

    def time_of_day(self, key: str) -> time | None:
        self._schemas[key] = {"type": "string", "pattern": r"^\d\d:\d\d(:\d\d)?$"}
        return None

    def moment(self, key: str) -> datetime | None:
        self._schemas[key] = {"type": "string", "format": "date-time"}
        return None

    def table(self, key: str) -> Fields | None:
        self._objects[key] = _Recorder()
        return self._objects[key]

    def tables(self, key: str) -> list[Fields]:
        self._tables[key] = _Recorder()
        return [self._tables[key]]

    def done(self, ours: Collection[str] = ()) -> None:
        """Nothing was given, so nothing is unknown."""
