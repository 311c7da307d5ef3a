"""What both providers stand in: one clock, one list of faults, one courier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evpower.simulator.providers.surroundings.clock import ProviderClock
from evpower.simulator.providers.surroundings.courier import Letter
from evpower.simulator.providers.surroundings.faults import Fault, Faults, Provider, Sleep
from evpower.simulator.providers.surroundings.received import Log, Received


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`page_url` is where people pay; `send` hands a call to a webhook over."""

    clock: ProviderClock
    faults: Faults
    received: Log
    send: Callable[[Letter], None]
    sleep: Sleep
    page_url: str

    def fault(self, provider: Provider, command: str, order: str) -> Fault | None:
        """The fault that strikes this call; the call is noted."""
        fault = self.faults.take(provider, command)
        self.received.note(Received(self.clock.now(), provider, command, order, fault.kind if fault else ""))
        return fault
