"""Why a connector is not kept for a client (roadmap/reservations §2)."""

from __future__ import annotations

from typing import Literal

from evpower.errors import EvPowerError, NotFound, Refusal
from evpower.network.spots.errors import ConnectorFaulted, ConnectorOccupied, ConnectorUnavailable


class ReservationNotFound(NotFound):
    """Unknown, or another client's: the two are not distinguished."""

    message = "Бронь не найдена"


class NoSuchConnector(NotFound):
    """The station has none of this number (a 404: it is looked at, not reserved)."""

    code = "connector_not_found"
    message = "Коннектор не найден"


class ReservationTaken(EvPowerError):
    """Another one has the connector at that time, or the client has one; the unit of work is lost."""


class ReservationLimit(Refusal):
    """A rule of reservations; `reason` says which."""

    code = "charging_limit_exceeded"
    message = "Бронирование сейчас невозможно"

    def __init__(
        self,
        reason: Literal["too_many_reservations", "no_show_block", "too_far_ahead", "overlap", "already_extended"],
        **details: object,
    ) -> None:
        super().__init__(SENTENCES[reason], reason=reason, **details)


SENTENCES = {
    "too_many_reservations": "У вас уже есть активная бронь",
    "no_show_block": "Бронирование временно недоступно: слишком много неиспользованных броней",
    "too_far_ahead": "Забронировать можно не более чем за 24 часа",
    "overlap": "Коннектор уже забронирован на это время",
    "already_extended": "Бронь уже продлевалась",
}


class ReservationOver(Refusal):
    """There is nothing to make longer any more."""

    code = "session_expired"
    message = "Бронь уже завершена"


class ReservationRefused(Refusal):
    """The station did not take it; what was held has been returned."""

    code = "session_failed"
    message = "Станция отклонила бронь. Средства возвращены"


def refusal_of_station(status: str | None) -> Refusal:
    """What the driver reads of a station's answer to ReserveNow."""
    if status == "occupied":
        return ConnectorOccupied(connector_status="Occupied")
    if status == "faulted":
        return ConnectorFaulted(connector_status="Faulted")
    if status == "unavailable":
        return ConnectorUnavailable(connector_status="Unavailable")
    return ReservationRefused()
