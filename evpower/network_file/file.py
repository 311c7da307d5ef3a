"""Reads a fleet file (design §8): locations with stations with connectors, id tags, clients, tariff plans with rules.

Names are the columns of the tables. `evpower/network_file/rows/apply.py` writes what is read here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar, get_args

from evpower.billing.tariff import TariffType
from evpower.errors import InvalidRequest
from evpower.identifiers import CLIENT_ID, PHONE, STATION_ID, ClientId, StationId
from evpower.money import exact_tyiyn
from evpower.network_file.fields import Fields, Problem
from evpower.network_file.opening_hours import read_directions, read_opening_hours
from evpower.network_file.parts import Client, Connector, Fleet, IdTag, Location, Station, TariffPlan, TariffRule
from evpower.security.passwords import CHARS_MAX, CHARS_MIN, is_long_enough, is_printable

ADMIN_STATUSES = ("active", "inactive", "maintenance")
#: What numeric(12,2) holds, with room.
MOST_SOM = 1_000_000_000
Row = TypeVar("Row", Location, Station, TariffPlan)
TIMES = ("created_at", "updated_at")


def parse_fleet(text: str) -> Fleet:
    """Read a fleet file. Raises InvalidRequest that names every wrong field by its path."""
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(("file", f"is not TOML: {error}")) from None
    problems: list[Problem] = []
    warnings: list[str] = []
    root = Fields(document, "", problems, warnings)
    reader = FleetReader()
    locations = tuple(reader.location(fields) for fields in root.tables("locations"))
    id_tags = tuple(reader.id_tag(fields) for fields in root.tables("id_tags"))
    clients = tuple(reader.client(fields) for fields in root.tables("clients"))
    plans = tuple(reader.tariff_plan(fields) for fields in root.tables("tariff_plans"))
    root.done()
    if problems:
        raise InvalidRequest(*problems)
    return Fleet(locations, id_tags, clients, plans, tuple(warnings))


def read_station(station: Mapping[str, Any], id: str, name: str, address: str) -> Fleet:
    """One station, as a fleet file writes it, at a location that exists. Raises InvalidRequest like `parse_fleet`."""
    read, warnings = _read(station, lambda fields: FleetReader().station(fields, id))
    named = Fields({"id": id, "name": name, "address": address}, "", [], [])
    place = replace(FleetReader().location(named), stations=(read,))
    return Fleet((place,), (), (), (), warnings)


def read_location(location: Mapping[str, Any]) -> Fleet:
    """One location, as a fleet file writes it. Raises InvalidRequest like `parse_fleet`."""
    read, warnings = _read(location, FleetReader().location)
    return Fleet((read,), (), (), (), warnings)


def read_tariff_plan(plan: Mapping[str, Any]) -> Fleet:
    """One tariff plan, as a fleet file writes it. Raises InvalidRequest like `parse_fleet`."""
    read, warnings = _read(plan, FleetReader().tariff_plan)
    return Fleet((), (), (), (read,), warnings)


def _read(table: Mapping[str, Any], reader: Callable[[Fields], Row]) -> tuple[Row, tuple[str, ...]]:
    problems: list[Problem] = []
    warnings: list[str] = []
    row = reader(Fields(table, "", problems, warnings))
    if problems:
        raise InvalidRequest(*problems)
    return row, tuple(warnings)


class FleetReader:
    """Reads tables into rows, and remembers names so that none is used twice.

    Rows may hold None where a required field was wrong: `parse_fleet` throws them away with the problems.
    """

    def __init__(self) -> None:
        self._first_at: dict[tuple[str, Hashable], str] = {}

    def location(self, fields: Fields) -> Location:
        location_id = self._id(fields, "location")
        location = Location(
            id=location_id,
            name=fields.required("name", fields.text("name")),
            address=fields.required("address", fields.text("address")),
            city=fields.text("city"),
            country=fields.text("country"),
            latitude=fields.number("latitude", -90, 90),
            longitude=fields.number("longitude", -180, 180),
            status=fields.one_of("status", ADMIN_STATUSES),
            user_id=fields.text("user_id"),
            admin_id=fields.text("admin_id"),
            entrance_latitude=fields.number("entrance_latitude", -90, 90),
            entrance_longitude=fields.number("entrance_longitude", -180, 180),
            directions=read_directions(fields),
            height_limit_m=_height_limit(fields),
            opening_hours=read_opening_hours(fields),
            stations=tuple(self.station(each, location_id) for each in fields.tables("stations")),
        )
        fields.done(ours=("stations_count", "connectors_count", *TIMES))
        return location

    def station(self, fields: Fields, location_id: str) -> Station:
        station_id = StationId(self._id(fields, "station"))
        if station_id is not None and not STATION_ID.fullmatch(station_id):
            fields.wrong("id", "must be 1 to 50 letters, digits, _ or -")
        connectors = tuple(self.connector(each, station_id) for each in fields.tables("connectors"))
        serial_number = fields.required("serial_number", fields.text("serial_number"))
        self._once(fields, "serial_number", "serial number", serial_number)
        station = Station(
            id=station_id,
            location_id=location_id,
            serial_number=serial_number,
            model=fields.text("model"),
            manufacturer=fields.text("manufacturer"),
            power_capacity=fields.number("power_capacity", 0, 10_000),
            connectors_count=_connectors_count(fields, connectors),
            status=fields.one_of("status", ADMIN_STATUSES),
            tariff_plan_id=fields.text("tariff_plan_id"),
            price_per_kwh=fields.number("price_per_kwh", 0, MOST_SOM),
            session_fee=fields.number("session_fee", 0, MOST_SOM),
            currency=fields.one_of("currency", ("KGS",)),
            firmware_version=fields.text("firmware_version"),
            installation_date=fields.day("installation_date"),
            user_id=fields.text("user_id"),
            password=_password(fields),
            free_vend=fields.flag("free_vend"),
            connectors=connectors,
        )
        fields.done(ours=("location_id", "connector_types", "is_available", "last_heartbeat_at", *TIMES))
        return station

    def connector(self, fields: Fields, station_id: StationId) -> Connector:
        number = fields.required("connector_number", fields.whole("connector_number", 1, 1000))
        is_new = self._once(fields, "connector_number", "connector", None if number is None else (station_id, number))
        connector = Connector(
            id=fields.text("id") or f"{station_id}-{number}",
            station_id=station_id,
            connector_number=number,
            connector_type=fields.text("connector_type"),
            power_kw=fields.number("power_kw", 0, 10_000),
            is_enabled=fields.flag("is_enabled"),
            evse_id=fields.whole("evse_id", 1, 1000),
            evse_connector=fields.whole("evse_connector", 1, 1000),
        )
        self._once(fields, "id", "connector id", connector.id)
        if connector.evse_id is None and connector.evse_connector is not None:
            fields.wrong("evse_connector", "needs evse_id")
        place = (station_id, connector.evse_id or number, connector.evse_connector or 1)
        self._once(fields, "evse_id", "EVSE and connector", place if is_new else None)
        fields.done(ours=("station_id", "status", "ocpp_status", "error_code", "last_status_update", *TIMES))
        return connector

    def id_tag(self, fields: Fields) -> IdTag:
        id_tag = fields.required("id_tag", fields.text("id_tag", longest=36))
        self._once(fields, "id_tag", "tag", id_tag and id_tag.lower())
        tag_type = fields.text("tag_type", longest=36)
        if tag_type == "app":
            fields.wrong("tag_type", "must not be app: such tags are made by starts from the app")
        tag = IdTag(
            id_tag=id_tag,
            tag_type=tag_type,
            status=fields.one_of("status", ("Accepted", "Blocked", "Expired", "Invalid")),
            client_id=_client_id(fields, "client_id"),
            parent_id_tag=fields.text("parent_id_tag", longest=36),
            expiry_date=fields.moment("expiry_date"),
        )
        fields.done(ours=("created_at",))
        return tag

    def client(self, fields: Fields) -> Client:
        client_id = fields.required("id", _client_id(fields, "id"))
        self._once(fields, "id", "client", client_id)
        client = Client(
            id=client_id,
            phone=self._phone(fields),
            name=fields.text("name"),
            email=fields.text("email"),
            status=fields.one_of("status", ("active", "inactive", "blocked")),
            opening_balance_tyiyn=_opening_balance_tyiyn(fields),
        )
        fields.done(ours=("balance", "debt_amount", *TIMES))
        return client

    def tariff_plan(self, fields: Fields) -> TariffPlan:
        plan_id = self._id(fields, "tariff plan")
        rules = tuple(
            self.tariff_rule(each, plan_id, position) for position, each in enumerate(fields.tables("rules"), start=1)
        )
        plan = TariffPlan(
            id=plan_id,
            name=fields.required("name", fields.text("name")),
            description=fields.text("description"),
            is_default=fields.flag("is_default"),
            is_active=fields.flag("is_active"),
            billing_mode=fields.one_of("billing_mode", ("snapshot", "segments")),
            parking_grace_minutes=fields.whole("parking_grace_minutes", 0, 1_440),
            parking_cap=fields.number("parking_cap", 1, MOST_SOM),
            only_above_occupancy=fields.whole("only_above_occupancy", 0, 100),
            parking_quiet_from=fields.time_of_day("parking_quiet_from"),
            parking_quiet_until=fields.time_of_day("parking_quiet_until"),
            rules=rules,
        )
        if (plan.parking_quiet_from is None) != (plan.parking_quiet_until is None):
            fields.wrong("parking_quiet_until", "must stand beside parking_quiet_from, and neither alone")
        fields.done(ours=TIMES)
        return plan

    def tariff_rule(self, fields: Fields, plan_id: str, position: int) -> TariffRule:
        rule = TariffRule(
            id=fields.text("id") or f"{plan_id}-{position}",
            tariff_plan_id=plan_id,
            name=fields.required("name", fields.text("name")),
            description=fields.text("description"),
            tariff_type=fields.required("tariff_type", fields.one_of("tariff_type", get_args(TariffType))),
            connector_type=fields.text("connector_type"),
            power_range_min=fields.number("power_range_min", 0, 10_000),
            power_range_max=fields.number("power_range_max", 0, 10_000),
            price=fields.required("price", fields.number("price", 0, MOST_SOM)),
            currency=fields.one_of("currency", ("KGS",)),
            time_start=fields.time_of_day("time_start"),
            time_end=fields.time_of_day("time_end"),
            days_of_week=fields.wholes("days_of_week", 1, 7),
            is_weekend=fields.flag("is_weekend"),
            priority=fields.whole("priority", -1_000_000, 1_000_000),
            is_active=fields.flag("is_active"),
            valid_from=fields.day("valid_from"),
            valid_until=fields.day("valid_until"),
            min_duration_minutes=fields.whole("min_duration_minutes", 0, 1_000_000),
            max_duration_minutes=fields.whole("max_duration_minutes", 0, 1_000_000),
        )
        self._once(fields, "id", "tariff rule", rule.id)
        fields.done(ours=("tariff_plan_id", *TIMES))
        return rule

    def _id(self, fields: Fields, what: str) -> str:
        value: str = fields.required("id", fields.text("id"))
        self._once(fields, "id", what, value)
        return value

    def _phone(self, fields: Fields) -> str | None:
        phone = fields.text("phone")
        if phone is not None and not PHONE.fullmatch(phone):
            fields.wrong("phone", "must be a number in E.164's writing, such as +996555123456")
        self._once(fields, "phone", "phone", phone)
        return phone

    def _once(self, fields: Fields, key: str, what: str, name: Hashable) -> bool:
        """Note a name that is used twice in the file; True when it is not."""
        if name is None:
            return False
        first_at = self._first_at.setdefault((what, name), fields.at(key))
        if first_at != fields.at(key):
            fields.wrong(key, f"is the {what} of {first_at} already")
        return first_at == fields.at(key)


def _height_limit(fields: Fields) -> Decimal | None:
    """Metres under a gate."""
    height_m = fields.number("height_limit_m", 0, 100)
    if height_m == 0:
        fields.wrong("height_limit_m", "must be more than 0")
    return height_m


def _password(fields: Fields) -> str | None:
    """A station's password, as long as at every other entry (safe by default 8)."""
    password = fields.text("password")
    if password is not None and not (is_long_enough(password) and is_printable(password)):
        fields.wrong("password", f"must be {CHARS_MIN} to {CHARS_MAX} printable ASCII characters")
        return None
    return password


def _connectors_count(fields: Fields, connectors: tuple[Connector, ...]) -> int:
    """Physical sockets: as stated, or as many as the connectors need."""
    stated = fields.whole("connectors_count", 0, 1000)
    if stated is not None:
        return stated
    numbers = [connector.connector_number for connector in connectors if connector.connector_number is not None]
    return max([len(numbers), *numbers])


def _client_id(fields: Fields, key: str) -> ClientId | None:
    value = fields.text(key)
    if value is not None and not CLIENT_ID.fullmatch(value):
        fields.wrong(key, "must be 1 to 64 letters, digits, _ or -")
    return None if value is None else ClientId(value)


def _opening_balance_tyiyn(fields: Fields) -> int:
    balance = fields.number("opening_balance", 0, MOST_SOM)
    try:
        return 0 if balance is None else exact_tyiyn(balance)
    except ValueError:
        fields.wrong("opening_balance", "must have at most two decimals")
        return 0
