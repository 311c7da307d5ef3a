"""What an act on a station is: its form's fields, its rights, and how it is done."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from evpower.administration.client_accounts import ClientAccounts
from evpower.administration.finding import Search
from evpower.administration.service import Administration
from evpower.charging.service import ChargingService
from evpower.http.operators.operations import StationOperations
from evpower.identifiers import StationId
from evpower.security.station_access import StationAccess
from evpower.staff.rights import Right

FieldType: TypeAlias = Literal[
    "connector", "connector_or_station", "choice", "text", "secret", "moment", "sum", "session", "number", "figure"
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
    #: Of OCPP: no other version has this.
    version: str | None = None


@dataclass(frozen=True)
class StationAct:
    """One act; `does` gets services, station, fields and actor, and returns what the station answered."""

    name: str
    fields: tuple[FormField, ...]
    does: Does
    rights: tuple[Right, ...] = (Right.COMMAND,)
    is_danger: bool = False
    #: Of OCPP: a station that speaks another one refuses it (`not_in_ocpp_1.6`), and its page has no button for it.
    version: str | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """Fields that are kept nowhere."""
        return frozenset(each.name for each in self.fields if each.kind == "secret")


def operation(name: str, arguments: Callable[[Given], Mapping[str, Any]]) -> Does:
    """One of the operations that the REST door and `evpower operate` have (`http/operators/operations.py`)."""

    async def does(do: Doers, station: StationId, given: Given, actor: str) -> str | None:
        written = {key: value for key, value in arguments(given).items() if value is not None}
        return shown_answer(await do.operations.perform(station, name, written))

    return does


def shown_answer(answer: Mapping[str, Any]) -> str:
    """The station's own word, and what else it gave: `Accepted, file_name: x.zip`. A list has a line for each item."""
    status = [str(answer["status"])] if "status" in answer else []
    lists = {key: value for key, value in answer.items() if isinstance(value, list)}
    others = [
        f"{key}: {value}" for key, value in answer.items() if key != "status" and key not in lists and value is not None
    ]
    counted = [f"{key}: {len(value)}" for key, value in lists.items()]
    head = ", ".join((*status, *others, *counted)) or "✓"
    return "\n".join((head, *(_line(item) for value in lists.values() for item in value)))


def _line(item: object) -> str:
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str)


def written_as(fields: Sequence[FormField], given: Given) -> dict[str, Any]:
    """The fields under their own names, which are those of the operation's arguments."""
    return {each.name: given.get(each.name) for each in fields}
