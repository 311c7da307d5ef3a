"""What a station of OCPP 2.0.1 reports of a transaction, as a domain value (contract/ocpp201 §3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple

from evpower.charging.transaction import named_by_station
from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.metering.meter_value import EventNumber, MeterReport, Sample
from evpower.tags.id_tag import IdTagVerdict

EventStage = Literal["Started", "Updated", "Ended"]
REPORTED_AS = "TransactionEvent"


class ReportedEvent(NamedTuple):
    """One event. Each but its number may be missing; `occurred_at` is the station's time.

    A named tuple, because one is made for every reading of every station.
    """

    wire_transaction_id: WireTransactionId
    seq_no: int
    kind: EventStage
    occurred_at: datetime
    connector_id: ConnectorId | None = None
    id_tag: IdTag | None = None
    #: Under which we asked for it.
    remote_start_id: int | None = None
    reservation_id: int | None = None
    #: It was queued while the station had no line.
    offline: bool = False
    stop_reason: str | None = None
    charging_state: str | None = None
    #: Oldest first.
    samples: tuple[Sample, ...] = ()
    #: The readings and the whole message, byte for byte as sent.
    readings: bytes = b"[]"
    payload: bytes = b"{}"
    #: The meter has signed some of it.
    signed: bool = False
    #: What was missing or unreadable, by the standard's names.
    unread: tuple[str, ...] = ()

    @property
    def is_reading(self) -> bool:
        """It tells nothing but readings, or that something changed which decides nothing."""
        return self.kind == "Updated" and self.id_tag is None and self.remote_start_id is None

    @property
    def first_wh(self) -> int | None:
        """The register it begins with."""
        return next((sample.energy_wh for sample in self.samples if sample.energy_wh is not None), None)

    @property
    def last_wh(self) -> int | None:
        """The register it ends with."""
        return next((sample.energy_wh for sample in reversed(self.samples) if sample.energy_wh is not None), None)

    def named_here(self) -> ReportedEvent:
        """Under the name that its transaction has here."""
        name = named_by_station(self.wire_transaction_id)
        return self if name == self.wire_transaction_id else self._replace(wire_transaction_id=name)

    def reading(self) -> MeterReport:
        """The event as a row of readings, which is all that is kept of it."""
        return self.report(None, EventNumber(self.seq_no, self.occurred_at, self.offline))

    def report(self, connector_id: ConnectorId | None, number: EventNumber | None = None) -> MeterReport:
        """Its readings, of a transaction on this connector; the number of one that is kept as nothing else."""
        return MeterReport(
            self.connector_id or connector_id or ConnectorId(0),
            self.wire_transaction_id,
            self.samples,
            self.readings,
            REPORTED_AS,
            self.signed,
            number=number,
        )


@dataclass(frozen=True)
class EventAnswer:
    """Our answer: the verdict on the token it named, and what the charge costs so far."""

    verdict: IdTagVerdict | None = None
    total_cost_tyiyn: int | None = None


@dataclass(frozen=True)
class OpenTransaction:
    """A transaction as its events have told it so far."""

    wire_transaction_id: WireTransactionId
    connector_id: ConnectorId | None
    id_tag: IdTag | None
    remote_start_id: int | None
    reservation_id: int | None
    awaits_register: bool
    claimed: bool
    ended_at: datetime | None

    def with_facts_of(self, event: ReportedEvent) -> OpenTransaction:
        """The transaction with what this event adds; the token of an end is not whose charge it is."""
        shown = None if event.kind == "Ended" else event.id_tag
        return replace(
            self,
            connector_id=event.connector_id or self.connector_id,
            id_tag=self.id_tag if self.claimed else shown or self.id_tag,
            remote_start_id=event.remote_start_id or self.remote_start_id,
            reservation_id=event.reservation_id or self.reservation_id,
        )
