"""What other processes have committed becomes events of this one (design §6).

Their form is that of migration 0010: `PROCESS WHAT …`, sent by NOTIFY inside the unit of work of the change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from evpower.cluster.network_link import NetworkLink
from evpower.cluster.processes import Processes
from evpower.cluster.remote_commands import CommandExecutor
from evpower.events import EventBus, GapInEvents, NetworkChanged, SessionSettled, StationChanged
from evpower.identifiers import ConnectorId, ProcessId, SessionId, StationId

log = logging.getLogger("evpower.processes")


class OtherProcesses:
    """Receives every notification and passes it to the part it concerns; nothing here waits."""

    def __init__(
        self,
        bus: EventBus,
        processes: Processes,
        link: NetworkLink,
        executor: CommandExecutor,
        forget_prices: Callable[[], None],
        sign_in_changed: Callable[[], None],
        clients_merged: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._processes = processes
        self._link = link
        self._executor = executor
        self._forget_prices = forget_prices
        self._sign_in_changed = sign_in_changed
        self._clients_merged = clients_merged

    def gap(self) -> None:
        """Nothing was heard for a while: everything is looked at again."""
        self._processes.gap()
        self._executor.wake()
        self._sign_in_changed()
        self._clients_merged()
        self._everything_may_differ()

    def hear(self, notification: str) -> None:
        """One notification. Anybody may send one on our channel, so one that means nothing is only logged."""
        try:
            self._take(notification)
        except ValueError:
            log.warning("a notification that means nothing: %s", notification[:100])

    def _take(self, notification: str) -> None:
        """Skipped are our own changes whose events this process has published already."""
        sender, what, rest = notification.split(" ", 2)
        ours = sender == self._processes.me
        match what:
            case "station" if not ours:
                self._bus.publish(StationChanged(StationId(rest)))
            case "began" | "settled" if not ours:
                self._session(what, rest)
            case "location":
                self._bus.publish(NetworkChanged(rest))
            case "prices":
                self._everything_may_differ()
            case "sign-in":
                self._sign_in_changed()
            case "merged":
                self._clients_merged()
            case "connected":
                process_id, station_id = rest.split(" ", 1)
                self._processes.connected(StationId(station_id), ProcessId(process_id))
            case "left":
                self._processes.left(StationId(rest))
            case "asked" if rest == self._processes.me:
                self._executor.wake()
            case "answered":
                process_id, command_id = rest.split(" ", 1)
                if process_id == self._processes.me:
                    self._link.answered(command_id)

    def _session(self, what: str, rest: str) -> None:
        session_id, connector_id, station_id = rest.split(" ", 2)
        if what == "began":
            self._bus.publish(StationChanged(StationId(station_id)))
        else:
            settled = SessionSettled(SessionId(session_id), StationId(station_id), ConnectorId(int(connector_id)))
            self._bus.publish(settled)

    def _everything_may_differ(self) -> None:
        self._forget_prices()
        self._bus.publish(GapInEvents())
