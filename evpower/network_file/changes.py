"""The one way the network is changed, by a file, by an administrator or by accepting a stranger: written, then told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.billing.pricing import Pricing
from evpower.db.unit_of_work import UnitOfWork
from evpower.errors import InvalidRequest
from evpower.events import Event, EventBus
from evpower.identifiers import STATION_ID
from evpower.network_file.parts import Fleet
from evpower.network_file.rows.apply import FleetReport, apply_fleet
from evpower.network_file.rows.doubts import configuration_doubts
from evpower.network_file.rows.tables import Table
from evpower.security.passwords import Passwords

log = logging.getLogger("evpower.fleet")

#: Of what an administrator gave, as much is logged.
SAID_CHARS_MAX = 500


@dataclass(frozen=True)
class Change:
    """What an administrator wants of one row: fields as in a fleet file, and columns to empty."""

    given: dict[str, Any]
    emptied: tuple[str, ...] = ()

    @classmethod
    def creating(cls, body: Mapping[str, Any]) -> Change:
        """A new row; null is absent. Raises InvalidRequest for an id that could not stand in a path."""
        given = {name: value for name, value in body.items() if value is not None}
        if not isinstance(given.get("id"), str) or STATION_ID.fullmatch(given["id"]) is None:
            raise InvalidRequest(("id", "обязательное поле: от 1 до 50 букв латиницы, цифр, _ и -"))
        return cls(given)

    @classmethod
    def of(cls, key: str | int, body: Mapping[str, Any], table: Table, *, key_name: str = "id") -> Change:
        """A change of the row with this key; null empties. Raises InvalidRequest for another key, or an empty field
        that is needed."""
        emptied = tuple(name for name, value in body.items() if value is None)
        wrong = [(name, "не может быть пустым") for name in emptied if name not in table.emptiable]
        if body.get(key_name, key) != key:
            wrong.append((key_name, "не изменяется"))
        if wrong:
            raise InvalidRequest(*wrong)
        return cls({**{name: value for name, value in body.items() if value is not None}, key_name: key}, emptied)

    @property
    def id(self) -> str:
        return str(self.given["id"])


async def write_fleet(
    uow: UnitOfWork, fleet: Fleet, at: datetime, passwords: Passwords, pricing: Pricing, bus: EventBus, *news: Event
) -> FleetReport:
    """Write rows in this unit of work; after its commit the shown prices are forgotten and `news` is published.

    What wants a look is in the report, and in the log unless it was so before. Raises InvalidRequest when the rows
    contradict what is stored.
    """
    known = await configuration_doubts(uow.conn, [station.id for station in fleet.stations])
    report = await apply_fleet(uow.conn, fleet, at, passwords)

    def tell() -> None:
        for warning in report.warnings:
            if warning not in known:
                log.warning("%s", warning)
        pricing.forget()
        for event in news:
            bus.publish(event)

    uow.after_commit(tell)
    return report


@contextmanager
def naming(*prefixes: str) -> Iterator[None]:
    """What is wrong is named as the administrator named it: without one of these prefixes."""
    try:
        yield
    except InvalidRequest as wrong:
        raise InvalidRequest(*((_without(field, prefixes), text) for field, text in wrong.fields)) from wrong


def _without(field: str, prefixes: Sequence[str]) -> str:
    return field.removeprefix(next((each for each in prefixes if field.startswith(each)), ""))


def said(kind: str, name: object, what: str, change: Change, actor: str) -> None:
    """Log a change that was committed: what of which row, to which values, by whom; never a password."""
    shown = {field: "***" if field == "password" else value for field, value in change.given.items()}
    values = json.dumps({**shown, **dict.fromkeys(change.emptied)}, ensure_ascii=False, default=str)
    log.info("%s %s: %s=%s, fields=%s, by=%s", kind, what, kind, name, values[:SAID_CHARS_MAX], actor)
