"""Operators' commands to stations: below the administrators' door and on the control socket."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

import trio
from quart import Blueprint, Response

from evpower.errors import StationNotFound
from evpower.http.operators.operations import OPERATIONS, StationOperations
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import FreeForm, described
from evpower.http.wire.requests import read_object, station_id_or_none
from evpower.http.wire.rights import needs
from evpower.identifiers import StationId
from evpower.staff.rights import Right

#: A command waits for a boot, for earlier commands and for the station; each of them is bounded below this.
ANSWER_WITHIN_S = 120
READ_WITHIN_S = 10
EVENTS_MOST = 200


class SettingBody(TypedDict):
    """A key of a station's configuration."""

    key: str
    value: str | None
    readonly: bool
    reboot_required: bool
    known_at: datetime


class DeviceVariableBody(TypedDict):
    """An attribute of a variable of a station's component (OCPP 2.0.1); no instance is "", no EVSE or connector 0."""

    component: str
    component_instance: str
    evse_id: int
    connector_id: int
    variable: str
    variable_instance: str
    attribute: str
    value: str | None
    mutability: str | None
    persistent: bool
    reported_at: datetime


class DeviceEventBody(TypedDict):
    """An event of a station's component (OCPP 2.0.1 N07), in the standard's words; no EVSE or connector is 0.

    `grave`: it is among the station's own events too.
    """

    event_id: int
    occurred_at: datetime
    received_at: datetime
    component: str
    component_instance: str
    evse_id: int
    connector_id: int
    variable: str
    variable_instance: str
    actual_value: str
    trigger: str
    notification: str
    cause: int | None
    monitor_id: int | None
    transaction_id: str | None
    tech_code: str | None
    tech_info: str | None
    cleared: bool | None
    grave: bool


def command_routes(operations: StationOperations) -> Blueprint:
    """Below /stations/{station_id}:

    `POST commands/{Action}`: the body is the OCPP payload, the data is the station's.
    `POST operations/{name}`: the body is the arguments (`arguments/`).
    `GET configuration`, `GET device`: the last known one; `GET device/events`: the newest. The station is not asked.
    """
    routes = Blueprint("station_commands", __name__, url_prefix="/stations")

    @routes.post("/<station_id>/commands/<action>")
    @needs(Right.COMMAND)
    @described("Send an OCPP message", body={"type": "object"}, data=FreeForm, refused=200)
    async def send(station_id: str, action: str) -> Response:
        payload = await read_object()
        with trio.fail_after(ANSWER_WITHIN_S):
            return written_data(await operations.commands.send(known_station(station_id), action, payload))

    @routes.post("/<station_id>/operations/<name>")
    @needs(Right.COMMAND)
    @described("Have a station do something", body=tuple(OPERATIONS.values()), data=FreeForm, refused=200)
    async def perform(station_id: str, name: str) -> Response:
        arguments = await read_object()
        with trio.fail_after(ANSWER_WITHIN_S):
            return written_data(await operations.perform(known_station(station_id), name, arguments))

    @routes.get("/<station_id>/configuration")
    @needs(Right.READ)
    @described("The last known configuration", data=list[SettingBody])
    async def configuration(station_id: str) -> Response:
        with trio.fail_after(READ_WITHIN_S):
            return written_data(await operations.configuration.known(known_station(station_id)))

    @routes.get("/<station_id>/device")
    @needs(Right.READ)
    @described("The last known device model", data=list[DeviceVariableBody])
    async def device(station_id: str) -> Response:
        with trio.fail_after(READ_WITHIN_S):
            return written_data(await operations.device_model.known(known_station(station_id)))

    @routes.get("/<station_id>/device/events")
    @needs(Right.READ)
    @described("The newest events of its components", data=list[DeviceEventBody])
    async def device_events(station_id: str) -> Response:
        with trio.fail_after(READ_WITHIN_S):
            return written_data(await operations.device_events.newest(known_station(station_id), EVENTS_MOST))

    return routes


def known_station(text: str) -> StationId:
    """A station id from a path. Raises StationNotFound when no station can have it."""
    station_id = station_id_or_none(text)
    if station_id is None:
        raise StationNotFound
    return station_id
