"""A station on one connection: what its handlers know of it besides the message."""

from __future__ import annotations

from datetime import datetime

import trio

from evpower.clock import Clock
from evpower.identifiers import ConnectorId, StationId
from evpower.network.station import Admission, Boot, BootVerdict
from evpower.ocpp.connection import StationConnection
from evpower.ocpp.habits.station_habits import StationHabits
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.wire.times import utc
from evpower.reports.station_reports import StationReports


class ConnectedStation:
    """The connection, the service its reports go to, and how far its boot has come."""

    def __init__(
        self,
        admission: Admission,
        connection: StationConnection,
        *,
        reports: StationReports,
        clock: Clock,
        settings: OcppSettings,
        habits: StationHabits,
    ) -> None:
        self.station_id = StationId(admission.station_id)
        self.connector_ids = admission.connector_ids
        self.connection = connection
        connection.evses = admission.evses
        self.dialect = connection.dialect
        self.reports = reports
        self.clock = clock
        self.settings = settings
        self.habits = habits
        #: Connectors that sent a StatusNotification on this connection.
        self.heard: set[ConnectorId] = set()
        #: What connectors said of themselves on this connection, by (EVSE, connector), where a version has both.
        self.said: dict[tuple[int, int], str] = {}
        #: What transactions make of their connectors, once that was read.
        self.transaction_statuses: dict[ConnectorId, str] | None = None
        #: It shows its driver what a charge costs.
        self.shows_cost = False
        self._boots = 0
        self._news = trio.Event()

    async def boot(self, boot: Boot) -> BootVerdict:
        """Our answer to its BootNotification."""
        return await self.reports.boot(self.station_id, boot)

    def booted(self, verdict: BootVerdict) -> None:
        """A BootNotification was answered."""
        self.habits.boot_loops.booted(self.station_id, trio.current_time())
        self.connection.registration = verdict.status
        self.heard.clear()
        self._boots += 1
        self._notify()

    def status_arrived(self, connector_id: ConnectorId) -> None:
        self.heard.add(connector_id)
        self._notify()

    @property
    def has_booted(self) -> bool:
        """Whether a BootNotification has been answered on this connection."""
        return self._boots > 0

    def stamped(self, at: datetime) -> None:
        """A message has this time. Times are stored as the station reports them, beside ours; a wrong one is noted."""
        self.connection.clock_offset.heard(at, self.connection.last_seen_at)
        oddity = self.habits.clocks.showed(self.station_id, at, self.connection.last_seen_at)
        if oddity is not None:
            self.connection.oddities.note(Kind.WRONG_CLOCK, oddity)

    def reported_at(self, timestamp: datetime | None) -> datetime:
        """The station's time of a message, or when it came; a wrong clock is noted."""
        if timestamp is None:
            return self.connection.last_seen_at
        at = utc(timestamp)
        self.stamped(at)
        return at

    async def first_boot(self) -> None:
        """Wait until a BootNotification has been answered on this connection."""
        while not self._boots:
            await self._news.wait()

    async def next_boot(self) -> None:
        boots = self._boots
        while self._boots == boots:
            await self._news.wait()

    async def settled(self) -> None:
        """Wait until the station may be sent commands: it has spoken, is accepted, and its first status came or a short
        delay passed.

        A boot in between starts the wait anew: stations that are asked things while they boot, boot again (duty 18).
        """
        await self.connection.spoken.wait()
        while True:
            boots = self._boots
            with trio.move_on_after(self.settings.settle_delay_s):
                while self._boots == boots and not self.heard:
                    await self._news.wait()
            if self._boots != boots:
                continue
            if self.connection.registration == "Accepted":
                return
            await self.next_boot()

    def _notify(self) -> None:
        self._news.set()
        self._news = trio.Event()
