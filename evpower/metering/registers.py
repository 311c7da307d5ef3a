"""The one gate for a register: what of a transaction's figures counts as delivered (field-rulings §1).

A register is believed while the energy since the start can have flowed, and only rises. One that restarts lower (a
reboot, a replaced meter) opens a new segment, which counts from its own first reading; segments are added up, so what
was believed once is never taken back while the charge lasts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from evpower.metering.belief import CLOCK_MAX, QUEUED_MAX, SLACK, energy_max_wh, late_since, longest, moment_of
from evpower.metering.boundaries import FAR_APART, Boundary, DeliveredBy
from evpower.metering.meter_value import MAX_ENERGY_WH, Sample

#: What is doubtful, and since when a person is asked:
#: reading      a register of MeterValues or transactionData is not believed
#: start        the register at the start was none: the charge counts from its first reading
#: restart      the register began again lower
#: stop         the stop register is not believed: the charge is billed by its last believed reading
#: power        more than the connector can deliver
#: clock        the station's clock gives more time than ours, and is not billed; or it was set in mid-charge
#: no_register  a limited charge has no believable register
#: boundary     a rate began between two readings that are far apart: how much was delivered before is a guess
#: settlement   a bill cannot be written
DoubtKind = Literal["reading", "start", "restart", "stop", "power", "clock", "no_register", "boundary", "settlement"]


_MINUTE, _SECOND = timedelta(minutes=1), timedelta(seconds=1)


class Doubt(NamedTuple):
    """A figure that is not believed, and the one it would have to keep to.

    Both in Wh; of `power` in W, of `clock` in minutes, of `no_register` and `boundary` in seconds.
    """

    kind: DoubtKind
    figure: int
    bound: int


class RegisterReading(NamedTuple):
    """A register as a message carries it: in Wh, by the station's clock and by ours."""

    register_wh: int
    measured_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class BelievedRegister:
    """What is believed of a transaction's register so far; all in Wh."""

    start_wh: int
    started_at: datetime
    received_at: datetime
    rated_power_w: int | None
    #: What the running segment counts from.
    base_wh: int
    last_wh: int
    #: The energy of the segments before.
    carried_wh: int = 0
    #: The last register of the segment before, when there was one.
    before_wh: int | None = None
    #: When the last believed register was measured, by the station's clock and by ours; None without a reading.
    last_measured_at: datetime | None = None
    last_received_at: datetime | None = None
    #: When the station booted last, by our clock.
    booted_at: datetime | None = None
    #: At which moments its energy is asked for, in their order; none for most charges.
    boundaries: tuple[Boundary, ...] = ()

    @property
    def energy_wh(self) -> int:
        """What the transaction delivered, as far as it is believed."""
        return self.carried_wh + max(0, self.last_wh - self.base_wh)

    def read(self, reading: RegisterReading) -> tuple[BelievedRegister, Doubt | None]:
        """This reading of a charge that goes on; what comes late and is lower than a newer one says nothing of now."""
        believed, doubt = self._judged(reading)
        if believed is self and doubt is None:
            return self._with_late(reading), None
        believed = believed.since(self)
        return believed, doubt or believed._guess_since(self)

    def _judged(self, reading: RegisterReading) -> tuple[BelievedRegister, Doubt | None]:
        if self.last_measured_at is None and (lie := self._start_that_is_none(reading)):
            return self._counting_from(reading), lie
        if reading.register_wh >= self.last_wh:
            return self._risen(reading, "reading")
        if self.last_measured_at is not None and reading.measured_at <= self.last_measured_at:
            return self, None
        if self._is_from_before_the_boot(reading):
            return self, Doubt("reading", reading.register_wh, self.last_wh)
        restarted = replace(self._counting_from(reading), carried_wh=self.energy_wh, before_wh=self.last_wh)
        return restarted, Doubt("restart", reading.register_wh, self.last_wh)

    def stop(self, reading: RegisterReading, *, corrects_estimate: bool) -> tuple[BelievedRegister, Doubt | None]:
        """The station's stop register. Where its charge was ended by an estimate it may show that to be too high."""
        believed, doubt = self._judged_stop(reading, corrects_estimate=corrects_estimate)
        believed = believed.since(self)
        return believed, doubt or believed._guess_since(self)

    def as_said(self, stop: RegisterReading) -> BelievedRegister:
        """A person takes the station's word for the whole charge: its stop minus its start."""
        said = replace(self._with(stop), base_wh=self.start_wh, carried_wh=0, before_wh=None)
        return said.since(self)

    def since(self, before: BelievedRegister) -> BelievedRegister:
        """With the boundaries that were passed since; `before` is this register at the reading before."""
        if not self.boundaries or self is before:
            return self
        earlier, now = before.delivered(), self.delivered()
        return replace(self, boundaries=tuple(each.passed(earlier, now) for each in self.boundaries))

    def _guess_since(self, before: BelievedRegister) -> Doubt | None:
        """A boundary that was passed since, and only between readings that are far apart."""
        passed = [each for each, old in zip(self.boundaries, before.boundaries, strict=True) if old.after is None]
        widest = max((each.apart for each in passed if each.is_estimated), default=None)
        return None if widest is None else Doubt("boundary", widest // _SECOND, FAR_APART // _SECOND)

    def delivered(self) -> DeliveredBy:
        """What was delivered by the last believed reading; without one, nothing by the start."""
        if self.last_measured_at is None or self.last_received_at is None:
            return DeliveredBy(late_since(self.started_at, self.received_at) or self.received_at, self.energy_wh)
        return DeliveredBy(self._moment(self.last_measured_at, self.last_received_at), self.energy_wh)

    def _with_late(self, reading: RegisterReading) -> BelievedRegister:
        """A reading of the running segment that was taken before the last one narrows what is around a boundary."""
        if not self.boundaries or not self.base_wh <= reading.register_wh <= self.last_wh:
            return self
        moment = self._moment(reading.measured_at, reading.received_at)
        late = DeliveredBy(moment, self.carried_wh + reading.register_wh - self.base_wh)
        return replace(self, boundaries=tuple(each.between(late) for each in self.boundaries))

    def _moment(self, measured_at: datetime, heard_at: datetime) -> datetime:
        return moment_of(measured_at, heard_at, self.started_at, self.received_at)

    def _judged_stop(
        self, reading: RegisterReading, *, corrects_estimate: bool
    ) -> tuple[BelievedRegister, Doubt | None]:
        lowered = self._with(reading)
        if reading.register_wh >= self.last_wh:
            believed, doubt = self._risen(reading, "stop")
            return (believed, None) if doubt is None else self._with_its_clock_set(reading) or (believed, doubt)
        if corrects_estimate and reading.register_wh >= self.base_wh:
            return lowered, None
        return self, Doubt("stop", reading.register_wh, self.last_wh)

    def _risen(self, reading: RegisterReading, kind: DoubtKind) -> tuple[BelievedRegister, Doubt | None]:
        """The same segment goes on; or the lower figures were a slip, and the segment before does."""
        # What is believed already needs no time: a clock that was set right since makes it none.
        most_wh = max(self._most_wh(reading), self.energy_wh)
        lines = [self._with(reading)]
        if self.before_wh is not None and reading.register_wh >= self.before_wh:
            earlier = replace(self._with(reading), base_wh=self.before_wh, before_wh=None)
            # As long as nothing rose since, nothing speaks for a restart.
            lines.insert(0 if self.last_wh == self.base_wh else 1, earlier)
        for line in lines:
            if self.energy_wh <= line.energy_wh <= most_wh:
                return line, None
        return self, Doubt(kind, reading.register_wh, self.base_wh + most_wh - self.carried_wh)

    def _with_its_clock_set(self, reading: RegisterReading) -> tuple[BelievedRegister, Doubt] | None:
        """The stop of a charge that began before the station's clock was set, and of which it sent no reading.

        When it began is not known: while the station was offline, then. It is believed up to what `QUEUED_MAX` allows,
        as a charge out of a queue is (A11); a person sees the minutes by that clock.
        """
        by_station = reading.measured_at - self.started_at
        began_unset = self.received_at - self.started_at > CLOCK_MAX and by_station > CLOCK_MAX
        line = self._with(reading)
        if self.last_measured_at is not None or not began_unset:
            return None
        if line.energy_wh > energy_max_wh(QUEUED_MAX, self.rated_power_w):
            return None
        return line, Doubt("clock", by_station // _MINUTE, QUEUED_MAX // _MINUTE)

    def _start_that_is_none(self, reading: RegisterReading) -> Doubt | None:
        """A station that says 0 at the start, or nothing, and its lifetime register afterwards."""
        if self.start_wh >= MAX_ENERGY_WH:
            return Doubt("start", reading.register_wh, self.start_wh)
        most_wh = self._most_wh(reading)
        if self.start_wh <= 0 and reading.register_wh - self.start_wh > most_wh:
            return Doubt("start", reading.register_wh, self.start_wh + most_wh)
        return None

    def _is_from_before_the_boot(self, reading: RegisterReading) -> bool:
        """A register restarts with the boot, not before: this one was queued, and its time or its figure is wrong."""
        if self.booted_at is None or self.last_received_at is None or self.booted_at < self.last_received_at:
            return False
        return reading.measured_at < self.booted_at - SLACK

    def _most_wh(self, reading: RegisterReading) -> int:
        """The most that can have been delivered since the start."""
        by_us = reading.received_at - self.received_at
        return energy_max_wh(longest(reading.measured_at - self.started_at, by_us), self.rated_power_w)

    def _with(self, reading: RegisterReading) -> BelievedRegister:
        return replace(
            self,
            last_wh=reading.register_wh,
            last_measured_at=reading.measured_at,
            last_received_at=reading.received_at,
        )

    def _counting_from(self, reading: RegisterReading) -> BelievedRegister:
        return replace(self._with(reading), base_wh=reading.register_wh)


@dataclass(frozen=True)
class StopReading:
    """What a StopTransaction says of the register: transactionData, oldest first, and meterStop when it can be read."""

    samples: tuple[Sample, ...]
    meter_stop_wh: int | None
    stopped_at: datetime
    received_at: datetime


def stopped(
    register: BelievedRegister, stop: StopReading, *, corrects_estimate: bool
) -> tuple[BelievedRegister, list[Doubt]]:
    """The register after a stop; the readings in it are judged as they would have been alone."""
    doubts: list[Doubt] = []
    for sample in stop.samples:
        if sample.energy_wh is not None:
            register, doubt = register.read(RegisterReading(sample.energy_wh, sample.measured_at, stop.received_at))
            doubts += [doubt] if doubt else []
    if stop.meter_stop_wh is not None:
        reading = RegisterReading(stop.meter_stop_wh, stop.stopped_at, stop.received_at)
        register, doubt = register.stop(reading, corrects_estimate=corrects_estimate)
        doubts += [doubt] if doubt else []
    return register, doubts
