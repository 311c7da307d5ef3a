"""The list of cards a charger knows by itself, kept equal to ours (OCPP 1.6 §3.5.2, §5.10, §5.15; duty 37).

A differential update is tried only when the charger holds the very version it took last; whatever else it answers, a
full list repairs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.digits import INT32_MAX, whole_number
from evpower.errors import CommandRejected
from evpower.identifiers import StationId
from evpower.stations.commands import StationCommands
from evpower.stations.rows import configuration
from evpower.stations.rows import local_lists as rows
from evpower.tags.verdicts import verdict_on_card

#: OCPP's identifier tags are no longer (duty 27).
TAG_LENGTH_MAX = 20
#: The largest number a charger must be able to hold; after it versions begin anew.
VERSION_MAX = INT32_MAX
NOT_SUPPORTED = -1
#: How many entries one message may hold, when the charger never said (its key SendLocalListMaxLength).
ENTRIES_MAX = 500
REPAIRABLE = frozenset({"Failed", "VersionMismatch"})

Entries = dict[str, dict[str, Any]]


class LocalLists:
    """Sends chargers the cards of our clients."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands

    async def sync(self, station_id: StationId, *, full: bool = False) -> dict[str, Any]:
        """Make the charger's list ours. Raises CommandRejected when it keeps none, or does not take a full one."""
        wanted = await self._wanted()
        there = await self._version(station_id)
        known = await self._known(station_id)
        if known is not None and known.version == there and not full:
            changes = _changes(known.entries, wanted)
            if not changes:
                return {"version": there, "update": "none", "entries": len(wanted)}
            if await self._send_changes(station_id, there, changes, wanted):
                return {"version": _after(there), "update": "differential", "entries": len(wanted)}
            there = _after(there)
        version = await self._send_all(station_id, max(there, 0 if known is None else known.version), wanted)
        return {"version": version, "update": "full", "entries": len(wanted)}

    async def _send_changes(self, station_id: StationId, there: int, changes: Entries, wanted: Entries) -> bool:
        """Whether the charger took them; too many for one message are better sent as a full list."""
        if len(changes) > await self._entries_max(station_id):
            return False
        version = _after(there)
        status = await self._send(station_id, version, "Differential", changes)
        if status == "Accepted":
            await self._store(station_id, version, wanted)
        elif status not in REPAIRABLE:
            raise CommandRejected(status, {"status": status})
        return status == "Accepted"

    async def _send_all(self, station_id: StationId, version: int, wanted: Entries) -> int:
        """The whole list, in as many messages as the charger needs; its version. Until then we know nothing of it."""
        await self._store(station_id, 0, {})
        parts = _parts(wanted, await self._entries_max(station_id))
        for update, part in zip(["Full", *["Differential"] * len(parts)], parts, strict=False):
            version = _after(version)
            status = await self._send(station_id, version, update, part)
            if status != "Accepted":
                raise CommandRejected(status, {"status": status})
        await self._store(station_id, version, wanted)
        return version

    async def _send(self, station_id: StationId, version: int, update: str, entries: Entries) -> str:
        listed = [{"idTag": tag, **({"idTagInfo": info} if info else {})} for tag, info in entries.items()]
        payload = {"listVersion": version, "updateType": update, "localAuthorizationList": listed}
        answer = await self._commands.send(station_id, "SendLocalList", payload)
        return str(answer["status"])

    async def _version(self, station_id: StationId) -> int:
        answer = await self._commands.send(station_id, "GetLocalListVersion", {})
        if answer["listVersion"] <= NOT_SUPPORTED:
            raise CommandRejected("NotSupported", answer)
        return int(answer["listVersion"])

    async def _wanted(self) -> Entries:
        """The cards that belong to somebody who pays, with today's verdict on each."""
        now = self._clock.now()
        async with reading(self._pool) as conn:
            cards = await rows.read_cards(conn, TAG_LENGTH_MAX)
        entries: Entries = {}
        for card in cards:
            verdict = verdict_on_card(card, now)
            info: dict[str, Any] = {"status": verdict.status}
            if verdict.expiry_date is not None:
                info["expiryDate"] = verdict.expiry_date.isoformat(timespec="seconds").replace("+00:00", "Z")
            if verdict.parent_id_tag is not None:
                info["parentIdTag"] = verdict.parent_id_tag
            entries[card.id_tag] = info
        return entries

    async def _known(self, station_id: StationId) -> rows.KnownList | None:
        """What the charger took last; None when that is not known."""
        async with reading(self._pool) as conn:
            known = await rows.read_list(conn, station_id)
        return known if known is not None and known.version > 0 else None

    async def _store(self, station_id: StationId, version: int, entries: Entries) -> None:
        async with unit_of_work(self._pool) as uow:
            await rows.store_list(uow.conn, station_id, version, entries, self._clock.now())

    async def _entries_max(self, station_id: StationId) -> int:
        async with reading(self._pool) as conn:
            known = await configuration.read_known(conn, station_id)
        said = [each["value"] for each in known if each["key"].lower() == "sendlocallistmaxlength"]
        return (whole_number(said[0] or "", INT32_MAX) if said else None) or ENTRIES_MAX


def _after(version: int) -> int:
    """Never 0 and never -1 (duty 37)."""
    return version + 1 if 0 <= version < VERSION_MAX else 1


def _changes(old: Mapping[str, Any], new: Entries) -> Entries:
    """What is new or different, and without its facts what is no longer there."""
    gone: Entries = {tag: {} for tag in old if tag not in new}
    return gone | {tag: info for tag, info in new.items() if old.get(tag) != info}


def _parts(entries: Entries, size: int) -> list[Entries]:
    """At least one, which may be empty: a full list of nothing empties the charger's."""
    rest = iter(entries.items())
    parts = [dict(islice(rest, size))]
    while part := dict(islice(rest, size)):
        parts.append(part)
    return parts
