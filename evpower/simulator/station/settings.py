"""What kind of station is simulated, and how patient it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from evpower.simulator.station.misbehaviour import Misbehaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSettings:
    """One station's nature. `speed` is simulated seconds of charging per real second; timers are always real.

    The times of a charge run with it, so a charge looks as long as it takes at the connector's power.
    """

    ocpp: Literal["1.6", "2.0.1"] = "1.6"
    vendor: str = "EvPower"
    model: str = "Simulator"
    firmware_version: str = "1.0.0"
    password: str | None = None
    connector_power_w: int = 60_000
    voltage_v: int = 400
    #: 0: direct current of `voltage_v`; else alternating current, which is between two phases.
    phases: Literal[0, 1, 3] = 0
    register_wh: int = 0
    speed: float = 1.0
    sample_interval_s: int = 30
    connection_timeout_s: int = 60
    connect_timeout_s: float = 10.0
    call_timeout_s: float = 30.0
    reconnect_first_s: float = 1.0
    reconnect_max_s: float = 60.0
    boot_retry_s: float = 30.0
    reboot_s: float = 5.0
    boots_on_reconnect: bool = False
    queue_messages_max: int = 1000
    trace_frames_max: int = 1000
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)

    @property
    def conductor_v(self) -> float:
        """What a current in one conductor makes power of."""
        return self.voltage_v / math.sqrt(3) if self.phases else float(self.voltage_v)

    def watts(self, current_a: float, phases: int | None = None) -> float:
        """The power of a current in each of so many phases; None: in all there are."""
        return current_a * self.conductor_v * max(1, min(phases or self.phases, self.phases))

    def amperes(self, power_w: float) -> float:
        """The current of a power in each phase."""
        return power_w / self.conductor_v / max(1, self.phases)
