"""A connector kept for a client: its states, and when something of it is due (roadmap/reservations §1, §5, §6).

Final states never change. Pure: each step returns the reservation as it is afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId

ReservationStatus: TypeAlias = Literal["pending", "reserved", "fulfilled", "canceled", "no_show", "rejected", "failed"]
CanceledBy: TypeAlias = Literal["driver", "operator", "system"]
#: What the station may have of it: nothing, an order whose answer is not known, it, or something to take back.
AtStation: TypeAlias = Literal["nothing", "asked", "kept", "to_end"]
LIVE: tuple[ReservationStatus, ...] = ("pending", "reserved")

#: Nobody else begins there so long before a scheduled one's start.
GUARD = timedelta(minutes=15)
#: The holder is warned so long before the end.
WARNING = timedelta(minutes=3)
#: Free to cancel so long after it was made; a scheduled one until so long before its start.
FREE_AFTER = timedelta(minutes=5)
FREE_BEFORE = timedelta(minutes=30)
FURTHEST = timedelta(hours=24)
#: An order to a station whose answer is not known after this time is taken back.
ANSWERED_WITHIN = timedelta(seconds=60)
#: The station gives it up by itself so long after us.
NET = timedelta(seconds=60)
#: What could not be sent is tried again.
AGAIN = timedelta(seconds=15)


@dataclass(frozen=True)
class KeptWindow:
    """When a connector is kept."""

    blocks_from: datetime
    starts_at: datetime
    expires_at: datetime
    free_cancel_until: datetime

    @classmethod
    def at_once(cls, now: datetime, minutes: int) -> KeptWindow:
        return cls(now, now, now + timedelta(minutes=minutes), now + FREE_AFTER)

    @classmethod
    def scheduled(cls, starts_at: datetime, minutes: int) -> KeptWindow:
        return cls(starts_at - GUARD, starts_at, starts_at + timedelta(minutes=minutes), starts_at - FREE_BEFORE)


@dataclass(frozen=True)
class ReservationRecord:
    """A row of `reservations`. `per_minute` and `no_show_fee` are the prices when it was made, in som."""

    id: str
    #: OCPP's reservationId.
    wire_id: int
    client_id: ClientId
    station_id: StationId
    connector_id: ConnectorId
    #: Any connector of the station would do.
    any_connector: bool
    status: ReservationStatus
    scheduled: bool
    minutes: int
    created_at: datetime
    blocks_from: datetime
    starts_at: datetime
    expires_at: datetime
    free_cancel_until: datetime
    #: It keeps the connector from others now.
    is_blocking: bool
    per_minute: Decimal
    no_show_fee: Decimal
    hold_tyiyn: int
    fee_tyiyn: int | None
    ended_at: datetime | None
    canceled_by: CanceledBy | None
    reason: str | None
    ended_by: str | None
    session_id: SessionId | None
    returned_at: datetime | None
    #: The station keeps the connector for it too, or will.
    guaranteed: bool
    id_tag: IdTag | None
    at_station: AtStation
    asked_at: datetime | None
    extended_at: datetime | None
    warned_at: datetime | None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    def serves(self, connector_id: ConnectorId) -> bool:
        """Whether a start of its holder at this connector of its station uses it now."""
        return self.is_live and self.is_blocking and (self.any_connector or self.connector_id == connector_id)

    def asked(self, at: datetime) -> ReservationRecord:
        """The station is about to be asked to keep it."""
        return replace(self, at_station="asked", asked_at=at, is_blocking=True)

    def reserved(self, *, guaranteed: bool) -> ReservationRecord:
        """The station keeps it, or we alone do."""
        at_station: AtStation = "kept" if guaranteed else "nothing"
        return replace(self, status="reserved", guaranteed=guaranteed, at_station=at_station, is_blocking=True)

    def ended(
        self,
        status: ReservationStatus,
        fee_tyiyn: int,
        at: datetime,
        *,
        by: str,
        canceled_by: CanceledBy | None = None,
        reason: str | None = None,
        session_id: SessionId | None = None,
    ) -> ReservationRecord:
        """It is over. What the station has of it is taken back; a holder's start uses it there."""
        at_station = self.at_station
        if status == "rejected":
            at_station = "nothing"
        elif status != "fulfilled" and at_station != "nothing":
            at_station = "to_end"
        return replace(
            self,
            status=status,
            fee_tyiyn=fee_tyiyn,
            ended_at=at,
            ended_by=by,
            canceled_by=canceled_by,
            reason=reason,
            session_id=session_id,
            is_blocking=False,
            at_station=at_station,
        )

    def extended(self, minutes: int, hold_tyiyn: int, at: datetime) -> ReservationRecord:
        """Kept so many minutes longer, for so much more held."""
        return replace(
            self,
            minutes=self.minutes + minutes,
            expires_at=self.expires_at + timedelta(minutes=minutes),
            hold_tyiyn=self.hold_tyiyn + hold_tyiyn,
            extended_at=at,
            warned_at=None,
        )

    def blocking(self) -> ReservationRecord:
        """Its guard has begun."""
        return replace(self, is_blocking=True)

    def warned(self, at: datetime) -> ReservationRecord:
        return replace(self, warned_at=at)

    def came(self, fee_tyiyn: int, session_id: SessionId) -> ReservationRecord:
        """It passed for not used, and was: it costs what it costs whoever comes."""
        return replace(self, fee_tyiyn=fee_tyiyn, session_id=session_id)

    def fee_returned(self, at: datetime) -> ReservationRecord:
        return replace(self, returned_at=at)

    def let_go(self) -> ReservationRecord:
        """Over, and of no more use at the station."""
        return self if self.at_station == "nothing" else replace(self, at_station="to_end")

    def taken_back(self) -> ReservationRecord:
        """The station has nothing of it any more."""
        return self if self.is_live else replace(self, at_station="nothing")


#: What is to be done of a reservation.
Step: TypeAlias = Literal["nothing", "block", "take", "give_up", "warn", "expire", "take_back"]


def next_step(of: ReservationRecord) -> tuple[Step, datetime | None]:
    """What comes next, and when; nothing of one that is over."""
    if not of.is_live:
        if of.at_station == "to_end":
            return "take_back", of.ended_at
        # A start that was asked for uses it; a station that has it still gives it up by itself soon after.
        return ("take_back", of.expires_at) if of.at_station in ("asked", "kept") else ("nothing", None)
    if of.status == "pending":
        if of.asked_at is not None:
            return "give_up", of.asked_at + ANSWERED_WITHIN
        return ("take", of.starts_at) if of.is_blocking else ("block", of.blocks_from)
    return ("expire", of.expires_at) if of.warned_at is not None else ("warn", of.expires_at - WARNING)
