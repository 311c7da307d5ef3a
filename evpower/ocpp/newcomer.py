"""A stranger: Pending until an operator accepts it, then a station like any other, on the same
connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from evpower.clock import Clock
from evpower.network.station import Admission, Boot, BootVerdict
from evpower.ocpp.after_boot import configure_after_boot
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.habits.station_habits import StationHabits
from evpower.ocpp.lobby import BOOT_WITHIN_S, Guest, Lobby
from evpower.ocpp.settings import OcppSettings
from evpower.reports.station_reports import StationReports

#: A BootNotification that comes sooner than this after the last is answered from memory.
BOOTS_APART_S = 10.0


class Newcomer(ConnectedStation):
    """`move_in` makes its connection a station's, once it is one."""

    def __init__(
        self,
        guest: Guest,
        lobby: Lobby,
        move_in: Callable[[], Awaitable[None]],
        *,
        reports: StationReports,
        clock: Clock,
        settings: OcppSettings,
        habits: StationHabits,
    ) -> None:
        unconfigured = Admission(guest.stranger.identity, "active", None)
        super().__init__(unconfigured, guest.connection, reports=reports, clock=clock, settings=settings, habits=habits)
        guest.connection.registration = "Pending"
        self._guest = guest
        self._lobby = lobby
        self._move_in = move_in
        self._is_station = False
        self._asked_at = -BOOTS_APART_S

    async def boot(self, boot: Boot) -> BootVerdict:
        """Pending, until it is a station and may stay as one without showing credentials again."""
        if not self._is_station:
            verdict = await self._as_stranger(boot)
            if verdict is not None:
                return verdict
        return await super().boot(boot)

    async def _as_stranger(self, boot: Boot) -> BootVerdict | None:
        """None: it has become a station."""
        now, invited = trio.current_time(), self._guest.invited.is_set()
        if now - self._asked_at < BOOTS_APART_S and not invited:
            return self._lobby.strangers.pending
        self._asked_at = now
        answer = await self._lobby.strangers.boot(self._guest.stranger.identity, self._guest.stranger.address, boot)
        if isinstance(answer, BootVerdict):
            return answer
        if answer.station_id != self.station_id or answer.password_hash is not None or answer.pending_hash is not None:
            self.connection.leave(1008, "come again as the station you are")
            return self._lobby.strangers.pending
        self.connector_ids = answer.connector_ids
        self.connection.evses = answer.evses
        await self._move_in()
        self._is_station = True
        return None

    async def follow_up(self) -> None:
        """Runs beside the reader: lets one go that does not boot, has an accepted one boot again, configures it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._boot_when_invited)
            with trio.move_on_after(BOOT_WITHIN_S) as waiting:
                await self.first_boot()
            if waiting.cancelled_caught:
                self.connection.leave(1008, "no BootNotification")
            await configure_after_boot(self)

    async def _boot_when_invited(self) -> None:
        """Allowed while it is Pending (OCPP 1.6 §4.2); one that cannot do it boots again after its retry interval."""
        await self._guest.invited.wait()
        if self.connection.registration == "Pending":
            await self.dialect.ask_to_boot(self.connection)
