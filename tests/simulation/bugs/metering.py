"""Bugs of belief: clocks, registers, questions that nobody is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import trio

import evpower.charging.session as sessions
import evpower.metering.registers as registers
import evpower.metering.rows.journal as journal_rows
import evpower.metering.stops as stops
from tests.simulation.bugs.planting import put
from tests.simulation.world import BEGINS_AT


def believe_the_chargers_clock() -> None:
    """Minutes are what the charger says, whatever ours says."""

    def billed(by_station: timedelta | None, *_: Any, **__: Any) -> timedelta:
        return by_station or timedelta(0)

    put(sessions, "billed_time", lambda _: billed)


def minutes_until_now() -> None:
    """A charge without its stop lasts until somebody makes the bill."""

    def make(original: Any) -> Any:
        def until(self: Any) -> Any:
            if self.meter_stop_wh is not None:
                return original(self)
            now = BEGINS_AT + timedelta(seconds=trio.current_time())
            return now - self.received_at, now

        return until

    put(sessions.TransactionRecord, "_until", make)


def bill_an_unbelievable_register() -> None:
    """Any register is one."""
    put(registers, "energy_max_wh", lambda _: lambda *_args: 10**9)


def drop_a_doubt() -> None:
    """What is not believed leaves no row."""

    async def nothing(*_: Any) -> None:
        await trio.lowlevel.checkpoint()

    put(stops, "note_doubts", lambda _: nothing)
    put(journal_rows, "note_doubts", lambda _: nothing)


def forget_the_meter_before() -> None:
    """A register that begins again takes back what the one before it counted (money-audit A10)."""

    def make(original: Any) -> Any:
        def read(self: Any, reading: Any) -> Any:
            believed, doubt = original(self, reading)
            return (replace(believed, carried_wh=0), doubt) if doubt and doubt.kind == "restart" else (believed, doubt)

        return read

    put(registers.BelievedRegister, "read", make)
