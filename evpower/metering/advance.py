"""What the reports of one batch change of a running transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from evpower.metering.belief import power_max_w
from evpower.metering.boundaries import boundaries_stored
from evpower.metering.doubts import DoubtfulCharge, NotedDoubt
from evpower.metering.meter_value import MeterReport
from evpower.metering.registers import BelievedRegister, Doubt, RegisterReading

#: What is noted of a transaction: it is named by the id of the one before it; its meter signs readings.
OLD_ID_FLAG, SIGNED_FLAG = "readings_under_old_id", "signed_readings"


@dataclass
class Advance:
    """A transaction as it was, and what its reports add, in the order in which they came."""

    charge: DoubtfulCharge
    register: BelievedRegister
    doubts: list[NotedDoubt] = field(default_factory=list)
    _quantities: dict[str, float | None] = field(default_factory=dict)
    _at: datetime | None = None
    _reported_as: str = ""
    _flags: set[str] = field(default_factory=set)
    _no_power: bool = False

    def take(self, report: MeterReport, at: datetime, *, under_old_id: bool) -> None:
        """A report that came at this moment; the newest of each quantity counts."""
        self._at, self._reported_as = at, report.reported_as
        self._flags |= {flag for flag, noted in ((OLD_ID_FLAG, under_old_id), (SIGNED_FLAG, report.signed)) if noted}
        for sample in report.samples:
            if sample.energy_wh is not None:
                self.register, doubt = self.register.read(RegisterReading(sample.energy_wh, sample.measured_at, at))
                self._doubt(doubt, at)
            if sample.power_w is not None:
                self._take_power(sample.power_w, at)
            for name in ("current_a", "voltage_v", "soc_percent", "temperature_c"):
                if (figure := getattr(sample, name)) is not None:
                    self._quantities[name] = figure

    def columns(self) -> dict[str, object]:
        """The row of `ADVANCED_COLUMNS`."""
        register = self.register
        return {
            **self._quantities,
            "id": self.charge.transaction_key,
            "base_wh": register.base_wh,
            "last_wh": register.last_wh,
            "carried_wh": register.carried_wh,
            "before_wh": register.before_wh,
            "last_measured_at": register.last_measured_at,
            "last_received_at": register.last_received_at,
            "boundaries": boundaries_stored(register.boundaries),
            "no_power": self._no_power,
            "flags": sorted(self._flags),
            "at": self._at,
        }

    def _take_power(self, power_w: float, at: datetime) -> None:
        """What the connector cannot deliver is no power, and the one before it is no longer the power of now."""
        most_w = power_max_w(self.register.rated_power_w)
        self._no_power = power_w > most_w
        self._quantities["power_w"] = None if self._no_power else power_w
        if self._no_power:
            self._doubt(Doubt("power", round(power_w), most_w), at)

    def _doubt(self, doubt: Doubt | None, at: datetime) -> None:
        if doubt is not None:
            self.doubts.append(NotedDoubt(self.charge, doubt, self._reported_as, at))
