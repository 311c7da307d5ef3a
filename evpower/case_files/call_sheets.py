"""The call sheet of a station, read for the telephone."""

from __future__ import annotations

from datetime import timedelta

from evpower.administration.site_contacts import SiteContacts
from evpower.case_files.call_sheet import CallSheet
from evpower.case_files.rows import call_sheets as rows
from evpower.case_files.stations import StationCases
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.identifiers import StationId
from evpower.link.ports import SocketNow


class CallSheets:
    """Reads; the contact that stands on a sheet is written through `contacts`."""

    def __init__(self, pool: Pool, clock: Clock, cases: StationCases, heartbeat_timeout_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._cases = cases
        self.contacts = SiteContacts(pool, clock)
        self._heartbeat_timeout = timedelta(seconds=heartbeat_timeout_s)

    async def of(self, station_id: StationId, socket: SocketNow | None) -> CallSheet:
        """The sheet of a station; `socket` is that of this process. Raises StationNotFound."""
        case = await self._cases.case(station_id, socket)
        location_id, heard_since = case.station.location_id, self._clock.now() - self._heartbeat_timeout
        contact = await self.contacts.of(location_id)
        async with reading(self._pool) as conn:
            return CallSheet(
                case=case,
                place=await rows.read_place(conn, location_id),
                contact=contact,
                people=await rows.read_people(conn, location_id),
                connectors=await rows.read_connectors(conn, station_id),
                outage=await rows.read_outage(conn, station_id),
                holds=await rows.read_holds(conn, station_id),
                neighbours=await rows.read_neighbours(conn, station_id, location_id, heard_since),
            )
