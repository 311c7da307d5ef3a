"""The service behind the chargers' door, as a note-taker whose answers a test sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import trio

from evpower.charging.transaction import BegunTransaction, TransactionStart, TransactionStop
from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.metering.meter_value import MeterReport
from evpower.network.station import Admission, Boot, BootVerdict
from evpower.network.status import StatusReport
from evpower.plug_and_charge.service import PlugAndCharge
from evpower.power.at_station.reported import CarNeeds, ReportedLimits
from evpower.reports.device_event import EventsPart
from evpower.reports.station_reports import StationReports
from evpower.reports.transaction_event import EventAnswer, ReportedEvent
from evpower.security.security_report import SecurityReport
from evpower.stations.device_variable import DeviceMonitor, DeviceVariable
from evpower.stations.transfers import Kind
from evpower.tags.id_tag import IdTagVerdict

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class TrioClock:
    """The time of day follows trio's (mock) clock."""

    def __init__(self) -> None:
        self._began = trio.current_time()

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=trio.current_time() - self._began)


class CountingIds:
    """Predictable identifiers."""

    def __init__(self) -> None:
        self._last = 0

    def new(self) -> str:
        self._last += 1
        return f"id-{self._last}"

    def new_id_tag(self) -> str:
        self._last += 1
        return f"EV{self._last:014X}"


