"""The hardware of a simulated station: outlets, the driver's hands on them, and the transactions that follow.

Knows nothing of sockets: what it has to say goes into the outbox, what the central system wants comes by `commands`.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio

from evpower.clock import Clock
from evpower.simulator.station.configuration import StationConfiguration
from evpower.simulator.station.connector import (
    STARTABLE,
    ConnectorReservation,
    Permission,
    SimulatedConnector,
    Transaction,
)
from evpower.simulator.station.misbehaviour import WrongClock, order_of
from evpower.simulator.station.outbox import Outbox, OutboxMessage
from evpower.simulator.station.power import Register, Vehicle
from evpower.simulator.station.profiles import Profiles
from evpower.simulator.station.readings import meter_value
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.v201.device_memory import DeviceMemory
from evpower.simulator.station.v201.speech import event_of
from evpower.simulator.wire.ocpp import Payload, parse_time, wire_time
from evpower.simulator.wire.trace import Trace


class Hardware:
    """Outlets numbered from 1. Use only while its station's `run` runs: `tasks` hold what takes time."""

    def __init__(
        self, connectors: int, settings: StationSettings, clock: Clock, random: random.Random, trace: Trace
    ) -> None:
        self.settings = settings
        self.misbehaviour = settings.misbehaviour
        self.clock: Clock = WrongClock(clock, settings.misbehaviour.clock)
        self.random = random
        self.trace = trace
        self.configuration = StationConfiguration(settings, connectors)
        self.outbox = Outbox(settings.queue_messages_max, order_of(settings.misbehaviour))
        self.connectors: Mapping[int, SimulatedConnector] = {
            number: SimulatedConnector(
                number, settings.connector_power_w, settings.speed, Register(settings.register_wh)
            )
            for number in range(1, connectors + 1)
        }
        self.profiles = Profiles(settings)
        self.operative = True
        #: With OCPP 2.0.1: under which number a tag was asked to begin.
        self.remote_start_ids: dict[str, int] = {}
        self.memory = DeviceMemory()
        self.local_list: dict[str, Mapping[str, Any]] = {}
        self.local_list_version = 0
        self._tasks: trio.Nursery | None = None

    @property
    def tasks(self) -> trio.Nursery:
        if self._tasks is None:
            raise RuntimeError("the station is not running")
        return self._tasks

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the hardware's own tasks: whoever may begin one ends within."""
        async with trio.open_nursery() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None
                tasks.cancel_scope.cancel()

    # What a driver does

    def plug(self, connector: SimulatedConnector, vehicle: Vehicle) -> None:
        """Put the cable into a vehicle."""
        connector.advance()
        connector.vehicle = vehicle
        if connector.status == "Available":
            self.set_status(connector, "Preparing")
        self._try_to_begin(connector)

    def unplug(self, connector: SimulatedConnector) -> None:
        """Pull the cable: ends a transaction unless StopTransactionOnEVSideDisconnect is false."""
        connector.advance()
        connector.vehicle = None
        if connector.transaction is None:
            self.settle_status(connector)
        elif self.configuration.flag("StopTransactionOnEVSideDisconnect"):
            self.end(connector, "EVDisconnected")
        else:
            self.set_status(connector, "SuspendedEV")

    async def present_card(self, connector: SimulatedConnector, id_tag: str) -> str:
        """Hold a card to the reader: starts, or stops what the same card or its group started. The tag's verdict.

        `Rejected` is the station's own: the connector is out of order or kept for somebody else.
        """
        running = connector.transaction
        if running is not None and running.id_tag.casefold() == id_tag.casefold():
            self.end(connector, "Local", id_tag=id_tag)
            return "Accepted"
        info = await self._authorize(id_tag)
        if info["status"] != "Accepted":
            return str(info["status"])
        parent = info.get("parentIdTag")
        if running is not None:
            if parent is None or parent != running.parent_id_tag:
                return "Invalid"
            self.end(connector, "Local", id_tag=id_tag)
            return "Accepted"
        if not connector.admits(id_tag, parent):
            return "Rejected"
        self.permit(connector, Permission(id_tag, parent))
        return "Accepted"

    def permit(self, connector: SimulatedConnector, permission: Permission) -> None:
        """Allow the next charge on a connector; without a cable it waits ConnectionTimeOut."""
        connector.permission = permission
        if not connector.plugged:
            self.set_status(connector, "Preparing")
            self.tasks.start_soon(self._forget_permission, connector, permission)
        self._try_to_begin(connector)

    async def _forget_permission(self, connector: SimulatedConnector, permission: Permission) -> None:
        await trio.sleep(self.configuration.number("ConnectionTimeOut"))
        if connector.permission is permission and not connector.plugged:
            connector.permission = None
            self.settle_status(connector)

    async def _authorize(self, id_tag: str) -> Mapping[str, Any]:
        reply = await self.ask("Authorize", {"idTag": id_tag})
        if reply is not None:
            return dict(reply.get("idTagInfo", {"status": "Invalid"}))
        if id_tag in self.local_list:
            return self.local_list[id_tag]
        allowed = self.configuration.flag("LocalAuthorizeOffline") and self.configuration.flag(
            "AllowOfflineTxForUnknownId"
        )
        return {"status": "Accepted" if allowed else "Invalid"}

    # Transactions

    def _try_to_begin(self, connector: SimulatedConnector) -> None:
        if connector.permission is None or not connector.plugged or connector.status not in STARTABLE:
            return
        permission, connector.permission = connector.permission, None
        if self.misbehaviour.never_start:
            return
        if self.misbehaviour.start_delay_s > 0:
            self.tasks.start_soon(self._begin_late, connector, permission)
        else:
            self._begin(connector, permission)

    async def _begin_late(self, connector: SimulatedConnector, permission: Permission) -> None:
        await trio.sleep(self.misbehaviour.start_delay_s)
        if connector.plugged and connector.transaction is None:
            self._begin(connector, permission)

    def _begin(self, connector: SimulatedConnector, permission: Permission) -> None:
        now = self.clock.now()
        transaction = Transaction(
            connector.connector_id, permission.id_tag, connector.energy_wh, now, parent_id_tag=permission.parent_id_tag
        )
        payload: dict[str, Any] = {
            "connectorId": connector.connector_id,
            "idTag": permission.id_tag,
            "meterStart": transaction.meter_start_wh,
            "timestamp": wire_time(now),
        }
        if connector.reservation is not None:
            payload["reservationId"] = connector.reservation.reservation_id
            connector.reservation = None
        if self.settings.ocpp == "2.0.1":  # the station names its transactions
            transaction.transaction_id = f"{self.random.getrandbits(128):032x}"
            transaction.remote_start_id = self.remote_start_ids.pop(permission.id_tag.casefold(), None)
        connector.begin(transaction)
        self.apply_limits()
        start = self._put("StartTransaction", payload, transaction)
        start.on_reply = lambda reply: self._started(connector, transaction, reply)
        self.set_status(connector, "Charging")
        self.tasks.start_soon(self._sample_until_over, connector, transaction)

    def _started(self, connector: SimulatedConnector, transaction: Transaction, reply: Payload) -> None:
        """StartTransaction.conf: the id, and the verdict that may end the charge at once (OCPP 1.6 §4.8)."""
        transaction.transaction_id = reply.get("transactionId")
        info = reply.get("idTagInfo", {})
        transaction.parent_id_tag = info.get("parentIdTag", transaction.parent_id_tag)
        if info.get("status") != "Accepted" and connector.transaction is transaction:
            if self.configuration.flag("StopTransactionOnInvalidId"):
                self.end(connector, "DeAuthorized")
            else:
                connector.advance()
                connector.energised = False
                self.set_status(connector, "SuspendedEVSE")
        self.trace.wake()

    async def _sample_until_over(self, connector: SimulatedConnector, transaction: Transaction) -> None:
        while not transaction.over.is_set():
            interval_s = self.configuration.number("MeterValueSampleInterval")
            with trio.move_on_after(interval_s if interval_s > 0 else float("inf")):
                await transaction.over.wait()
                return
            self.apply_limits()
            self.sample(connector, "Sample.Periodic")
            if connector.vehicle is not None and connector.vehicle.is_full:
                self.set_status(connector, "SuspendedEV")

    def apply_limits(self) -> None:
        """Let the charging profiles take effect; looked at again with each sample."""
        now = self.clock.now()
        for connector in self.connectors.values():
            limit_w = None if self.misbehaviour.ignore_limits else self.profiles.limit_w(connector, now)
            connector.restrict(None if limit_w is None else limit_w * self.misbehaviour.draws)

    def sample(self, connector: SimulatedConnector, context: str) -> None:
        """Queue the connector's readings of now."""
        if self.misbehaviour.no_meter_values:
            return
        value = self._meter_value(connector, connector.transaction, "MeterValuesSampledData", context)
        payload = {"connectorId": connector.connector_id, "meterValue": [value]}
        self._put("MeterValues", payload, connector.transaction)

    def end(self, connector: SimulatedConnector, reason: str, *, id_tag: str | None = None) -> None:
        """Stop the running transaction, for one of OCPP's reasons; the connector is then Finishing or free."""
        transaction = connector.finish()
        if transaction is None:
            return
        self.profiles.forget_transaction(connector.connector_id)
        payload: dict[str, Any] = {
            "meterStop": connector.energy_wh,
            "timestamp": wire_time(connector.time(transaction, self.clock.now())),
            "reason": reason,
        }
        if id_tag is not None:
            payload["idTag"] = id_tag
        if self.configuration.text("StopTxnSampledData"):
            value = self._meter_value(connector, transaction, "StopTxnSampledData", "Transaction.End")
            payload["transactionData"] = [value]
        if not self.misbehaviour.lose_stop:
            self._put("StopTransaction", payload, transaction)
        self.settle_status(connector)

    def _meter_value(
        self, connector: SimulatedConnector, transaction: Transaction | None, key: str, context: str
    ) -> dict[str, Any]:
        measured_at = connector.time(transaction, self.clock.now())
        return meter_value(connector, measured_at, self.configuration.text(key), context, self.settings)

    # Reservations

    def reserve(self, connector: SimulatedConnector, wanted: Payload) -> None:
        """Keep a connector for one tag until it starts or the time runs out (OCPP 1.6 §5.13)."""
        reservation = ConnectorReservation(wanted["reservationId"], wanted["idTag"], wanted.get("parentIdTag"))
        connector.reservation = reservation
        self.set_status(connector, "Reserved")
        until = parse_time(wanted.get("expiryDate"))
        if until is not None:
            self.tasks.start_soon(self._expire, connector, reservation, (until - self.clock.now()).total_seconds())

    async def _expire(self, connector: SimulatedConnector, reservation: ConnectorReservation, after_s: float) -> None:
        await trio.sleep(max(0.0, after_s))
        if connector.reservation is reservation:
            connector.reservation = None
            self.settle_status(connector)

    # What the central system hears

    def set_status(self, connector: SimulatedConnector, status: str, error_code: str = "NoError") -> None:
        """Change a connector's status and report it, once."""
        if (connector.status, connector.error_code) == (status, error_code):
            return
        connector.status, connector.error_code = status, error_code
        self.say("StatusNotification", self.status_payload(connector.connector_id))
        self.trace.wake()

    def status_payload(self, connector_id: int) -> dict[str, Any]:
        """StatusNotification of one connector, or of the station itself (0), as of now."""
        connector = self.connectors.get(connector_id)
        own = "Available" if self.operative else "Unavailable"
        return {
            "connectorId": connector_id,
            "status": own if connector is None else connector.status,
            "errorCode": "NoError" if connector is None else connector.error_code,
            "timestamp": wire_time(self.clock.now()),
        }

    def say(self, action: str, payload: Payload) -> None:
        """Queue a message whose answer is not awaited; dropped while there is no connection."""
        self.outbox.put(OutboxMessage(action, payload))

    async def ask(self, action: str, payload: Payload) -> Payload | None:
        """Send a message and wait for its answer; None when there is no connection or it was refused."""
        message = self.outbox.put(OutboxMessage(action, payload))
        await message.settled.wait()
        return message.reply

    def _put(self, action: str, payload: Payload, transaction: Transaction | None) -> OutboxMessage:
        late_s = self.misbehaviour.late_s
        message = OutboxMessage(action, payload, transaction, send_after=trio.current_time() + late_s)
        if transaction is not None and self.settings.ocpp == "2.0.1":
            status = self.connectors[transaction.connector_id].status
            message.event = event_of(transaction, status, offline=not self.outbox.is_connected)
        return self.outbox.put(message)

    def settle_status(self, connector: SimulatedConnector) -> None:
        """Give a connector that does not charge the status it should have now."""
        if not (connector.operative and self.operative):
            status = "Unavailable"
        elif connector.status == "Faulted":
            return
        elif connector.plugged:
            status = "Finishing" if connector.last_transaction is not None else "Preparing"
        else:
            status = "Available" if connector.reservation is None else "Reserved"
        self.set_status(connector, status)
