"""A simulated station: an OCPP client that boots, reports, charges, obeys, loses its line and comes back.

`run` keeps it connected; the other methods are the driver's and the fitter's hands (tests call them). One nursery per
connection: its end drops the rest of that connection, while the station goes on charging and queueing.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import cast

import trio
from trio_websocket import ConnectionClosed, HandshakeError, WebSocketConnection, wrap_client_stream

from evpower.clock import Clock, SystemClock
from evpower.simulator.station.commands import answer
from evpower.simulator.station.conversation import StationConversation
from evpower.simulator.station.hardware import Hardware
from evpower.simulator.station.power import Vehicle
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.v201.commands import answer as answer_201
from evpower.simulator.station.v201.speech import SUBPROTOCOL as SUBPROTOCOL_201
from evpower.simulator.station.v201.speech import Speech
from evpower.simulator.wire import address
from evpower.simulator.wire.link import Link
from evpower.simulator.wire.ocpp import SUBPROTOCOL, Call, CallError, CallRefused, CallResult
from evpower.simulator.wire.trace import Trace, TraceListener

CLOSE_S = 2.0
DRAIN_S = 5.0
GONE = (ConnectionClosed, HandshakeError, OSError, trio.TooSlowError, trio.BrokenResourceError)


class SimulatedStation:
    """One station with connectors 1..`connectors`. `dial` opens the byte stream and may be an in-memory one."""

    def __init__(
        self,
        station_id: str,
        connectors: int = 1,
        settings: StationSettings | None = None,
        clock: Clock | None = None,
        random: random.Random | None = None,
        *,
        dial: address.Dial = address.dial,
        listener: TraceListener | None = None,
    ) -> None:
        self.station_id = station_id
        self.settings = settings if settings is not None else StationSettings()
        self.trace = Trace(self.settings.trace_frames_max, listener)
        self._random = random if random is not None else _random_for(station_id)
        self.hardware = Hardware(
            connectors, self.settings, clock if clock is not None else SystemClock(), self._random, self.trace
        )
        self.conversation = StationConversation(self.hardware)
        self.last_error: BaseException | None = None
        self._dial = dial
        self._socket: WebSocketConnection | None = None
        self._connection = trio.CancelScope()
        self._offline = False
        self._down = False

    # Life

    async def run(self, url: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Stay connected to `url` until cancelled; started once the first boot was accepted and statuses sent."""
        own_url = address.station_url(url, self.station_id)
        async with self.hardware.running(), trio.open_nursery() as parts:
            parts.start_soon(self._stay_connected, own_url)
            await self.trace.wait_until(lambda: self.conversation.ready)
            task_status.started()

    async def _stay_connected(self, url: str) -> None:
        wait_s = self.settings.reconnect_first_s
        while True:
            await self.trace.wait_until(lambda: not self._offline and not self._down)
            self.conversation.ready = False
            with trio.CancelScope() as self._connection:
                await self._connect_once(url)
            if self.conversation.ready:
                wait_s = self.settings.reconnect_first_s
            self.conversation.ready = False
            self.hardware.outbox.disconnected()
            if not (self._offline or self._down):
                await trio.sleep(wait_s * self._random.uniform(0.5, 1.0))
                wait_s = min(wait_s * 2, self.settings.reconnect_max_s)

    async def _connect_once(self, url: str) -> None:
        """One connection from dialling to its end, whatever ends it."""
        stream: trio.abc.Stream | None = None
        try:
            async with trio.open_nursery() as connection:
                with trio.fail_after(self.settings.connect_timeout_s):
                    stream = await self._dial(url)
                    self._socket = await self._upgrade(connection, stream, url)
                link = Link(
                    self._socket,
                    clock=self.hardware.clock,
                    random=self._random,
                    trace=self.trace,
                    answer=self._answer,
                )
                speech = Speech(link) if self.settings.ocpp == "2.0.1" else link
                connection.start_soon(self.conversation.hold, speech)
                await link.read()
        except* GONE as error:
            self.last_error = first_cause(error)
            self.trace.note(f"has no connection: {self.last_error!r}")
        finally:
            self._socket = None
            if stream is not None:
                with trio.CancelScope(shield=True):  # closing by force does not wait for the peer
                    await trio.aclose_forcefully(stream)

    async def _upgrade(self, connection: trio.Nursery, stream: trio.abc.Stream, url: str) -> WebSocketConnection:
        password = self.hardware.configuration.text("AuthorizationKey")
        return await wrap_client_stream(
            connection,
            cast("trio.SocketStream", stream),  # any stream will do; its annotation is narrower than its needs
            address.host_header(url),
            address.resource(url),
            subprotocols=[SUBPROTOCOL_201 if self.settings.ocpp == "2.0.1" else SUBPROTOCOL],
            extra_headers=address.basic_auth(self.station_id, password),
        )

    async def _answer(self, link: Link, call: Call) -> None:
        """Answer a CALL of the central system, then let follow what follows."""
        if self.hardware.misbehaviour.silent:
            return
        try:
            answers = answer_201 if self.settings.ocpp == "2.0.1" else answer
            answered = answers(self.hardware, self, call.action, call.payload)
        except CallRefused as refusal:
            await link.send(CallError(call.message_id, refusal.error_code, refusal.description))
            return
        except (KeyError, TypeError, ValueError) as error:
            self.trace.complain(f"{call.action} with an unusable payload: {error!r}")
            await link.send(CallError(call.message_id, "FormationViolation", str(error)))
            return
        if call.action == "SetChargingProfile":
            await trio.sleep(self.hardware.misbehaviour.limit_answer_s)
        await link.send(CallResult(call.message_id, answered.payload))
        if answered.then is not None:
            self.hardware.tasks.start_soon(answered.then)

    # What the central system may ask of the whole station (commands.Lifecycle)

    @property
    def accepted(self) -> bool:
        """The central system has accepted this station's boot."""
        return self.conversation.accepted

    def boot_now(self) -> None:
        """Send BootNotification without waiting for the interval."""
        self.conversation.boot_now()

    async def reconnect(self) -> None:
        """Close the socket properly; `run` opens a new one."""
        socket = self._socket
        if socket is not None:
            with trio.move_on_after(CLOSE_S), suppress(ConnectionClosed):
                await socket.aclose()
        self._connection.cancel()

    async def reboot(self, reason: str | None = "PowerLoss") -> None:
        """Go down for `reboot_s` and boot again.

        Running transactions end with `reason`; None forgets them and no StopTransaction is ever sent. After a
        SoftReset the stops leave first; otherwise they leave after the boot, with the time of the loss.
        """
        if reason == "SoftReset":
            self._end_all(reason)
            with trio.move_on_after(DRAIN_S):
                await self.trace.wait_until(lambda: len(self.hardware.outbox) == 0)
        self._down = True
        if reason is not None and reason != "PowerLoss":
            await self.reconnect()
        self._connection.cancel()
        self.hardware.outbox.disconnected()
        self._end_all(reason)
        self.conversation.accepted = False
        await trio.sleep(self.settings.reboot_s)
        self._down = False
        self.trace.wake()

    def _end_all(self, reason: str | None) -> None:
        for connector in self.hardware.connectors.values():
            connector.permission = None
            if reason is None:
                connector.finish()
                self.hardware.settle_status(connector)
            else:
                self.hardware.end(connector, reason)

    # What a driver or a test does

    async def plug(self, connector_id: int = 1, vehicle: Vehicle | None = None) -> None:
        """Put the cable in; without a vehicle, one with a random state of charge."""
        if vehicle is None:
            default = Vehicle()
            vehicle = Vehicle(charge_wh=default.capacity_wh * self._random.uniform(0.1, 0.6))
        self.hardware.plug(self.hardware.connectors[connector_id], vehicle)
        await trio.lowlevel.checkpoint()

    async def unplug(self, connector_id: int = 1) -> None:
        """Pull the cable out."""
        self.hardware.unplug(self.hardware.connectors[connector_id])
        await trio.lowlevel.checkpoint()

    async def present_card(self, connector_id: int, id_tag: str) -> str:
        """Hold a card to the reader; the verdict on it."""
        return await self.hardware.present_card(self.hardware.connectors[connector_id], id_tag)

    async def stop(self, connector_id: int = 1, reason: str = "Local") -> None:
        """End the running transaction at the station."""
        self.hardware.end(self.hardware.connectors[connector_id], reason)
        await trio.lowlevel.checkpoint()

    async def fault(self, connector_id: int = 1, error_code: str = "OtherError") -> None:
        """Break a connector; a running transaction ends with reason Other."""
        connector = self.hardware.connectors[connector_id]
        self.hardware.set_status(connector, "Faulted", error_code)
        self.hardware.end(connector, "Other")
        await trio.lowlevel.checkpoint()

    async def repair(self, connector_id: int = 1) -> None:
        """Mend a broken connector."""
        connector = self.hardware.connectors[connector_id]
        self.hardware.set_status(connector, "Preparing" if connector.plugged else "Available")
        await trio.lowlevel.checkpoint()

    def go_offline(self) -> None:
        """Cut the line, without a closing handshake. Charging goes on."""
        self._offline = True
        self._connection.cancel()

    def come_online(self) -> None:
        """Mend the line."""
        self._offline = False
        self.trace.wake()

    # What a test looks at

    def status(self, connector_id: int = 1) -> str:
        """A connector's status."""
        return self.hardware.connectors[connector_id].status

    def register_wh(self, connector_id: int = 1) -> int:
        """A connector's meter as of now."""
        return self.hardware.connectors[connector_id].energy_wh

    def transaction_id(self, connector_id: int = 1) -> int | str | None:
        """The id of the latest transaction on a connector; None while the central system has not given it."""
        latest = self.hardware.connectors[connector_id].last_transaction
        return None if latest is None else latest.transaction_id

    @property
    def complaints(self) -> list[str]:
        """What the central system did that the protocol forbids."""
        return list(self.trace.complaints)

    async def wait_for_status(self, connector_id: int, status: str) -> None:
        """Return when a connector has this status; the caller sets the time-out."""
        await self.trace.wait_until(lambda: self.status(connector_id) == status)

    async def wait_for_sent(self, action: str, count: int = 1) -> None:
        """Return when the station has sent `count` CALLs of an action."""
        await self.trace.wait_until(lambda: len(self.trace.sent(action)) >= count)

    async def wait_for_readings(self, count: int) -> None:
        """Return when the station has sent so many readings of its meters."""
        await self.wait_for_sent("MeterValues", count)


def first_cause(error: BaseException) -> BaseException:
    """The first plain exception inside groups of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _random_for(station_id: str) -> random.Random:
    """Stations differ from each other, and each is the same in every run."""
    return random.Random(station_id)
