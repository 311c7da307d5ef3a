"""The list of cards a station knows by itself, kept equal to ours (duty 37).

A differential update is tried only when the station holds the very version it took last; whatever else it answers, a
full list repairs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.digits import INT32_MAX, whole_number
from evpower.identifiers import StationId
from evpower.link.commands import ListAnswer, ListEntry, ReadListVersion, SendList
from evpower.link.errors import CommandRejected
from evpower.stations.commands import StationCommands
from evpower.stations.rows import configuration
from evpower.stations.rows import local_lists as rows
from evpower.tags.verdicts import verdict_on_card

#: OCPP's identifier tags are no longer (duty 27).
TAG_LENGTH_MAX = 20
#: The largest number a station must be able to hold; after it versions begin anew.
VERSION_MAX = INT32_MAX
#: How many entries one message may hold, when the station never reported it (its key SendLocalListMaxLength).
ENTRIES_MAX = 500

Entries = dict[str, ListEntry]
#: None: the card is no longer there.
Changes = Mapping[str, ListEntry | None]


@dataclass(frozen=True)
class Synced:
    """The list the station has now, and how it came to it."""

    version: int
    update: Literal["none", "differential", "full"]
    entries: int


class LocalLists:
    """Sends stations the cards of our clients."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands

    async def sync(self, station_id: StationId, *, full: bool = False) -> Synced:
        """Make the station's list ours. Raises CommandRejected when it keeps none, or does not take a full one."""
        wanted = await self._wanted()
        there = await self._version(station_id)
        known = await self._known(station_id)
        if known is not None and known.version == there and not full:
            changes = _changes(known.entries, wanted)
            if not changes:
                return Synced(there, "none", len(wanted))
            if await self._send_changes(station_id, there, changes, wanted):
                return Synced(_after(there), "differential", len(wanted))
            there = _after(there)
        version = await self._send_all(station_id, max(there, 0 if known is None else known.version), wanted)
        return Synced(version, "full", len(wanted))

    async def _send_changes(self, station_id: StationId, there: int, changes: Changes, wanted: Entries) -> bool:
        """Whether the station took them; too many for one message are better sent as a full list."""
        if len(changes) > await self._entries_max(station_id):
            return False
        version = _after(there)
        answer = await self._commands.ask(station_id, SendList(version, full=False, entries=changes))
        if answer.taken:
            await self._store(station_id, version, wanted)
        elif not answer.repairable:
            raise _refused(answer)
        return answer.taken

    async def _send_all(self, station_id: StationId, version: int, wanted: Entries) -> int:
        """The whole list, in as many messages as the station needs; its version. Until then we know nothing of it."""
        await self._store(station_id, 0, {})
        parts = _parts(wanted, await self._entries_max(station_id))
        for index, part in enumerate(parts):
            version = _after(version)
            answer = await self._commands.ask(station_id, SendList(version, full=index == 0, entries=part))
            if not answer.taken:
                raise _refused(answer)
        await self._store(station_id, version, wanted)
        return version

    async def _version(self, station_id: StationId) -> int:
        answer = await self._commands.ask(station_id, ReadListVersion())
        if answer.version is None:
            raise CommandRejected("NotSupported", answer.as_sent)
        return answer.version

    async def _wanted(self) -> Entries:
        """The cards that belong to somebody who pays, with today's verdict on each."""
        now = self._clock.now()
        async with reading(self._pool) as conn:
            cards = await rows.read_cards(conn, TAG_LENGTH_MAX)
        entries: Entries = {}
        for card in cards:
            verdict = verdict_on_card(card, now)
            ends = None if verdict.expiry_date is None else verdict.expiry_date.replace(microsecond=0)
            entries[card.id_tag] = ListEntry(verdict.status, ends, verdict.parent_id_tag)
        return entries

    async def _known(self, station_id: StationId) -> rows.KnownList | None:
        """What the station took last; None when that is not known."""
        async with reading(self._pool) as conn:
            known = await rows.read_list(conn, station_id)
        return known if known is not None and known.version > 0 else None

    async def _store(self, station_id: StationId, version: int, entries: Entries) -> None:
        async with unit_of_work(self._pool) as uow:
            await rows.store_list(uow.conn, station_id, version, entries, self._clock.now())

    async def _entries_max(self, station_id: StationId) -> int:
        async with reading(self._pool) as conn:
            known = await configuration.read_known(conn, station_id)
        limits = [each["value"] for each in known if each["key"].lower() == "sendlocallistmaxlength"]
        return (whole_number(limits[0] or "", INT32_MAX) if limits else None) or ENTRIES_MAX


def _after(version: int) -> int:
    """Never 0 and never -1 (duty 37)."""
    return version + 1 if 0 <= version < VERSION_MAX else 1


def _refused(answer: ListAnswer) -> CommandRejected:
    return CommandRejected(answer.status, {"status": answer.status})


def _changes(old: Entries, new: Entries) -> Changes:
    """What is new or different, and what is no longer there."""
    gone: dict[str, ListEntry | None] = {tag: None for tag in old if tag not in new}
    return gone | {tag: entry for tag, entry in new.items() if old.get(tag) != entry}


def _parts(entries: Entries, size: int) -> list[Entries]:
    """At least one, which may be empty: a full list of nothing empties the station's."""
    rest = iter(entries.items())
    parts = [dict(islice(rest, size))]
    while part := dict(islice(rest, size)):
        parts.append(part)
    return parts
