"""A grant as a station is commanded: in amperes of a phase, or in watts, in tenths of either (ADR 80)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from evpower.identifiers import WireTransactionId
from evpower.link.commands import LimitDraw
from evpower.power.possible_draw import Grant
from evpower.power.site import VOLTS, Member, watts_of_da

#: Our profiles at a station, by their connector: the permanent one, and that of a charge.
LASTING_ID, CHARGE_ID = 8_000_000, 9_000_000
#: A profile begins so long before it is sent: the clock of its station may be late.
CLOCK_LATE = timedelta(seconds=60)


def is_lasting(profile_id: int | None) -> bool:
    """Whether that is the number of a permanent profile of ours; connectors of one EVSE have the last of theirs."""
    return profile_id is not None and LASTING_ID <= profile_id < CHARGE_ID


@dataclass(frozen=True)
class Wire:
    """How a station takes its limits."""

    member: Member
    #: A or W, as it says; None: as usual for its kind of current.
    unit: str | None = None
    #: Of the direct current, as measured.
    volts: float | None = None

    def limit(self, current_da: int) -> tuple[Decimal, str]:
        """What the evidence says: A for each phase, or kW of direct current, rounded down to tenths."""
        if not self.member.is_dc:
            return Decimal(current_da) / 10, "A"
        return Decimal(int(watts_of_da(current_da, 3) / 100)) / 10, "kW"

    def lasting(self, current_da: int) -> LimitDraw:
        """What holds in every charge when nothing else does."""
        return self._command(current_da, LASTING_ID, is_lasting=True)

    def of_a_start(self, grant: Grant) -> LimitDraw:
        """Its lease begins with the charge."""
        return self._command(grant.current_da, CHARGE_ID, duration_s=int(grant.duration.total_seconds()))

    def of_a_charge(self, grant: Grant, transaction_id: WireTransactionId) -> LimitDraw:
        """Its lease begins with the command, and ends at a moment whenever it arrives."""
        begins_at = grant.sent_at - CLOCK_LATE
        duration_s = int((grant.duration + CLOCK_LATE).total_seconds())
        of = {"transaction_id": transaction_id, "begins_at": begins_at, "duration_s": duration_s}
        return self._command(grant.current_da, CHARGE_ID, **of)

    def _command(self, current_da: int, profile_id: int, **more: object) -> LimitDraw:
        socket, phases = self.member.outlet[1], len(self.member.phases)
        unit = self.unit or ("W" if self.member.is_dc else "A")
        if unit == "A" and not self.member.is_dc:
            tenths = current_da
        else:
            watts = int(watts_of_da(current_da, phases) / 100) * 100
            tenths = watts * 10 if unit == "W" else int(watts * 10 / (self.volts or VOLTS))
        numbered = None if self.member.is_dc else phases
        return LimitDraw(socket, profile_id + socket, tenths, "A" if unit == "A" else "W", numbered, **more)  # type: ignore[arg-type]  # by name, of the two above
