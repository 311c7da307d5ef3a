"""What can be done to a station from its page: one table; each act with its right, its fields, and what it does.

A form is read by the table and refused as a whole before anything is done: InvalidRequest names each field and why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from evpower.administration.client_accounts import ClientAccounts
from evpower.administration.finding import Search
from evpower.administration.service import Administration
from evpower.charging.service import ChargingService
from evpower.charging.session import StartOrder
from evpower.errors import InvalidRequest
from evpower.http.operators.operations import StationOperations
from evpower.http.wire.requests import session_id_or_none
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.ocpp.watch.frame_facts import TRIGGERS
from evpower.security.station_access import StationAccess
from evpower.staff.rights import Right

FieldType: TypeAlias = Literal[
    "connector", "connector_or_station", "choice", "text", "secret", "moment", "sum", "session"
]
#: What was filled in, read: empty fields are not there.
Given: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Doers:
    """The services that acts ask."""

    operations: StationOperations
    charging: ChargingService
    administration: Administration
    access: StationAccess
    accounts: ClientAccounts
    finding: Search


Does: TypeAlias = Callable[[Doers, StationId, Given, str], Awaitable[str | None]]


@dataclass(frozen=True)
class FormField:
    """A field of an act's form; the text `field.{name}` says what it is."""

    name: str
    kind: FieldType
    choices: tuple[str, ...] = ()
    is_needed: bool = True


@dataclass(frozen=True)
class StationAct:
    """One act; `does` gets services, station, fields and actor, and returns what the station answered."""

    name: str
    fields: tuple[FormField, ...]
    does: Does
    rights: tuple[Right, ...] = (Right.COMMAND,)
    is_danger: bool = False

    @property
    def secrets(self) -> frozenset[str]:
        """Fields that are kept nowhere."""
        return frozenset(each.name for each in self.fields if each.kind == "secret")


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


def _operation(name: str, arguments: Callable[[Given], dict[str, Any]]) -> Does:
    """One of the operations that the REST door and `evpower operate` have (`http/operators/operations.py`)."""

    async def does(do: Doers, station: StationId, given: Given, actor: str) -> str | None:
        written = {key: value for key, value in arguments(given).items() if value is not None}
        return shown_answer(await do.operations.perform(station, name, written))

    return does


def shown_answer(answer: Mapping[str, Any]) -> str:
    """The station's own word, and what else it gave: `Accepted`, `Accepted, file_name: x.zip`."""
    status = [str(answer["status"])] if "status" in answer else []
    others = [f"{key}: {value}" for key, value in answer.items() if key != "status" and value is not None]
    return ", ".join((*status, *others)) or "✓"


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
    StationAct("unlock", (CONNECTOR,), _operation("unlock", lambda given: {"connector_id": given["connector"]})),
    StationAct(
        "reset",
        (FormField("kind", "choice", ("soft", "hard")),),
        _operation("reset", lambda given: {"kind": given["kind"]}),
        is_danger=True,
    ),
    StationAct(
        "availability",
        (
            FormField("connector", "connector_or_station"),
            FormField("operative", "choice", ("inoperative", "operative")),
        ),
        _operation(
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
        _operation("trigger", lambda given: {"message": given["message"], "connector_id": given.get("connector")}),
    ),
    StationAct(
        "diagnostics", (LOCATION,), _operation("get-diagnostics", lambda given: {"location": given["location"]})
    ),
    StationAct(
        "firmware",
        (LOCATION, FormField("retrieve_at", "moment", is_needed=False)),
        _operation(
            "update-firmware", lambda given: {"location": given["location"], "retrieve_at": given.get("retrieve_at")}
        ),
        is_danger=True,
    ),
    StationAct("clear_cache", (), _operation("clear-cache", lambda given: {})),
    StationAct("read_configuration", (), _operation("read-configuration", lambda given: {})),
    StationAct(
        "configuration",
        (FormField("setting", "text"), FormField("value", "text", is_needed=False)),
        _operation("write-configuration", lambda given: {"values": {given["setting"]: given.get("value", "")}}),
    ),
    StationAct(
        "password",
        (FormField("password", "secret"), FormField("push", "choice", ("push", "here"))),
        _password,
        rights=(Right.NETWORK,),
        is_danger=True,
    ),
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
