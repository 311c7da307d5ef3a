"""The operator's decision on a stranger: a station is made of it, or it is rejected (`ocpp.accept_unknown`)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from evpower.administration.records import StrangerRecord
from evpower.administration.rows import entities, strangers
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import InvalidRequest, NotFound
from evpower.events import NetworkChanged
from evpower.identifiers import StationId
from evpower.network.station import Boot
from evpower.network.station_records import station_exists
from evpower.network_file.changes import given_fields, naming
from evpower.network_file.file import read_station
from evpower.network_file.parts import Fleet
from evpower.network_file.service import NetworkFile

log = logging.getLogger("evpower.provisioning")


class StrangerLink(Protocol):
    """Strangers that are connected now (`ocpp/lobby.py`)."""

    def is_here(self, identity: str) -> bool:
        """Whether its socket is open in this process."""
        ...

    def invite(self, identity: str) -> None:
        """It is a station now: have it boot again at once, if it can."""
        ...

    def send_away(self, identity: str, reason: str) -> None:
        """Close its socket, if there is one."""
        ...


@dataclass(frozen=True)
class SeenStranger:
    """One that came, and whether its socket is open in this process."""

    record: StrangerRecord
    connected: bool


@dataclass(frozen=True)
class Accepted:
    """A stranger that is a station now; `created` counts the new rows by kind."""

    station_id: StationId
    location_id: str
    connected: bool
    created: Mapping[str, int]
    warnings: tuple[str, ...]


class Provisioning:
    """Lists strangers, makes stations of them, turns them away."""

    def __init__(self, pool: Pool, clock: Clock, link: StrangerLink, network_file: NetworkFile) -> None:
        self._pool = pool
        self._clock = clock
        self._link = link
        self._network_file = network_file

    async def strangers(self, *, rejected_too: bool) -> list[SeenStranger]:
        """Waiting strangers, the longest first, and what they reported of themselves."""
        async with reading(self._pool) as conn:
            records = await strangers.list_strangers(conn, rejected_too=rejected_too)
        return [SeenStranger(each, self._link.is_here(each.identity)) for each in records]

    async def accept(self, identity: str, wanted: Mapping[str, Any], *, actor: str) -> Accepted:
        """Make a station of a stranger, one that was turned away included, by the rules of a fleet import.

        `wanted` has `location_id` and a station's fields as in a fleet file; model, maker, firmware and serial number
        are what the station reported unless `wanted` has them. One that is connected is asked to boot again; with a
        password it is sent away to come again with it.
        Raises NotFound for an identity that never came, InvalidRequest naming every wrong field.
        """
        async with unit_of_work(self._pool) as uow:
            boot = await _take(uow, identity)
            fleet = await self._fleet(uow, identity, boot, wanted)
            event = NetworkChanged(wanted["location_id"])
            with naming("stations."):
                report = await self._network_file.write(uow, fleet, event)
            if report.created.get("stations") != 1:  # imported between our look and the import's lock
                raise _accepted_already()
            await strangers.forget(uow.conn, identity)
        log.info("stranger accepted: station=%s, location=%s, by=%s", identity, wanted["location_id"], actor)
        connected = self._link.is_here(identity)
        if wanted.get("password") is None:
            self._link.invite(identity)
        else:
            self._link.send_away(identity, "come again with your password")
        return Accepted(StationId(identity), wanted["location_id"], connected, report.created, report.warnings)

    async def reject(self, identity: str, *, actor: str) -> None:
        """Turn a stranger away from now on. Raises NotFound for an identity that never came, InvalidRequest for a
        station."""
        async with unit_of_work(self._pool) as uow:
            await _take(uow, identity)
            await strangers.reject(uow.conn, identity, actor, self._clock.now())
        log.info("stranger rejected: identity=%s, by=%s", identity, actor)
        self._link.send_away(identity, "rejected by the operator")

    async def _fleet(self, uow: UnitOfWork, identity: str, boot: Boot, wanted: Mapping[str, Any]) -> Fleet:
        location_id = wanted.get("location_id")
        if not isinstance(location_id, str) or not location_id:
            raise InvalidRequest(("location_id", "обязательное поле, строка"))
        if "id" in wanted:
            raise InvalidRequest(("id", "станция называется так, как представляется зарядное устройство"))
        location = await entities.known_location(uow.conn, location_id)
        if location is None:
            raise InvalidRequest(("location_id", "локация не найдена"))
        fields = given_fields(wanted)
        del fields["location_id"]
        return read_station(
            {**_reported_fields(identity, boot), **fields, "id": identity}, location.id, location.name, location.address
        )


def _reported_fields(identity: str, boot: Boot) -> dict[str, str]:
    """A station's fields, as far as the station filled them."""
    fields = asdict(boot)
    del fields["ocpp_version"]  # noted with each boot
    fields["manufacturer"] = fields.pop("vendor")
    return {"serial_number": identity, **{name: text for name, text in fields.items() if text}}


async def _take(uow: UnitOfWork, identity: str) -> Boot:
    """What the stranger reported of itself, its row taken for this unit of work."""
    boot = await strangers.lock_stranger(uow.conn, identity)
    if await station_exists(uow.conn, StationId(identity)):
        raise _accepted_already()
    if boot is None:
        raise NotFound("Такое зарядное устройство не подключалось")
    return boot


def _accepted_already() -> InvalidRequest:
    return InvalidRequest(("identity", "уже принята: такая станция есть"))
