"""A driver's charge: what was ordered, what it may cost, what became of it.

Views are what the doors show: plain facts, integers, aware UTC times; each door gives them its own shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from evpower.billing.rates import ScheduledRate
from evpower.billing.reservation import ChargeTerms, LimitType
from evpower.billing.settlement import Usage
from evpower.billing.tariff import Price
from evpower.charging.prediction import LastReading, Prediction, predict
from evpower.charging.transaction import EndCause, minutes_count_from
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId, WireTransactionId
from evpower.metering.belief import SLACK, billed_time, late_since
from evpower.metering.registers import Doubt
from evpower.money import tyiyn

#: reserved → starting → charging → stopping → ended → settled, or released with a full refund (design §4).
Phase = Literal["reserved", "starting", "charging", "stopping", "ended", "settled", "released"]
PublicSessionStatus = Literal["started", "stopped", "error"]


@dataclass(frozen=True)
class StartOrder:
    """What a driver asks for; neither limit means an unlimited charge, both mean energy capped by an amount."""

    client_id: ClientId
    station_id: StationId
    connector_id: ConnectorId
    energy_wh: int | None = None
    amount_tyiyn: int | None = None


@dataclass(frozen=True)
class TransactionRecord:
    """The station's transaction behind a session: its registers in Wh, its last readings, its times and ours."""

    wire_transaction_id: WireTransactionId
    #: Reported as ended, or closed by the settlement (field ruling 4.1).
    stopped: bool
    meter_start_wh: int
    #: What the running segment counts from, and the energy of those before it (`metering/registers.py`).
    meter_base_wh: int
    meter_carried_wh: int
    meter_last_wh: int
    #: When the last believed register was measured, by the station's clock and by ours; None without a reading.
    meter_last_measured_at: datetime | None
    meter_last_received_at: datetime | None
    meter_stop_wh: int | None
    started_at: datetime
    received_at: datetime
    stopped_at: datetime | None
    stop_received_at: datetime | None
    power_w: float | None
    current_a: float | None
    voltage_v: float | None
    soc_percent: float | None
    temperature_c: float | None
    last_sample_at: datetime | None
    #: From when until when we held the charge at nothing; not billed (roadmap/smart-charging §5).
    paused: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def stop_is_believed(self) -> bool:
        """Whether there is a stop register that counts; one that is not believed leaves the last reading."""
        return self.meter_stop_wh == self.meter_last_wh

    def energy_wh(self) -> int:
        """The energy delivered, as far as it is believed: what the gate made of the registers when they came."""
        return self.meter_carried_wh + max(0, self.meter_last_wh - self.meter_base_wh)

    def minutes(self, ordered_at: datetime) -> int:
        """Whole minutes billed: to the stop, else to the last believed reading, else none (`billed_time`).

        `ordered_at` is when the session began: where a card's queued start made it, that is the start's own time.
        """
        by_station, received_at = self._until()
        by_us = since_order = None
        if received_at is not None:
            by_us, since_order = received_at - self.received_at, received_at - ordered_at
        queued = late_since(self.started_at, self.received_at) is not None
        billed = billed_time(by_station, by_us, since_order, queued=queued)
        return _whole_minutes(billed - self.paused_for(received_at))

    def minutes_by_station(self) -> int | None:
        """The same by the station's clock alone, whatever it says; None when it says nothing."""
        by_station, _ = self._until()
        return None if by_station is None else int(by_station.total_seconds() // 60)

    def counts_from(self, ordered_at: datetime) -> datetime:
        """From when the minutes are counted while the charge goes on (`minutes_count_from`)."""
        return minutes_count_from(
            self.started_at, self.received_at, ordered_at, self.meter_last_measured_at, self.meter_last_received_at
        )

    def minutes_so_far(self, ordered_at: datetime, now: datetime) -> int:
        """Whole minutes of a charge that goes on."""
        return _whole_minutes(now - self.counts_from(ordered_at) - self.paused_for(now))

    def paused_for(self, until: datetime | None) -> timedelta:
        """How long it was held at nothing until then, by our clock; all there was without a moment."""
        ends = [(since, end if until is None else min(end, until)) for since, end in self.paused]
        return sum((max(end - since, timedelta()) for since, end in ends), timedelta())

    def _until(self) -> tuple[timedelta | None, datetime | None]:
        """How long it took to the stop, else to the last believed reading, by the station's clock; when that came."""
        if self.meter_stop_wh is None:
            until, received_at = self.meter_last_measured_at, self.meter_last_received_at
        else:
            until, received_at = self.stopped_at, self.stop_received_at
        return None if until is None else until - self.started_at, received_at


def _whole_minutes(time: timedelta) -> int:
    return max(0, int(time.total_seconds() // 60))


@dataclass(frozen=True)
class Session:
    """A session's rows: the facts everything else is computed from."""

    id: SessionId
    client_id: ClientId
    client_balance_tyiyn: int
    station_id: StationId
    connector_id: ConnectorId
    status: PublicSessionStatus
    phase: Phase
    start_time: datetime
    stop_time: datetime | None
    id_tag: IdTag
    terms: ChargeTerms
    energy_wh: int
    amount_tyiyn: int | None
    refunded_tyiyn: int
    additional_tyiyn: int
    debt_tyiyn: int
    settled_at: datetime | None
    estimated: bool
    corrected_at: datetime | None
    stop_reason: str | None
    end_cause: EndCause | None
    stop_requested_at: datetime | None
    stop_requested_by: str | None
    #: A figure of it is not believed, and no person has settled that yet.
    doubtful: bool
    #: The station's meter has signed readings of it.
    signed_meter: bool
    #: When a release was taken back because the charge had begun before it; its hold is the second one.
    reopened_at: datetime | None
    #: Under which its station is asked to begin (OCPP 2.0.1).
    remote_start_id: int | None
    record: TransactionRecord | None

    @property
    def is_final(self) -> bool:
        """Settled or released: its money is resolved."""
        return self.settled_at is not None

    @property
    def goes_on(self) -> bool:
        """Whether its end is still open: a charge that has ended is billed by its rows, also before it is settled."""
        return self.phase in ("reserved", "starting", "charging", "stopping")

    def minutes(self, now: datetime) -> int:
        """Whole minutes billed; so far, while it goes on."""
        if self.record is None:
            return 0
        if self.goes_on:
            return self.record.minutes_so_far(self.start_time, now)
        return self.record.minutes(self.start_time)

    def delivered(self) -> Usage:
        """What the session is billed by, of its rows alone, whenever they are read; nothing without a record."""
        record = self.record
        return Usage(0, 0) if record is None else Usage(record.energy_wh(), record.minutes(self.start_time))

    def clock_doubt(self) -> Doubt | None:
        """The station's clock gives other minutes than are billed, and minutes cost."""
        by_station = None if self.record is None else self.record.minutes_by_station()
        billed = self.delivered().minutes
        if by_station is None or self.terms.rates.per_minute == 0:
            return None
        believed = 0 <= by_station <= billed + SLACK // timedelta(minutes=1)
        return None if believed else Doubt("clock", by_station, billed)

    def final_cost_tyiyn(self) -> int:
        """The cost by the station's record: what the session is billed."""
        return self.terms.rates.cost_tyiyn(*self.delivered())


@dataclass(frozen=True)
class SessionView:
    """One session as in its rows, with the live readings of its transaction when there are any."""

    session_id: SessionId
    client_id: ClientId
    station_id: StationId
    connector_id: ConnectorId
    status: PublicSessionStatus
    phase: str
    start_time: datetime
    stop_time: datetime | None
    reserved_tyiyn: int
    energy_wh: int
    #: The running cost while started, the final cost afterwards.
    cost_tyiyn: int
    refunded_tyiyn: int
    additional_tyiyn: int
    debt_tyiyn: int
    #: Billed without the station's stop; `corrected` when that came later.
    estimated: bool
    corrected: bool
    #: A figure of it is not believed, and no person has settled that yet.
    doubtful: bool
    rate_per_kwh: Decimal
    rate_per_minute: Decimal
    session_fee_tyiyn: int
    limit_type: LimitType
    #: Wh for an energy limit, tyiyn for an amount limit, None for none.
    limit_value: int | None
    #: 0–100, one decimal.
    limit_percentage: Decimal
    limit_reached: bool
    duration_minutes: int
    client_balance_tyiyn: int
    station_online: bool
    wire_transaction_id: str | None
    ocpp_status: str | None
    meter_start_wh: int | None
    meter_current_wh: int | None
    power_w: float | None
    current_a: float | None
    voltage_v: float | None
    soc_percent: float | None
    temperature_c: float | None
    last_sample_at: datetime | None
    #: Why it ended, and what its station gave as the reason (OCPP's word), or what we did.
    end_cause: EndCause | None
    stop_reason: str | None
    #: What is in sight of its limit, while it runs.
    prediction: Prediction | None = None
    #: How far it went beyond the limit at which it must stop; None when there is none, or no register.
    overshoot_wh: int | None = None
    #: Its meter has signed readings of it: there is evidence (`history/evidence.py`).
    signed_meter: bool = False
    #: Whole minutes in which we held it at nothing; not billed.
    suspended_by_site_minutes: int = 0
    #: The rates of its hours, when its price moves.
    rate_schedule: tuple[ScheduledRate, ...] = ()


@dataclass(frozen=True)
class StartedSession:
    """A start that was reserved; `station_online`: whether the station was connected, to be asked at once."""

    session: SessionView
    price: Price
    energy_wh: int | None
    #: (reserved − session fee) / rate, kWh with one decimal; only for amount and unlimited starts.
    estimated_energy_kwh: Decimal | None
    station_online: bool


@dataclass(frozen=True)
class StoppedSession:
    """A session that is final; `already_stopped` when it was so before this request."""

    session: SessionView
    already_stopped: bool


def view_session(session: Session, now: datetime, *, station_online: bool) -> SessionView:
    """The session as the doors show it at this moment."""
    record, terms = session.record, session.terms
    running = session.status == "started"
    energy_wh = session.energy_wh if not running or record is None else record.energy_wh()
    minutes = session.minutes(now)
    cost_tyiyn = terms.rates.cost_tyiyn(energy_wh, minutes) if running else session.amount_tyiyn or 0
    until = session.stop_time or now
    return SessionView(
        session_id=session.id,
        client_id=session.client_id,
        station_id=session.station_id,
        connector_id=session.connector_id,
        status=session.status,
        phase=session.phase,
        start_time=session.start_time,
        stop_time=session.stop_time,
        reserved_tyiyn=terms.reserved_tyiyn,
        energy_wh=energy_wh,
        cost_tyiyn=cost_tyiyn,
        refunded_tyiyn=session.refunded_tyiyn,
        additional_tyiyn=session.additional_tyiyn,
        debt_tyiyn=session.debt_tyiyn,
        estimated=session.estimated,
        corrected=session.corrected_at is not None,
        doubtful=session.doubtful,
        rate_per_kwh=terms.rates.per_kwh,
        rate_per_minute=terms.rates.per_minute,
        session_fee_tyiyn=tyiyn(terms.rates.session_fee),
        limit_type=terms.limit.type,
        limit_value=terms.limit.energy_wh if terms.limit.type == "energy" else terms.limit.amount_tyiyn,
        limit_percentage=terms.percentage(energy_wh, minutes),
        limit_reached=terms.reached(energy_wh, minutes),
        duration_minutes=max(0, int((until - session.start_time).total_seconds() // 60)),
        client_balance_tyiyn=session.client_balance_tyiyn,
        station_online=station_online,
        wire_transaction_id=record.wire_transaction_id if record else None,
        ocpp_status=("Stopped" if record.stopped else "Started") if record else None,
        meter_start_wh=record.meter_start_wh if record else None,
        meter_current_wh=record.meter_last_wh if record else None,
        power_w=record.power_w if record else None,
        current_a=record.current_a if record else None,
        voltage_v=record.voltage_v if record else None,
        soc_percent=record.soc_percent if record else None,
        temperature_c=record.temperature_c if record else None,
        last_sample_at=record.last_sample_at if record else None,
        end_cause=session.end_cause,
        stop_reason=session.stop_reason,
        prediction=_prediction(session, now),
        overshoot_wh=None if record is None else _overshoot_wh(terms, energy_wh, minutes),
        signed_meter=session.signed_meter,
        suspended_by_site_minutes=0 if record is None else _whole_minutes(record.paused_for(session.stop_time or now)),
        rate_schedule=terms.schedule,
    )


def _prediction(session: Session, now: datetime) -> Prediction | None:
    """Of a charge that goes on, whose end nobody has asked for."""
    record = session.record
    if session.phase != "charging" or record is None or record.stopped:
        return None
    if record.power_w is None or record.meter_last_received_at is None:
        return None
    began_at = record.counts_from(session.start_time)
    last = LastReading(record.energy_wh(), record.power_w, began_at, record.meter_last_received_at)
    return predict(session.terms, last, now)


def _overshoot_wh(terms: ChargeTerms, energy_wh: int, minutes: int) -> int | None:
    limit_wh = terms.limit_wh(minutes)
    return None if limit_wh is None else max(0, energy_wh - limit_wh)