class FakeLimits(ReportedLimits):
    """Keeps what it is told in `told`; `grants` is whether a car gets a schedule."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.grants = False

    async def set(
        self, station_id: StationId, connector_id: ConnectorId, source: str, schedule: Mapping[str, Any] | None
    ) -> None:
        self.told.append(("set", station_id, connector_id, source, schedule))

    async def cleared(self, station_id: StationId, connector_id: ConnectorId | None, source: str) -> None:
        self.told.append(("cleared", station_id, connector_id, source))

    async def needed(self, station_id: StationId, connector_id: ConnectorId, needs: CarNeeds) -> bool:
        self.told.append(("needed", station_id, connector_id, needs))
        return self.grants


class FakeReports(StationReports):
    """Keeps what it is told in `told`, in order; `broken` makes every report fail like a database that is down."""

    def __init__(self) -> None:
        self.stations = {"CP-1": Admission("CP-1", "active", None)}
        self.told: list[tuple[str, StationId]] = []
        #: The version that each station came with.
        self.spoken: dict[StationId, str] = {}
        self.boots: list[Boot] = []
        self.statuses: list[StatusReport] = []
        self.tags: list[IdTag] = []
        self.starts: list[TransactionStart] = []
        self.readings: list[MeterReport] = []
        self.stops: list[TransactionStop] = []
        self.security_reports: list[SecurityReport] = []
        self.certificate_requests: list[str] = []
        self.proven: list[bool] = []
        #: Stations whose certificates were ended.
        self.ended: set[StationId] = set()
        self.certificate_verdict = True
        self.parked: list[tuple[str, str, bytes]] = []
        self.transfers: list[tuple[str, str]] = []
        self.boot_verdict = BootVerdict("Accepted", 60)
        self.verdict = IdTagVerdict("Accepted")
        self.stop_verdict: IdTagVerdict | None = None
        self.events: list[ReportedEvent] = []
        self.event_answer = EventAnswer()
        #: Transactions without an end, and those that were given up.
        self.unended: list[WireTransactionId] = []
        self.plug_and_charge = PlugAndCharge((), "")
        self.limits_of_others: FakeLimits = FakeLimits()
        self.costs: dict[WireTransactionId, int] = {}
        self.variables: dict[str, str | None] = {}
        self.lost: list[WireTransactionId] = []
        #: The number of an inventory that is to be asked for, and parts of reports that came.
        self.inventory: int | None = None
        #: An event of one of them is not grave.
        self.monitor_reports: list[tuple[int, int, tuple[DeviceMonitor, ...], bool]] = []
        self.event_parts: list[EventsPart] = []
        self.device_reports: list[tuple[int, int, tuple[DeviceVariable, ...], bool]] = []
        self.states: dict[ConnectorId, str] = {}
        self.close_codes: list[int] = []
        self.broken = False
        #: When set, reports wait for it, like a slow commit.
        self.commit: trio.Event | None = None

    async def _note(self, what: str, station_id: StationId) -> None:
        if self.broken:
            raise OSError("the database is down")
        if self.commit is not None:
            await self.commit.wait()
        self.told.append((what, station_id))

    def count(self, what: str) -> int:
        return sum(told == what for told, _ in self.told)

    async def admit(self, identity: str) -> Admission | None:
        if self.broken:
            raise OSError("the database is down")
        return self.stations.get(identity)

    async def password_shown(self, station_id: StationId, pending_hash: str) -> None:
        self.told.append((f"shown {pending_hash}", station_id))

    async def login_refused(self, station_id: StationId, address: str, reason: str) -> None:
        self.told.append((f"refused {reason}", station_id))

    async def connected(self, station_id: StationId, address: str = "", ocpp_version: str = "") -> None:
        self.told.append(("connected", station_id))
        self.spoken[station_id] = ocpp_version

    def returned(self, station_id: StationId) -> None:
        self.told.append(("returned", station_id))

    async def disconnected(self, station_id: StationId, last_seen_at: datetime, close_code: int) -> None:
        self.told.append(("disconnected", station_id))
        self.close_codes.append(close_code)

    async def boot(self, station_id: StationId, boot: Boot) -> BootVerdict:
        await self._note("boot", station_id)
        self.boots.append(boot)
        return self.boot_verdict

    async def ready_for_commands(self, station_id: StationId) -> None:
        self.told.append(("ready", station_id))

    async def connector_status(self, station_id: StationId, report: StatusReport) -> None:
        await self._note("status", station_id)
        self.statuses.append(report)

    async def transfer_moved(
        self, station_id: StationId, kind: Kind, status: str, request_id: int | None = None
    ) -> None:
        del request_id
        await self._note("transfer", station_id)
        self.transfers.append((kind, status))

    async def authorize(self, station_id: StationId, id_tag: IdTag) -> IdTagVerdict:
        await self._note("authorize", station_id)
        self.tags.append(id_tag)
        return self.verdict

    async def charging_priority(self, station_id: StationId, connector_id: ConnectorId | None) -> int:
        """As many as the number of the connector; of the station, none."""
        del station_id
        return connector_id or 0

    async def begin_transaction(self, station_id: StationId, start: TransactionStart) -> BegunTransaction:
        await self._note("start", station_id)
        self.starts.append(start)
        return BegunTransaction(WireTransactionId(str(100 + len(self.starts))), self.verdict)

    async def record_meter_values(self, station_id: StationId, report: MeterReport) -> None:
        await self._note("meter", station_id)
        self.readings.append(report)

    async def end_transaction(self, station_id: StationId, stop: TransactionStop) -> IdTagVerdict | None:
        await self._note("stop", station_id)
        self.stops.append(stop)
        return self.stop_verdict

    async def transaction_event(
        self, station_id: StationId, event: ReportedEvent, *, with_cost: bool = False
    ) -> EventAnswer:
        await self._note("event", station_id)
        self.events.append(event)
        return self.event_answer if with_cost else replace(self.event_answer, total_cost_tyiyn=None)

    async def inventory_to_ask(self, station_id: StationId) -> int | None:
        del station_id
        return self.inventory

    async def reservation_ended(self, station_id: StationId, reservation_id: int, *, expired: bool) -> None:
        await self._note(f"reservation {reservation_id} {'expired' if expired else 'removed'}", station_id)

    async def monitors(
        self, station_id: StationId, request_id: int, seq_no: int, monitors: Sequence[DeviceMonitor], *, more: bool
    ) -> None:
        await self._note("monitors", station_id)
        self.monitor_reports.append((request_id, seq_no, tuple(monitors), more))

    async def device_events(self, station_id: StationId, part: EventsPart) -> None:
        await self._note("events", station_id)
        self.event_parts.append(part)

    async def device_report(
        self, station_id: StationId, request_id: int, seq_no: int, variables: Sequence[DeviceVariable], *, more: bool
    ) -> None:
        await self._note("report", station_id)
        self.device_reports.append((request_id, seq_no, tuple(variables), more))

    async def variables_read(self, station_id: StationId, variables: Sequence[DeviceVariable]) -> None:
        await self._note("variables", station_id)
        self.variables = {f"{each.component}.{each.variable}": each.value for each in variables}

    async def reading_in_order(
        self, station_id: StationId, event: ReportedEvent, *, with_cost: bool = False
    ) -> EventAnswer | None:
        del station_id, event, with_cost
        return None

    async def unended_transactions(self, station_id: StationId) -> list[WireTransactionId]:
        del station_id
        return self.unended

    async def cost_so_far_tyiyn(self, station_id: StationId, wire_id: WireTransactionId) -> int | None:
        del station_id
        return self.costs.get(wire_id)

    async def charging_states(self, station_id: StationId) -> dict[ConnectorId, str]:
        del station_id
        return self.states

    async def transaction_lost(self, station_id: StationId, wire_id: WireTransactionId) -> None:
        del station_id
        self.lost.append(wire_id)

    async def security(self, station_id: StationId, report: SecurityReport) -> None:
        await self._note("security", station_id)
        self.security_reports.append(report)

    async def profile_shown(self, station_id: StationId, profile: int) -> None:
        self.told.append((f"profile {profile}", station_id))

    async def certificate_ended(self, station_id: StationId, serial_number: str, not_before: datetime) -> bool:
        del serial_number, not_before
        return station_id in self.ended

    async def certificates_ended_since(self, since: Mapping[StationId, datetime]) -> list[StationId]:
        return [each for each in since if each in self.ended]

    async def replaced_alive(self, station_id: StationId) -> None:
        self.told.append(("replaced alive", station_id))

    async def certificate_requested(self, station_id: StationId, csr: str, reported_as: str, *, proven: bool) -> bool:
        self.proven.append(proven)
        await self._note("certificate", station_id)
        self.certificate_requests.append(csr)
        return self.certificate_verdict

    async def park(self, station_id: StationId, action: str, reason: str, payload: bytes) -> None:
        self.parked.append((action, reason, payload))
