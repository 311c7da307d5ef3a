"""A whole fleet file: tried, to see what it would change, and imported."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import EvPowerError
from evpower.events import GapInEvents
from evpower.network_file.file import parse_fleet
from evpower.network_file.rows.station_imports import delete_station_imports, write_station_imports
from evpower.network_file.service import FleetReport, NetworkFile

#: As long as acts of operators.
KEPT_FOR = timedelta(days=400)


class _OnlyTried(Exception):
    """Ends a unit of work that is to leave nothing but its report."""

    def __init__(self, report: FleetReport) -> None:
        super().__init__()
        self.report = report


class ImportDiffers(EvPowerError):
    """The network, or the file, is not what was looked at: another difference than the one that was seen."""

    code = "import_differs"
    message = "Сеть изменилась с тех пор, как вы видели отличия: посмотрите их ещё раз"


@dataclass(frozen=True)
class TriedImport:
    """What importing a file would do; `fingerprint` names exactly these differences."""

    report: FleetReport

    @property
    def fingerprint(self) -> str:
        seen = (self.report.differences, sorted(self.report.created.items()), sorted(self.report.changed.items()))
        return hashlib.sha256(repr(seen).encode()).hexdigest()


class FleetImports:
    """Imports whole files; every kind of row is written as administrators' changes are."""

    def __init__(self, pool: Pool, clock: Clock, network_file: NetworkFile) -> None:
        self._pool = pool
        self._clock = clock
        self._network_file = network_file

    async def perform(
        self, text: str, *, actor: str, move_app_tags: bool = False, seen: str | None = None
    ) -> FleetReport:
        """Import a fleet file (TOML): what was created, changed, left; each station touched has it in its history.

        Raises an error naming every wrong field, and ImportDiffers when it would do anything else than the attempt with
        this fingerprint.
        """
        fleet = parse_fleet(text)
        async with unit_of_work(self._pool) as uow:
            everything = GapInEvents()  # a file may touch anything
            report = await self._network_file.write(uow, fleet, everything, move_app_tags=move_app_tags, compares=True)
            await write_station_imports(uow.conn, report.differences, actor, self._clock.now())
            if seen is not None and TriedImport(report).fingerprint != seen:
                raise ImportDiffers
            return replace(report, differences=()) if seen is None else report

    async def attempt(self, text: str, *, move_app_tags: bool = False) -> TriedImport:
        """What importing a file would do: it is written, compared and taken back. Raises as `perform`."""
        fleet = parse_fleet(text)
        try:
            async with unit_of_work(self._pool) as uow:
                report = await self._network_file.write(uow, fleet, move_app_tags=move_app_tags, compares=True)
                raise _OnlyTried(report)
        except _OnlyTried as tried:
            return TriedImport(tried.report)


async def forget_imports(pool: Pool, now: datetime) -> None:
    """Drop from the stations' histories what nobody looks back to."""
    async with unit_of_work(pool) as uow:
        await delete_station_imports(uow.conn, now - KEPT_FOR)
