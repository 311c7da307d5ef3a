"""What stations report, as domain values: the one service behind every OCPP version's handlers.

Handlers translate the wire and call here; no rule lives in a handler. Every method answers only after what it
reports is durable (design §4: acknowledge after commit) and raises nothing a station could cause: a database that is
down raises, and the station gets InternalError and repeats (duty 15).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evpower.charging.arrivals import mark_twin
from evpower.charging.beginnings import Beginnings
from evpower.charging.endings import Endings
from evpower.charging.limits import LimitKeeper
from evpower.charging.review.parked import ParkedReports
from evpower.charging.start_stop import Commands
from evpower.charging.transaction import BegunTransaction, TransactionStart, TransactionStop
from evpower.clock import Clock
from evpower.cluster.connections import SocketEnd
from evpower.db.lookups import Lookups
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import DatabaseUnavailable
from evpower.events import EventBus, StationChanged
from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.metering.journal import BootRow, Journal, LeftRow, MeterRow, PresenceRow, StatusRow
from evpower.metering.meter_value import MeterReport
from evpower.network.station import Admission, Boot, BootVerdict
from evpower.network.status import StatusReport
from evpower.plug_and_charge.service import PlugAndCharge
from evpower.power.at_station.reported import ReportedLimits
from evpower.reports.device_event import EventsPart
from evpower.reports.device_events import DeviceEvents
from evpower.reports.rows.priorities import charging_priority
from evpower.reports.transaction_event import EventAnswer, ReportedEvent
from evpower.reports.transaction_events import NOTHING, TransactionEvents
from evpower.reservations.worker import ReservationWorker
from evpower.security.certificates import StationCertificates
from evpower.security.records import (
    add_event,
    certificate_ended,
    ended_since,
    note_refused_login,
    put_in_force,
    see_profile,
)
from evpower.security.security_report import SecurityMatter, SecurityReport
from evpower.stations.availability import Availability
from evpower.stations.awaited_answers import Awaited
from evpower.stations.connector_reservations import ConnectorReservations
from evpower.stations.device_model import DeviceModel
from evpower.stations.device_variable import DeviceMonitor, DeviceVariable
from evpower.stations.transfers import Kind, Transfers
from evpower.tags.id_tag import IdTagVerdict

#: The transfer that a report on security is about.
TRANSFERS: dict[SecurityMatter, Kind] = {
    SecurityMatter.LOG_UPLOAD: "log",
    SecurityMatter.SIGNED_FIRMWARE: "signed_firmware",
}

log = logging.getLogger("OCPP")
security_log = logging.getLogger("security")


@dataclass(frozen=True)
class ReportedTo:
    """The services that act on what is reported."""

    beginnings: Beginnings
    endings: Endings
    commands: Commands
    limits: LimitKeeper
    parked: ParkedReports
    certificates: StationCertificates
    awaited: Awaited
    availability: Availability
    reservations: ConnectorReservations
    kept_connectors: ReservationWorker
    transfers: Transfers
    transactions: TransactionEvents
    device_model: DeviceModel
    device_events: DeviceEvents
    plug_and_charge: PlugAndCharge
    limits_of_others: ReportedLimits


class StationReports:
    """One method for each thing a station reports."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        admissions: Lookups[str, Admission],
        journal: Journal,
        rooms: ReportedTo,
        bus: EventBus,
        heartbeat_interval_s: int,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._admissions = admissions
        self._journal = journal
        self._rooms = rooms
        self.plug_and_charge = rooms.plug_and_charge
        #: Limits on power that are not ours, and what cars ask for.
        self.limits_of_others = rooms.limits_of_others
        self._bus = bus
        self._heartbeat_interval_s = heartbeat_interval_s

    async def admit(self, identity: str) -> Admission | None:
        """The station a socket's identity names (its id, or its serial number when no id matches), or None."""
        return await self._admissions.find(identity)

    async def password_shown(self, station_id: StationId, pending_hash: str) -> None:
        """The station logged in with the password that was on its way: it has it, and the old one ends."""
        async with unit_of_work(self._pool) as uow:
            await put_in_force(uow.conn, station_id, pending_hash, self._clock.now())

    async def login_refused(self, station_id: StationId, address: str, reason: str) -> None:
        """A configured station was refused: its page says why, whichever process is asked."""
        async with unit_of_work(self._pool) as uow:
            await note_refused_login(uow.conn, station_id, address, reason, self._clock.now())

    async def profile_shown(self, station_id: StationId, profile: int) -> None:
        """The station was admitted on a security profile with TLS: nothing below it opens any more."""
        async with unit_of_work(self._pool) as uow:
            await see_profile(uow.conn, station_id, profile)

    async def certificate_ended(self, station_id: StationId, serial_number: str, not_before: datetime) -> bool:
        """Whether a certificate of the station, verified and its own, was ended by an operator or a new password."""
        async with reading(self._pool) as conn:
            return await certificate_ended(conn, station_id, serial_number, not_before)

    async def certificates_ended_since(self, since: Mapping[StationId, datetime]) -> list[StationId]:
        """Those of these stations whose certificates ended after the moment of each."""
        async with reading(self._pool) as conn:
            return await ended_since(conn, since)

    async def replaced_alive(self, station_id: StationId) -> None:
        """A second socket took the place of one that was alive: two devices bear one name, or a thief does."""
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            charges = await mark_twin(uow.conn, station_id, now)
            detail = f"charging: {', '.join(charges)}" if charges else "not charging"
            report = SecurityReport(SecurityMatter.EVENT, "Connection", "TwinReplacedLiveStation", detail=detail)
            await add_event(uow.conn, station_id, report, now)
        security_log.warning("a second socket replaced one that was alive: station=%s, %s", station_id, detail)

    async def connected(self, station_id: StationId, address: str = "", ocpp_version: str = "") -> None:
        """A station's socket is open and registered. After a power cut all come at once: one commit for many."""
        if await self._journal.presence(PresenceRow(station_id, self._clock.now(), address, ocpp_version)):
            self._bus.publish(StationChanged(station_id))

    async def disconnected(self, station_id: StationId, last_seen_at: datetime, close_code: int) -> None:
        """A station's socket ended so and no twin replaced it; its sessions go on (contract/ocpp-behaviour §5.5).

        After a power cut all go at once: one commit for many, as when they come. What cannot be written any more says
        itself in time: the row of a socket that is gone ends with the station's next one, or with this process.
        """
        end = SocketEnd(self._clock.now(), close_code)
        try:
            if await self._journal.left(LeftRow(station_id, last_seen_at, end)):
                self._bus.publish(StationChanged(station_id))
        except DatabaseUnavailable as error:
            log.warning("station=%s: that it left could not be written: %s", station_id, error)

    def returned(self, station_id: StationId) -> None:
        """A station whose socket stayed open speaks again after it counted as silent; its row follows in a group."""
        log.info("station is back: station=%s", station_id)
        self._bus.publish(StationChanged(station_id))

    async def boot(self, station_id: StationId, boot: Boot) -> BootVerdict:
        """Store a boot. An inactive station stays outside (contract/ocpp-behaviour §1), unless it still charges:
        its stop must get through, so that it settles (design §9.15)."""
        if not await self._journal.boot(BootRow(station_id, boot, self._clock.now())):
            return BootVerdict("Rejected", self._heartbeat_interval_s)
        self._bus.publish(StationChanged(station_id))
        return BootVerdict("Accepted", self._heartbeat_interval_s)

    async def ready_for_commands(self, station_id: StationId) -> None:
        """The station finished booting (first status, or a short delay): what is pending is sent again."""
        await self._rooms.commands.take_up(station_id)
        await self._rooms.certificates.take_up(station_id)

    async def connector_status(self, station_id: StationId, report: StatusReport) -> None:
        """Store a connector's status; a connector that is not configured is a warning, not a row (seed §4)."""
        outcome = await self._journal.status(StatusRow(station_id, report, self._clock.now()))
        if not outcome.known:
            log.warning("connector is not configured: station=%s, connector=%s", station_id, report.connector_id)
        if outcome.changed:
            self._bus.publish(StationChanged(station_id))
        # Most stations have nothing that waits for a status.
        if await self._rooms.awaited.includes(station_id):
            await self._rooms.availability.status_arrived(station_id, report)
            await self._rooms.reservations.status_arrived(station_id, report)

    async def transfer_moved(
        self, station_id: StationId, kind: Kind, status: str, request_id: int | None = None
    ) -> None:
        """Store how far an upload or a firmware update has come."""
        await self._rooms.transfers.progress(station_id, kind, status, request_id)

    async def authorize(self, station_id: StationId, id_tag: IdTag) -> IdTagVerdict:
        """The verdict on a presented tag."""
        return await self._rooms.beginnings.authorize(station_id, id_tag)

    async def charging_priority(self, station_id: StationId, connector_id: ConnectorId | None) -> int:
        """How important a charge is there, in OCPP's numbers from 0 to 9: as its connector in a group of power."""
        async with reading(self._pool) as conn:
            return await charging_priority(conn, station_id, connector_id)

    async def begin_transaction(self, station_id: StationId, start: TransactionStart) -> BegunTransaction:
        """Store a start and find its session; every start gets a fresh positive transaction id, refused ones too."""
        begun = await self._rooms.beginnings.begin(station_id, start)
        if start.reservation_id is not None:  # a start that names a reservation uses it (duty 36)
            await self._rooms.reservations.used(station_id, start.reservation_id)
        return begun

    async def record_meter_values(self, station_id: StationId, report: MeterReport) -> None:
        """Store readings, advance the session, and see to its limit."""
        progress = await self._journal.meter_values(MeterRow(station_id, report, self._clock.now()))
        if progress is not None:
            await self._rooms.limits.advanced(station_id, progress)
        elif report.wire_transaction_id is not None:  # nobody pays for it, it seems
            self._rooms.commands.repeat_stops(station_id)

    async def end_transaction(self, station_id: StationId, stop: TransactionStop) -> IdTagVerdict | None:
        """Store the facts of a stop; the settlement worker bills them. Returns the verdict on its tag."""
        return await self._rooms.endings.end(station_id, stop)

    async def transaction_event(
        self, station_id: StationId, event: ReportedEvent, *, with_cost: bool = False
    ) -> EventAnswer:
        """Store an event of a transaction that the station names (OCPP 2.0.1), and what follows from it.

        `with_cost`: the station shows what a charge costs.
        """
        event = event.named_here()
        answer = await self._rooms.transactions.take(station_id, event)
        return await self._with_cost(station_id, event, answer) if with_cost else answer

    async def reading_in_order(
        self, station_id: StationId, event: ReportedEvent, *, with_cost: bool = False
    ) -> EventAnswer | None:
        """The same of a reading that comes in the order of its transaction's events, in a group with others.

        None for any other event: nothing was done.
        """
        event = event.named_here()
        if not await self._rooms.transactions.take_in_order(station_id, event):
            return None
        return await self._with_cost(station_id, event, NOTHING) if with_cost else NOTHING

    async def _with_cost(self, station_id: StationId, event: ReportedEvent, answer: EventAnswer) -> EventAnswer:
        return replace(answer, total_cost_tyiyn=await self.cost_so_far_tyiyn(station_id, event.wire_transaction_id))

    async def cost_so_far_tyiyn(self, station_id: StationId, wire_id: WireTransactionId) -> int | None:
        """What the charge of a transaction costs so far; None when nobody pays."""
        return await self._rooms.endings.cost_so_far_tyiyn(station_id, wire_id)

    async def unended_transactions(self, station_id: StationId) -> list[WireTransactionId]:
        """Transactions that the station has named and not ended."""
        return await self._rooms.transactions.unended(station_id)

    async def charging_states(self, station_id: StationId) -> dict[ConnectorId, str]:
        """What the station's transactions that go on are doing, in the words of its version."""
        return await self._rooms.transactions.charging_states(station_id)

    async def reservation_ended(self, station_id: StationId, reservation_id: int, *, expired: bool) -> None:
        """The station has ended a reservation of its connector; one that is unknown, or over, stays as it is."""
        await self._rooms.reservations.ended_at_station(station_id, reservation_id, expired=expired)
        if not expired:  # of a client's our own clock decides the end
            await self._rooms.kept_connectors.removed_at_station(station_id, reservation_id)

    async def inventory_to_ask(self, station_id: StationId) -> int | None:
        """The number under which the station is to be asked for all of its variables; None when they are known."""
        return await self._rooms.device_model.inventory_to_ask(station_id)

    async def device_report(
        self, station_id: StationId, request_id: int, seq_no: int, variables: Sequence[DeviceVariable], *, more: bool
    ) -> None:
        """Store a report of the station's variables, once all of its parts have come."""
        if await self._rooms.device_model.report(station_id, request_id, seq_no, variables, more=more):
            self._bus.publish(StationChanged(station_id))

    async def variables_read(self, station_id: StationId, variables: Sequence[DeviceVariable]) -> None:
        """Store variables of the station that it was asked for after its boot."""
        await self._rooms.device_model.read(station_id, variables)

    async def monitors(
        self, station_id: StationId, request_id: int, seq_no: int, monitors: Sequence[DeviceMonitor], *, more: bool
    ) -> None:
        """Store how grave what the station's monitors notify is, once all parts of the report have come."""
        await self._rooms.device_model.monitors(station_id, request_id, seq_no, monitors, more=more)

    async def device_events(self, station_id: StationId, part: EventsPart) -> None:
        """Store events of the station's components; with the last part, the grave ones are the station's."""
        await self._rooms.device_events.take(station_id, part)

    async def transaction_lost(self, station_id: StationId, wire_id: WireTransactionId) -> None:
        """The station neither runs this transaction nor has its end queued (OCPP 2.0.1 E14)."""
        await self._rooms.transactions.lost(station_id, wire_id)

    async def security(self, station_id: StationId, report: SecurityReport) -> None:
        """Store what a station says of its security; what is alarming is a warning in the log.

        How a log upload or a signed update goes also moves the transfer that was asked for.
        """
        async with unit_of_work(self._pool) as uow:
            await add_event(uow.conn, station_id, report, self._clock.now())
        level = logging.WARNING if report.is_alarming else logging.INFO
        line = "%s: station=%s, type=%r, detail=%r"
        security_log.log(level, line, report.reported_as, station_id, report.type, report.detail)
        if (kind := TRANSFERS.get(report.matter)) is not None:
            await self._rooms.transfers.progress(station_id, kind, report.type, report.request_id)

    async def certificate_requested(self, station_id: StationId, csr: str, reported_as: str, *, proven: bool) -> bool:
        """Store a request for a certificate (PEM); False when it is refused. The certificate is brought later.

        `proven` says that its socket is authenticated over TLS.
        """
        return await self._rooms.certificates.request(station_id, csr, reported_as, proven=proven)

    async def park(self, station_id: StationId, action: str, reason: str, payload: bytes) -> None:
        """Keep a report that matches nothing, with all its data, for a person (duty 20, 23)."""
        await self._rooms.parked.park(station_id, action, reason, payload)
