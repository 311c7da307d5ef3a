"""What real stations do wrong, on request: each field is one bad habit seen in the field (ocpp-duties, last part)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from evpower.clock import Clock
from evpower.errors import EvPowerError
from evpower.simulator.station.outbox import Choose, OutboxMessage, first


class UnknownMisbehaviour(EvPowerError):
    """No bad habit of that name; the message lists those there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """Which bad habits a station has; the default is none."""

    duplicates: int = 0  # StartTransaction and StopTransaction are sent this many times more
    late_s: float = 0.0  # transaction messages leave this long after they happened
    out_of_order: bool = False  # meter values of a transaction follow its stop, newest first
    newest_first: bool = False  # OCPP 2.0.1: of a transaction's events that wait, the newest leaves first
    clock: Literal["right", "1970", "tomorrow", "yesterday"] = "right"
    refuse_remote_start: bool = False
    never_start: bool = False  # RemoteStart is accepted, nothing follows
    start_delay_s: float = 0.0  # between the go-ahead and StartTransaction
    refuse_remote_stop: bool = False
    ignore_remote_stop: bool = False  # RemoteStop is accepted, the charge goes on
    silent: bool = False  # CALLs of the central system are never answered
    meter_in_kwh: bool = False
    bare_values: bool = False  # samples carry a value and nothing else
    no_meter_values: bool = False
    lose_stop: bool = False  # StopTransaction is never sent
    refuse_limits: bool = False  # SetChargingProfile is Rejected
    limit_answer_s: float = 0.0  # SetChargingProfile is answered this late
    limit_lag_s: float = 0.0  # SetChargingProfile is Accepted, and obeyed this late
    draws: float = 1.0  # so many times what was Accepted flows, as far as the hardware can
    ignore_limits: bool = False  # SetChargingProfile is Accepted, and nothing follows
    power_told: float = 1.0  # so much of the power and the current that flow is reported; the register is true


NAMES: Mapping[str, Mapping[str, Any]] = {
    "duplicate": {"duplicates": 1},
    "late": {"late_s": 60.0},
    "out-of-order": {"out_of_order": True},
    "newest-first": {"newest_first": True},
    "clock-1970": {"clock": "1970"},
    "clock-tomorrow": {"clock": "tomorrow"},
    "clock-yesterday": {"clock": "yesterday"},
    "refuse-start": {"refuse_remote_start": True},
    "never-start": {"never_start": True},
    "slow-start": {"start_delay_s": 30.0},
    "refuse-stop": {"refuse_remote_stop": True},
    "ignore-stop": {"ignore_remote_stop": True},
    "silent": {"silent": True},
    "kwh": {"meter_in_kwh": True},
    "bare-values": {"bare_values": True},
    "no-meter-values": {"no_meter_values": True},
    "lose-stop": {"lose_stop": True},
    "refuse-limits": {"refuse_limits": True},
    "late-limits": {"limit_answer_s": 15.0},
    "lag-limits": {"limit_lag_s": 20.0},
    "overdraw": {"draws": 1.5},
    "ignore-limits": {"ignore_limits": True},
    "understate-power": {"power_told": 0.5},
}


def misbehaviour(names: Iterable[str]) -> Misbehaviour:
    """The habits named on a command line; raises UnknownMisbehaviour."""
    chosen = Misbehaviour()
    for name in names:
        if name not in NAMES:
            raise UnknownMisbehaviour(f"unknown misbehaviour {name!r}; there are {', '.join(NAMES)}")
        chosen = replace(chosen, **NAMES[name])
    return chosen


class WrongClock:
    """The station's own clock: the true one, moved by what is wrong with it."""

    def __init__(self, true: Clock, kind: Literal["right", "1970", "tomorrow", "yesterday"]) -> None:
        self._true = true
        self._offset = {
            "right": timedelta(0),
            "1970": datetime(1970, 1, 1, tzinfo=UTC) - true.now(),
            "tomorrow": timedelta(days=1),
            "yesterday": timedelta(days=-1),
        }[kind]

    def now(self) -> datetime:
        """The moment this station believes it is."""
        return self._true.now() + self._offset


def order_of(habits: Misbehaviour) -> Choose:
    """In which order a station with these habits empties its queue."""
    if habits.out_of_order:
        return meter_values_last
    return newest_event_first if habits.newest_first else first


def newest_event_first(queue: deque[OutboxMessage]) -> OutboxMessage | None:
    """Of the oldest transaction that waits the newest event: the numbers of what was queued come in falling order."""
    oldest = first(queue)
    if oldest is None or oldest.event is None:
        return oldest
    return next(each for each in reversed(queue) if each.event is not None and each.transaction is oldest.transaction)


def meter_values_last(queue: deque[OutboxMessage]) -> OutboxMessage | None:
    """Hold a transaction's meter values back until its stop is gone, then send the newest first."""
    values = [message for message in queue if message.action == "MeterValues"]
    others = [message for message in queue if message.action != "MeterValues"]
    if others:
        return others[0]
    ended = [m for m in values if m.transaction is None or m.transaction.over.is_set()]
    return ended[-1] if ended else None
