"""What can be done to a station from its page: one table; each act with its right, its fields, and what it does.

A form is read by the table and refused as a whole before anything is done: InvalidRequest names each field and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from evpower.charging.session import StartOrder
from evpower.errors import InvalidRequest
from evpower.http.wire.requests import session_id_or_none
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.ocpp.watch.frame_facts import TRIGGERS
from evpower.pages.stations.device_acts import DEVICE_ACTS, OCPP_201
from evpower.pages.stations.station_act import Doers, FormField, Given, StationAct, operation
from evpower.staff.rights import Right


async def _start(do: Doers, station: StationId, given: Given, actor: str) -> str | None:
    client_id = await _client(do, given["client"])
    amount = given.get("amount")
    order = StartOrder(client_id, station, ConnectorId(given["connector"]), amount_tyiyn=amount)
    return (await do.charging.start_session(order, door="command")).session.session_id


async def _client(do: Doers, text: str) -> ClientId:
    """Whom an id, a phone or a name means. Raises InvalidRequest when that is nobody, or several."""
    found = {each.id for each in await do.finding.find(text) if each.kind == "client"}
    found = {text} if text in found else found
    if len(found) != 1:
        raise InvalidRequest(("client", "not_found" if not found else "several"))
    return ClientId(next(iter(found)))


async def _stop(do: Doers, station: StationId, given: Given, actor: str) -> str | None:
    session_id = session_id_or_none(given["session"])
    if session_id is None or (await do.charging.session(session_id)).station_id != station:
        raise InvalidRequest(("session", "not_here"))
    return (await do.charging.stop_session(session_id, caller=None, actor=actor)).session.phase


async def _maintenance(do: Doers, station: StationId, given: Given, actor: str) -> str | None:
    changed = await do.administration.change_station(station, {"status": given["mode"]}, actor=actor)
    return changed.record.record.status


async def _password(do: Doers, station: StationId, given: Given, actor: str) -> str | None:
    push = given["push"] == "push"
    return (await do.access.set_password(station, given["password"], push=push)).status or "✓"


CONNECTOR = FormField("connector", "connector")
LOCATION = FormField("location", "text")

ACTS: Sequence[StationAct] = (
    StationAct(
        "start",
        (FormField("client", "text"), CONNECTOR, FormField("amount", "sum", is_needed=False)),
        _start,
        rights=(Right.COMMAND, Right.CLIENTS),
    ),
    StationAct("stop", (FormField("session", "session"),), _stop, is_danger=True),
    StationAct("unlock", (CONNECTOR,), operation("unlock", lambda given: {"connector_id": given["connector"]})),
    StationAct(
        "reset",
        (
            FormField("kind", "choice", ("soft", "hard")),
            FormField("connector", "connector", is_needed=False, version=OCPP_201),
        ),
        operation("reset", lambda given: {"kind": given["kind"], "connector_id": given.get("connector")}),
        is_danger=True,
    ),
    StationAct(
        "availability",
        (
            FormField("connector", "connector_or_station"),
            FormField("operative", "choice", ("inoperative", "operative")),
        ),
        operation(
            "change-availability",
            lambda given: {"connector_id": given["connector"], "operative": given["operative"] == "operative"},
        ),
        is_danger=True,
    ),
    StationAct(
        "maintenance",
        (FormField("mode", "choice", ("maintenance", "active")),),
        _maintenance,
        rights=(Right.NETWORK,),
        is_danger=True,
    ),
    StationAct(
        "trigger",
        (FormField("message", "choice", TRIGGERS), FormField("connector", "connector", is_needed=False)),
        operation("trigger", lambda given: {"message": given["message"], "connector_id": given.get("connector")}),
    ),
    StationAct("diagnostics", (LOCATION,), operation("get-diagnostics", lambda given: {"location": given["location"]})),
    StationAct(
        "firmware",
        (LOCATION, FormField("retrieve_at", "moment", is_needed=False)),
        operation(
            "update-firmware", lambda given: {"location": given["location"], "retrieve_at": given.get("retrieve_at")}
        ),
        is_danger=True,
    ),
    StationAct(
        "security_log",
        (LOCATION,),
        operation("get-log", lambda given: {"location": given["location"], "log_type": "SecurityLog"}),
    ),
    StationAct(
        "local_list",
        (FormField("update", "choice", ("difference", "full")),),
        operation("sync-local-list", lambda given: {"full": given["update"] == "full"}),
    ),
    StationAct("clear_cache", (), operation("clear-cache", lambda given: {})),
    StationAct("read_configuration", (), operation("read-configuration", lambda given: {})),
    StationAct(
        "configuration",
        (FormField("setting", "text"), FormField("value", "text", is_needed=False)),
        operation("write-configuration", lambda given: {"values": {given["setting"]: given.get("value", "")}}),
    ),
    StationAct(
        "password",
        (FormField("password", "secret"), FormField("push", "choice", ("push", "here"))),
        _password,
        rights=(Right.NETWORK,),
        is_danger=True,
    ),
    *DEVICE_ACTS,
)
BY_NAME: Mapping[str, StationAct] = {act.name: act for act in ACTS}


def read_fields(act: StationAct, written: Mapping[str, str], read: Callable[[FormField, str], object]) -> Given:
    """What was filled in, each field by its kind. Raises InvalidRequest that names every wrong field."""
    given: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for each in act.fields:
        text = written.get(each.name, "")
        if not text:
            wrong += [(each.name, "needed")] if each.is_needed else []
            continue
        try:
            given[each.name] = read(each, text)
        except ValueError as why:
            wrong.append((each.name, str(why)))
    if wrong:
        raise InvalidRequest(*wrong)
    return given


def local_moment(text: str, zone: Any) -> datetime:
    """What a browser's field for a time gives, in the network's time zone. Raises ValueError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not_a_time") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)
