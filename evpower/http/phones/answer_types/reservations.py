"""Answers of the doors of reservations (contract/roadmap/reservations §2): what is not known is left out."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from evpower.http.wire.described import Instant, Success
from evpower.reservations.reservation import CanceledBy, ReservationStatus


class ReservationQuoteBody(TypedDict):
    """What a reservation would hold and cost, som."""

    success: Success
    hold_amount: float
    per_minute: float
    no_show_fee: float
    free_cancel_until: Instant
    guaranteed: bool


class ReservationFacts(TypedDict):
    """A reservation; `fee_amount` and `released_amount` are final and come with its end."""

    reservation_id: str
    status: ReservationStatus
    station_id: str
    connector_id: int
    location_id: str
    starts_at: Instant
    expires_at: Instant
    hold_amount: float
    fee_amount: NotRequired[float]
    released_amount: NotRequired[float]
    free_cancel_until: Instant
    guaranteed: bool
    session_id: NotRequired[str]
    canceled_by: NotRequired[CanceledBy]
    reason: NotRequired[str]


class ReservationBody(ReservationFacts):
    """One."""

    success: Success


class EndedReservationBody(ReservationBody):
    """One that is over; `already_ended`: it was before."""

    already_ended: bool


class ReservationsBody(TypedDict):
    """The client's own, the newest first."""

    success: Success
    reservations: list[ReservationFacts]
