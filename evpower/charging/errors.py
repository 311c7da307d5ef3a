"""Why a charge does not begin, or is not there to be ended (contract/rest-api §1.7)."""

from __future__ import annotations

from evpower.errors import EvPowerError, Refusal, SessionNotFound


class NoSuchActiveSession(SessionNotFound):
    """Nothing to stop; also for a POST a 404, which the app reads (field ruling 6.3)."""

    message = "Активная сессия зарядки не найдена"


class ConnectorTaken(EvPowerError):
    """Another session began on the connector meanwhile, and the unit of work is lost; see ConnectorOccupied."""


class SessionFailed(Refusal):
    """The station refused the start; the reservation has been returned."""

    code = "session_failed"
    message = "Станция отклонила запуск зарядки. Средства возвращены"
