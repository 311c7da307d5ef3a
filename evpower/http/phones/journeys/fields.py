"""Places, cars and searches as requests write them (roadmap/forecast-navigation §5)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from evpower.http.wire.kinds import FLAG, MOMENT, POWER_KW, QUERY_TEXT, FieldKind, Schema, WrongValue, counted, one_of
from evpower.http.wire.requests import BodyFields
from evpower.navigation.distance import GeoPoint
from evpower.navigation.journey import Car
from evpower.navigation.service import NearSearch, Sort
from evpower.network.listing import LocationFilter

RADIUS_KM, RADIUS_MOST_KM = 10.0, 100.0
LIMIT, LIMIT_MOST = 20, 50
TYPES_MOST, TYPE_CHARS = 10, 50
#: Each figure of a car, its bounds, and what it is when it is left out (None: it must be there).
FIGURES: Mapping[str, tuple[float, float, float | None]] = {
    "battery_kwh": (1, 1000, None),
    "consumption_kwh_100km": (1, 500, None),
    "soc_percent": (0, 100, None),
    "min_soc_percent": (0, 80, 10),
    "max_power_kw": (1, 2000, None),
}


@dataclass(frozen=True)
class PlanOrder:
    """From where to where, with which car, when."""

    start: GeoPoint
    end: GeoPoint
    vehicle: Car
    depart_at: datetime | None


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise WrongValue(f"число от {low:g} до {high:g}")
    return value


def _from_text(value: Any) -> float:
    try:
        return float(str(value))
    except ValueError:
        return math.nan


def _from_json(value: Any) -> float:
    return float(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else math.nan


def _in_address(low: float, high: float) -> FieldKind[float]:
    schema: Schema = {"type": "number", "minimum": low, "maximum": high}
    return FieldKind(schema, lambda value: _within(_from_text(value), low, high))


def _read_pair(value: Any) -> GeoPoint:
    latitude, _, longitude = str(value).partition(",")
    return GeoPoint(_within(_from_text(latitude), -90, 90), _within(_from_text(longitude), -180, 180))


def _read_place(value: Any) -> GeoPoint:
    if not isinstance(value, dict):
        raise WrongValue("объект с полями lat и lon")
    return GeoPoint(_within(_from_json(value.get("lat")), -90, 90), _within(_from_json(value.get("lon")), -180, 180))


def _read_vehicle(value: Any) -> Car:
    """The first figure that is wrong is named in the text."""
    if not isinstance(value, dict):
        raise WrongValue("объект")
    figures = dict[str, float]()
    for name, (low, high, default) in FIGURES.items():
        given = value.get(name)
        number = default if given is None and default is not None else _from_json(given)
        if not low <= number <= high:
            raise WrongValue(f"{name}: число от {low:g} до {high:g}")
        figures[name] = number
    types = value.get("connector_types")
    if not isinstance(types, list) or not 1 <= len(types) <= TYPES_MOST:
        raise WrongValue(f"connector_types: от 1 до {TYPES_MOST} типов")
    if not all(isinstance(each, str) and 1 <= len(each) <= TYPE_CHARS for each in types):
        raise WrongValue(f"connector_types: от 1 до {TYPE_CHARS} символов")
    return Car(**figures, connector_types=tuple(types))


LATITUDE, LONGITUDE, RADIUS = _in_address(-90, 90), _in_address(-180, 180), _in_address(0.1, RADIUS_MOST_KM)
#: In an address: `42.8746,74.5698`.
PAIR: FieldKind[GeoPoint] = FieldKind({"type": "string", "pattern": r"^-?[0-9.]+,-?[0-9.]+$"}, _read_pair)
#: In a body.
PLACE: FieldKind[GeoPoint] = FieldKind(
    {
        "type": "object",
        "properties": {
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
        },
        "required": ["lat", "lon"],
    },
    _read_place,
)
VEHICLE: FieldKind[Car] = FieldKind(
    {
        "type": "object",
        "properties": {
            **{name: {"type": "number", "minimum": low, "maximum": high} for name, (low, high, _) in FIGURES.items()},
            "connector_types": {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": TYPE_CHARS},
                "minItems": 1,
                "maxItems": TYPES_MOST,
            },
        },
        "required": [*(name for name, (_, _, default) in FIGURES.items() if default is None), "connector_types"],
    },
    _read_vehicle,
)


def near_query(fields: BodyFields) -> NearSearch:
    """What is looked for around a place. Raises InvalidRequest."""
    latitude, longitude = fields.required("latitude", LATITUDE), fields.required("longitude", LONGITUDE)
    radius_km = fields.optional("radius_km", RADIUS)
    connector_type = fields.optional("connector_type", QUERY_TEXT)
    power_kw = fields.optional("min_power", POWER_KW)
    available = fields.optional("available", FLAG)
    sort = fields.optional("sort", one_of("distance", "arrival", "price"))
    limit = fields.optional("limit", counted(1, LIMIT_MOST))
    fields.check()
    return NearSearch(
        middle=GeoPoint(latitude or 0.0, longitude or 0.0),
        radius_km=radius_km or RADIUS_KM,
        wanted=LocationFilter(connector_type=connector_type, power_kw_min=power_kw),
        only_available=available or False,
        sort=cast("Sort", sort or "distance"),
        limit=limit or LIMIT,
    )


def links_query(fields: BodyFields) -> GeoPoint | None:
    """From where. Raises InvalidRequest."""
    start = fields.optional("from", PAIR)
    fields.check()
    return start


def plan_order(fields: BodyFields) -> PlanOrder:
    """Raises InvalidRequest."""
    start, end = fields.required("from", PLACE), fields.required("to", PLACE)
    vehicle, depart_at = fields.required("vehicle", VEHICLE), fields.optional("depart_at", MOMENT)
    fields.check()
    return PlanOrder(cast("GeoPoint", start), cast("GeoPoint", end), cast("Car", vehicle), depart_at)
